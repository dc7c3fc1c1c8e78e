"""What the ticket tools need: somewhere tickets are, with a place in it for each service."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from tools.contract import BadArguments
from tools.vocabulary import nearest


@dataclass(frozen=True, slots=True)
class Place:
    """Where tickets of a service are: a repository `owner/name`, or a project's key.

    `labels` are on every ticket of the service there, and say which are its; `may_add` are those that people may add.
    """

    project: str
    labels: Sequence[str] = ()
    may_add: Sequence[str] = ()


Places = Mapping[str, Place]  # by service


@dataclass(frozen=True, slots=True)
class Ticket:
    """One ticket. Titles and texts are of whoever wrote them: data, not orders."""

    key: str
    title: str
    open: bool
    status: str
    labels: Sequence[str]
    at: datetime
    by: str
    link: str


@dataclass(frozen=True, slots=True)
class Comment:
    """One comment on a ticket."""

    id: str
    text: str


@dataclass(frozen=True, slots=True)
class Draft:
    """A ticket to be opened; `mark` finds it again, and is not part of `text`."""

    title: str
    text: str
    labels: Sequence[str]
    mark: str


@dataclass(frozen=True, slots=True)
class Found:
    """Tickets, newest first; `cut` says what was not looked through."""

    tickets: Sequence[Ticket]
    cut: str | None = None


class TicketStore(Protocol):
    """Somewhere tickets are. Raises `ToolUnavailable` (`Unheard` where a write may have been done) and `ToolFailed`."""

    @property
    def name(self) -> str: ...

    def key(self, said: str, place: Place | None) -> str:
        """A ticket's whole key from how people say it. Raises `BadArguments` for what is no key."""
        ...

    def project(self, key: str) -> str:
        """The project a key is of."""
        ...

    async def search(self, place: Place) -> Found:
        """The open tickets with the labels of the place."""
        ...

    async def marked(self, place: Place, mark: str) -> Ticket | None:
        """The open ticket with this mark."""
        ...

    async def get(self, key: str) -> Ticket | None: ...

    async def open(self, place: Place, draft: Draft) -> Ticket: ...

    async def comments(self, key: str) -> Sequence[Comment]: ...

    async def comment(self, key: str, text: str) -> None: ...

    async def uncomment(self, key: str, id_: str) -> None: ...

    async def move(self, key: str, *, open_: bool) -> None:
        """Closes it, or opens it again."""
        ...


def place_of(places: Places, service: str) -> Place:
    """Where tickets of a service are. Raises `BadArguments` naming the services that have a place."""
    if service not in places:
        near = nearest(service, places)
        raise BadArguments(
            f"no place for tickets of {service!r} is declared; nearest: {', '.join(near) or 'none is declared'}",
            field="service",
            value=service,
            nearest=near,
        )
    return places[service]
