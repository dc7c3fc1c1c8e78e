"""How well the library finds: nDCG@10 and recall@10 of words, meaning and both, with the product's own index.

A set is a folder with `corpus.jsonl` (`_id`, `title`?, `text`), `queries.jsonl` (`_id`, `text`) and `qrels.tsv`
(query, document, relevance), as in BEIR. Run it as `python -m evals.bench.retrieval [--json] FOLDER...`; a folder
of sets stands for all of them.
"""

import argparse
import asyncio
import json
import math
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from knowledge.embed import local_embedder
from knowledge.library import FolderLibrary, open_library
from knowledge.port import By, Document, Place, Progress, Query, Reader, SourceReport, Trouble, Unit
from knowledge.sources.markdown import page

if TYPE_CHECKING:
    from knowledge.port import Embedder

CUT = 10
_HALVES = {"lexical": By.WORDS, "dense": By.MEANING, "hybrid": By.BOTH}
_READER = Reader("bench")


@dataclass(frozen=True, slots=True)
class Question:
    """One question of a set, and how relevant each document is to it."""

    text: str
    relevant: Mapping[str, int]


class JsonlCorpus:
    """A `Source` of the documents of one set."""

    name = "corpus"

    def __init__(self, file: Path) -> None:
        self._file = file

    async def places(self) -> tuple[Place, ...]:
        return (Place("corpus:", "corpus", "corpus"),)

    async def units(self) -> tuple[Unit, ...]:
        return (Unit("", stamp=str(self._file.stat().st_mtime_ns)),)

    async def read(self, _: Unit) -> AsyncIterator[Document | Trouble]:
        for row in rows(self._file):
            title = str(row.get("title") or "")
            yield page(str(row["_id"]), source="corpus", place="corpus:", body=str(row["text"]), title=title)


def rows(file: Path) -> list[dict[str, object]]:
    """The rows of a JSON lines file."""
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]


def questions(folder: Path) -> list[Question]:
    """The questions of a set that have a relevant document."""
    relevant: dict[str, dict[str, int]] = {}
    for line in (folder / "qrels.tsv").read_text(encoding="utf-8").splitlines()[1:]:
        query, document, relevance = line.split("\t")[:3]
        if int(relevance) > 0:
            relevant.setdefault(query, {})[document] = int(relevance)
    asked = rows(folder / "queries.jsonl")
    return [Question(str(q["text"]), relevant[str(q["_id"])]) for q in asked if str(q["_id"]) in relevant]


def ndcg(ranked: Sequence[str], relevant: Mapping[str, int], cut: int = CUT) -> float:
    """Normalised discounted cumulative gain: gain 2^relevance - 1, discount log2(rank + 1)."""
    gained = sum(
        (2.0 ** relevant.get(key, 0) - 1) / math.log2(rank + 2) for rank, key in enumerate(ranked[:cut])
    )
    best = sorted(relevant.values(), reverse=True)[:cut]
    return gained / sum((2.0**value - 1) / math.log2(rank + 2) for rank, value in enumerate(best))


def recall(ranked: Sequence[str], relevant: Mapping[str, int], cut: int = CUT) -> float:
    """The share of relevant documents among the first."""
    return len(relevant.keys() & set(ranked[:cut])) / len(relevant)


async def half(library: FolderLibrary, asked: Sequence[Question], by: By) -> dict[str, float]:
    """The figures of one way of searching: quality, and milliseconds for a question with its embedding."""
    gains, recalls, spent = [], [], []
    for question in asked:
        began = time.perf_counter()
        result = await library.search(Query(question.text, limit=CUT, by=by), _READER)
        spent.append((time.perf_counter() - began) * 1000)
        ranked = [passage.document for passage in result.passages]
        gains.append(ndcg(ranked, question.relevant))
        recalls.append(recall(ranked, question.relevant))
    return {
        f"ndcg@{CUT}": round(statistics.fmean(gains), 4),
        f"recall@{CUT}": round(statistics.fmean(recalls), 4),
        "ms_median": round(statistics.median(spent), 1),
        "ms_p90": round(sorted(spent)[int(len(spent) * 0.9)], 1),
    }


async def measure(
    folder: Path, embedder: "Embedder | None", why_not: str | None, home: Path
) -> dict[str, object]:
    """Ingests one set into a new library and asks all its questions, three ways."""
    library = await open_library(home, embedder=embedder, why_not=why_not, clock=lambda: datetime.now(UTC))
    try:
        (report,) = await library.ingest([JsonlCorpus(folder / "corpus.jsonl")], on_progress)
        asked = questions(folder)
        figures: dict[str, object] = {}
        for name, by in _HALVES.items():
            if embedder is None and by is By.MEANING:
                continue
            figures[name] = await half(library, asked, by)
        return figures | counts(report, asked) | {"notes": list((await library.status()).notes)}
    finally:
        await library.close()


def counts(report: SourceReport, asked: Sequence[Question]) -> dict[str, object]:
    """What was ingested and asked, and how long the ingestion took."""
    return {
        "documents": report.added,
        "chunks": report.chunks,
        "questions": len(asked),
        "ingest_seconds": round(report.seconds, 1),
    }


def on_progress(progress: Progress) -> None:
    """Says how far an ingestion is, beside the figures."""
    print(
        f"\r{progress.share:.0%}: {progress.documents} documents, {progress.rate:.0f} chunks/s",
        end="",
        file=sys.stderr,
        flush=True,
    )
    if progress.share == 1:
        print(file=sys.stderr)


def sets_in(folders: Sequence[Path]) -> list[Path]:
    """The sets meant: each folder given, or those it holds. Raises `SystemExit` for one that is neither."""
    found: list[Path] = []
    for folder in folders:
        inside = (
            [folder]
            if (folder / "qrels.tsv").is_file()
            else sorted(p.parent for p in folder.glob("*/qrels.tsv"))
        )
        if not inside:
            raise SystemExit(
                f"{str(folder)!r} holds no set: a set has corpus.jsonl, queries.jsonl and qrels.tsv"
            )
        found += inside
    return found


def table(results: Mapping[str, Mapping[str, object]]) -> str:
    """The figures for a person."""
    lines = [f"{'set':32}{'half':10}{'nDCG@10':>9}{'recall@10':>11}{'ms':>8}"]
    for name, result in results.items():
        for way in _HALVES:
            figures = result.get(way)
            if isinstance(figures, dict):
                lines.append(
                    f"{name:32}{way:10}{figures['ndcg@10']:>9.4f}{figures['recall@10']:>11.4f}{figures['ms_median']:>8.1f}"
                )
        lines.append(
            f"{name:32}{result['documents']} documents, {result['chunks']} chunks, {result['questions']} questions"
        )
    return "\n".join(lines)


async def run(folders: Sequence[Path], cache: Path | None) -> dict[str, dict[str, object]]:
    """The figures of each set, by its name."""
    with tempfile.TemporaryDirectory(prefix="retrieval-") as scratch:
        embedder, why_not = local_embedder((cache or Path(scratch)) / "vectors.db")
        return {
            folder.name: await measure(folder, embedder, why_not, Path(scratch) / f"library-{i}")
            for i, folder in enumerate(sets_in(folders))
        }


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m evals.bench.retrieval", description=__doc__)
    parser.add_argument("folders", nargs="+", type=Path, metavar="FOLDER", help="a set, or a folder of sets")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
    parser.add_argument("--cache", type=Path, help="keep the vectors in this folder, for the next run")
    given = parser.parse_args()
    results = asyncio.run(run(given.folders, given.cache))
    if not given.json:
        print(table(results))
    else:
        print(json.dumps(next(iter(results.values())) if len(results) == 1 else results, indent=2))


if __name__ == "__main__":
    main()
