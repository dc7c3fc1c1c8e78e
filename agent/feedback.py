"""What answers lacked and what people said of them: unanswered questions, and marks on passages."""

import asyncio
import json
import re
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from agent.conversation.asked import Asked, Gap, InVain, Mark, balance, gap_of, gaps, may_know
from agent.conversation.evidence import Evidence
from agent.conversation.ports import Clock
from agent.conversation.redact import Redactor
from agent.conversation.thread import Said, TurnId
from agent.people.person import Directory, Person, UnknownPerson
from agent.recall import EVERYBODY, reader_of, searched
from agent.store.port import TurnRecord
from knowledge.port import Library, Query, Reader, SearchResult
from tools.contract import Json

SHOWN = 30  # gaps listed at a time: each is looked up again, for its reader and for those who asked
SAYSO = "sayso"  # who closes a question that is answered now
_TOOL = "knowledge"
_ASKERS = 5  # of a gap, whose answer is looked up at a time
# Who asked in public is answered once everybody is: what only some may read must not show in a list that all see.
_CITED = re.compile(r"\[(\d+)\]")


class NothingToMark(Exception):
    """The answer rests on no passage, or on none of that number."""


@dataclass(frozen=True, slots=True)
class OpenGap:
    """A gap as somebody is shown it: the nearest there is and who may know, as far as this person may read it."""

    gap: Gap
    nearest: str | None
    knows: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class OpenGaps:
    """The gaps somebody may know of, the most asked first, and how many there are besides."""

    shown: tuple[OpenGap, ...]
    more: int


@dataclass(frozen=True, slots=True)
class ClosedGap:
    """A gap that was closed: who said so (`SAYSO` once it was answered), why and when."""

    gap: Gap
    by: str
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Marked:
    """A mark as somebody is shown it. `title` is None where the document is gone, or this person may not read it."""

    mark: Mark
    title: str | None


class Feedback:
    """Notes gaps and marks, and lists what somebody may know of."""

    def __init__(
        self,
        asked: Asked,
        library: Callable[[], Awaitable[Library]],
        directory: Directory,
        redactor: Redactor,
        clock: Clock,
        *,
        sees_all: Collection[str],
    ) -> None:
        self._asked, self._library, self._directory = asked, library, directory
        self._redactor, self._clock, self._sees_all = redactor, clock, frozenset(sees_all)

    # --- unanswered questions ------------------------------------------------------------------------------------

    async def note(self, turn: TurnId, said: Said, evidence: Sequence[Evidence], *, public: bool) -> None:
        """Notes a gap when a question was looked up in what is known alone, and nothing there clearly answers it."""
        nothing = [item.finding.query for item in evidence if item.finding.kind == "nothing_found"]
        sure = any(item.finding.facts.get("sure") for item in evidence if item.finding.kind == "passage")
        if not nothing or sure or any(item.tool != _TOOL for item in evidence):
            return
        question, query = self._redactor.text(said.text), self._redactor.text(nothing[0])
        row = InVain(turn, await _gist(query), question, query, said.speaker, self._clock(), public)
        await self._asked.in_vain(row)

    async def gaps(self, person: Person) -> OpenGaps:
        """The open gaps this person may know of, the most asked first; what was answered meanwhile is closed.

        Raises `KnowledgeError` when the knowledge cannot be searched.
        """
        library = await self._library()
        version = await library.version()
        known = gaps(await self._asked.unanswered(), person.id, sees_all=self._may_see_all(person))
        shown: list[OpenGap] = []
        for at, gap in enumerate(known):
            if len(shown) == SHOWN:
                return OpenGaps(tuple(shown), len(known) - at)
            looked_up = _LookedUp(library, gap.query, await self.balance(gap.query))
            rows = await self._still_open(looked_up, version, gap, person)
            if rows:
                near = searched(await looked_up.by(reader_of(person)))
                nearest = near.passages[0].document if near.passages else None
                shown.append(OpenGap(gap_of(rows), nearest, near.knows))
        return OpenGaps(tuple(shown), 0)

    async def closed(self, person: Person) -> Sequence[ClosedGap]:
        """The closed gaps as far as this person may know of them, the last closed first."""
        sees_all = self._may_see_all(person)
        held: dict[tuple[str, str, str, datetime], list[InVain]] = {}
        for one in await self._asked.closed():
            if may_know(one.asked, person.id, sees_all=sees_all):
                held.setdefault((one.asked.gist, one.by, one.reason, one.at), []).append(one.asked)
        found = [ClosedGap(gap_of(rows), by, reason, at) for (_, by, reason, at), rows in held.items()]
        return sorted(found, key=lambda one: one.at, reverse=True)

    async def close(self, person: Person, name: str, reason: str) -> Gap | None:
        """Closes a gap as far as this person may know of it; None when there is no such one."""
        rows = await self._asked.unanswered()
        known = {gap.id: gap for gap in gaps(rows, person.id, sees_all=self._may_see_all(person))}
        gap = known.get(name.upper())
        if gap is not None:
            await self._close(gap.rows, person.id, self._redactor.text(reason))
        return gap

    async def _still_open(
        self, looked_up: "_LookedUp", version: str, gap: Gap, viewer: Person
    ) -> Sequence[InVain]:
        """The rows of a gap that have no clear answer yet; the others are closed.

        What this depends on is what the viewer may know of: questions of others that they may not see count for
        nothing, and are left alone. What was looked up in vain is not again until documents or marks are others.
        """
        among = looked_up.among(version)
        asked: dict[Reader, list[InVain]] = {}
        for row in gap.rows:
            if row.among == among:
                continue
            asked.setdefault(EVERYBODY if row.public else self._reader(row.person), []).append(row)
        own = reader_of(viewer)
        answered: list[InVain] = []
        in_vain: list[InVain] = []
        for reader in sorted(asked, key=lambda one: one not in (own, EVERYBODY))[:_ASKERS]:
            sure = searched(await looked_up.by(reader)).sure
            (answered if sure else in_vain).extend(asked[reader])
        await self._close(answered, SAYSO, "")
        if in_vain:
            await self._asked.in_vain_again([row.turn for row in in_vain], among)
        return [row for row in gap.rows if row not in answered]

    async def _close(self, rows: Sequence[InVain], by: str, reason: str) -> None:
        if rows:
            await self._asked.close_asked([row.turn for row in rows], by, reason, self._clock())

    def _reader(self, id_: str) -> Reader:
        try:
            return reader_of(self._directory.get(id_))
        except UnknownPerson:  # has left: may read what everybody may
            return EVERYBODY

    # --- marks ---------------------------------------------------------------------------------------------------

    async def marks(self, person: Person) -> Sequence[Marked]:
        """The marks this person may know of: their own, or everybody's; with titles they may read now.

        Raises `KnowledgeError` when the knowledge cannot be opened.
        """
        found = await self._asked.marks()
        known = [mark for mark in found if mark.person == person.id or self._may_see_all(person)]
        if not known:
            return ()
        documents = sorted({mark.document for mark in known})
        titles = await (await self._library()).titles(documents, reader_of(person))
        return [Marked(mark, titles.get(mark.document)) for mark in known]

    async def balance(self, question: str) -> Mapping[str, int]:
        """What people said of documents as answers to this question."""
        return balance(await self._asked.marks(await _gist(question)))

    async def mark(
        self,
        person: Person,
        record: TurnRecord,
        *,
        helpful: bool,
        number: int | None = None,
        reason: str = "",
    ) -> str:
        """Marks a passage an answer rests on, by its number or the first one cited; gives its title.

        Raises `NothingToMark`.
        """
        passages = _passages(record)
        cited = [int(one) for one in _CITED.findall(record.whole)]
        first = next((one for one in cited if one in passages), min(passages, default=None))
        chosen = passages.get(number if number is not None else first or 0)
        if chosen is None:
            numbers = ", ".join(map(str, passages)) or "-"
            raise NothingToMark(numbers)
        facts = chosen["facts"] if isinstance(chosen["facts"], Mapping) else {}
        question = str(chosen["query"] or record.question)
        mark = Mark(
            await _gist(question), str(facts["id"]), person.id, helpful,
            self._redactor.text(record.question), self._clock(), self._redactor.text(reason),
        )  # fmt: skip
        await self._asked.mark(mark)
        return str(facts.get("document") or mark.document)

    def _may_see_all(self, person: Person) -> bool:
        return not self._sees_all.isdisjoint(person.roles)


class _LookedUp:
    """One query as several people search it; asked once for each."""

    def __init__(self, library: Library, query: str, marks: Mapping[str, int]) -> None:
        self._library, self._query = library, Query(query, marks=marks)
        self._found: dict[Reader, SearchResult] = {}

    def among(self, version: str) -> str:
        """What it is looked up in: a version of the library, and the marks that count for it."""
        return json.dumps([version, *sorted(self._query.marks.items())])

    async def by(self, reader: Reader) -> SearchResult:
        if reader not in self._found:
            self._found[reader] = await self._library.search(self._query, reader)
        return self._found[reader]


def _passages(record: TurnRecord) -> dict[int, Mapping[str, Json]]:
    """The passages a turn found, by their numbers."""
    evidence = (record.record or {}).get("evidence")
    rows = evidence if isinstance(evidence, Sequence) and not isinstance(evidence, str) else ()
    return {
        row["number"]: row
        for row in rows
        if isinstance(row, Mapping) and row.get("kind") == "passage" and isinstance(row["number"], int)
        if isinstance(facts := row.get("facts"), Mapping) and facts.get("id")
    }


async def _gist(text: str) -> str:
    from knowledge.gist import gist

    return await asyncio.to_thread(gist, text)
