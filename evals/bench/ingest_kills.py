"""An ingestion is killed at a random instant, again and again: what a search finds then, and what the next run does."""

import asyncio
import importlib
import json
import os
import random
import shutil
import subprocess
import sys
import time
import zlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from evals.bench.ingest_world import (
    MEMBER,
    PRIVATE,
    World,
    documents_of,
    marks_of,
    sources_of,
)
from knowledge.catalogue import Catalogue, SqliteFile
from knowledge.chunking import chunks_of
from knowledge.embed import normalised
from knowledge.library import FolderLibrary, open_library
from knowledge.port import By, Document, Query, Reader

if TYPE_CHECKING:
    from knowledge.port import Vectors

ASKED_FOR = 10  # changed documents whose marks are asked for after a kill
ANEW = 10  # every tenth library is killed while it is made for the first time
_INSIDER, _OUTSIDER = Reader("one", frozenset({f"slack:{MEMBER}"})), Reader("two", frozenset({"slack:U2"}))
_STARTED, _LONGEST = 60.0, 300.0  # seconds a child may take to begin, and to come to its end
_BEFORE, _AFTER = "before", "after"


class Trace:
    """What a child has come to, written line by line so that a kill leaves it: `writing 128`."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def put(self, stage: str, chunks: int = 0) -> None:
        """Notes that a stage begins."""
        descriptor = os.open(self._file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        os.write(descriptor, f"{stage} {chunks}\n".encode())
        os.close(descriptor)

    def lines(self) -> list[tuple[str, int]]:
        """Every stage so far, and its chunks."""
        if not self._file.exists():
            return []
        halves = [line.split() for line in self._file.read_text(encoding="utf-8").splitlines()]
        return [(stage, int(chunks)) for stage, chunks in halves]


class Hashed:
    """An `Embedder` that counts hashed words and costs next to nothing; it notes in the trace what it was asked."""

    name, dims, floor = "hashed", 64, 0.0

    def __init__(self, trace: Trace | None = None) -> None:
        self._trace = trace

    async def embed_queries(self, texts: Sequence[str]) -> "Vectors":
        return self._vectors(texts)

    async def embed_passages(self, texts: Sequence[str]) -> "Vectors":
        if self._trace is None:
            return self._vectors(texts)
        self._trace.put("embedding", len(texts))
        made = await asyncio.to_thread(self._vectors, texts)
        self._trace.put("writing", len(texts))
        return made

    def _vectors(self, texts: Sequence[str]) -> "Vectors":
        import numpy as np

        made = np.full((len(texts), self.dims), 0.01, dtype=np.float32)
        for row, text in enumerate(texts):
            for word in text.lower().split():
                made[row, zlib.crc32(word.encode()) % self.dims] += 1
        return normalised(made)


@dataclass(frozen=True, slots=True)
class Shown:
    """A passage as a search showed it."""

    document: str
    start: int
    text: str


@dataclass(frozen=True, slots=True)
class Looked:
    """What searches found in a library as a kill left it."""

    searches: int
    torn: tuple[str, ...]  # documents shown neither as they were nor as they are
    unfound: tuple[str, ...]  # documents not shown to who asks for a mark of both texts
    leaked: tuple[str, ...]  # documents shown to somebody who may not read them


@dataclass(frozen=True, slots=True)
class Killed:
    """One kill and the run after it. Counts are chunks."""

    stage: str
    looked: Looked
    due: int  # were to be embedded before the kill
    missing: int  # and still were after it
    embedded: int  # by the run that was killed
    resumed: int  # embedded by the run after it
    faults: tuple[str, ...]


async def work(home: Path, *, whole: bool) -> None:
    """The child: brings the library up to date; a `whole` run also checks it, and prints what it did."""
    importlib.import_module(
        "chromadb.api.client"
    )  # takes longer than an ingestion: no kill shall be lost in it
    trace = Trace(home / "trace")
    trace.put("opening")
    began = time.perf_counter()
    library = await _library(home, Hashed(trace))
    trace.put("reading")
    await library.ingest(sources_of(home))
    trace.put(_AFTER)
    if whole:
        seconds = time.perf_counter() - began
        found = await library.verify(sources_of(home))
        faults = [f"{fault.where}: {fault.what} {fault.said}" for fault in found.faults]
        print(json.dumps({"seconds": seconds, "chunks": found.chunks, "faults": faults}))
    await library.close()


async def rounds(home: Path, kills: int, seed: int) -> list[Killed]:
    """Makes a world, and changes it, kills, looks and resumes as often as asked."""
    chance = random.Random(seed)
    world = World(home, chance)
    making = _whole(home)[0]
    world.change()
    changing = _whole(home)[0]
    found: list[Killed] = []
    for number in range(kills):
        old, anew = await documents_of(home), number % ANEW == ANEW - 1
        if anew:
            await asyncio.to_thread(shutil.rmtree, home / "library")
        world.change()
        moment = chance.uniform(0, making if anew else changing)
        found.append(await _killed(home, {} if anew else old, moment, chance))
        print(
            f"\r{number + 1} of {kills} kills, {found[-1].stage}      ", end="", file=sys.stderr, flush=True
        )
    print(file=sys.stderr)
    return found


async def _killed(home: Path, old: Mapping[str, Document], moment: float, chance: random.Random) -> Killed:
    new = await documents_of(home)
    due = _missing(home, new)
    await asyncio.to_thread(_kill, home, moment)
    lines = Trace(home / "trace").lines()
    looked = await look(home, old, new, chance)
    missing = _missing(home, new)
    _, faults = await asyncio.to_thread(_whole, home)
    resumed = embedded(Trace(home / "trace").lines())
    return Killed(stage_of(lines), looked, due, missing, embedded(lines), resumed, faults)


def _kill(home: Path, moment: float) -> None:
    """Starts an ingestion, and ends it that many seconds after it has begun."""
    trace = Trace(home / "trace")
    (home / "trace").unlink(missing_ok=True)
    process = subprocess.Popen(_command(home))
    deadline = time.monotonic() + _STARTED
    while not trace.lines() and time.monotonic() < deadline:
        time.sleep(0.002)
    time.sleep(moment)
    process.kill()
    process.wait()


def _whole(home: Path) -> tuple[float, tuple[str, ...]]:
    """An ingestion to its end: how long it took, and the faults a check found then."""
    (home / "trace").unlink(missing_ok=True)
    done = subprocess.run(
        [*_command(home), "--whole"], capture_output=True, text=True, timeout=_LONGEST, check=False
    )
    if done.returncode:
        return _LONGEST, (f"the run failed: {done.stderr[-1000:]}",)
    told = json.loads(done.stdout)
    return float(told["seconds"]), tuple(told["faults"])


def _command(home: Path) -> list[str]:
    return [sys.executable, "-m", "evals.bench.ingest", "--child", str(home)]


async def look(
    home: Path, old: Mapping[str, Document], new: Mapping[str, Document], chance: random.Random
) -> Looked:
    """Asks for the marks of what changed, as somebody who may read all of it and as somebody who may not."""
    changed = [key for key in sorted(old.keys() | new.keys()) if old.get(key) != new.get(key)]
    changed = chance.sample(changed, min(ASKED_FOR, len(changed)))
    before = {mark: key for key in changed if key in old for mark in marks_of(old[key])}
    after = {mark: key for key in changed if key in new for mark in marks_of(new[key])}
    shown: list[Shown] = []
    unfound, leaked = set[str](), set[str]()
    library = await _library(home, Hashed())
    try:
        for mark in sorted(before.keys() | after.keys()):
            # Hashed words collide, and what only seems near may push a page out of a mixed list: it must stand
            # among what has the word.
            by_words = (await library.search(Query(mark, by=By.WORDS), _INSIDER)).passages
            passages = [*by_words, *(await library.search(Query(mark), _INSIDER)).passages]
            shown += [Shown(one.document, one.start, one.text) for one in passages]
            if before.get(mark) == after.get(mark) not in {one.document for one in by_words}:
                unfound.add(after[mark])
            if (after.get(mark) or before[mark]).startswith(f"slack:{PRIVATE}/"):
                others = (await library.search(Query(mark), _OUTSIDER)).passages
                leaked |= {one.document for one in others if one.document.startswith(f"slack:{PRIVATE}/")}
    finally:
        await library.close()
    searches = len(before.keys() | after.keys())
    return Looked(searches, torn(shown, old, new), tuple(sorted(unfound)), tuple(sorted(leaked)))


def torn(shown: Iterable[Shown], old: Mapping[str, Document], new: Mapping[str, Document]) -> tuple[str, ...]:
    """The documents whose passages are not all out of their old text, and not all out of their new one."""
    fits: dict[str, frozenset[int]] = {}
    for one in shown:
        end = one.start + len(one.text)
        texts = [(i, held[one.document].text) for i, held in enumerate((old, new)) if one.document in held]
        fitting = frozenset(i for i, text in texts if text[one.start : end] == one.text)
        fits[one.document] = fits.get(one.document, fitting) & fitting
    return tuple(sorted(key for key, versions in fits.items() if not versions))


def stage_of(lines: Sequence[tuple[str, int]]) -> str:
    """What an ingestion was at when it was killed."""
    stage = lines[-1][0] if lines else _BEFORE
    return _BEFORE if stage == "opening" else stage


def embedded(lines: Iterable[tuple[str, int]]) -> int:
    """How many chunks an ingestion had embedded, or begun to."""
    return sum(chunks for stage, chunks in lines if stage == "embedding")


def summed(found: Sequence[Killed], seconds: float) -> dict[str, object]:
    """The figures of all kills together."""
    stages = Counter(one.stage for one in found)
    inside = {stage: n for stage, n in sorted(stages.items()) if stage not in (_BEFORE, _AFTER)}
    dirty = [one for one in found if one.faults]
    return {
        "kills": len(found),
        "landed": {_BEFORE: stages[_BEFORE], "in": sum(inside.values()), _AFTER: stages[_AFTER]},
        "landed_in": inside,
        "dirty": len(dirty),
        "torn": sum(len(one.looked.torn) for one in found),
        "unfound": sum(len(one.looked.unfound) for one in found),
        "leaked": sum(len(one.looked.leaked) for one in found),
        "searches": sum(one.looked.searches for one in found),
        "chunks_due": sum(one.due for one in found),
        "embedded_by_killed_runs": sum(one.embedded for one in found),
        "missing_after_the_kill": sum(one.missing for one in found),
        "embedded_by_resumed_runs": sum(one.resumed for one in found),
        "embedded_again_though_written": sum(max(0, one.resumed - one.missing) for one in found),
        "first_faults": [fault for one in dirty for fault in one.faults[:3]][:9],
        "seconds": round(seconds, 1),
    }


def _missing(home: Path, documents: Mapping[str, Document]) -> int:
    """How many chunks of these documents the library has no vector of."""
    wanted = {chunk.id for document in documents.values() for chunk in chunks_of(document)}
    file = home / "library" / "catalogue.db"
    if not file.exists():
        return len(wanted)
    catalogue = Catalogue(SqliteFile(file))
    held = {chunk for chunk, _, row in catalogue.every_chunk() if row is not None}
    catalogue.close()
    return len(wanted - held)


async def _library(home: Path, embedder: Hashed) -> FolderLibrary:
    return await open_library(home / "library", embedder=embedder, clock=lambda: datetime.now(UTC))
