"""Buttons under answers: whether it helped, what it rests on, once more, and for everybody."""

import logging
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from agent.audit.event import Fact, FactKind
from agent.conversation.thread import TurnId
from agent.feedback import NothingToMark
from agent.people.person import Person
from agent.store.port import StoreError
from agent.surfaces.slack import answers, events
from agent.surfaces.slack.blocks import asked, modal
from agent.surfaces.slack.events import NAME, Click
from agent.surfaces.slack.reception import Body, Reception
from agent.words.catalogue import say
from tools.contract import Json

if TYPE_CHECKING:
    from slack_bolt.async_app import AsyncAck, AsyncApp

LOG = logging.getLogger("sayso.slack")
WRONG_FORM = "sayso_wrong_form"


class Marking:
    """Keeps what people say of answers, and shows them what is behind one."""

    def __init__(self, reception: Reception, clock: Callable[[], datetime]) -> None:
        self._reception, self._app, self._clock = reception, reception.app, clock

    def listens(self, bolt: "AsyncApp") -> None:
        """Has Bolt bring the clicks and the form."""
        for action, attempt in (
            (answers.HELPFUL, self._helpful),
            (answers.WRONG, self._wrong),
            (answers.AGAIN, self._again),
            (answers.SHARE, self._share),
        ):
            bolt.action(action)(self._clicked(attempt))
        for action in (answers.EVIDENCE, answers.NEXT):
            bolt.action(action)(self._on_evidence)
        bolt.view(WRONG_FORM)(self._on_wrong_form)

    def _clicked(self, attempt: Callable[[Click, Person], Awaitable[None]]) -> Callable[..., Awaitable[None]]:
        async def listener(ack: "AsyncAck", body: Body) -> None:
            await self._reception.attend(body, attempt)
            await ack()

        return listener

    async def _helpful(self, click: Click, person: Person) -> None:
        self._reception.tell(click, await self._marked(click.value, person, helpful=True, reason=""))

    async def _marked(self, turn: str, person: Person, *, helpful: bool, reason: str) -> str:
        """Keeps what somebody says of an answer that they could read; gives what to tell them."""
        locale = self._app.locale_of(person.id)
        record = await self._app.store.turn(TurnId(turn))
        if record is None or (record.private and record.speaker != person.id):
            return say("slack.gone_answer", locale)
        said: dict[str, Json] = {"helpful": helpful, **({"reason": reason} if reason else {})}
        await self._app.store.record(Fact(FactKind.RATED, person.id, record.turn, self._clock(), said))
        try:
            await self._app.feedback.mark(person, record, helpful=helpful, reason=reason)
        except NothingToMark:
            LOG.debug("%s rests on no document", turn)
        return say("slack.noted", locale)

    async def _wrong(self, click: Click, person: Person) -> None:
        locale = self._app.locale_of(person.id)
        view = modal(
            WRONG_FORM,
            say("slack.wrong_title", locale),
            [asked("reason", say("slack.reason", locale), many_lines=True, optional=True)],
            submit=say("slack.wrong", locale),
            close=say("slack.back", locale),
            about=f"{click.value} - {click.channel} {click.thread}",
        )
        self._reception.opens(click, person, view)

    async def _on_wrong_form(self, ack: "AsyncAck", body: Body) -> None:
        sent, why = events.sent(body), ""
        if sent is not None:
            form, fields = sent
            try:
                person = await self._reception.person(form.team, form.user, form.channel, thread=form.thread)
                if person is not None:
                    turn, reason = form.value.partition(" ")[0], fields.get("reason", "")
                    self._reception.tell(form, await self._marked(turn, person, helpful=False, reason=reason))
            except StoreError as error:
                why = say("slack.not_saved", self._app.settings.language, why=str(error))
        if why:
            await ack(response_action="errors", errors={"reason": why[:150]})
        else:
            await ack()

    async def _again(self, click: Click, person: Person) -> None:
        record = await self._app.store.turn(TurnId(click.value))
        if record is not None:
            key = f"{NAME}:again:{click.value}:{click.at}"
            await self._reception.desk.ask_again(record.turn, person, key, self._clock())
        text = "slack.gone_answer" if record is None else "slack.working"
        self._reception.tell(click, say(text, self._app.locale_of(person.id)))

    async def _share(self, click: Click, person: Person) -> None:
        shared = await self._reception.desk.share(TurnId(click.value), person, self._clock())
        self._reception.tell(
            click, say("slack.shared" if shared else "slack.gone_turn", self._app.locale_of(person.id))
        )

    async def _on_evidence(self, ack: "AsyncAck", body: Body) -> None:
        """Opens what an answer rests on, or turns its pages."""
        opened = body.get("view")

        async def attempt(click: Click, person: Person) -> None:
            turn, _, page = click.value.partition(" ")
            record = await self._app.requests.record(turn, person)
            locale = self._app.locale_of(person.id)
            if record is None:
                self._reception.tell(click, say("slack.not_yours", locale))
                return
            view = answers.evidence(record, int(page) if page.isdecimal() else 0, locale)
            if isinstance(opened, Mapping):
                self._reception.later(self._reception.sender.update_view(str(opened.get("id")), view))
            else:
                self._reception.opens(click, person, view)

        await self._reception.attend(body, attempt)
        await ack()
