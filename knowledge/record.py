"""The record of all vectors in Chroma: a folder of this machine, or a server.

What is scanned can always be made again from here. A folder may be opened by one process only - two writers lose
vectors without a word, and even one that reads brings its index up to date on the disk. So a record is opened by
`Record.open` alone, which asks for the library's lock as proof.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self
from urllib.parse import urlsplit

from knowledge.port import EmbedderMismatch, Entry, IndexDamaged, RecordUnavailable

if TYPE_CHECKING:
    from chromadb.api import ClientAPI
    from chromadb.api.models.Collection import Collection
    from chromadb.api.types import Where
    from chromadb.base_types import InclusionExclusionOperator, LiteralValue

    from knowledge.lock import WriteLock
    from knowledge.port import Vectors

_NAME = "sayso-chunks"
_BATCH = 1000
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

    def __init__(self, client: "ClientAPI", collection: "Collection") -> None:
        self._client, self._collection = client, collection

    @classmethod
    def open(cls, folder: Path, embedding: Embedding, lock: "WriteLock") -> Self:
        """The record in a folder. Raises `EmbedderMismatch`, and `IndexDamaged` when it cannot be read."""
        from chromadb.api.client import Client
        from chromadb.config import Settings
        from chromadb.errors import ChromaError

        lock.check(folder)
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            settings = Settings(is_persistent=True, persist_directory=str(folder), anonymized_telemetry=False)
            client = Client(settings=settings)
            return cls(client, _collection(client, embedding, _KEPT, str(folder)))
        except (ChromaError, ValueError) as error:
            raise IndexDamaged(
                f"the record of vectors in {str(folder)!r} cannot be read ({error}); rebuild the library",
                folder=str(folder),
            ) from error

    @classmethod
    def connect(cls, url: str, embedding: Embedding, *, library: str) -> Self:
        """A library's record on a server. Raises `RecordUnavailable` when it does not answer, `EmbedderMismatch`."""
        with _answering(url):
            client = _client(url)
            return cls(client, _collection(client, embedding, _SERVED, url, f"{_NAME}-{library}"))

    @staticmethod
    def drop(url: str, *, library: str) -> None:
        """Forgets a library's record on a server. Raises `RecordUnavailable`."""
        from chromadb.errors import NotFoundError

        with _answering(url), suppress(NotFoundError):
            _client(url).delete_collection(f"{_NAME}-{library}")

    def put(self, entries: Sequence[Entry], vectors: "Vectors") -> None:
        """Adds or replaces the vectors of chunks; `vectors` has one row for each entry."""
        for i in range(0, len(entries), _BATCH):
            part = entries[i : i + _BATCH]
            self._collection.upsert(
                ids=[entry.chunk for entry in part],
                embeddings=vectors[i : i + _BATCH],
                metadatas=[{"place": entry.place} for entry in part],
            )

    def remove(self, chunks: Sequence[str]) -> None:
        """Takes chunks out."""
        for i in range(0, len(chunks), _BATCH):
            self._collection.delete(ids=list(chunks[i : i + _BATCH]))

    def nearest(self, vector: "Vectors", limit: int) -> list[str]:
        """The ids of the chunks nearest to one vector, whoever may read them: for the caller to filter."""
        found = self._collection.query(query_embeddings=vector[None, :], n_results=limit, include=[])
        return list(found["ids"][0])

    def nearest_in(self, vector: "Vectors", places: Sequence[str], limit: int) -> list[str]:
        """The same among some places, by Chroma's own filter: what the bench compares the scan with."""
        among: dict[InclusionExclusionOperator, list[LiteralValue]] = {"$in": [*places]}
        where: Where = {"place": among}
        found = self._collection.query(
            query_embeddings=vector[None, :], n_results=limit, where=where, include=[]
        )
        return list(found["ids"][0])

    def count(self) -> int:
        """How many vectors there are."""
        return self._collection.count()

    def vectors(self) -> Iterator[Mapping[str, "Vectors"]]:
        """All vectors by chunk, some thousand at a time."""
        import numpy as np

        for at in range(0, self.count(), 5 * _BATCH):
            held = self._collection.get(limit=5 * _BATCH, offset=at, include=["embeddings"])
            rows = held["embeddings"]
            if rows is not None and len(held["ids"]):
                yield dict(zip(held["ids"], np.asarray(rows, dtype=np.float32), strict=True))

    def close(self) -> None:
        """Lets go of the files."""
        from chromadb.api.client import Client

        if isinstance(self._client, Client):
            self._client.close()


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
