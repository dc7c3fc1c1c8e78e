"""Decisions about an action: the one way a yes or a no comes in, and every attempt is answered and recorded."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from agent.approvals.action import Action, Decision, State, Verdict
from agent.approvals.ports import Clock, Ledger, Roles, Ruling
from agent.approvals.refusal import Reason, Refusal
from agent.audit.event import Fact, FactKind
from tools.contract import Json


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of an attempt: the action as it is now, and why not if it was refused.

    `output` is what a run of it wrote, as its row of the trail names it.
    """

    action: Action
    refusal: Refusal | None = None
    output: Sequence[Json] = ()


def objection(action: Action, decision: Decision, roles: frozenset[str]) -> Refusal | None:
    """Why this decision does not count, or None when it does. Pure."""
    need = action.requirement
    own = decision.person == action.requester and decision.verdict is Verdict.APPROVE
    silent = not decision.reason.strip()
    checks = (
        (Reason.NOT_WAITING, action.state is not State.AWAITING_APPROVAL),
        (Reason.EXPIRED, decision.at >= action.expires_at),
        (Reason.OTHER_DIGEST, decision.digest != action.digest),
        (Reason.OWN_REQUEST, own and not need.self_approval),
        (Reason.NO_ROLE, not need.may_approve(decision.person, roles)),
        (Reason.VOTED_ALREADY, any(earlier.person == decision.person for earlier in action.decisions)),
        (Reason.REASON_MISSING, silent and (need.reason_required or decision.verdict is Verdict.REJECT)),
    )
    fields = {
        "action": action.id,
        "state": action.state.value,
        "roles": ", ".join(sorted(need.approver_roles)),
    }
    return next((Refusal(reason, fields) for reason, applies in checks if applies), None)


class Decisions:
    """Applies decisions, withdrawals and expiry to the ledger."""

    def __init__(self, ledger: Ledger, roles: Roles, clock: Clock) -> None:
        self._ledger, self._roles, self._clock = ledger, roles, clock

    async def decide(
        self, action: Action, person: str, verdict: Verdict, *, reason: str = "", digest: str | None = None
    ) -> Answer:
        """One person's yes or no. `digest` is that of the card the person saw; without it, of the action given."""
        at, roles, team = self._clock(), self._roles.roles(person), self._roles.team(person)
        seen = digest or action.digest

        def judged(now: Action) -> Ruling:
            decision = Decision(now.id, seen, person, verdict, reason.strip(), at, team)
            no = objection(now, decision, roles)
            return _counted(now, decision) if no is None else _refused(now, decision, no)

        ruling = await self._ledger.judge(action.id, judged)
        if ruling is None:
            return Answer(action, Refusal(Reason.OVERTAKEN, {"action": action.id}))
        return Answer(ruling.action, ruling.refusal)

    async def withdraw(self, action: Action, person: str) -> Answer:
        """The requester takes the proposal back, as long as it has not started."""
        at = self._clock()
        if person != action.requester:
            no = Refusal(Reason.NOT_YOURS, {"action": action.id, "person": action.requester})
        elif action.state not in (State.AWAITING_APPROVAL, State.APPROVED):
            no = Refusal(Reason.NOT_WAITING, {"action": action.id, "state": action.state.value})
        else:
            after = action.moved(State.WITHDRAWN, at=at)
            if await self._ledger.apply(action, after, Fact(FactKind.WITHDRAWN, person, action.id, at)):
                return Answer(after)
            action = await self._latest(action)
            no = Refusal(Reason.OVERTAKEN, {"action": action.id})
        data: dict[str, Json] = {
            "attempt": "withdraw",
            "reason": no.reason.value,
            "fields": dict(no.fields),
        }
        await self._ledger.record(Fact(FactKind.DECISION_REFUSED, person, action.id, at, data))
        return Answer(action, no)

    async def expire(self) -> tuple[Action, ...]:
        """Moves what nobody decided in time to EXPIRED; only tidies up, since every update checks expiry itself."""
        expired = []
        for state in (State.AWAITING_APPROVAL, State.APPROVED):
            for action in await self._ledger.actions(state=state, limit=1000):
                at = self._clock()
                if at >= action.expires_at:
                    after = action.moved(State.EXPIRED, at=at)
                    if await self._ledger.apply(
                        action, after, Fact(FactKind.EXPIRED, "sayso", action.id, at)
                    ):
                        expired.append(after)
        return tuple(expired)

    async def _latest(self, action: Action) -> Action:
        return await self._ledger.action(action.id) or action


def _counted(action: Action, decision: Decision) -> Ruling:
    """The action with this vote."""
    after = action.voted(decision)
    return Ruling(
        after,
        (Fact(FactKind.DECIDED, decision.person, action.id, decision.at, _said(decision, after)),),
    )


def _refused(action: Action, decision: Decision, no: Refusal) -> Ruling:
    """The attempt on record; an action that nobody decided in time ends with it."""
    data: dict[str, Json] = {
        "attempt": decision.verdict.value,
        "reason": no.reason.value,
        "fields": dict(no.fields),
        "said": decision.reason,
        "digest": decision.digest,
    }
    attempt = Fact(FactKind.DECISION_REFUSED, decision.person, action.id, decision.at, data)
    if no.reason is not Reason.EXPIRED:
        return Ruling(action, (attempt,), no)
    end = Fact(FactKind.EXPIRED, "sayso", action.id, decision.at)
    return Ruling(action.moved(State.EXPIRED, at=decision.at), (attempt, end), no)


def _said(decision: Decision, after: Action) -> Mapping[str, Json]:
    return {
        "verdict": decision.verdict.value,
        "reason": decision.reason,
        "digest": decision.digest,
        "state": after.state.value,
        "votes_missing": after.votes_missing,
    }
