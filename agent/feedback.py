"""What answers lacked and what people said of them: unanswered questions, and marks on passages."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from agent.conversation.asked import Asked, Gap, InVain, Mark, balance, gaps
from agent.conversation.evidence import Evidence
from agent.conversation.ports import Clock
from agent.conversation.redact import Redactor
from agent.conversation.thread import Said, TurnId
from agent.people.person import Directory, Person, UnknownPerson
from agent.recall import reader_of, searched
from agent.store.port import TurnRecord
from knowledge.port import Library, Query, SearchResult
from tools.contract import Json

SHOWN = 30  # gaps looked up again at a time: each is a search or two
_ASKERS = 3  # of a gap whose rights are tried before it counts as answered
_CITED = re.compile(r"\[(\d+)\]")


class NothingToMark(Exception):
    """The answer rests on no passage, or on none of that number."""


@dataclass(frozen=True, slots=True)
class OpenGap:
    """A gap as somebody is shown it: the nearest there is and who may know, as far as this person may read it."""

    gap: Gap
    nearest: str | None
    knows: tuple[str, ...]


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

    async def note(self, turn: TurnId, said: Said, evidence: Sequence[Evidence], *, public: bool) -> None:
        """Notes a gap when a question was looked up in what is known, and nothing there clearly answers it."""
        nothing = [item.finding.query for item in evidence if item.finding.kind == "nothing_found"]
        sure = any(item.finding.facts.get("sure") for item in evidence if item.finding.kind == "passage")
        if not nothing or sure:
            return
        question, query = self._redactor.text(said.text), self._redactor.text(nothing[0])
        row = InVain(turn, await _gist(query), question, query, said.speaker, self._clock(), public)
        await self._asked.in_vain(row)

    async def gaps(self, person: Person) -> tuple[OpenGap, ...]:
        """The open gaps this person may know of, the most asked first; what was answered meanwhile is closed.

        Raises `KnowledgeError` when the knowledge cannot be searched.
        """
        library = await self._library()
        open_ = await self._asked.unanswered()
        found: list[OpenGap] = []
        for gap in gaps(open_, person.id, sees_all=self._may_see_all(person))[:SHOWN]:
            askers = [row.person for row in open_ if row.gist == gap.gist]
            if await self._answered(library, gap, list(dict.fromkeys(askers))[:_ASKERS]):
                await self._asked.close_gap(gap.gist, "sayso", "it is answered now", self._clock())
                continue
            near = searched(await self._search(library, gap.query, person))
            nearest = near.passages[0].document if near.passages else None
            found.append(OpenGap(gap, nearest, near.knows))
        return tuple(found)

    async def close(self, person: Person, name: str, reason: str) -> Gap | None:
        """Closes a gap this person may know of; None when there is no such one."""
        rows = await self._asked.unanswered()
        known = {gap.id: gap for gap in gaps(rows, person.id, sees_all=self._may_see_all(person))}
        gap = known.get(name.upper())
        if gap is not None:
            await self._asked.close_gap(gap.gist, person.id, self._redactor.text(reason), self._clock())
        return gap

    async def marks(self, person: Person) -> Sequence[Mark]:
        """The marks this person may know of: their own, or everybody's."""
        found = await self._asked.marks()
        return [mark for mark in found if mark.person == person.id or self._may_see_all(person)]

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
        cited = [int(one) for one in _CITED.findall(record.answer)]
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

    async def _answered(self, library: Library, gap: Gap, askers: Sequence[str]) -> bool:
        """Whether everybody who asked would get a clear answer now."""
        for asker in askers:
            try:
                person = self._directory.get(asker)
            except UnknownPerson:
                continue
            if not searched(await self._search(library, gap.query, person)).sure:
                return False
        return True

    async def _search(self, library: Library, query: str, person: Person) -> SearchResult:
        return await library.search(Query(query, marks=await self.balance(query)), reader_of(person))


def _passages(record: TurnRecord) -> dict[int, Mapping[str, Json]]:
    """The passages a turn found, by their numbers."""
    evidence = (record.record or {}).get("evidence")
    rows = evidence if isinstance(evidence, Sequence) and not isinstance(evidence, str) else ()
    return {
        row["number"]: row
        for row in rows
        if isinstance(row, Mapping) and row.get("kind") == "passage" and isinstance(row["number"], int)
    }


async def _gist(text: str) -> str:
    from knowledge.gist import gist

    return await asyncio.to_thread(gist, text)
