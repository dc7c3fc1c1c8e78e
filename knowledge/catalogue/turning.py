"""One change of documents and their chunks inside a transaction: what is taken out, put in, and counted."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import Column, Connection, bindparam, delete, func, insert, select, update

from knowledge.catalogue.database import run
from knowledge.catalogue.packing import fingerprint, pack, pack_incident, tags_of
from knowledge.catalogue.schema import (
    among,
    chunks,
    documents,
    incidents,
    meta,
    models,
    place_codes,
    staged,
    tags,
    tallies,
    units,
)
from knowledge.port import Document, Entry, Incident

_Tallied = tuple[int, str, int]  # place, source, model
_OLD = (
    select(
        documents.c.number,
        documents.c.place,
        units.c.source,
        documents.c.model,
        select(func.count()).where(chunks.c.document == documents.c.number).scalar_subquery(),
    )
    .join(units, units.c.number == documents.c.unit)
    .where(among(documents.c.id))
)
_OLD_CHUNKS = select(chunks.c.id, chunks.c.row).where(among(chunks.c.document))
_TALLY = (
    update(tallies)
    .where(*(tallies.c[name] == bindparam(f"of_{name}") for name in ("place", "source", "model")))
    .values(
        documents=tallies.c.documents + bindparam("more"), chunks=tallies.c.chunks + bindparam("chunks_more")
    )
)


class Change:
    """Documents that go and documents that come, in the transaction of one connection."""

    def __init__(self, connection: Connection) -> None:
        self._db = connection
        self._numbers: dict[str, int] = {}
        self._counted: dict[str, _Tallied] = {}
        self._documents: Counter[_Tallied] = Counter()
        self._chunks: Counter[_Tallied] = Counter()

    def take_out(self, ids: Sequence[str]) -> None:
        """Removes documents as far as they are there; their chunks become staged."""
        old = self._db.execute(_OLD, {"keys": ids}).all()
        numbers = [number for number, *_ in old]
        for _, place, source, model, count in old:
            self._documents[place, source, model] -= 1
            self._chunks[place, source, model] -= count
        if numbers:
            chosen = {"keys": numbers}
            stage(self._db, dict(self._db.execute(_OLD_CHUNKS, chosen).all()))
            for column in (chunks.c.document, tags.c.document, incidents.c.document, documents.c.number):
                self._db.execute(delete(column.table).where(among(column)), chosen)

    def put_in(self, pages: Mapping[str, Sequence[Document]], embedder: str) -> None:
        """Adds documents, by unit."""
        places = dict(self._db.execute(select(place_codes.c.id, place_codes.c.code)).all())
        model = _model(self._db, embedder)
        number = next_number(self._db, documents.c.number)
        added: list[dict[str, object]] = []
        tagged: list[dict[str, object]] = []
        numbered = unit_numbers(
            self._db, {(page.source, unit) for unit, group in pages.items() for page in group}
        )
        for unit, group in pages.items():
            for page in group:
                added.append(
                    {
                        "number": number,
                        "id": page.id,
                        "unit": numbered[page.source, unit],
                        "place": places[page.place],
                        "model": model,
                        "fingerprint": bytes.fromhex(fingerprint(page)),
                        "value": pack(page),
                    }
                )
                tagged += [{"tag": tag, "document": number} for tag in tags_of(page)]
                self._numbers[page.id] = number
                self._counted[page.id] = (places[page.place], page.source, model)
                self._documents[self._counted[page.id]] += 1
                number += 1
        run(self._db, insert(documents), added)
        run(self._db, insert(tags), tagged)

    def put_chunks(self, entries: Iterable[tuple[Entry, int | None]]) -> None:
        """Adds the chunks of documents that were put in, with their rows in the scan."""
        first = next_number(self._db, chunks.c.number)
        rows: list[dict[str, object]] = []
        for number, (entry, row) in enumerate(entries, start=first):
            self._chunks[self._counted[entry.document]] += 1
            rows.append(
                {
                    "number": number,
                    "id": entry.chunk,
                    "document": self._numbers[entry.document],
                    "row": row,
                    "start": entry.start,
                    "end": entry.end,
                    "context": entry.context,
                    "language": entry.language,
                }
            )
        run(self._db, insert(chunks), rows)

    def put_incidents(self, told: Iterable[Incident]) -> None:
        """Adds what documents that were put in tell of incidents."""
        rows = [{"document": self._numbers[one.document], "value": pack_incident(one)} for one in told]
        run(self._db, insert(incidents), rows)

    def tally(self) -> None:
        """Brings the counts in step with all of that."""
        for key in self._documents.keys() | self._chunks.keys():
            place, source, model = key
            more, chunks_more = self._documents[key], self._chunks[key]
            which = {"of_place": place, "of_source": source, "of_model": model}
            done = self._db.execute(_TALLY, {**which, "more": more, "chunks_more": chunks_more})
            if not done.rowcount:
                row = {
                    "place": place,
                    "source": source,
                    "model": model,
                    "documents": more,
                    "chunks": chunks_more,
                }
                self._db.execute(insert(tallies), row)


def stage(db: Connection, added: Mapping[str, int | None]) -> None:
    """Notes chunks that are in an index and perhaps in no document, with their rows in the scan."""
    db.execute(delete(staged).where(among(staged.c.chunk)), {"keys": list(added)})
    run(db, insert(staged), [{"chunk": chunk, "row": row} for chunk, row in added.items()])


def put_meta(db: Connection, **values: int) -> None:
    """Notes numbers under names."""
    db.execute(delete(meta).where(among(meta.c.key)), {"keys": list(values)})
    run(db, insert(meta), [{"key": key, "value": str(value)} for key, value in values.items()])


def next_number(db: Connection, column: "Column[int]") -> int:
    """The number after the highest there is: there is one writer, so nobody else takes it."""
    return int(db.execute(select(func.coalesce(func.max(column), 0))).scalar_one()) + 1


def unit_numbers(db: Connection, wanted: Iterable[tuple[str, str]]) -> dict[tuple[str, str], int]:
    """The numbers of units by source and key; one that has none is given one."""
    wanted = sorted(set(wanted))
    found: dict[tuple[str, str], int] = {}
    for source in {source for source, _ in wanted}:
        held = select(units.c.key, units.c.number).where(units.c.source == source, among(units.c.key))
        keys = [key for of, key in wanted if of == source]
        found |= {(source, key): number for key, number in db.execute(held, {"keys": keys})}
    fresh = [pair for pair in wanted if pair not in found]
    first = next_number(db, units.c.number)
    rows = [
        {"number": n, "source": s, "key": k, "stamp": None} for n, (s, k) in enumerate(fresh, start=first)
    ]
    run(db, insert(units), rows)
    return found | {pair: number for number, pair in enumerate(fresh, start=first)}


def _model(db: Connection, name: str) -> int:
    held = db.execute(select(models.c.number).where(models.c.name == name)).scalar_one_or_none()
    if held is not None:
        return int(held)
    number = next_number(db, models.c.number)
    db.execute(insert(models), {"number": number, "name": name})
    return number
