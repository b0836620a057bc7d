"""The mechanics of finding passages: embedders, BM25, the vector store and windows. ``coach.library`` puts them to use."""
