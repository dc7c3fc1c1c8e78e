"""A hundred thousand chunks or a million: how fast a filtered search is, and how much an exact one would have found.

Run it as `python -m evals.bench.scale --sets FOLDER [--chunks N]`, with retrieval sets as `evals.bench.retrieval` has
them. Nobody has a million passages at hand, so they are made by recombination: each is the first half of one real
passage and the second half of another, and its vector lies between theirs, with a little noise (seeded: the same each
time). They are dealt to fifty private channels. The questions are the sets' own, asked by somebody who may read one
channel (2 %), ten (20 %) and all of them. Beside the library stands a Chroma collection as it comes, with the same
vectors, asked with its own filter.
"""

import argparse
import asyncio
import json
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from evals.bench.retrieval import on_progress, questions, rows, sets_in
from knowledge.catalogue import Catalogue, Database
from knowledge.chunking import WORDS, chunks_of, size
from knowledge.embed import local_embedder, normalised
from knowledge.ingest import meaning_of
from knowledge.library import FolderLibrary, kept_in, open_library
from knowledge.port import Document, Place, Query, Reader, Trouble, Unit
from knowledge.scan import Scan, Window
from knowledge.sources.markdown import page

if TYPE_CHECKING:
    from chromadb.api.models.Collection import Collection
    from chromadb.api.types import Where
    from chromadb.base_types import LiteralValue, LogicalOperator, WhereOperator

    from knowledge.port import Embedder, Vectors

CHANNELS = 50
ASKERS = {"2 %": 1, "20 %": 10, "100 %": 50}
NOISE = 0.15  # of a vector's length
PASSAGES = 600
CUT = 10
UNIT = 5000  # passages read together


class Stock:
    """Real passages to recombine: their words, and their vectors with shape (passages, dims)."""

    def __init__(self, texts: Sequence[tuple[str, ...]], vectors: "Vectors") -> None:
        self._texts, self._vectors = tuple(texts), vectors
        self._units: dict[int, Vectors] = {}

    def text(self, number: int) -> str:
        """The words of made passage `number`, few enough for one chunk."""
        one, other = self._pair(number)
        first, second = self._texts[one], self._texts[other]
        words = [*first[: len(first) // 2], *second[len(second) // 2 :]]
        while size(" ".join(words)) >= WORDS:
            words.pop()
        return " ".join((*words, f"no{number}"))

    def unit(self, index: int) -> "Vectors":
        """The vectors of `UNIT` made passages, shape (UNIT, dims), each of length one."""
        import numpy as np

        if index not in self._units:
            pairs = np.array([self._pair(number) for number in range(index * UNIT, (index + 1) * UNIT)])
            between = normalised(self._vectors[pairs[:, 0]] + self._vectors[pairs[:, 1]])
            noise = np.random.default_rng(index).standard_normal(between.shape, dtype=np.float32)
            self._units = {index: normalised(between + noise * (NOISE / between.shape[1] ** 0.5))}
        return self._units[index]

    def made(self, numbers: Sequence[int]) -> "Vectors":
        """The vectors of some made passages."""
        import numpy as np

        return np.array([self.unit(number // UNIT)[number % UNIT] for number in numbers], dtype=np.float32)

    def _pair(self, number: int) -> tuple[int, int]:
        count = len(self._texts)
        return number % count, (number // count + number * 7 + 1) % count


class Recombined:
    """A `Source` of made passages, each a document of one chunk, dealt to fifty private channels."""

    name = "made"

    def __init__(self, stock: Stock, chunks: int) -> None:
        self._stock, self._chunks = stock, chunks

    async def places(self) -> tuple[Place, ...]:
        members = [frozenset({f"person:sees{n}" for n in ASKERS.values() if i < n}) for i in range(CHANNELS)]
        return tuple(
            Place(f"made:{i}", f"#made-{i}", "made", public=False, members=members[i])
            for i in range(CHANNELS)
        )

    async def units(self) -> tuple[Unit, ...]:
        starts = range(0, self._chunks, UNIT)
        return tuple(Unit(f"made:{i}-", "made", min(UNIT, self._chunks - i)) for i in starts)

    async def read(self, unit: Unit) -> AsyncIterator[Document | Trouble]:
        start = int(unit.key.removeprefix("made:").removesuffix("-"))
        for number in range(start, start + unit.weight):
            place = f"made:{number % CHANNELS}"
            yield page(
                f"{unit.key}{number}", source="made", place=place, body=self._stock.text(number), title="made"
            )


class Recombiner:
    """An `Embedder` that knows the vectors of made passages by the number they end with."""

    def __init__(self, stock: Stock, inner: "Embedder") -> None:
        self.name, self.dims, self.floor = "recombined", inner.dims, inner.floor
        self._stock, self._inner = stock, inner

    async def embed_queries(self, texts: Sequence[str]) -> "Vectors":
        return await self._inner.embed_queries(texts)

    async def embed_passages(self, texts: Sequence[str]) -> "Vectors":
        return self._stock.made([int(text.rsplit(" no", 1)[1]) for text in texts])


async def stocked(sets: Sequence[Path], embedder: "Embedder") -> Stock:
    """Up to `PASSAGES` real passages of at least forty words, with their vectors."""
    found: list[tuple[str, ...]] = []
    meanings: list[str] = []
    for folder in sets:
        for row in rows(folder / "corpus.jsonl"):
            body = page(
                str(row["_id"]),
                source="s",
                place="p",
                body=str(row["text"]),
                title=str(row.get("title") or ""),
            )
            for chunk in chunks_of(body)[:2]:
                words = tuple(chunk.text.split())
                if len(words) >= 40:
                    found.append(words)
                    meanings.append(meaning_of(body, chunk))
    step = max(1, len(found) // PASSAGES)
    vectors = await embedder.embed_passages(meanings[::step][:PASSAGES])
    return Stock(found[::step][:PASSAGES], vectors)


def exact(stock: Stock, chunks: int, asked: "Vectors", channels: int) -> list[list[int]]:
    """The numbers of the nearest passages in the first channels, by comparing with every one in full precision."""
    import numpy as np

    best: list[list[tuple[float, int]]] = [[] for _ in asked]
    for start in range(0, chunks, UNIT):
        numbers = np.array([n for n in range(start, min(chunks, start + UNIT)) if n % CHANNELS < channels])
        for i, row in enumerate(asked @ stock.unit(start // UNIT)[numbers - start].T):
            top = np.argpartition(-row, min(CUT, len(row) - 1))[:CUT]
            near = zip(row[top].tolist(), numbers[top].tolist(), strict=True)
            best[i] = sorted([*best[i], *near], reverse=True)[:CUT]
    return [[number for _, number in found] for found in best]


def compared(chunks: int, stock: Stock, folder: Path) -> "Collection":
    """A Chroma collection as it comes, with the same vectors and the channel of each."""
    from chromadb.api.client import Client
    from chromadb.config import Settings

    client = Client(
        settings=Settings(is_persistent=True, persist_directory=str(folder), anonymized_telemetry=False)
    )
    held = client.create_collection(
        "made", configuration={"hnsw": {"space": "cosine"}}, embedding_function=None
    )
    began = time.perf_counter()
    for at in range(0, chunks, UNIT):
        numbers = list(range(at, min(chunks, at + UNIT)))
        held.add(
            ids=[str(number) for number in numbers],
            embeddings=stock.made(numbers),
            metadatas=[{"place": number % CHANNELS} for number in numbers],
        )
        said = f"\rChroma beside it: {at + len(numbers):,}, {(at + len(numbers)) / (time.perf_counter() - began):.0f}/s"
        print(said, end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    return held


def spread(milliseconds: Sequence[float]) -> dict[str, float]:
    """Median and 95th percentile."""
    ordered = sorted(milliseconds)
    return {"p50": round(statistics.median(ordered), 1), "p95": round(ordered[int(0.95 * len(ordered))], 1)}


async def searches(library: FolderLibrary, texts: Sequence[str], sees: int) -> list[float]:
    """Milliseconds of whole hybrid searches by somebody who sees some channels; the questions are embedded before."""
    reader, spent = Reader(f"sees{sees}"), []
    for text in texts[:5]:
        await library.search(Query(text), reader)
    for text in texts:
        began = time.perf_counter()
        await library.search(Query(text), reader)
        spent.append((time.perf_counter() - began) * 1000)
    return spent


class Asked:
    """An embedder that has seen the questions: so that a search and its embedding are measured apart."""

    def __init__(self, inner: "Embedder", texts: Sequence[str], vectors: "Vectors") -> None:
        self.name, self.dims, self.floor = inner.name, inner.dims, inner.floor
        self._inner, self._known = inner, dict(zip(texts, vectors, strict=True))

    async def embed_queries(self, texts: Sequence[str]) -> "Vectors":
        import numpy as np

        return np.array([self._known[text] for text in texts], dtype=np.float32)

    async def embed_passages(self, texts: Sequence[str]) -> "Vectors":
        return await self._inner.embed_passages(texts)


def dense_half(
    folder: Path, database: Database, asked: "Vectors", channels: int, right: Sequence[Sequence[int]]
) -> dict[str, object]:
    """How fast and how right the scan is. Passages were written in the order of their numbers, so rows are numbers."""
    catalogue = Catalogue(database)
    scan, codes = Scan(folder / "scan", catalogue.scanned(), asked.shape[1]), catalogue.codes()
    window = Window(frozenset(codes[f"made:{i}"] for i in range(channels)))
    found, spent = [], []
    for vector in asked:
        began = time.perf_counter()
        hits = scan.search(vector, window, CUT)
        spent.append((time.perf_counter() - began) * 1000)
        found.append([row for row, _ in hits])
    catalogue.close()
    return {"dense_ms": spread(spent), "dense_recall": recall(found, right)}


def chroma_half(
    held: "Collection", asked: "Vectors", channels: int, right: Sequence[Sequence[int]]
) -> dict[str, object]:
    """The same of Chroma, with its own filter."""
    found, spent = [], []
    for vector in asked:
        began = time.perf_counter()
        below: dict[WhereOperator | LogicalOperator, LiteralValue] = {"$lt": channels}
        where: Where | None = None if channels == CHANNELS else {"place": below}
        result = held.query(query_embeddings=vector[None, :], n_results=CUT, where=where, include=[])
        spent.append((time.perf_counter() - began) * 1000)
        found.append([int(number) for number in result["ids"][0]])
    return {"chroma_ms": spread(spent), "chroma_recall": recall(found, right)}


def recall(found: Sequence[Sequence[int]], right: Sequence[Sequence[int]]) -> float:
    """The share of the right ones that were found."""
    return round(
        statistics.fmean(len(set(f) & set(r)) / len(r) for f, r in zip(found, right, strict=True)), 4
    )


async def measure(given: argparse.Namespace, home: Path) -> dict[str, object]:
    """Makes the passages, ingests them, and asks everything."""
    local, why_not = local_embedder((given.cache or home) / "vectors.db")
    if local is None:
        raise SystemExit(f"this bench needs an embedding model: {why_not}")
    sets = sets_in([given.sets])
    stock = await stocked(sets, local)
    texts = [question.text for folder in sets for question in questions(folder)][:: given.every]
    alone = [await milliseconds(local.embed_queries([text])) for text in texts]
    vectors = await local.embed_queries(texts)
    embedder = Asked(Recombiner(stock, local), texts, vectors)
    library = await open_library(
        home / "library", embedder=embedder, clock=lambda: datetime.now(UTC), database=given.database
    )
    try:
        (report,) = await library.ingest([Recombined(stock, given.chunks)], on_progress)
        (again,) = await library.ingest([Recombined(stock, given.chunks)])
        result: dict[str, object] = {
            "chunks": given.chunks,
            "questions": len(texts),
            "ingested": report.chunks,
            "ingest_seconds": round(report.seconds, 1),
            "chunks_a_second": round(report.chunks / report.seconds),
            "again_seconds": round(again.seconds, 3),
            "disk_mb": {part.name: megabytes(part) for part in sorted((home / "library").iterdir())},
            "embedding_ms": spread(alone),
        }
        beside = None if given.alone else compared(given.chunks, stock, home / "chroma")
        for name, sees in ASKERS.items():
            right = exact(stock, given.chunks, vectors, sees)
            figures: dict[str, object] = {"hybrid_ms": spread(await searches(library, texts, sees))}
            kept = kept_in(home / "library", given.database)
            figures |= dense_half(home / "library", kept, vectors, sees, right)
            figures |= {} if beside is None else chroma_half(beside, vectors, sees, right)
            result[name] = figures
        result["memory_mb"] = {
            "now": psutil.Process().memory_info().rss // 2**20,
            "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        }
        return result
    finally:
        await library.close()


async def milliseconds(work: Awaitable[object]) -> float:
    """How long something took."""
    began = time.perf_counter()
    await work
    return (time.perf_counter() - began) * 1000


def megabytes(path: Path) -> float:
    """The size of a file, or of all files below a folder."""
    files = [path] if path.is_file() else [one for one in path.rglob("*") if one.is_file()]
    return round(sum(one.stat().st_size for one in files) / 1e6, 1)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m evals.bench.scale", description=__doc__)
    parser.add_argument("--sets", type=Path, required=True, help="a folder of retrieval sets")
    parser.add_argument("--chunks", type=int, default=100_000, metavar="N", help="how many (default 100000)")
    parser.add_argument(
        "--every", type=int, default=2, metavar="N", help="ask every Nth question (default 2)"
    )
    parser.add_argument("--cache", type=Path, help="keep the vectors of the real passages in this folder")
    parser.add_argument("--home", type=Path, help="keep the library here: the next run only asks")
    parser.add_argument("--database", metavar="URL", help="keep the catalogue in this PostgreSQL")
    parser.add_argument("--alone", action="store_true", help="without a Chroma collection beside it")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="scale-") as scratch:
        home = given.home or Path(scratch)
        home.mkdir(parents=True, exist_ok=True)
        print(json.dumps(asyncio.run(measure(given, home)), indent=2))


if __name__ == "__main__":
    main()
