"""What people wrote about it: past incidents with the same signs, and the runbook."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from tools.contract import Asker
from tools.investigate.hypothesis import Hypothesis
from tools.investigate.looking import Look
from tools.knowledge.port import Filters, Library, Passage, PassageKind, Searched

ASKED_FOR = 2  # hypotheses about which notes are looked for
_WORDS = {
    "dependency": "slow provider timeouts",
    "memory": "memory high",
    "disk": "disk filling up full",
    "pool": "connection pool exhausted",
    "clock": "clock skew time",
    "certificate": "certificate expiring rotation",
    "traffic": "load more requests scaling",
    "release": "after release rollback",
    "config": "configuration change",
}


@dataclass(frozen=True, slots=True)
class Note:
    """A passage about a hypothesis, and what was searched for."""

    about: str  # the subject of the hypothesis
    passage: Passage
    query: str


async def notes(
    look: Look, ranked: tuple[Hypothesis, ...], asker: Asker
) -> tuple[tuple[Note, ...], tuple[Note, ...]]:
    """Past incidents and runbooks that surely fit, of those the asker may read."""
    library = look.backends.library
    if library is None:
        look.missing["knowledge: none is set"] = None
        return (), ()
    asked = [
        (each, kind) for each in ranked[:ASKED_FOR] for kind in (PassageKind.INCIDENT, PassageKind.DOCUMENT)
    ]
    found = await asyncio.gather(*(_search(look, library, each, kind, asker) for each, kind in asked))
    incidents = [
        note
        for (_, kind), notes_ in zip(asked, found, strict=True)
        if kind is PassageKind.INCIDENT
        for note in notes_
    ]
    runbooks = [
        note
        for (_, kind), notes_ in zip(asked, found, strict=True)
        if kind is PassageKind.DOCUMENT
        for note in notes_
    ]
    return _once(incidents), _once(runbooks)


async def _search(
    look: Look, library: Library, hypothesis: Hypothesis, kind: PassageKind, asker: Asker
) -> list[Note]:
    said = next(
        (str(point.fields["sample"]) for point in hypothesis.points if point.fields.get("sample")), ""
    )
    words = " ".join(re.findall(r"[A-Za-z]{3,}", said)[:10])
    topic = _WORDS.get(hypothesis.kind, "")
    head = "runbook" if kind is PassageKind.DOCUMENT else ""
    for signs in dict.fromkeys(each for each in (words, topic) if each):
        query = " ".join(part for part in (head, hypothesis.service, signs) if part)
        found = await look.asked("knowledge", _searched(library, query, asker, kind), Searched(()))
        if sure := [Note(hypothesis.subject, each, query) for each in found.passages if each.sure]:
            return sure[:1]
    return []


def _searched(
    library: Library, query: str, asker: Asker, kind: PassageKind
) -> Callable[[], Awaitable[Searched]]:
    return lambda: library.search(query, asker, Filters(kind=kind, limit=1))


def _once(found: list[Note]) -> tuple[Note, ...]:
    return tuple({note.passage.id: note for note in reversed(found)}.values())[::-1]
