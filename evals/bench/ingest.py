"""What bringing the library up to date costs, and what kill -9 costs it.

`python -m evals.bench.ingest --sets FOLDER` ingests pages made of retrieval sets (see `evals.bench.retrieval`) with
the real model and without a cache, or the Markdown of `--folder`, and then once more, unchanged.
`python -m evals.bench.ingest --kills 50` ends an ingestion at random instants, each time after the sources changed:
the library must answer at once, from old or new texts, and the next run must leave nothing behind.
"""

import argparse
import asyncio
import json
import os
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain, zip_longest
from pathlib import Path

from evals.bench.ingest_kills import rounds, summed, work
from evals.bench.retrieval import on_progress, rows, sets_in
from knowledge.chunking import chunks_of
from knowledge.embed import local_embedder
from knowledge.library import open_library
from knowledge.port import SourceReport
from knowledge.sources.markdown import MarkdownFolder, page

CHUNKS = 120  # a minute or two of one model on two cores


@dataclass(frozen=True, slots=True)
class Spent:
    """Seconds on the wall, and of all cores together."""

    wall: float
    cpu: float


def texts_of(folder: Path) -> Iterator[str]:
    """The pages of one retrieval set, as Markdown."""
    for row in rows(folder / "corpus.jsonl"):
        title = str(row.get("title") or "")
        yield f"# {title}\n\n{row['text']}\n" if title else f"{row['text']}\n"


def dealt(stacks: Iterable[Iterable[str]]) -> Iterator[str]:
    """One of each stack in turn, until all are used up."""
    return (text for text in chain.from_iterable(zip_longest(*stacks)) if text is not None)


def enough(texts: Iterable[str], documents: int | None) -> list[str]:
    """The first of these pages: as many as asked, or about `CHUNKS` chunks."""
    taken: list[str] = []
    chunks = 0
    for text in texts:
        if len(taken) == documents or (documents is None and chunks >= CHUNKS):
            break
        taken.append(text)
        chunks += len(chunks_of(page("page", source="docs", place="docs:", body=text)))
    return taken


def figures(report: SourceReport, spent: Spent, again: Spent, loading: Spent) -> dict[str, object]:
    """What the first ingestion did and took, and the second one of the same sources."""
    return {
        "documents": report.added,
        "chunks": report.chunks,
        "seconds": round(spent.wall, 2),
        "chunks_a_second": round(report.chunks / spent.wall, 2),
        "embedding_share": round(report.embedding / report.seconds, 4),
        "cpu_over_wall": round(spent.cpu / spent.wall, 2),
        "cores": os.cpu_count(),
        "again_seconds": round(again.wall, 3),
        "again_share": round(again.wall / spent.wall, 4),
        "model_loaded_in": round(loading.wall, 2),
    }


async def speed(texts: Sequence[str], home: Path) -> dict[str, object]:
    """Ingests pages with the model of this machine, and then finds nothing new in them."""
    embedder, why_not = local_embedder()
    if embedder is None:
        raise SystemExit(f"this bench needs an embedding model: {why_not}")
    for number, text in enumerate(texts):
        (home / "pages").mkdir(exist_ok=True)
        (home / "pages" / f"page-{number:05}.md").write_text(text, encoding="utf-8")
    at = _now()
    await embedder.embed_queries(["to load the model"])
    loading = _since(at)
    library = await open_library(home / "library", embedder=embedder, clock=lambda: datetime.now(UTC))
    try:
        at = _now()
        (report,) = await library.ingest([MarkdownFolder(home / "pages")], on_progress)
        spent, at = _since(at), _now()
        (second,) = await library.ingest([MarkdownFolder(home / "pages")])
        again = _since(at)
    finally:
        await library.close()
    if second.chunks or second.unchanged != report.added:
        raise SystemExit(f"the second run found something new: {second}")
    return figures(report, spent, again, loading)


def _now() -> Spent:
    return Spent(time.perf_counter(), time.process_time())


def _since(at: Spent) -> Spent:
    now = _now()
    return Spent(now.wall - at.wall, now.cpu - at.cpu)


async def measure(given: argparse.Namespace, home: Path) -> dict[str, object]:
    """The figures that were asked for."""
    if given.kills:
        began = time.perf_counter()
        found = await rounds(home, given.kills, given.seed)
        return summed(found, time.perf_counter() - began)
    if given.sets is not None:
        stacks = dealt(texts_of(folder) for folder in sets_in([given.sets]))
    elif given.folder is not None:
        stacks = (file.read_text(encoding="utf-8") for file in sorted(given.folder.rglob("*.md")))
    else:
        raise SystemExit("give --sets or --folder with pages to ingest, or --kills")
    return await speed(enough(stacks, given.documents), home)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m evals.bench.ingest", description=__doc__)
    parser.add_argument("--sets", type=Path, help="a retrieval set, or a folder of sets")
    parser.add_argument("--folder", type=Path, help="a folder of Markdown pages, in place of sets")
    parser.add_argument("--documents", type=int, metavar="N", help=f"pages (default: about {CHUNKS} chunks)")
    parser.add_argument("--kills", type=int, default=0, metavar="K", help="kill K ingestions instead")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true", help="print one line of JSON")
    parser.add_argument("--child", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--whole", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child is not None:
        asyncio.run(work(given.child, whole=given.whole))
        return
    with tempfile.TemporaryDirectory(prefix="ingest-") as home:
        print(json.dumps(asyncio.run(measure(given, Path(home))), indent=None if given.json else 2))


if __name__ == "__main__":
    main()
