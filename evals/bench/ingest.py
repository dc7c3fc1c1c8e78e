"""What an ingestion costs, and what kill -9 costs it.

    python -m evals.bench.ingest --pages FOLDER [--limit N]   chunks a second with the real model, and a second run
    python -m evals.bench.ingest --kills 50                   a child is killed at random instants, the next one heals

The second part changes a folder of pages and lets a child process ingest it, which is killed at a random instant. At
once a search is asked: each page must be there as it was or as it is, never half. The next child runs to its end, and
then sources, catalogue, word index and both records of the vectors must agree.
"""

import argparse
import asyncio
import hashlib
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from knowledge.embed import local_embedder, normalised
from knowledge.library import FolderLibrary, open_library
from knowledge.port import Query, Reader
from knowledge.sources.folder import DocumentFolder

if TYPE_CHECKING:
    from knowledge.port import Vectors

PAGES = 300
WORDS = ("pool", "cache", "refund", "certificate", "rollback", "latency", "basket", "queue", "disk", "token")
_READER = Reader("bench")


class Hashed:
    """A cheap `Embedder` that is the same each time."""

    name, dims, floor = "hashed", 64, 0.0

    async def embed_queries(self, texts: Sequence[str]) -> "Vectors":
        return await self.embed_passages(texts)

    async def embed_passages(self, texts: Sequence[str]) -> "Vectors":
        import numpy as np

        rows = np.full((len(texts), self.dims), 0.01, dtype=np.float32)
        for row, text in enumerate(texts):
            for word in text.lower().split():
                rows[row, hashlib.sha256(word.encode()).digest()[0] % self.dims] += 1
        return normalised(rows)


def written(pages: Path, number: int, edition: int, chance: random.Random) -> None:
    """Writes one page, every paragraph of which names its edition."""
    paragraphs = (f"Edition {edition}: {' '.join(chance.choices(WORDS, k=60))}." for _ in range(4))
    (pages / f"page{number}.md").write_text(f"# Page number{number}\n\n" + "\n\n".join(paragraphs) + "\n")


def changed(pages: Path, edition: int, chance: random.Random) -> None:
    """Edits a third of the pages, deletes some and adds others."""
    there = sorted(pages.glob("*.md"))
    for path in chance.sample(there, len(there) // 3):
        written(pages, int(path.stem.removeprefix("page")), edition, chance)
    for path in chance.sample(there, 5):
        path.unlink(missing_ok=True)
    for number in range(10_000 + 5 * edition, 10_005 + 5 * edition):
        written(pages, number, edition, chance)


async def opened(home: Path) -> FolderLibrary:
    """The library the children write."""
    return await open_library(home / "library", embedder=Hashed(), clock=lambda: datetime.now(UTC))


async def child(home: Path) -> None:
    """One ingestion, in a process of its own."""
    library = await opened(home)
    await library.ingest([DocumentFolder(home / "pages")])
    await library.close()


def started(home: Path) -> subprocess.Popen[bytes]:
    """A child at work."""
    return subprocess.Popen([sys.executable, "-m", "evals.bench.ingest", "--child", str(home)])


async def torn(home: Path) -> int:
    """Pages that a search finds in neither one edition nor another: with paragraphs of two."""
    library = await opened(home)
    found = 0
    for word in WORDS[:3]:
        for passage in (await library.search(Query(f"edition {word}", limit=20), _READER)).passages:
            editions = {part.split(":")[0] for part in passage.text.split("Edition ")[1:]}
            found += len(editions) != 1
    await library.close()
    return found


async def kills(count: int, seed: int) -> dict[str, object]:
    """Kills as many children, and checks after each that nothing is torn, and that the next run heals everything."""
    chance = random.Random(seed)
    result = {"kills": 0, "ended_before": 0, "torn": 0, "dirty": 0, "faults_after_a_kill": 0}
    with tempfile.TemporaryDirectory(prefix="ingest-") as scratch:
        home = Path(scratch)
        (home / "pages").mkdir()
        for number in range(PAGES):
            written(home / "pages", number, 0, chance)
        started(home).wait()
        changed(home / "pages", 1, chance)
        began = time.perf_counter()
        started(home).wait()
        whole = time.perf_counter() - began
        edition = 2
        while result["kills"] < count:
            changed(home / "pages", edition, chance)
            edition += 1
            process = started(home)
            await asyncio.sleep(chance.uniform(0.35, 1.0) * whole)  # before that it loads its packages
            result["ended_before" if process.poll() is not None else "kills"] += 1
            process.kill()
            process.wait()
            result["torn"] += await torn(home)
            library = await opened(home)
            source = DocumentFolder(home / "pages")
            result["faults_after_a_kill"] += bool((await library.verify([])).faults)
            await library.close()
            started(home).wait()
            library = await opened(home)
            checked = await library.verify([source])
            result["dirty"] += bool(checked.faults)
            for fault in checked.faults[:5]:
                print(f"{fault.where}: {fault.what} {fault.said}", file=sys.stderr)
            await library.close()
            print(f"\r{result}", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    return dict(result) | {"seconds_of_a_run": round(whole, 2)}


def copied(folder: Path, pages: Path, limit: int) -> None:
    """Copies so many pages into one folder."""
    for number, path in enumerate(sorted(folder.rglob("*.md"))[:limit]):
        (pages / f"{number}-{path.name}").write_bytes(path.read_bytes())


async def rate(folder: Path, limit: int) -> dict[str, object]:
    """The cost of a first run with the real model and no cache, and of a second one."""
    with tempfile.TemporaryDirectory(prefix="ingest-") as scratch:
        home = Path(scratch)
        (home / "pages").mkdir()
        copied(folder, home / "pages", limit)
        embedder, why_not = local_embedder()
        library = await open_library(
            home / "library", embedder=embedder, why_not=why_not, clock=lambda: datetime.now(UTC)
        )
        source = DocumentFolder(home / "pages")
        cpu = resource.getrusage(resource.RUSAGE_SELF)
        (first,) = await library.ingest([source])
        used = resource.getrusage(resource.RUSAGE_SELF)
        (second,) = await library.ingest([source])
        await library.close()
    spent = used.ru_utime + used.ru_stime - cpu.ru_utime - cpu.ru_stime
    return {
        "documents": first.added,
        "chunks": first.chunks,
        "seconds": round(first.seconds, 2),
        "chunks_a_second": round(first.chunks / first.seconds, 2),
        "embedding_share": round(first.embedding / first.seconds, 3),
        "cores_used": round(spent / first.seconds, 2),
        "second_run_seconds": round(second.seconds, 3),
        "second_run_share": round(second.seconds / first.seconds, 4),
    }


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m evals.bench.ingest", description=__doc__)
    parser.add_argument("--pages", type=Path, help="a folder of Markdown pages to ingest with the real model")
    parser.add_argument(
        "--limit", type=int, default=60, metavar="N", help="at most so many pages (default 60)"
    )
    parser.add_argument("--kills", type=int, default=0, metavar="N", help="kill so many ingestions")
    parser.add_argument("--seed", type=int, default=7, help="of what is chosen at random")
    parser.add_argument("--child", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child:
        asyncio.run(child(given.child))
        return
    result: dict[str, object] = {}
    if given.pages:
        result["rate"] = asyncio.run(rate(given.pages, given.limit))
    if given.kills:
        result["kills"] = asyncio.run(kills(given.kills, given.seed))
    if not result:
        parser.error("say --pages FOLDER, --kills N, or both")
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
