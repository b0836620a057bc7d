"""The library as a LangChain retriever."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from coach.schema import Passage

if TYPE_CHECKING:
    from langchain_core.retrievers import BaseRetriever


def retriever(search: Callable[..., tuple[Passage, ...]], filters: dict[str, Any]) -> BaseRetriever:
    """A retriever whose documents hold the text of a passage, and what else is known of it as metadata."""
    from langchain_core.callbacks import CallbackManagerForRetrieverRun
    from langchain_core.documents import Document
    from langchain_core.retrievers import BaseRetriever

    class LibraryRetriever(BaseRetriever):
        """Passages of earlier meetings, with pseudonyms."""

        def _get_relevant_documents(self, query: str, *, run_manager: CallbackManagerForRetrieverRun) -> list[Document]:
            return [
                Document(
                    id=passage.id,
                    page_content=passage.text,
                    metadata=passage.model_dump(exclude={"id", "text"}, mode="json"),
                )
                for passage in search(query, **filters)
            ]

    return LibraryRetriever()
