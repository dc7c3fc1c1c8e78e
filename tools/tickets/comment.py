"""The tool `ticket_comment`: a comment with just the text that was shown, once, and its way back."""

from pydantic import Field

from tools.contract import (
    Arguments,
    BadArguments,
    Change,
    Effect,
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
from tools.tickets.phrases import COMMENT
from tools.tickets.port import Comment, Places, Ticket, TicketStore
from tools.tickets.reference import Aim
from tools.tickets.wording import Key, Said, mark_of, signed
from tools.vocabulary import Vocabulary


class TicketCommentArguments(Arguments):
    """On which ticket, and what."""

    ticket: Key = Field(
        description="The ticket's key, such as OPS-12, owner/name#12, or #12 with its service"
    )
    text: Said = Field(description="What is said there")
    service: str | None = Field(
        default=None, description="The service it is about, where the key does not tell"
    )
    take_back: bool = Field(default=False, description="Deletes that comment of sayso's instead")


class TicketComment:
    """Says something on a ticket, or takes back what it said."""

    def __init__(self, store: TicketStore, vocabulary: Vocabulary, places: Places) -> None:
        self._store, self._aim = store, Aim(store, places)
        self.spec = Spec(
            name="ticket_comment",
            description="Comments on a ticket (issue). Needs approval; the text is shown first.",
            arguments=vocabulary.narrow(TicketCommentArguments),
            effect=Effect.WRITE,
            examples=COMMENT,
            settles_within=10.0,
            target=("ticket",),
        )

    async def plan(self, arguments: Arguments) -> Plan:
        asked = TicketCommentArguments.of(arguments)
        ticket = await self._aim.find(asked.ticket, asked.service)
        there, written = await self._ours(ticket, asked), self._written(ticket, asked)
        if bool(there) is not asked.take_back:
            raise BadArguments(
                f"{ticket.key} has that comment already"
                if there
                else f"{ticket.key} has no such comment of sayso's",
                field="text",
                value=asked.text[:80],
            )
        before, after = (written, "deleted") if asked.take_back else ("not said", written)
        verb = "Take back a comment on" if asked.take_back else "Comment on"
        undo = {**asked.canonical(), "take_back": not asked.take_back}
        return Plan(
            title=f"{verb} {ticket.key}: {ticket.title}",
            changes=(Change(f"comment on {ticket.key} ({self._store.name})", before, after),),
            touches=(f"{ticket.key}, and whoever follows it",),
            observed={"ticket": ticket.key, "open": ticket.open},
            undo=Undo(self.spec.name, undo),
            undo_text="say it again"
            if asked.take_back
            else "delete the comment; who was told of it has read it",
            notes=() if ticket.open else (f"{ticket.key} is {ticket.status}",),
        )

    async def run(self, arguments: Arguments, grant: Grant, progress: Progress) -> Outcome:
        asked = TicketCommentArguments.of(arguments)
        grant.spend(self.spec.name, asked.canonical())
        ticket = await self._aim.find(asked.ticket, asked.service)
        there = await self._ours(ticket, asked)
        try:
            if asked.take_back:
                for each in there:
                    await self._store.uncomment(ticket.key, each.id)
                    await progress(f"comment {each.id} deleted")
                return Outcome(ok=True, summary=f"{len(there)} comments on {ticket.key} deleted")
            if there:
                return Outcome(ok=True, summary=f"{ticket.key} has that comment already, nothing was written")
            await self._store.comment(ticket.key, self._written(ticket, asked))
        except Unheard as error:
            return Outcome(ok=True, summary=f"the comment was sent, and the answer was not heard: {error}")
        return Outcome(ok=True, summary=f"commented on {ticket.key}: {ticket.link}")

    async def verify(self, arguments: Arguments) -> Verification:
        asked = TicketCommentArguments.of(arguments)
        ticket = await self._aim.find(asked.ticket, asked.service)
        there = bool(await self._ours(ticket, asked))
        told = f"{ticket.key} has the comment" if there else f"{ticket.key} does not have the comment"
        return Verification(Verdict.DONE if there is not asked.take_back else Verdict.NOT_DONE, told)

    async def _ours(self, ticket: Ticket, asked: TicketCommentArguments) -> list[Comment]:
        """The comments that are this text and nothing else: whoever answers with a quotation has the mark too."""
        words = self._written(ticket, asked).split()
        return [each for each in await self._store.comments(ticket.key) if each.text.split() == words]

    def _written(self, ticket: Ticket, asked: TicketCommentArguments) -> str:
        return signed(asked.text, mark_of(ticket.key, asked.text))
