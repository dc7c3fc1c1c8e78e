"""The half that finds by meaning: vectors in Chroma's persistent client.

Vectors stand on shelves (Chroma collections): one for all public places, one for each private place. A search asks
the public shelf and those of the reader's private places, which is exact about rights and much faster than one
filter over everything. Whatever shelf a vector stands on, the scope's places decide whether it may be found.

One process at a time may write (`library.Library` holds the lock): two writers of one folder lose vectors without a
word. A process that only reads keeps seeing what it opened, and calls `reopen` to see what another one wrote.
"""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from knowledge.port import EmbedderMismatch, Entry, Hit, IndexDamaged, Place, Scope

if TYPE_CHECKING:
    from chromadb.api.client import Client
    from chromadb.api.models.Collection import Collection
    from chromadb.api.types import Where
    from chromadb.base_types import InclusionExclusionOperator, LiteralValue, LogicalOperator, WhereOperator

    Compared = dict[WhereOperator | LogicalOperator, LiteralValue]

    from knowledge.port import Vectors

PUBLIC_SHELF = "shelf-public"
_WRITE_BATCH = 1000
Shelves = Mapping[str, frozenset[str]]  # shelf -> the places whose chunks stand on it


def shelf_of(place: Place) -> str:
    """The shelf a place's chunks are put on."""
    return PUBLIC_SHELF if place.public else f"shelf-{hashlib.sha256(place.id.encode()).hexdigest()[:20]}"


class DenseIndex:
    """Vectors of chunks, made by one embedding model. Raises `EmbedderMismatch` for an index made with another."""

    def __init__(self, folder: Path, *, model: str, dims: int) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._folder, self._model, self._dims = folder, model, dims
        self._opened: dict[str, Collection] = {}
        self._client = self._connect()
        for collection in self._client.list_collections():
            self._check(collection)

    def write(self, entries: Sequence[Entry], vectors: "Vectors") -> None:
        """Adds or replaces the vectors of chunks; `vectors` has one row for each entry."""
        rows: dict[str, list[int]] = {}
        for row, entry in enumerate(entries):
            rows.setdefault(entry.shelf, []).append(row)
        for shelf, chosen in rows.items():
            collection = self._made(shelf)
            for i in range(0, len(chosen), _WRITE_BATCH):
                part = chosen[i : i + _WRITE_BATCH]
                collection.upsert(
                    ids=[entries[row].chunk for row in part],
                    embeddings=vectors[part],
                    metadatas=[_fields(entries[row]) for row in part],
                )

    def remove(self, chunks: Mapping[str, Sequence[str]]) -> None:
        """Takes chunks off their shelves."""
        for shelf, ids in chunks.items():
            collection = self._shelf(shelf)
            if collection is not None:
                for i in range(0, len(ids), _WRITE_BATCH):
                    collection.delete(ids=list(ids[i : i + _WRITE_BATCH]))

    def search(self, vector: "Vectors", scope: Scope, shelves: Shelves, limit: int) -> list[Hit]:
        """The nearest chunks to one vector (shape (dims,)) within a scope; a score is a cosine."""
        hits: list[Hit] = []
        for shelf, places in shelves.items():
            collection = self._shelf(shelf)
            allowed = places & scope.places
            if collection is None or not allowed:
                continue
            found = collection.query(
                query_embeddings=vector[None, :],
                n_results=limit,
                where=_where(scope, None if allowed == places else allowed),
                include=["distances"],
            )
            distances = found["distances"]
            if distances is not None:
                hits += [Hit(c, 1.0 - d) for c, d in zip(found["ids"][0], distances[0], strict=True)]
        return sorted(hits, key=lambda hit: -hit.score)[:limit]

    def scores(self, vector: "Vectors", chunks: Mapping[str, Sequence[str]]) -> dict[str, float]:
        """The cosines of given chunks, by shelf; a chunk that has no vector has none."""
        import numpy as np

        scores: dict[str, float] = {}
        for shelf, ids in chunks.items():
            collection = self._shelf(shelf)
            if collection is None or not ids:
                continue
            held = collection.get(ids=list(ids), include=["embeddings"])
            if held["embeddings"] is not None and len(held["ids"]):
                cosines = np.asarray(held["embeddings"], dtype=np.float32) @ vector
                scores.update(zip(held["ids"], cosines.tolist(), strict=True))
        return scores

    def reopen(self) -> None:
        """Sees what another process wrote. Also needed before writing, or a stale view would overwrite it."""
        self.close()
        self._client = self._connect()

    def close(self) -> None:
        """Lets go of the files."""
        self._opened.clear()
        self._client.close()

    def _connect(self) -> "Client":
        from chromadb.api.client import Client
        from chromadb.config import Settings
        from chromadb.errors import ChromaError

        try:
            return Client(
                settings=Settings(
                    is_persistent=True, persist_directory=str(self._folder), anonymized_telemetry=False
                )
            )
        except (ChromaError, ValueError) as error:
            raise IndexDamaged(
                f"the vector index in {str(self._folder)!r} cannot be read ({error}); rebuild the library",
                folder=str(self._folder),
            ) from error

    def _shelf(self, name: str) -> "Collection | None":
        from chromadb.errors import NotFoundError

        if name not in self._opened:
            try:
                self._opened[name] = self._client.get_collection(name, embedding_function=None)
            except NotFoundError:
                return None
        return self._opened[name]

    def _made(self, name: str) -> "Collection":
        return self._shelf(name) or self._opened.setdefault(
            name,
            self._client.create_collection(
                name,
                metadata={"model": self._model, "dims": self._dims},
                configuration={"hnsw": {"space": "cosine", "ef_construction": 200, "ef_search": 200}},
                embedding_function=None,
            ),
        )

    def _check(self, collection: "Collection") -> None:
        made_with = (collection.metadata or {}).get("model")
        if made_with != self._model:
            raise EmbedderMismatch(
                f"the index in {str(self._folder)!r} was made with the embedding model {made_with!r}, and the "
                f"settings say {self._model!r}; set the first again, or rebuild the index",
                made_with=str(made_with),
                wanted=self._model,
            )


def _fields(entry: Entry) -> dict[str, str | int | bool]:
    fields: dict[str, str | int | bool] = {"place": entry.place, "source": entry.source}
    if entry.date is not None:
        fields["date"] = entry.date
    fields.update({f"service={service.lower()}": True for service in entry.services})
    fields.update({f"person={person.lower()}": True for person in entry.people})
    return fields


def _where(scope: Scope, places: frozenset[str] | None) -> "Where | None":
    asked: list[Where] = []
    if places is not None:
        among: dict[InclusionExclusionOperator, list[LiteralValue]] = {"$in": [*sorted(places)]}
        asked.append({"place": among})
    if scope.source is not None:
        asked.append({"source": scope.source})
    if scope.service is not None:
        asked.append({f"service={scope.service.lower()}": True})
    if scope.person is not None:
        asked.append({f"person={scope.person.lower()}": True})
    if scope.since is not None:
        after: Compared = {"$gte": scope.since}
        asked.append({"date": after})
    if scope.until is not None:
        before: Compared = {"$lt": scope.until}
        asked.append({"date": before})
    if len(asked) > 1:
        return {"$and": asked}
    return asked[0] if asked else None
