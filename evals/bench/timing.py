"""Whether the time of a search tells an outsider that a word stands in a private place.

`python -m evals.bench.timing` makes a library with a few public pages and many private ones. Half of the words asked
for stand in many private pages and in no public one, the other half stand nowhere; their letters are alike. Somebody
who may read the public pages alone asks for each, in random order, again and again. The figure is how well the times
tell one half from the other, as the chance that a held word took longer than one that nobody has: 0.5 is nothing.
"""

import argparse
import asyncio
import json
import random
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from evals.bench.ingest_kills import Hashed
from knowledge.library import FolderLibrary, open_library
from knowledge.port import By, Document, Kind, Part, Place, Query, Reader, Trouble, Unit

PRIVATE = 20_000
PUBLIC = 200
WORDS = 40  # of each half
SHARE = 0.1  # of the private pages that have one of the held words
_INSIDE, _OUTSIDE = Reader("one", frozenset({"slack:U1"})), Reader("two", frozenset({"slack:U2"}))
_OPEN, _CLOSED = Place("made:open", "#open", "made"), Place(
    "made:closed", "#closed", "made", public=False, members=frozenset({"slack:U1"})
)  # fmt: skip


class Made:
    """A `Source` of pages of invented words; the held ones stand in private pages only."""

    name = "made"

    def __init__(self, chance: random.Random, private: int, held: Sequence[str]) -> None:
        self._chance, self._private, self._held = chance, private, held
        self._common = [word(chance) for _ in range(3000)]

    async def places(self) -> Sequence[Place]:
        return (_OPEN, _CLOSED)

    async def units(self) -> Sequence[Unit]:
        return [Unit("made:", weight=self._private)]

    async def read(self, _unit: Unit) -> AsyncIterator[Document | Trouble]:
        for number in range(PUBLIC + self._private):
            said = self._chance.choices(self._common, k=60)
            if number >= PUBLIC:
                said += [one for one in self._held if self._chance.random() < SHARE]
            text = " ".join(said)
            place = _OPEN if number < PUBLIC else _CLOSED
            yield Document(
                f"made:{number}", "made", Kind.PAGE, f"Page {number}", text, place.id, (Part(0, len(text)),)
            )


def word(chance: random.Random) -> str:
    """Nine letters that nobody has seen together."""
    return "".join(chance.choice("bdfgklmnprstvz") + chance.choice("aeiou") for _ in range(4)) + "k"


async def asked(library: FolderLibrary, words: Sequence[str], rounds: int, by: By) -> Mapping[str, float]:
    """The median milliseconds of each word's searches by the outsider."""
    spent: dict[str, list[float]] = {one: [] for one in words}
    order = random.Random(1)
    for _ in range(rounds):
        for one in order.sample(list(words), len(words)):
            began = time.perf_counter()
            found = await library.search(Query(one, by=by), _OUTSIDE)
            spent[one].append((time.perf_counter() - began) * 1000)
            if any(passage.place != _OPEN.name for passage in found.passages):
                raise SystemExit(f"{one!r} showed a private page")
    return {one: statistics.median(times) for one, times in spent.items()}


def told(held: Sequence[float], absent: Sequence[float]) -> float:
    """The chance that one of the first is greater than one of the second (the area under the ROC curve)."""
    wins = sum((one > other) + 0.5 * (one == other) for one in held for other in absent)
    return round(wins / (len(held) * len(absent)), 3)


async def measure(private: int, rounds: int) -> dict[str, object]:
    """Makes the library and asks."""
    chance = random.Random(7)
    held, absent = ([word(chance) for _ in range(WORDS)] for _ in range(2))
    with tempfile.TemporaryDirectory(prefix="timing-") as folder:
        library = await open_library(Path(folder), embedder=Hashed(), clock=lambda: datetime.now(UTC))
        try:
            await library.ingest([Made(chance, private, held)])
            if not (await library.search(Query(held[0]), _INSIDE)).passages:
                raise SystemExit("the words are not in the private pages: there is nothing to tell")
            result: dict[str, object] = {"private_pages": private, "searches_of_each_word": rounds}
            for by in (By.BOTH, By.WORDS):
                times = await asked(library, [*held, *absent], rounds, by)
                there, nowhere = [times[one] for one in held], [times[one] for one in absent]
                result[by.value] = {
                    "held_ms": round(statistics.median(there), 3),
                    "absent_ms": round(statistics.median(nowhere), 3),
                    "spread_ms": round(statistics.pstdev(nowhere), 3),
                    "told_apart": told(there, nowhere),
                }
            return result
        finally:
            await library.close()


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m evals.bench.timing", description=__doc__)
    parser.add_argument("--private", type=int, default=PRIVATE, metavar="N", help="private pages")
    parser.add_argument("--rounds", type=int, default=9, metavar="N", help="searches of each word")
    given = parser.parse_args()
    print(json.dumps(asyncio.run(measure(given.private, given.rounds)), indent=2))


if __name__ == "__main__":
    main()
