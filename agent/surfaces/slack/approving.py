"""Buttons of cards: who may decide is asked of the product, and every click is answered."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from agent.app import Told
from agent.approvals.action import Action, Verdict
from agent.conversation.thread import TurnId
from agent.people.person import Person
from agent.store.port import StoreError
from agent.surfaces.slack import cards, details, events, forms
from agent.surfaces.slack.events import Click
from agent.surfaces.slack.reception import Body, Reception
from agent.words.catalogue import say
from tools.contract import ToolError

if TYPE_CHECKING:
    from slack_bolt.async_app import AsyncAck, AsyncApp

ERROR = 150  # characters of what is said beside a field


class Approving:
    """Hands decisions in; opens the forms that some of them take."""

    def __init__(self, reception: Reception) -> None:
        self._reception, self._app = reception, reception.app

    def listens(self, bolt: "AsyncApp") -> None:
        """Has Bolt bring the clicks and the forms."""
        for action, attempt in (
            (cards.APPROVE, self._approve),
            (cards.APPROVE_WHY, self._approve_why),
            (cards.REJECT, self._reject),
            (cards.EDIT, self._edit),
            (cards.WITHDRAW, self._withdraw),
            (cards.DETAILS, self._details),
            (cards.GLASS, self._glass),
            (cards.SIGN, self._sign),
        ):
            bolt.action(action)(self._clicked(attempt))
        bolt.view(forms.APPROVE_FORM)(self._on_approve_form)
        bolt.view(forms.REJECT_FORM)(self._on_reject_form)
        bolt.view(forms.EDIT_FORM)(self._on_edit_form)
        bolt.view(forms.GLASS_FORM)(self._on_glass_form)

    def _clicked(self, attempt: Callable[[Click, Person], Awaitable[None]]) -> Callable[..., Awaitable[None]]:
        async def listener(ack: "AsyncAck", body: Body) -> None:
            await self._reception.attend(body, attempt)
            await ack()

        return listener

    async def _approve(self, click: Click, person: Person) -> None:
        action = await self._meant(click, person)
        if action is None:
            return
        if action.requirement.reason_required:
            self._opens_reason(click, person, action, forms.APPROVE_FORM)
            return
        _, digest = cards.meant(click.value)
        self._answer(
            click,
            person,
            await self._reception.desk.decide(action.id, person, Verdict.APPROVE, digest=digest),
        )

    async def _approve_why(self, click: Click, person: Person) -> None:
        if (action := await self._meant(click, person)) is not None:
            self._opens_reason(click, person, action, forms.APPROVE_FORM)

    async def _reject(self, click: Click, person: Person) -> None:
        if (action := await self._meant(click, person)) is not None:
            self._opens_reason(click, person, action, forms.REJECT_FORM)

    async def _withdraw(self, click: Click, person: Person) -> None:
        self._answer(click, person, await self._reception.desk.withdraw(cards.meant(click.value)[0], person))

    async def _sign(self, click: Click, person: Person) -> None:
        """The second signature for what ran without approval."""
        self._answer(
            click, person, await self._reception.desk.countersign(cards.meant(click.value)[0], person)
        )

    async def _glass(self, click: Click, person: Person) -> None:
        """Running it without approval: who may not is told so at once, for the form asks for a reason first."""
        action = await self._meant(click, person)
        if action is None:
            return
        locale = self._app.locale_of(person.id)
        if not action.requirement.may_break_glass(person.id, person.roles):
            self._answer(click, person, await self._reception.desk.break_glass(action.id, person, reason=""))
            return
        about = f"{click.value} {click.channel} {click.thread}"
        self._reception.opens(click, person, forms.emergency(action, locale, about))

    async def _edit(self, click: Click, person: Person) -> None:
        if (action := await self._meant(click, person)) is not None:
            try:
                arguments = self._app.registry.get(action.tool).spec.arguments
            except ToolError as error:  # the settings have it no more
                self._reception.tell(click, str(error))
                return
            about = f"{click.value} {click.channel} {click.thread}"
            view = forms.of(action, arguments, self._app.locale_of(person.id), about)
            self._reception.opens(click, person, view)

    async def _details(self, click: Click, person: Person) -> None:
        """Everything, as far as whoever clicked may know of it: a card is seen by more than those."""
        action = await self._meant(click, person)
        if action is None:
            return
        locale, shown = self._app.locale_of(person.id), self._app.actions.shown(action, person)
        if shown is None:
            self._reception.tell(click, say("slack.not_told", locale))
            return
        turn = (
            action.origin.turn if shown is action else ""
        )  # what it rests on goes with the words of who asked
        record = await self._app.store.turn(TurnId(turn)) if turn else None
        view = details.of(shown, self._app.actions.card(action, locale, person), record, locale)
        self._reception.opens(click, person, view)

    async def _meant(self, click: Click, person: Person) -> Action | None:
        """The action that a button is about; where there is none any more, whoever clicked is told."""
        action = await self._app.actions.find(cards.meant(click.value)[0])
        if action is None:
            self._reception.tell(click, say("slack.gone", self._app.locale_of(person.id)))
        return action

    def _opens_reason(self, click: Click, person: Person, action: Action, name: str) -> None:
        about = f"{click.value} {click.channel} {click.thread}"
        view = forms.reason(action, name, self._app.locale_of(person.id), about)
        self._reception.opens(click, person, view)

    def _answer(self, click: Click, person: Person, told: Told | None) -> None:
        """A refusal by its reason, for nobody else to see; what counted is seen in the card."""
        if told is None or told.refusal is not None or not told.said:
            text = told.said if told is not None else say("slack.gone", self._app.locale_of(person.id))
            self._reception.tell(click, text)

    # --- forms ---------------------------------------------------------------------------------------------------

    async def _on_approve_form(self, ack: "AsyncAck", body: Body) -> None:
        await self._decided(ack, body, Verdict.APPROVE)

    async def _on_reject_form(self, ack: "AsyncAck", body: Body) -> None:
        await self._decided(ack, body, Verdict.REJECT)

    async def _decided(self, ack: "AsyncAck", body: Body, verdict: Verdict) -> None:
        """A yes or no with its reason; why it does not count is said beside the field."""

        async def decide(form: Click, fields: dict[str, str], person: Person) -> tuple[str, str]:
            id_, digest = cards.meant(form.value)
            reason = fields.get("reason", "")
            told = await self._reception.desk.decide(id_, person, verdict, reason=reason, digest=digest)
            if told is None:
                return "reason", say("slack.gone", self._app.locale_of(person.id))
            return "reason", told.said if told.refusal is not None else ""

        await self._sent(ack, body, decide)

    async def _on_glass_form(self, ack: "AsyncAck", body: Body) -> None:
        """Runs it without approval; why that is not done is said beside the field."""
        await self._sent(ack, body, self._broken)

    async def _broken(self, form: Click, fields: dict[str, str], person: Person) -> tuple[str, str]:
        id_, digest = cards.meant(form.value)
        locale, action = self._app.locale_of(person.id), await self._app.actions.find(id_)
        if action is None:
            return "reason", say("slack.gone", locale)
        if action.digest != digest:
            return "reason", say("refusal.other_digest", locale, action=action.id)
        reason = fields.get("reason", "")
        told = await self._reception.desk.break_glass(action.id, person, reason=reason)
        return "reason", told.said if told is not None and told.refusal is not None else ""

    async def _on_edit_form(self, ack: "AsyncAck", body: Body) -> None:
        """Proposes it with other arguments, as this person's request; what does not fit is said beside its field."""
        await self._sent(ack, body, self._edited)

    async def _edited(self, form: Click, fields: dict[str, str], person: Person) -> tuple[str, str]:
        action, first = await self._app.actions.find(cards.meant(form.value)[0]), next(iter(fields), "")
        if action is None:
            return first, say("slack.gone", self._app.locale_of(person.id))
        try:
            changed = forms.changes(action, self._app.registry.get(action.tool).spec.arguments, fields)
            if not changed:
                return first, say("slack.unchanged", self._app.locale_of(person.id))
            told = await self._reception.desk.edit(action.id, person, changed)
        except ToolError as error:
            return (error.field if error.field in fields else first), str(error)
        return first, told.said if told is not None and told.refusal is not None else ""

    async def _sent(
        self,
        ack: "AsyncAck",
        body: Body,
        attempt: Callable[[Click, dict[str, str], Person], Awaitable[tuple[str, str]]],
    ) -> None:
        """Does what a form is for, as who sent it; `attempt` gives a field and what is wrong, if anything is."""
        sent = events.sent(body)
        if sent is None:
            await ack()
            return
        form, fields = sent
        field, why = next(iter(fields), ""), ""
        try:
            person = await self._reception.person(form.team, form.user, form.channel, thread=form.thread)
            if person is not None:
                field, why = await attempt(form, fields, person)
        except StoreError as error:
            why = say("slack.not_saved", self._app.settings.language, why=str(error))
        if not why:
            await ack()
        elif field:
            await ack(response_action="errors", errors={field: why[:ERROR]})
        else:  # a form without fields: there is nothing to say it beside
            self._reception.tell(form, why)
            await ack()
