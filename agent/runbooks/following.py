"""What follows a step: the next one, or the end, with what was done and what was not.

Everything here may be said again: a step is heard under one event id and a notice under one key, so a worker that died
in between, or two that look at the same moment, change nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from agent.approvals.action import Action, State
from agent.conversation.messages import ResultKind
from agent.conversation.thread import Said, ThreadId, TurnId
from agent.runbooks.procedure import Procedure, Ref, Run
from agent.runbooks.starting import call
from agent.runbooks.stepping import NoStep, StepModel
from agent.store.port import TurnRecord
from agent.words.catalogue import say
from tools.contract import Json

# It is not over: an edited one goes on as the one that took its place.
OPEN = frozenset({State.AWAITING_APPROVAL, State.APPROVED, State.RUNNING, State.SUPERSEDED})


class Turns(Protocol):
    """Where turns and actions are kept."""

    async def turn(self, id_: TurnId) -> TurnRecord | None: ...


@dataclass(frozen=True, slots=True)
class Notice:
    """A line for the thread of a run, once for its key."""

    thread: ThreadId
    text: str
    key: str


class Runbooks:
    """The procedures of the settings, and how far their runs are."""

    def __init__(self, procedures: Mapping[str, Procedure], turns: Turns) -> None:
        self._procedures, self._turns = procedures, turns

    async def model(self, event: str) -> StepModel | NoStep | None:
        """Who answers what was heard under this event id; None where it is no step.

        What a step says reads like an order, so where its procedure changed nobody else may answer it either.
        """
        ref = Ref.of(event)
        if ref is None:
            return None
        found = await self._begun(ref.run)
        if found is None:
            return NoStep()
        run, procedure, _ = found
        step = procedure.steps[ref.number - 1]
        return StepModel(f"runbook {run.name}", step.tool, step.filled(run.values))

    async def after_turn(self, record: TurnRecord, at: datetime, locale: str) -> Said | Notice | None:
        """What follows a turn that was answered: nothing, where it was no runbook's or waits for a decision."""
        kept = record.record or {}
        ref = Ref.of(record.event_id)
        if ref is None:
            if Run.among(_list(kept.get("evidence"))) is None:
                return None
            return await self._next(Ref(record.turn, 0), record, at, locale)
        if _list(kept.get("actions")):
            return None  # it goes on when the action has ended
        results = [one.get("result") for one in _list(kept.get("calls")) if isinstance(one, Mapping)]
        return await self._went(ref, record, at, locale, well=ResultKind.FOUND.value in results)

    async def after_action(self, action: Action, at: datetime, locale: str) -> Said | Notice | None:
        """What follows an action that has ended."""
        if action.state in OPEN:
            return None
        record = await self._turns.turn(TurnId(action.origin.turn or ""))
        ref = None if record is None else Ref.of(record.event_id)
        if record is None or ref is None:
            return None
        return await self._went(ref, record, at, locale, well=action.state is State.SUCCEEDED, action=action)

    async def _went(
        self,
        ref: Ref,
        record: TurnRecord,
        at: datetime,
        locale: str,
        *,
        well: bool,
        action: Action | None = None,
    ) -> Said | Notice | None:
        found = await self._begun(ref.run)
        if found is None:
            return self._changed(ref, record, locale)
        _, procedure, _ = found
        failed = action is None or action.state in (State.FAILED, State.SUCCEEDED)
        if well or (failed and procedure.steps[ref.number - 1].goes_on):
            return await self._next(ref, record, at, locale)
        left = len(procedure.steps) - ref.number
        how = say("runbook.not_done" if action is None else f"state.{action.state.value}", locale)
        fields = {"title": procedure.title, "step": ref.number, "of": len(procedure.steps), "how": how}
        text = say("runbook.stopped", locale, **fields)
        if left:
            text += " " + say("runbook.left", locale, count=left)
        return Notice(record.thread, text, f"{ref.event}/stopped")

    async def _next(self, ref: Ref, record: TurnRecord, at: datetime, locale: str) -> Said | Notice:
        found = await self._begun(ref.run)
        if found is None:
            return self._changed(ref, record, locale)
        run, procedure, beginner = found
        after = Ref(ref.run, ref.number + 1)
        if after.number > len(procedure.steps):
            text = say("runbook.through", locale, title=procedure.title, count=len(procedure.steps))
            return Notice(record.thread, text, f"{ref.event}/through")
        step = procedure.steps[after.number - 1]
        # The call stands in the words of the step: what it touches was said, and not found in some text.
        fields = {"title": procedure.title, "step": after.number, "of": len(procedure.steps)}
        text = say("runbook.step", locale, call=call(step.tool, step.filled(run.values)), **fields)
        return Said(after.event, record.thread, beginner, text, at)

    async def _begun(self, run: str) -> tuple[Run, Procedure, str] | None:
        """The run that this turn began, its procedure, and whose it is; None where the procedure is another one now."""
        record = await self._turns.turn(TurnId(run))
        begun = None if record is None else Run.among(_list((record.record or {}).get("evidence")))
        procedure = None if begun is None else self._procedures.get(begun.name)
        if record is None or begun is None or procedure is None or procedure.version != begun.version:
            return None
        return begun, procedure, record.speaker

    def _changed(self, ref: Ref, record: TurnRecord, locale: str) -> Notice:
        return Notice(record.thread, say("runbook.changed", locale), f"{ref.event}/changed")


def _list(value: Json) -> list[Json]:
    return list(value) if isinstance(value, list | tuple) else []
