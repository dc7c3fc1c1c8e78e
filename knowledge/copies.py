"""Near-duplicates among what was found: the same page in two folders, the same announcement in two channels."""

import re
from collections.abc import Sequence
from typing import TypeVar

from knowledge.port import Copy, Document

T = TypeVar("T")
_ALIKE = 0.8  # share of five-word runs in common from which two texts say the same
_RUN = 5
_READ_CHARS = 6_000
_WORD = re.compile(r"\w+")


def collapsed(ranked: Sequence[tuple[T, Document]], limit: int) -> list[tuple[T, Document, tuple[Copy, ...]]]:
    """The first `limit` different documents, best first, each with the copies of it that stand below it.

    What no longer holds is no copy of what does: a reader must see that it is obsolete.
    """
    kept: list[tuple[T, Document, list[Copy]]] = []
    runs: list[frozenset[tuple[str, ...]]] = []
    for found, document in ranked:
        said = runs_of(document.text)
        same = next(
            (
                i
                for i, other in enumerate(runs)
                if alike(said, other) >= _ALIKE and kept[i][1].standing is document.standing
            ),
            None,
        )
        if same is not None:
            kept[same][2].append(Copy(document.title, document.place, document.date, document.link))
        elif len(kept) < limit:
            kept.append((found, document, []))
            runs.append(said)
    return [(found, document, tuple(copies)) for found, document, copies in kept]


def runs_of(text: str) -> frozenset[tuple[str, ...]]:
    """The runs of five words of a text, in lower case; a shorter text is one run."""
    words = _WORD.findall(text[:_READ_CHARS].lower())
    runs = zip(*(words[i:] for i in range(_RUN)), strict=False)
    return frozenset(runs) if len(words) >= _RUN else frozenset((tuple(words),))


def alike(one: frozenset[tuple[str, ...]], other: frozenset[tuple[str, ...]]) -> float:
    """Jaccard's measure, 0 to 1: what two sets have in common as a share of all they have.

    Of sets too different in size to be alike only the most that it can be.
    """
    fewer, more = sorted((len(one), len(other)))
    if fewer < _ALIKE * more:
        return fewer / more  # no more in common than this, and that is not enough
    common = len(one & other)
    return common / (fewer + more - common) if more else 1.0
