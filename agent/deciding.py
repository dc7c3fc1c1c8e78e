"""What people do with a proposal: decide, withdraw, edit, settle, break the glass, each answered in their language."""

from collections.abc import Mapping

from agent.actions import request_of
from agent.approvals.action import Action, State, Verdict
from agent.approvals.card import sentence
from agent.approvals.decide import Answer as Decided
from agent.approvals.decide import Decisions
from agent.approvals.execute import Executor
from agent.approvals.glass import Glasses
from agent.approvals.propose import Proposer
from agent.approvals.refusal import ActionRefused
from agent.members import Members, asker_of
from agent.outcomes import Outcomes, Told, way_back
from agent.people.person import Person
from agent.telemetry.spans import Spans
from agent.words.catalogue import say
from tools.contract import Json


class Deciding:
    """Takes what a person says of an action to the approvals, and their answer back to the person."""

    def __init__(
        self,
        decisions: Decisions,
        glasses: Glasses,
        executor: Executor,
        proposer: Proposer,
        outcomes: Outcomes,
        members: Members,
        spans: Spans,
    ) -> None:
        self._decisions, self._glasses, self._executor = decisions, glasses, executor
        self._proposer, self._outcomes, self._members, self._spans = proposer, outcomes, members, spans

    async def decide(
        self, action: Action, person: Person, verdict: Verdict, *, reason: str = "", digest: str | None = None
    ) -> Told:
        """One person's yes or no, answered in their language."""
        attributes = {"sayso.action": action.id, "sayso.verdict": verdict.value, "enduser.id": person.id}
        with self._spans.later(request_of(action), f"decide {action.tool}", attributes):
            decided = await self._decisions.decide(action, person.id, verdict, reason=reason, digest=digest)
        return self._told(decided, person)

    async def withdraw(self, action: Action, person: Person) -> Told:
        return self._told(await self._decisions.withdraw(action, person.id), person)

    async def settle(self, action: Action, person: Person, *, succeeded: bool, reason: str) -> Told:
        told = self._told(
            await self._executor.settle(action, person.id, succeeded=succeeded, reason=reason), person
        )
        if told.refusal is None:
            locale = self._members.locale(person)
            state = say(f"state.{told.action.state.value}", locale)
            text = say("card.settled", locale, action=action.id, state=state)
            undo = await self._outcomes.undo(told.action) if not succeeded else None
            if undo is not None:
                text += "\n" + way_back(undo, locale)
            return Told(told.action, text, follow_up=undo)
        return told

    async def break_glass(self, action: Action, person: Person, *, reason: str) -> Told:
        """Approves it by this person's word alone, where the policy allows that; a second signature is due."""
        return self._told(await self._glasses.break_(action, person.id, reason), person)

    async def countersign(self, action: Action, person: Person, *, reason: str = "") -> Told:
        """The second signature for an action that ran without approval."""
        signed = await self._glasses.countersign(action, person.id, reason)
        if signed.refusal is not None:
            return self._told(signed, person)
        return Told(signed.action, say("card.signed", self._members.locale(person), action=action.id))

    async def edit(self, action: Action, person: Person, changes: Mapping[str, Json]) -> Told:
        """Proposes it again with other arguments, as this person's request."""
        locale = self._members.locale(person)
        try:
            new = await self._proposer.edit(action, asker_of(person), changes)
        except ActionRefused as refused:
            return Told(action, sentence(refused.refusal, locale), refused.refusal)
        return Told(new, say("card.superseded", locale, action=new.id, old=action.id))

    def _told(self, decided: Decided, person: Person) -> Told:
        locale, action = self._members.locale(person), decided.action
        if decided.refusal is not None:
            return Told(action, sentence(decided.refusal, locale), decided.refusal)
        if action.state is State.AWAITING_APPROVAL:
            text = say("terminal.need_more", locale, action=action.id, count=action.votes_missing)
        elif action.state in (State.APPROVED, State.REJECTED, State.WITHDRAWN):
            text = say(f"card.{action.state.value}", locale, action=action.id)
        else:
            text = f"{action.id}: {say(f'state.{action.state.value}', locale)}"
        return Told(action, text)
