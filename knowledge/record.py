"""The record of all vectors in Chroma: a folder of this machine, or a server.

A folder may be opened by one process only - two writers lose vectors without a word, and even one that reads brings
its index up to date on the disk. So a record is opened by `Record.open` alone, which asks for the library's lock as
proof.

A kill in the middle of writing may leave Chroma's files so that it cannot read them any more (seen once in some three
hundred kills); it then fails, waits for ever, or ends the process, and not each time. So a record has a mark in it
while Chroma is at work, and one with a mark is never opened again. What is scanned has the same vectors: a new record
is filled from there, in a folder of another name, `record-<n>`, since Chroma remembers folders it has opened.
"""

import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self
from urllib.parse import urlsplit

from knowledge.port import EmbedderMismatch, Entry, KnowledgeError, RecordDamaged, RecordUnavailable

if TYPE_CHECKING:
    from chromadb.api import ClientAPI
    from chromadb.api.models.Collection import Collection
    from chromadb.api.types import Where
    from chromadb.base_types import InclusionExclusionOperator, LiteralValue

    from knowledge.lock import WriteLock
    from knowledge.port import Vectors

_NAME = "sayso-chunks"
_BATCH = 1000
_WHOLE = "whole"  # a file in a record that has everything that is scanned
_AT_WORK = "at-work"  # a file in a record while Chroma reads or writes it
# Only a server searches by these; in a folder they are kept small, since the scan does the searching.
_SERVED = {"hnsw": {"space": "cosine", "ef_construction": 200, "ef_search": 400, "max_neighbors": 32}}
_KEPT = {"hnsw": {"space": "cosine", "ef_construction": 40, "ef_search": 40, "max_neighbors": 8}}


@dataclass(frozen=True, slots=True)
class Embedding:
    """Which model made the vectors, and how many numbers each has."""

    model: str
    dims: int


class Record:
    """Vectors of chunks by id, made by one embedding model."""

    def __init__(
        self, client: "ClientAPI", collection: "Collection", where: str, *, served: bool = False
    ) -> None:
        self._client, self._collection, self._where, self._served = client, collection, where, served

    @classmethod
    def open(cls, folder: Path, embedding: Embedding, lock: "WriteLock") -> Self:
        """The record in a folder. Raises `EmbedderMismatch`, and `RecordDamaged` when it cannot be read."""
        from chromadb.api.client import Client
        from chromadb.config import Settings
        from chromadb.errors import ChromaError

        lock.check(folder)
        if (folder / f"record-{_number(folder)}" / _AT_WORK).exists():
            give_up(folder)
        folder = folder / f"record-{_number(folder)}"
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            with _at_work(folder):
                settings = Settings(
                    is_persistent=True, persist_directory=str(folder), anonymized_telemetry=False
                )
                client = Client(settings=settings)
                return cls(client, _collection(client, embedding, _KEPT, str(folder)), str(folder))
        except (ChromaError, ValueError) as error:
            raise _damaged(str(folder), error) from error

    @classmethod
    def connect(cls, url: str, embedding: Embedding, *, library: str) -> Self:
        """A library's record on a server. Raises `RecordUnavailable` when it does not answer, `EmbedderMismatch`."""
        with _answering(url):
            client = _client(url)
            held = _collection(client, embedding, _SERVED, url, f"{_NAME}-{library}")
            return cls(client, held, url, served=True)

    @staticmethod
    def drop(url: str, *, library: str) -> None:
        """Forgets a library's record on a server. Raises `RecordUnavailable`."""
        from chromadb.errors import NotFoundError

        with _answering(url), suppress(NotFoundError):
            _client(url).delete_collection(f"{_NAME}-{library}")

    def put(self, entries: Sequence[Entry], vectors: "Vectors") -> None:
        """Adds or replaces the vectors of chunks; `vectors` has one row for each entry. Raises `RecordDamaged`."""
        self.fill([(entry.chunk, entry.place) for entry in entries], vectors)

    def fill(self, chunks: Sequence[tuple[str, str]], vectors: "Vectors") -> None:
        """The same for chunks and their places."""
        for i in range(0, len(chunks), _BATCH):
            part = chunks[i : i + _BATCH]
            with self._readable():
                self._collection.upsert(
                    ids=[chunk for chunk, _ in part],
                    embeddings=vectors[i : i + _BATCH],
                    metadatas=[{"place": place} for _, place in part],
                )

    def remove(self, chunks: Sequence[str]) -> None:
        """Takes chunks out. Raises `RecordDamaged`."""
        for i in range(0, len(chunks), _BATCH):
            with self._readable():
                self._collection.delete(ids=list(chunks[i : i + _BATCH]))

    def nearest(self, vector: "Vectors", limit: int) -> list[str]:
        """The ids of the chunks nearest to one vector, whoever may read them: for the caller to filter."""
        with self._readable():
            found = self._collection.query(query_embeddings=vector[None, :], n_results=limit, include=[])
        return list(found["ids"][0])

    def nearest_in(self, vector: "Vectors", places: Sequence[str], limit: int) -> list[str]:
        """The same among some places, by Chroma's own filter: what the bench compares the scan with."""
        among: dict[InclusionExclusionOperator, list[LiteralValue]] = {"$in": [*places]}
        where: Where = {"place": among}
        with self._readable():
            found = self._collection.query(
                query_embeddings=vector[None, :], n_results=limit, where=where, include=[]
            )
        return list(found["ids"][0])

    def count(self) -> int:
        """How many vectors there are."""
        with self._readable():
            return self._collection.count()

    def vectors(self) -> Iterator[Mapping[str, "Vectors"]]:
        """All vectors by chunk, some thousand at a time. Raises `RecordDamaged`."""
        import numpy as np

        for at in range(0, self.count(), 5 * _BATCH):
            with self._readable():
                held = self._collection.get(limit=5 * _BATCH, offset=at, include=["embeddings"])
            rows = held["embeddings"]
            if rows is not None and len(held["ids"]):
                yield dict(zip(held["ids"], np.asarray(rows, dtype=np.float32), strict=True))

    @contextmanager
    def _readable(self) -> Iterator[None]:
        """A folder that Chroma fails on is damaged; a server that fails is the operator's to look after."""
        from chromadb.errors import ChromaError

        if self._served:
            with _answering(self._where):
                yield
            return
        try:
            with _at_work(Path(self._where)):
                yield
        except ChromaError as error:
            raise _damaged(self._where, error) from error

    def close(self) -> None:
        """Lets go of the files."""
        from chromadb.api.client import Client

        if not isinstance(self._client, Client):
            return
        if self._served:
            self._client.close()
        else:
            with _at_work(Path(self._where)):
                self._client.close()


def is_whole(folder: Path) -> bool:
    """Whether the record in a folder was filled, if it had to be; a new one is not."""
    return (folder / f"record-{_number(folder)}" / _WHOLE).exists()


def note_whole(folder: Path) -> None:
    """Notes that the record in a folder has all it should have; those before it are removed."""
    number = _number(folder)
    (folder / f"record-{number}" / _WHOLE).touch()
    for other in folder.glob("record-*"):
        if other.name != f"record-{number}":
            shutil.rmtree(other)


def give_up(folder: Path) -> None:
    """Makes the next record opened in a folder a new one, in place of one that cannot be read."""
    (folder / f"record-{_number(folder) + 1}").mkdir(mode=0o700)


@contextmanager
def _at_work(record: Path) -> Iterator[None]:
    """Marks a record for as long as the block lasts; the mark stays when Chroma fails, or the process ends."""
    mark = record / _AT_WORK
    mark.touch()
    try:
        yield
    except KnowledgeError:
        mark.unlink(missing_ok=True)
        raise
    mark.unlink(missing_ok=True)


def _number(folder: Path) -> int:
    """The number of the latest record in a folder, from 1."""
    return max((int(held.name.removeprefix("record-")) for held in folder.glob("record-*")), default=1)


def _damaged(folder: str, error: Exception) -> RecordDamaged:
    return RecordDamaged(
        f"the record of vectors in {folder!r} cannot be read ({error}); the next ingestion fills it again",
        folder=folder,
    )


@contextmanager
def _answering(url: str) -> Iterator[None]:
    import httpx
    from chromadb.errors import ChromaError, NotFoundError

    try:
        yield
    except NotFoundError:
        raise
    except (ChromaError, ValueError, httpx.HTTPError, OSError) as error:
        raise RecordUnavailable(
            f"no Chroma server answers at {url!r} ({error}); start it, or correct `knowledge.chroma`", url=url
        ) from error


def _client(url: str) -> "ClientAPI":
    from chromadb import HttpClient
    from chromadb.config import Settings

    parts = urlsplit(url)
    return HttpClient(
        host=parts.hostname or "localhost",
        port=parts.port or (443 if parts.scheme == "https" else 8000),
        ssl=parts.scheme == "https",
        # Chroma's client never closes the connections it keeps, so it keeps none.
        settings=Settings(anonymized_telemetry=False, chroma_http_max_keepalive_connections=0),
    )


def _collection(
    client: "ClientAPI",
    embedding: Embedding,
    configuration: Mapping[str, object],
    where: str,
    name: str = _NAME,
) -> "Collection":
    from chromadb.errors import NotFoundError

    try:
        held = client.get_collection(name, embedding_function=None)
    except NotFoundError:
        return client.create_collection(
            name,
            metadata={"model": embedding.model, "dims": embedding.dims},
            configuration=configuration,  # type: ignore[arg-type] # a TypedDict of chromadb's, not exported
            embedding_function=None,
        )
    made_with = (held.metadata or {}).get("model")
    if made_with != embedding.model:
        raise EmbedderMismatch(
            f"the vectors in {where!r} were made with the embedding model {made_with!r}, and the settings say "
            f"{embedding.model!r}; set the first again, or rebuild the library",
            made_with=str(made_with),
            wanted=embedding.model,
        )
    return held
