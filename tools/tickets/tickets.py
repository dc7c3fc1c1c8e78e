"""The tool `tickets`: which tickets of a service are open."""

import asyncio

from pydantic import Field

from tools.contract import Arguments, Asker, BadArguments, Effect, Finding, Json, Outcome, Spec
from tools.patience import patience
from tools.tickets.phrases import TICKETS
from tools.tickets.port import Found, Place, Places, Ticket, TicketStore, place_of
from tools.tickets.wording import Words
from tools.times import clock_time, iso
from tools.vocabulary import Vocabulary

SHOWN = 20


class TicketsArguments(Arguments):
    """Of what."""

    service: str | None = Field(default=None, description="Only of this service; of all when left out")
    words: Words | None = Field(default=None, description="Only those with these words in the title")


class Tickets:
    """Reads the open tickets of the places that are declared."""

    def __init__(self, store: TicketStore, vocabulary: Vocabulary, places: Places) -> None:
        self._store, self._places, self._zone = store, places, vocabulary.zone
        self.spec = Spec(
            name="tickets",
            description="The open tickets (incidents, issues) of a service: titles, status, since when, by whom.",
            arguments=vocabulary.narrow(TicketsArguments),
            effect=Effect.READ,
            examples=TICKETS,
        )

    async def run(self, arguments: Arguments, asker: Asker) -> Outcome:  # noqa: ARG002 - the token sees the same for all
        asked = TicketsArguments.of(arguments)
        places = (
            {asked.service: place_of(self._places, asked.service)} if asked.service else dict(self._places)
        )
        if not places:
            raise BadArguments("no place for tickets is declared", field="service")
        distinct: dict[tuple[str, tuple[str, ...]], Place] = {
            (each.project, tuple(each.labels)): each for each in places.values()
        }
        async with patience(self.spec.timeout - 2, self._store.name):
            found = await asyncio.gather(*(self._store.search(each) for each in distinct.values()))
        tickets = _matching(found, asked.words)
        where = asked.service or "all services"
        cut = [each.cut for each in found if each.cut]
        if len(tickets) > SHOWN:
            cut.append(f"{SHOWN} of {len(tickets)} are shown, newest first")
        query = f"open tickets in {', '.join(sorted({project for project, _ in distinct}))}"
        finding = Finding(
            kind="tickets",
            title=f"Open tickets: {where}",
            source=self._store.name,
            query=f"{query}{f' with {asked.words!r}' if asked.words else ''}",
            text="\n".join(self._line(each) for each in tickets[:SHOWN]) or "no ticket is open",
            facts={
                "service": asked.service,
                "total": len(tickets),
                "tickets": [_row(each) for each in tickets],
            },
            link=tickets[0].link or None if tickets else None,
            cut="; ".join(cut) or None,
        )
        return Outcome(ok=True, summary=f"{_counted(len(tickets))} open for {where}", findings=(finding,))

    def _line(self, ticket: Ticket) -> str:
        labels = f" [{', '.join(ticket.labels)}]" if ticket.labels else ""
        at = clock_time(ticket.at, self._zone)
        who = ticket.by or "unknown"
        return f"{ticket.key} {ticket.title}{labels}: {ticket.status} since {at} by {who} {ticket.link}"


def _counted(number: int) -> str:
    return "1 ticket is" if number == 1 else f"{number} tickets are"


def _matching(found: list[Found], words: str | None) -> list[Ticket]:
    """Each ticket once, newest first, with every word in its title."""
    by_key = {each.key: each for part in found for each in part.tickets}
    wanted = (words or "").casefold().split()
    kept = [each for each in by_key.values() if all(word in each.title.casefold() for word in wanted)]
    return sorted(kept, key=lambda each: each.at, reverse=True)


def _row(ticket: Ticket) -> Json:
    return {
        "key": ticket.key,
        "title": ticket.title,
        "status": ticket.status,
        "open": ticket.open,
        "labels": list(ticket.labels),
        "at": iso(ticket.at),
        "by": ticket.by,
        "link": ticket.link,
    }
