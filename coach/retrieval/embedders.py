"""Embedders: text to unit vectors. The default reads weights that ship with it; none downloads anything unasked."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from coach.errors import CoachError, ConfigError, ModelUnreachableError
from coach.registry import Registry

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from coach.settings import Settings

    Vectors = NDArray[np.float32]


@dataclass(frozen=True)
class Embedder:
    """A named embedding. Equal ``name`` means vectors that can be compared with each other.

    ``encode`` may return any array-like of shape (texts, dimensions); calling the embedder gives unit float32 vectors,
    so that a dot product is a cosine. A text without a known word gets the zero vector, which is like nothing.
    ``remote`` tells that texts leave the machine. ``alike`` is the cosine from which two concerns of one person count
    as the same, ``perhaps`` that from which the user is asked; benchmarks/same_concern.py measures both, and 0.6 is a
    cautious guess for a model that was not measured.
    """

    name: str
    encode: Callable[[list[str]], Any]
    encode_query: Callable[[str], Any] | None = None
    remote: bool = False
    alike: float = 0.6
    perhaps: float = 0.5

    def __call__(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors, shape (texts, dimensions). Raises :class:`ModelUnreachableError` when ``encode`` fails or gives
        anything but one finite vector for each text."""
        return self._vectors(self.encode, list(texts), len(texts))

    def query(self, text: str) -> Vectors:
        """One unit vector, shape (dimensions,), for a query; some models embed queries unlike passages."""
        encode_query = self.encode_query
        if encode_query is None:
            return cast("Vectors", self([text])[0])
        return cast("Vectors", self._vectors(lambda texts: [encode_query(texts[0])], [text], 1)[0])

    def _vectors(self, encode: Callable[[list[str]], Any], texts: list[str], count: int) -> Vectors:
        import numpy as np

        if not texts:
            return np.zeros((0, 0), dtype=np.float32)
        try:
            vectors = _unit(encode(texts))
        except CoachError:
            raise
        except Exception as error:  # noqa: BLE001 - a stranger's code may raise anything, and quote the texts in it
            raise ModelUnreachableError(
                f"the embedder {self.name} failed ({type(error).__name__}): see that it runs and try again, or choose "
                "another one with coach library reindex --embedder"
            ) from None
        if vectors.ndim != 2 or len(vectors) != count or not np.isfinite(vectors).all():
            raise ModelUnreachableError(
                f"the embedder {self.name} failed (no vector of numbers for each text): see that it runs and try "
                "again, or choose another one with coach library reindex --embedder"
            )
        return vectors


EMBEDDERS: Registry[Callable[[Settings], Embedder]] = Registry("coach.embedders", needs=("__call__",))
"""Embedders by the name that COACH_EMBEDDER and ``reindex`` take; ``name:model`` chooses one of several models."""


def load_embedder(settings: Settings, name: str | None = None) -> Embedder:
    """The embedder of that name (``settings.embedder`` unless given).

    Raises :class:`ConfigError` when what it needs is not installed or not on the machine.
    """
    chosen = name or settings.embedder
    return EMBEDDERS[chosen.partition(":")[0]](settings.model_copy(update={"embedder": chosen}))


def as_embedder(embeddings: Any) -> Embedder:
    """An embedder out of an embedder, or of any LangChain ``Embeddings``, which then count as remote."""
    if isinstance(embeddings, Embedder):
        return embeddings
    model = getattr(embeddings, "model", None) or getattr(embeddings, "model_name", None) or "default"
    return Embedder(
        name=f"langchain-{type(embeddings).__name__}-{model}",
        encode=embeddings.embed_documents,
        encode_query=embeddings.embed_query,
        remote=True,
    )


@EMBEDDERS.register("wordllama")
def wordllama(_: Settings) -> Embedder:
    """256 dimensions, static token vectors, no network: the weights are in the wheel."""
    model = _wordllama()
    return Embedder(name="wordllama-l2_supercat-256", encode=model.embed, alike=0.42, perhaps=0.3)


@EMBEDDERS.register("builtin")
def builtin(_: Settings) -> Embedder:
    """384 dimensions, a sentence encoder that ships with the coach, no network; some milliseconds a text."""
    from coach.retrieval.meaning import vectors

    return Embedder(name="builtin-all-MiniLM-L6-v2-int8", encode=vectors, alike=0.5, perhaps=0.4)


@EMBEDDERS.register("fastembed")
def fastembed(settings: Settings) -> Embedder:
    """Any model of the fastembed package that is already in its cache; ``fastembed:MODEL`` names it."""
    model = settings.embedder.partition(":")[2] or "BAAI/bge-small-en-v1.5"
    try:
        from fastembed import TextEmbedding  # type: ignore[import-not-found, unused-ignore]
    except ImportError:
        raise ConfigError(
            "the embedder fastembed is not installed: pip install fastembed, or unset COACH_EMBEDDER"
        ) from None
    try:
        loaded = TextEmbedding(model_name=model, local_files_only=True)
    except Exception as error:  # noqa: BLE001 - fastembed raises plain ValueError, OSError and those of its downloader
        raise ConfigError(
            f"fastembed has no files of {model} on this machine ({type(error).__name__}): "
            f"fetch them once with python -c \"from fastembed import TextEmbedding; TextEmbedding('{model}')\""
        ) from None
    return Embedder(
        name=f"fastembed-{model}",
        encode=lambda texts: list(loaded.embed(texts)),
        encode_query=lambda text: next(iter(loaded.query_embed(text))),
    )


@EMBEDDERS.register("minilm")
def minilm(_: Settings) -> Embedder:
    """Chroma's all-MiniLM-L6-v2 on onnxruntime, 384 dimensions, when its files are already on the machine."""
    from coach.retrieval.chroma import minilm_encoder

    # Measured on the same weights; see docs/design/library.md.
    return Embedder(name="chroma-all-MiniLM-L6-v2", encode=minilm_encoder(), alike=0.5, perhaps=0.4)


@EMBEDDERS.register("openai")
def openai(settings: Settings) -> Embedder:
    """Embeddings of the OpenAI-compatible endpoint in the settings; ``openai:MODEL`` names the model.

    Pseudonymised text leaves the machine. Plain HTTP with httpx, so that the vendor's client keeps its one home.
    """
    from urllib.parse import urlsplit

    import httpx

    from coach.settings import is_loopback

    model = settings.embedder.partition(":")[2] or "text-embedding-3-small"
    if not settings.api_key and not settings.base_url:
        raise ConfigError(
            "the embedder openai needs OPENAI_API_KEY or OPENAI_BASE_URL: set one, or unset COACH_EMBEDDER"
        )
    base = (settings.base_url or "https://api.openai.com/v1").rstrip("/")
    secret = settings.api_key.get_secret_value() if settings.api_key else ""
    headers = {"Authorization": f"Bearer {secret}"} if secret else {}

    def encode(texts: list[str]) -> list[list[float]]:
        vectors: list[list[float]] = []
        for start in range(0, len(texts), 256):
            batch = [text or " " for text in texts[start : start + 256]]
            try:
                answer = httpx.post(
                    f"{base}/embeddings",
                    json={"model": model, "input": batch},
                    headers=headers,
                    timeout=settings.deadline,
                    # Nothing between two ends of one machine, and nowhere else than asked.
                    trust_env=not is_loopback(urlsplit(base).hostname or ""),
                    follow_redirects=False,
                )
                answer.raise_for_status()
                data = sorted(answer.json()["data"], key=lambda item: item["index"])
            except (httpx.HTTPError, KeyError, ValueError) as error:
                raise ModelUnreachableError(
                    f"the embedding endpoint gave no vectors ({type(error).__name__}): "
                    "check OPENAI_BASE_URL, the key and the model name after openai:"
                ) from None
            vectors.extend(item["embedding"] for item in data)
        return vectors

    return Embedder(name=f"openai-{model}", encode=encode, remote=True)


def _unit(raw: Any) -> Vectors:
    import numpy as np

    vectors = np.asarray(raw, dtype=np.float32)
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    unit: Vectors = (vectors / np.where(lengths > 0, lengths, 1)).astype(np.float32)
    return unit


@cache
def _wordllama() -> Any:
    # Importing wordllama configures the root logger; what the program's own logging does is not its business.
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    try:
        import wordllama as package
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
    return package.WordLlama.load(cache_dir=Path(package.__file__).parent, disable_download=True)
