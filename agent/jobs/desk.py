"""Where a surface hands in what people say and click; whoever is at work does the rest."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime

from agent.app import App, Told
from agent.approvals.action import Action, ActionId, State, Verdict
from agent.conversation.closing import is_stop
from agent.conversation.room import SHARE
from agent.conversation.thread import Said, ThreadId, TurnId
from agent.jobs.worker import Worker
from agent.people.person import Person
from tools.contract import Json


class Desk:
    """Everything a surface may ask for on behalf of a person. What it accepts is on the disk when it returns."""

    def __init__(self, app: App, worker: Worker) -> None:
        self.app, self._worker = app, worker

    async def hear(self, said: Said) -> TurnId | None:
        """Accepts what was said, before it is acknowledged; None where it was heard before.

        Raises `StoreError`: then it was not accepted, and the platform has to send it again.
        """
        turn = await self.app.store.hear(said)
        if turn is not None:
            await self._worker.submit_turn(turn, said.thread)
        return turn

    async def ask_again(self, turn: TurnId, person: Person, key: str, at: datetime) -> TurnId | None:
        """The same question once more in its thread, as this person's; None where there is no such turn.

        `key` is the platform's id of what they clicked. Raises `StoreError`.
        """
        record = await self.app.store.turn(turn)
        if record is None:
            return None
        return await self.hear(Said(key, record.thread, person.id, record.question, at))

    async def share(self, turn: TurnId, person: Person, at: datetime) -> bool:
        """Asks once more what was answered to this person alone, with what all in the thread may read.

        Only for who asked. False where there is nothing to share. Raises `StoreError`.
        """
        record = await self.app.store.turn(turn)
        if record is None or not record.private or record.speaker != person.id:
            return False
        await self.ask_again(turn, person, f"{SHARE}{turn}", at)
        return True

    async def stop(self, thread: ThreadId, person: Person) -> str:
        """Ends what is being worked on in a thread, and says what came of it."""
        said = await self.app.stop(thread, person)
        await self._worker.stop_turns(thread)
        return said

    async def take_back(self, event_id: str) -> bool:
        """Somebody took back what they said: its open turn ends, and what it proposed and nobody decided is withdrawn.

        False where nothing was heard under this id.
        """
        turn = await self.app.store.heard_as(event_id)
        if turn is None:
            return False
        if turn.finished_at is None:
            await self.app.store.stop(turn.thread, turn.speaker)
            await self._worker.stop_turns(turn.thread)
        for action in await self.app.store.actions(thread=turn.thread):
            mine = action.origin.turn in (turn.turn, turn.answered_as) and action.requester == turn.speaker
            if mine and action.state in (State.AWAITING_APPROVAL, State.APPROVED):
                await self.withdraw(action.id, self.app.directory.get(turn.speaker))
        return True

    def is_stop(self, text: str) -> bool:
        """Whether this message is to end what is being worked on, and no question of its own."""
        return is_stop(text)

    async def decide(
        self, id_: str, person: Person, verdict: Verdict, *, reason: str = "", digest: str | None = None
    ) -> Told | None:
        """One person's yes or no; None where there is no such action."""
        return await self._about(
            id_, lambda action: self.app.decide(action, person, verdict, reason=reason, digest=digest)
        )

    async def withdraw(self, id_: str, person: Person) -> Told | None:
        """Takes a proposal back."""
        return await self._about(id_, lambda action: self.app.withdraw(action, person))

    async def break_glass(self, id_: str, person: Person, *, reason: str) -> Told | None:
        """Runs it without approval, where the policy allows that."""
        return await self._about(id_, lambda action: self.app.break_glass(action, person, reason=reason))

    async def countersign(self, id_: str, person: Person, *, reason: str = "") -> Told | None:
        """The second signature of what ran without approval."""
        return await self._about(id_, lambda action: self.app.countersign(action, person, reason=reason))

    async def settle(self, id_: str, person: Person, *, succeeded: bool, reason: str) -> Told | None:
        """How an action ended of which nobody knew."""
        return await self._about(
            id_, lambda action: self.app.settle(action, person, succeeded=succeeded, reason=reason)
        )

    async def edit(self, id_: str, person: Person, changes: Mapping[str, Json]) -> Told | None:
        """Proposes it again with other arguments."""
        return await self._about(id_, lambda action: self.app.edit(action, person, changes))

    async def _about(self, id_: str, attempt: Callable[[Action], Awaitable[Told]]) -> Told | None:
        action = await self.app.store.action(ActionId(id_))
        if action is None:
            return None
        told = await attempt(action)
        if told.action.state is State.APPROVED:
            await self._worker.submit_run(told.action)
        for thread in dict.fromkeys((action.thread, told.action.thread)):
            await self._worker.tell_due(ThreadId(thread))
        return told
