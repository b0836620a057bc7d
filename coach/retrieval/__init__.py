"""How passages are found: embedders, BM25, the vector store, windows, ranking. ``coach.library`` puts them to use."""
