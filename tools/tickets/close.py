"""The tools `ticket_close` and `ticket_reopen`: each is the other's way back."""

from pydantic import Field

from tools.contract import (
    Arguments,
    BadArguments,
    Change,
    Effect,
    Example,
    Grant,
    Outcome,
    Plan,
    Progress,
    Spec,
    Undo,
    Verdict,
    Verification,
)
from tools.jsonserver import Unheard
from tools.tickets.phrases import CLOSE, REOPEN
from tools.tickets.port import Places, Ticket, TicketStore
from tools.tickets.reference import Aim
from tools.tickets.wording import Key, is_mark
from tools.vocabulary import Vocabulary


class TicketMoveArguments(Arguments):
    """Which one."""

    ticket: Key = Field(
        description="The ticket's key, such as OPS-12, owner/name#12, or #12 with its service"
    )
    service: str | None = Field(
        default=None, description="The service it is about, where the key does not tell"
    )


class _Move:
    """Closes a ticket, or opens a closed one again."""

    open_: bool
    name: str
    back: str
    description: str
    examples: tuple[Example, ...]

    def __init__(self, store: TicketStore, vocabulary: Vocabulary, places: Places) -> None:
        self._store, self._aim = store, Aim(store, places)
        self.spec = Spec(
            name=self.name,
            description=self.description,
            arguments=vocabulary.narrow(TicketMoveArguments),
            effect=Effect.WRITE,
            examples=self.examples,
            settles_within=10.0,
            target=("ticket",),
        )

    async def plan(self, arguments: Arguments) -> Plan:
        asked = TicketMoveArguments.of(arguments)
        ticket = await self._aim.find(asked.ticket, asked.service)
        if ticket.open is self.open_:
            raise BadArguments(
                f"{ticket.key} is {ticket.status} already: {ticket.link}", field="ticket", value=asked.ticket
            )
        verb, after = ("Reopen", "open") if self.open_ else ("Close", "closed")
        return Plan(
            title=f"{verb} {ticket.key}: {ticket.title}",
            changes=(Change(f"{ticket.key} ({self._store.name})", ticket.status, after),),
            touches=(f"{ticket.key}, and whoever follows it",),
            observed={"ticket": ticket.key, "status": ticket.status},
            undo=Undo(self.back, {"ticket": ticket.key}),
            undo_text=f"{'close' if self.open_ else 'reopen'} {ticket.key}",
        )

    async def run(self, arguments: Arguments, grant: Grant, progress: Progress) -> Outcome:  # noqa: ARG002 - one request, nothing to tell in between
        asked = TicketMoveArguments.of(arguments)
        grant.spend(self.spec.name, asked.canonical())
        ticket = await self._aim.find(asked.ticket, asked.service)
        try:
            await self._store.move(ticket.key, open_=self.open_)
        except Unheard as error:
            return Outcome(ok=True, summary=f"the order was sent, and the answer was not heard: {error}")
        return Outcome(
            ok=True, summary=f"{ticket.key} was {'reopened' if self.open_ else 'closed'}: {ticket.link}"
        )

    async def verify(self, arguments: Arguments) -> Verification:
        """By a mark only open tickets are found, so one that is gone from them was closed."""
        asked = TicketMoveArguments.of(arguments)
        try:
            ticket = await self._aim.find(asked.ticket, asked.service)
        except BadArguments as error:
            if is_mark(asked.ticket) and error.field == "ticket" and not self.open_:
                return Verification(Verdict.DONE, f"no ticket with the mark {asked.ticket} is open")
            raise
        return Verification(_verdict(ticket, self.open_), f"{ticket.key} is {ticket.status}")


def _verdict(ticket: Ticket, wanted: bool) -> Verdict:
    return Verdict.DONE if ticket.open is wanted else Verdict.NOT_DONE


class TicketClose(_Move):
    """Closes a ticket."""

    open_, name, back = False, "ticket_close", "ticket_reopen"
    description = "Closes a ticket (issue). Needs approval."
    examples = CLOSE


class TicketReopen(_Move):
    """Opens a closed ticket again."""

    open_, name, back = True, "ticket_reopen", "ticket_close"
    description = "Opens a closed ticket (issue) again. Needs approval."
    examples = REOPEN
