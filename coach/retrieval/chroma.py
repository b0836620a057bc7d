"""Passages and their vectors in Chroma: embedded in this process, on a server, or in Chroma Cloud.

The only file that imports chromadb. A *generation* is one complete index: a folder of its own when embedded, a
collection of its own on a server. Deleting for good means copying the survivors into the next generation and removing
this one, because Chroma itself leaves deleted text in its SQLite pages and vectors in its HNSW files.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from coach.database import private_file, private_folder
from coach.errors import ConfigError, LibraryError, LibraryLockedError
from coach.retrieval.embedders import Embedder
from coach.retrieval.segments import is_torn, segments, take_from_others
from coach.settings import is_loopback

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from coach.settings import Settings

HNSW = {"space": "ip", "ef_construction": 100, "max_neighbors": 16, "ef_search": 100}
"""Vectors are unit, so the inner product is the cosine, and files hold the very bytes that were given."""

BATCH = 500

FEW = 50
"""Meetings up to which it may be quicker to cut them out of an index than to build it anew from the rest."""


@dataclass(frozen=True)
class Record:
    """A passage as stored; ``first`` is the number of its first line within its meeting."""

    id: str
    meeting: str
    first: int
    speakers: tuple[str, ...]
    text: str


class BrokenIndexError(LibraryError):
    """Chroma can't read its vector index, as happens when a process is killed while writing it; texts are intact."""


class Generation:
    """One collection of passages. Every text given to it has passed the leak check."""

    def __init__(
        self, client: Any, name: str, embedder: Embedder, *, cloud: bool = False, folder: Path | None = None
    ) -> None:
        self._client = client
        self._folder = folder
        self._scrubbed: dict[Path, int] = {}
        self._collection = client.get_or_create_collection(
            name,
            embedding_function=_embedding_function(embedder),
            configuration={"spann": {"space": "ip"}} if cloud else {"hnsw": HNSW},
        )
        self._batch = min(BATCH, client.get_max_batch_size())

    @property
    def folder(self) -> Path | None:
        """Where the index is, or ``None`` when it is on a server rather than in this process."""
        return self._folder

    def upsert(self, records: Sequence[Record], vectors: NDArray[np.float32]) -> None:
        """Stores the records with their vectors, shape (records, dimensions); same ids are replaced."""
        for start in range(0, len(records), self._batch):
            some = records[start : start + self._batch]
            self._try(
                "upsert",
                ids=[record.id for record in some],
                documents=[record.text for record in some],
                embeddings=vectors[start : start + self._batch],
                metadatas=[{"meeting": r.meeting, "first": r.first, "speakers": "\n".join(r.speakers)} for r in some],
            )

    def nearest(
        self, vector: NDArray[np.float32], n: int, among: Sequence[str] | None = None
    ) -> tuple[list[str], NDArray[np.float32]]:
        """Ids of the ``n`` nearest passages, best first, and their cosines; ``among`` restricts to these ids."""
        import numpy as np

        found = self._try(
            "query",
            query_embeddings=[vector],
            n_results=n,
            include=["distances"],
            **({"ids": list(among)} if among is not None else {}),
        )
        return found["ids"][0], 1 - np.asarray(found["distances"][0], dtype=np.float32)

    def get(self, ids: Sequence[str]) -> dict[str, Record]:
        """The records of these ids that exist, by id."""
        if not ids:
            return {}
        return {record.id: record for record in _records(self._try("get", ids=list(ids), include=_TEXT))}

    def vectors(self, ids: Sequence[str]) -> dict[str, NDArray[np.float32]]:
        """The vectors of these ids that exist, by id."""
        if not ids:
            return {}
        found = self._try("get", ids=list(ids), include=["embeddings"])
        return dict(zip(found["ids"], found["embeddings"], strict=True))

    def all_vectors(self) -> Iterator[dict[str, NDArray[np.float32]]]:
        """Every vector by id, in batches."""
        offset = 0
        while True:
            found = self._try("get", limit=10 * self._batch, offset=offset, include=["embeddings"])
            if not found["ids"]:
                return
            yield dict(zip(found["ids"], found["embeddings"], strict=True))
            offset += len(found["ids"])

    def of_meeting(self, meeting: str) -> list[Record]:
        """All passages of a meeting, in order."""
        found = self._try("get", where={"meeting": meeting}, include=_TEXT)
        return sorted(_records(found), key=lambda record: record.first)

    def all(self, *, embeddings: bool = True) -> Iterator[tuple[list[Record], NDArray[np.float32] | None]]:
        """Everything in batches, with vectors unless they are unwanted or unreadable."""
        offset = 0
        while True:
            found = self._try(
                "get", limit=self._batch, offset=offset, include=[*_TEXT, "embeddings"] if embeddings else _TEXT
            )
            if not found["ids"]:
                return
            yield list(_records(found)), found["embeddings"] if embeddings else None
            offset += len(found["ids"])

    def ids(self) -> set[str]:
        """Every id."""
        return set(self._try("get", include=[])["ids"])

    def delete(self, ids: Sequence[str]) -> None:
        """Takes these passages out of the index; their bytes may stay until the next generation."""
        for start in range(0, len(ids), self._batch):
            self._try("delete", ids=list(ids[start : start + self._batch]))

    def check(self) -> None:
        """Returns quietly when the vector index answers; raises :class:`BrokenIndexError` otherwise."""
        found = self._try("get", limit=1, include=[])
        if found["ids"]:
            (vector,) = self.vectors(found["ids"]).values()
            self.nearest(vector, 1)

    def close(self) -> None:
        """Lets go of the client."""
        self._client.close()

    def _try(self, method: str, **arguments: Any) -> Any:
        from chromadb.errors import ChromaError, InternalError

        try:
            return getattr(self._collection, method)(**arguments)
        except InternalError:
            raise BrokenIndexError(
                "Chroma can't read or write its index: check that the disk is not full and that you may write there, "
                "then run coach doctor --repair"
            ) from None
        except (ChromaError, ValueError, OSError) as error:
            raise LibraryError(
                f"Chroma refused ({_short(error)}): if the embedder gives other vectors than before, run coach library "
                "reindex; else check that the server and the library match"
            ) from None
        except Exception as error:
            if type(error).__module__.startswith(("httpx", "httpcore")):
                raise LibraryError("the Chroma server does not answer: check COACH_CHROMA_URL") from None
            raise
        finally:
            self._scrub()

    def _scrub(self) -> None:
        """Blanks what Chroma 1.5 writes unfilled: memory as it was found, which may hold words of the notes.

        ``length.bin`` is that always, as our space needs no lengths; the vector files are until Chroma has vectors to
        write, which ``index_metadata.pickle`` tells. Times stay as they are, for :func:`is_torn`.
        """
        for segment in segments(self._folder) if self._folder else ():
            take_from_others(segment)
            unfilled = ["length.bin"]
            if not (segment / "index_metadata.pickle").exists():
                unfilled += ["data_level0.bin", "link_lists.bin"]
            for raw in (segment / name for name in unfilled):
                with contextlib.suppress(FileNotFoundError):
                    about = raw.stat()
                    if self._scrubbed.get(raw) != about.st_mtime_ns:
                        with raw.open("r+b") as file:
                            file.write(bytes(about.st_size))
                        os.utime(raw, ns=(about.st_atime_ns, about.st_mtime_ns))
                        self._scrubbed[raw] = about.st_mtime_ns


class ChromaStore:
    """Where generations live. Embedded, it holds the folder's lock until it is closed.

    ``guard`` is for the threads of this process: hold it over reads that have to see one generation, and over writes.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.embedded = not (settings.chroma_url or settings.chroma_api_key)
        self._folder = settings.home / "library"
        self._lock = _locked(private_folder(self._folder)) if self.embedded else None
        self.guard = _guard(str(self._folder.absolute()))

    def open(self, library: str, generation: str, embedder: Embedder) -> Generation:
        """A generation of the library with that key, made when missing."""
        if self.embedded:
            path = private_folder(self._folder / generation)
            private_file(path / "chroma.sqlite3")
            if any(is_torn(segment) for segment in segments(path)):
                self.drop_vectors(generation)
            return Generation(_embedded(path), "passages", embedder, folder=path)
        return Generation(self._client(), f"coach-{library}-{generation}", embedder, cloud=self._cloud)

    def cut(self, old: Generation, generation: str, embedder: Embedder, gone: Sequence[str]) -> Generation | None:
        """A new generation, without the passages of these meetings, out of a copy of the old one; ``None`` when it has
        to be built anew. Much quicker than that, see :mod:`coach.retrieval.cutting`."""
        from coach.retrieval import cutting

        if old.folder is None or len(gone) > FEW or not _known_release():
            return None
        ids = [record.id for meeting in gone for record in old.of_meeting(meeting)]
        if not ids or not cutting.can_cut(old.folder, len(ids)):
            return None
        vectors, work = old.vectors(ids), f"{generation}-cut"  # Chroma keeps in memory what it knows of a folder.
        private_file(private_folder(self._folder / work) / "chroma.sqlite3")
        try:
            cutting.copy(old.folder, self._folder / work)
            with contextlib.closing(self.open("", work, embedder)) as copied:
                copied.delete(ids)
            cutting.cut(self._folder / work, vectors)
            (self._folder / work).rename(self._folder / generation)
            fresh = self.open("", generation, embedder)
            if fresh.ids() == old.ids() - set(ids):
                return fresh
            fresh.close()
        except (sqlite3.Error, ValueError, KeyError, OSError, LibraryError):
            pass  # Laid out otherwise than known, or no room for a copy.
        for name in (work, generation):
            self.remove("", name)
        return None

    def drop_vectors(self, generation: str) -> None:
        """Removes the vector files of an embedded generation that nobody has open; its texts can still be read."""
        for segment in segments(self._folder / generation) if self.embedded else ():
            shutil.rmtree(segment)

    def remove_all_but(self, library: str, generation: str) -> bool:
        """Removes every other generation of that library, folders or collections, and tells whether there was any."""
        if self.embedded:
            others = [path for path in self._folder.iterdir() if path.is_dir() and path.name != generation]
            for path in others:
                shutil.rmtree(path)
            return bool(others)
        client = self._client()
        ours = f"coach-{library}-"
        names = [collection.name for collection in client.list_collections()]
        others = [name for name in names if name.startswith(ours) and name != ours + generation]
        for name in others:
            client.delete_collection(name)
        client.close()
        return bool(others)

    def any_text(self) -> bool:
        """Whether there are texts in the folder already, of whatever generation."""
        for path in self._folder.glob("g*/chroma.sqlite3") if self.embedded else ():
            try:
                with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
                    if database.execute("SELECT 1 FROM embeddings_queue UNION SELECT 1 FROM embeddings").fetchone():
                        return True
            except sqlite3.DatabaseError:
                if path.stat().st_size:
                    return True
        return False

    def remove(self, library: str, generation: str) -> None:
        """Removes one generation that nobody has open, if it is there; what can't be removed now is removed later."""
        if self.embedded:
            shutil.rmtree(self._folder / generation, ignore_errors=True)
            return
        with contextlib.suppress(Exception):
            client = self._client()
            client.delete_collection(f"coach-{library}-{generation}")
            client.close()

    def close(self) -> None:
        """Lets go of the folder."""
        if self._lock is not None:
            self._lock.release()

    @property
    def _cloud(self) -> bool:
        return self._settings.chroma_api_key is not None and self._settings.chroma_url is None

    def _client(self) -> Any:
        import chromadb

        settings = self._settings
        key = settings.chroma_api_key.get_secret_value() if settings.chroma_api_key else None
        place = {
            name: value
            for name, value in (("tenant", settings.chroma_tenant), ("database", settings.chroma_database))
            if value
        }
        try:
            if self._cloud:
                return chromadb.CloudClient(api_key=key, settings=_quiet(), **place)
            url = urlsplit(settings.chroma_url or "")
            with _no_proxy_to(url.hostname or ""):
                return chromadb.HttpClient(
                    host=url.hostname,
                    port=url.port or (443 if url.scheme == "https" else 8000),
                    ssl=url.scheme == "https",
                    headers={"x-chroma-token": key} if key else None,
                    settings=_quiet(),
                    **place,
                )
        except Exception as error:  # noqa: BLE001 - plain ValueError, ChromaError or httpx errors, depending on the cause
            where = "Chroma Cloud" if self._cloud else "the Chroma server at COACH_CHROMA_URL"
            raise LibraryError(
                f"{where} can't be reached ({type(error).__name__}): check address, key, tenant and database"
            ) from None


@contextlib.contextmanager
def _no_proxy_to(host: str) -> Iterator[None]:
    """While Chroma makes its HTTP client, which asks the environment for proxies: none between two ends of one machine,
    as it would see the token and the passages."""
    before = os.environ.get("NO_PROXY")
    if is_loopback(host):
        os.environ["NO_PROXY"] = ",".join(filter(None, [before or os.environ.get("no_proxy"), host]))
    try:
        yield
    finally:
        if before is not None:
            os.environ["NO_PROXY"] = before
        else:
            os.environ.pop("NO_PROXY", None)


def minilm_encoder() -> Any:
    """Chroma's ONNX MiniLM as a function from texts to vectors; never downloads it.

    Raises :class:`ConfigError` that says how to fetch the files when they are not on the machine.
    """
    from chromadb.utils.embedding_functions import ONNXMiniLM_L6_V2

    folder = ONNXMiniLM_L6_V2.DOWNLOAD_PATH / ONNXMiniLM_L6_V2.EXTRACTED_FOLDER_NAME
    if not (folder / "model.onnx").exists() or not (folder / "tokenizer.json").exists():
        raise ConfigError(
            "the embedder minilm has no files on this machine: fetch them once with python -c "
            "\"from chromadb.utils.embedding_functions import ONNXMiniLM_L6_V2 as M; M()(['hello'])\""
        )
    return ONNXMiniLM_L6_V2(preferred_providers=["CPUExecutionProvider"])


_TEXT = ["documents", "metadatas"]


def _records(found: Any) -> Iterator[Record]:
    for key, text, metadata in zip(found["ids"], found["documents"], found["metadatas"], strict=True):
        speakers = str(metadata["speakers"])
        yield Record(
            id=key,
            meeting=str(metadata["meeting"]),
            first=int(metadata["first"]),
            speakers=tuple(speakers.split("\n")) if speakers else (),
            text=text,
        )


def _known_release() -> bool:
    import chromadb

    return str(chromadb.__version__).startswith("1.5.")


def _quiet() -> Any:
    from chromadb.config import Settings as ChromaSettings

    return ChromaSettings(anonymized_telemetry=False)


def _embedded(path: Path) -> Any:
    import chromadb

    try:
        return chromadb.PersistentClient(str(path), settings=_quiet())
    except Exception as error:  # noqa: BLE001 - the bindings raise several kinds, depending on what is wrong with the files
        raise LibraryError(
            f"the library's files can't be opened ({_short(error)}): check the disk and who owns {path}"
        ) from None


def _embedding_function(embedder: Embedder) -> Any:
    from chromadb import EmbeddingFunction

    class Ours(EmbeddingFunction[Any]):  # type: ignore[misc]
        """So that Chroma never loads, or downloads, a model of its own."""

        def __init__(self) -> None:
            pass

        def __call__(self, input: Any) -> Any:
            return list(embedder(input))

        @staticmethod
        def name() -> str:
            return "unheard"

        def get_config(self) -> dict[str, Any]:
            return {"embedder": embedder.name}

        @staticmethod
        def build_from_config(config: dict[str, Any]) -> Any:
            raise TypeError(f"an index is opened with its embedder at hand: {config.get('embedder')}")

    return Ours()


@cache
def _guard(_folder: str) -> AbstractContextManager[bool]:
    return threading.RLock()


def _locked(folder: Path) -> Any:
    from filelock import FileLock, Timeout

    lock = FileLock(folder / "lock", timeout=0, is_singleton=True, thread_local=False, mode=0o600)
    holder = folder / "holder"
    try:
        lock.acquire()
    except Timeout:
        try:
            pid = f"process {int(holder.read_text())}"
        except (OSError, ValueError):
            pid = "another process"
        raise LibraryLockedError(
            f"{pid} is using this library: close it, or set COACH_CHROMA_URL to a Chroma server to share it"
        ) from None
    except OSError as error:
        raise LibraryError(f"{folder}: {error.strerror}. Set COACH_HOME to a folder you may write to.") from None
    try:
        private_file(holder)
        holder.write_text(str(os.getpid()))
    except (OSError, LibraryError) as error:
        lock.release()
        raise LibraryError(f"{holder} can't be written: check who owns it and whether the disk is full.") from error
    return lock


def _short(error: BaseException) -> str:
    return type(error).__name__
