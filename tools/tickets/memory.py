"""Tickets that live in memory: for tests and benchmarks, kept by the contract of the real ones."""

import re
from collections.abc import Sequence
from dataclasses import replace

from tools.contract import BadArguments, Clock
from tools.tickets.port import Comment, Draft, Found, Place, Ticket

_KEY = re.compile(r"[A-Z]{2,10}-[1-9]\d{0,5}")


class MemoryTickets:
    """Keeps what it is given."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._tickets: dict[str, Ticket] = {}
        self._marks: dict[str, str] = {}
        self._comments: dict[str, list[Comment]] = {}
        self._made = 0

    @property
    def name(self) -> str:
        return "tickets in memory"

    def key(self, said: str, place: Place | None) -> str:  # noqa: ARG002 - a key names its project
        if not _KEY.fullmatch(said.upper()):
            raise BadArguments(
                f"ticket = {said!r} should be a key such as OPS-12", field="ticket", value=said
            )
        return said.upper()

    def project(self, key: str) -> str:
        return key.partition("-")[0]

    async def search(self, place: Place) -> Found:
        return Found(
            [
                each
                for each in reversed(self._tickets.values())
                if each.open
                and self.project(each.key) == place.project
                and set(place.labels) <= set(each.labels)
            ]
        )

    async def marked(self, place: Place, mark: str) -> Ticket | None:
        return next(
            (each for each in (await self.search(place)).tickets if self._marks[each.key] == mark), None
        )

    async def get(self, key: str) -> Ticket | None:
        return self._tickets.get(key)

    async def open(self, place: Place, draft: Draft) -> Ticket:
        key = f"{place.project}-{len(self._tickets) + 1}"
        made = Ticket(key, draft.title, True, "open", tuple(draft.labels), self._clock(), "sayso", "")
        self._tickets[key], self._marks[key] = made, draft.mark
        return made

    async def comments(self, key: str) -> Sequence[Comment]:
        return tuple(self._comments.get(key, ()))

    async def comment(self, key: str, text: str) -> None:
        self._made += 1
        self._comments.setdefault(key, []).append(Comment(str(self._made), text))

    async def uncomment(self, key: str, id_: str) -> None:
        self._comments[key] = [each for each in self._comments.get(key, ()) if each.id != id_]

    async def move(self, key: str, *, open_: bool) -> None:
        self._tickets[key] = replace(self._tickets[key], open=open_, status="open" if open_ else "closed")
