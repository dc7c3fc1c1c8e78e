"""The tool `ticket_open`: a ticket with just the text that was shown, once."""

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
from tools.tickets.phrases import OPEN
from tools.tickets.port import Draft, Place, Places, TicketStore, place_of
from tools.tickets.wording import Text, Title, mark_of
from tools.vocabulary import Vocabulary, nearest

LIKE = 5  # open tickets that are named on the card


class TicketOpenArguments(Arguments):
    """Of what, and what it says."""

    service: str = Field(description="The service it is about")
    title: Title = Field(description="One line that says what is wrong")
    text: Text = Field(default="", description="What is known, for whoever works on it")
    labels: tuple[str, ...] = Field(
        default=(), max_length=10, description="More labels, of those that are allowed"
    )


class TicketOpen:
    """Opens one ticket; while it is open, the same words open no second one."""

    def __init__(self, store: TicketStore, vocabulary: Vocabulary, places: Places) -> None:
        self._store, self._places = store, places
        self.spec = Spec(
            name="ticket_open",
            description="Opens a ticket (issue) about a service, with a title and a text. Needs approval.",
            arguments=vocabulary.narrow(TicketOpenArguments),
            effect=Effect.WRITE,
            examples=OPEN,
            settles_within=15.0,
            target=("service", "title"),
        )

    async def plan(self, arguments: Arguments) -> Plan:
        asked = TicketOpenArguments.of(arguments)
        place, draft = self._draft(asked)
        if (same := await self._store.marked(place, draft.mark)) is not None:
            raise BadArguments(
                f"the same ticket is open already: {same.key} {same.link}", field="title", value=asked.title
            )
        others = (await self._store.search(place)).tickets[:LIKE]
        labels = ", ".join(draft.labels) or "none"
        written = f"{draft.title}\n\n{draft.text}\n\nlabels: {labels}"
        return Plan(
            title=f"Open a ticket about {asked.service}: {asked.title}",
            changes=(Change(f"ticket in {place.project} ({self._store.name})", "none", written),),
            touches=(f"{place.project}, read by whoever reads it",),
            observed={"project": place.project, "labels": list(draft.labels)},
            undo=Undo("ticket_close", {"ticket": draft.mark, "service": asked.service}),
            undo_text="close the ticket; it is not deleted, and who was told of it has read it",
            notes=tuple(f"open already: {each.key} {each.title}" for each in others),
        )

    async def run(self, arguments: Arguments, grant: Grant, progress: Progress) -> Outcome:  # noqa: ARG002 - one request, nothing to tell in between
        asked = TicketOpenArguments.of(arguments)
        grant.spend(self.spec.name, asked.canonical())
        place, draft = self._draft(asked)
        if (same := await self._store.marked(place, draft.mark)) is not None:
            return Outcome(ok=True, summary=f"{same.key} is open already, nothing was written: {same.link}")
        try:
            made = await self._store.open(place, draft)
        except Unheard as error:
            return Outcome(ok=True, summary=f"the ticket was sent, and the answer was not heard: {error}")
        return Outcome(ok=True, summary=f"{made.key} is open: {made.link}")

    async def verify(self, arguments: Arguments) -> Verification:
        asked = TicketOpenArguments.of(arguments)
        place, draft = self._draft(asked)
        found = await self._store.marked(place, draft.mark)
        if found is None:
            return Verification(
                Verdict.NOT_DONE, f"no open ticket in {place.project} has the mark {draft.mark}"
            )
        return Verification(Verdict.DONE, f"{found.key} is open: {found.link}")

    def _draft(self, asked: TicketOpenArguments) -> tuple[Place, Draft]:
        """The ticket and its place. Raises `BadArguments` for a label that may not be added."""
        place = place_of(self._places, asked.service)
        for label in asked.labels:
            if label not in place.may_add:
                near = nearest(label, place.may_add)
                raise BadArguments(
                    f"labels = {label!r} may not be added in {place.project}; allowed: {', '.join(near) or 'none'}",
                    field="labels",
                    value=label,
                    nearest=near,
                )
        labels = tuple(dict.fromkeys((*place.labels, *asked.labels)))
        mark = mark_of(asked.service, asked.title, asked.text, list(labels))
        text = f"{asked.text or asked.title}\n\nOpened by sayso ({mark})."
        return place, Draft(asked.title, text, labels, mark)
