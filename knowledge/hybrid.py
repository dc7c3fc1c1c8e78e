"""Both halves as one: a convex sum of scores that mean the same for every question.

Reciprocal-rank fusion throws the scores away and was worse than its better half on most sets we measured; scores
stretched to each question's best hit make the best of a bad list look good. Here each half is measured against a
fixed ruler: BM25 against the most this question could score, a cosine against what unrelated texts have.
"""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace

LEXICAL_WEIGHT = 0.4
FOREIGN_NEARER = (
    0.03  # of cosine: how much farther off a translation is than the same in the question's language
)


@dataclass(frozen=True, slots=True)
class Scored:
    """One chunk's scores, each from 0 to about 1. `foreign`: in another language than the question."""

    document: str
    chunk: str
    lexical: float
    dense: float | None
    cosine: float | None
    foreign: bool = False

    def sum(self, weight: float) -> float:
        """Both halves, `weight` of it by words."""
        return self.lexical if self.dense is None else weight * self.lexical + (1 - weight) * self.dense


@dataclass(frozen=True, slots=True)
class Found:
    """A document found: the chunk to show, both halves at their best, and the score they come to."""

    document: str
    chunk: str
    score: float
    lexical: float
    dense: float | None
    cosine: float | None
    foreign: bool


def fuse(
    owners: Mapping[str, str],
    lexical: Mapping[str, float],
    cosines: Mapping[str, float] | None,
    *,
    floor: float,
    foreign: AbstractSet[str] = frozenset(),
    weight: float = LEXICAL_WEIGHT,
) -> list[Found]:
    """Documents, best first, from the scores of their chunks.

    `owners` says which document each chunk belongs to. A document counts with its best chunk by words and its best
    by meaning, which need not be the same one; the chunk shown is the one with the best sum. `cosines` is None when
    there is no embedding model: then words count whole.
    """
    chunks: dict[str, list[Scored]] = {}
    for chunk, document in owners.items():
        cosine = None if cosines is None else cosines.get(chunk)
        if cosine is not None and chunk in foreign:
            cosine += FOREIGN_NEARER
        dense = None if cosines is None else rise(cosine, floor)
        chunks.setdefault(document, []).append(
            Scored(document, chunk, lexical.get(chunk, 0.0), dense, cosine, chunk in foreign)
        )
    found = [_document(scored, weight) for scored in chunks.values()]
    return sorted(found, key=lambda one: (-one.score, one.document))


def rise(cosine: float | None, floor: float) -> float:
    """How far a cosine stands above what unrelated texts have: 0 at the floor, 1 for the same text."""
    return 0.0 if cosine is None else max(0.0, (cosine - floor) / (1 - floor))


def _document(chunks: list[Scored], weight: float) -> Found:
    if len(chunks) == 1:
        (only,) = chunks
        return Found(
            only.document, only.chunk, only.sum(weight), only.lexical, only.dense, only.cosine, only.foreign
        )
    shown = max(chunks, key=lambda scored: scored.sum(weight))
    best = replace(
        shown,
        lexical=max(scored.lexical for scored in chunks),
        dense=max((scored.dense for scored in chunks if scored.dense is not None), default=None),
        cosine=max((scored.cosine for scored in chunks if scored.cosine is not None), default=None),
    )
    return Found(
        best.document, shown.chunk, best.sum(weight), best.lexical, best.dense, best.cosine, shown.foreign
    )
