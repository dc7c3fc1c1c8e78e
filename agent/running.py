"""Approved actions as they run: here and now, and settled by somebody else where the worker that ran them died."""

from collections.abc import Sequence

from agent.actions import EVERY, request_of
from agent.approvals.action import Action, State
from agent.approvals.card import sentence
from agent.approvals.execute import Executor
from agent.conversation.progress import Redacted
from agent.conversation.redact import Redactor
from agent.outcomes import Outcomes, Told
from agent.store.fleet import Fleet
from agent.store.outputs import named
from agent.store.port import Store
from agent.telemetry.spans import Spans
from tools.contract import Progress


class Running:
    """Has approved actions run by the executor, and what became of them told."""

    def __init__(
        self,
        store: Store,
        executor: Executor,
        fleet: Fleet,
        outcomes: Outcomes,
        redactor: Redactor,
        spans: Spans,
    ) -> None:
        self._store, self._executor, self._fleet = store, executor, fleet
        self._outcomes, self._redactor, self._spans = outcomes, redactor, spans

    async def run_allowed(
        self, actions: Sequence[Action], progress: Progress, locale: str
    ) -> tuple[Told, ...]:
        """Runs those of a turn's actions that a rule allows without approval."""
        ready = [one for one in actions if one.requirement.auto and one.state is State.APPROVED]
        return tuple([await self.run(action, progress, locale) for action in ready])

    async def run(self, action: Action, progress: Progress, locale: str) -> Told:
        """Runs an approved action here and now, tells its thread, and on failure proposes the way back."""
        await self._fleet.join("run")  # whoever runs something is seen to live by the others
        attributes = {"sayso.action": action.id}
        with self._spans.later(request_of(action), f"run {action.tool}", attributes):
            done = await self._executor.run(action, Redacted(self._redactor, progress))
        if done.refusal is not None and done.action.state is not State.STALE:
            return Told(done.action, sentence(done.refusal, locale), done.refusal)
        return await self._outcomes.tell(done.action, locale, done.refusal, named(done.output))

    async def recover(self, locale: str) -> tuple[Told, ...]:
        """Settles what dead workers left running."""
        await self._fleet.look()
        return tuple([await self._outcomes.tell(action, locale) for action in await self._executor.recover()])

    async def abandoned(self) -> tuple[Action, ...]:
        """What runs in the hands of workers that are dead."""
        running = await self._store.actions(state=State.RUNNING, limit=EVERY)
        return tuple(action for action in running if self._executor.abandoned(action))

    async def look_after(self, action: Action, *, surely: bool = False) -> None:
        """Settles an abandoned action by looking at the world, and says so; nothing where its worker lives.

        `surely`: nobody runs it, whatever its worker does.
        """
        if surely or self._executor.abandoned(action):
            settled = await self._executor.look_after(action)
            if settled is not None:
                await self._outcomes.follow_up(settled)

    def target(self, action: Action) -> str:
        """What it changes: of those with the same target, one runs at a time."""
        return self._executor.target(action)
