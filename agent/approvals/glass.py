"""Breaking the glass: one person runs an action at once and says why; somebody else signs for it afterwards."""

from agent.approvals.action import Action, Decision, State, Verdict
from agent.approvals.decide import Answer
from agent.approvals.ports import Clock, Ledger, Roles
from agent.approvals.refusal import Reason, Refusal
from agent.audit.event import Fact, FactKind
from tools.contract import Json


class Glasses:
    """Breaks the glass where the policy allows it, and takes the second signatures. Every attempt is recorded."""

    def __init__(self, ledger: Ledger, roles: Roles, clock: Clock) -> None:
        self._ledger, self._roles, self._clock = ledger, roles, clock

    async def break_(self, action: Action, person: str, reason: str) -> Answer:
        """Approves a waiting action by this person's word alone. The signature is due from now on."""
        at, reason = self._clock(), reason.strip()
        need = action.requirement
        fields = _fields(action, " · ".join(", ".join(sorted(group)) for group in need.break_glass) or "-")
        checks = (
            (Reason.NOT_WAITING, action.state is not State.AWAITING_APPROVAL),
            (Reason.EXPIRED, at >= action.expires_at),
            (Reason.NO_GLASS, not need.may_break_glass(person, self._roles.roles(person))),
            (Reason.REASON_MISSING, not reason),
        )
        no = next((Refusal(why, fields) for why, applies in checks if applies), None)
        if no is None:
            after = action.broken(person, reason, at)
            due = after.glass.due_at.isoformat() if after.glass else None
            data: dict[str, Json] = {
                "verdict": "break_glass",
                "reason": reason,
                "digest": action.digest,
                "state": after.state.value,
                "signature_due_at": due,
            }
            if await self._ledger.apply(action, after, Fact(FactKind.DECIDED, person, action.id, at, data)):
                return Answer(after)
            action = await self._ledger.action(action.id) or action
            no = Refusal(Reason.OVERTAKEN, {"action": action.id})
        return await self._refused(action, person, "break_glass", no)

    async def countersign(self, action: Action, person: str, reason: str) -> Answer:
        """The second signature, by somebody who could have approved and neither asked for it nor ran it."""
        at, need = self._clock(), action.requirement
        fields = _fields(action, ", ".join(sorted(need.approver_roles)))
        own = {action.requester, action.glass.person if action.glass else ""}
        checks = (
            (Reason.NOTHING_OWED, not action.owed),
            (Reason.OWN_GLASS, person in own),
            (Reason.NO_ROLE, not need.may_approve(person, self._roles.roles(person))),
        )
        no = next((Refusal(why, fields) for why, applies in checks if applies), None)
        if no is None:
            team = self._roles.team(person)
            decision = Decision(action.id, action.digest, person, Verdict.APPROVE, reason.strip(), at, team)
            after = action.signed(decision)
            data: dict[str, Json] = {
                "verdict": "countersign",
                "reason": decision.reason,
                "digest": action.digest,
                "late": action.glass is not None and at > action.glass.due_at,
            }
            if await self._ledger.apply(action, after, Fact(FactKind.DECIDED, person, action.id, at, data)):
                return Answer(after)
            action = await self._ledger.action(action.id) or action
            no = Refusal(Reason.OVERTAKEN, {"action": action.id})
        return await self._refused(action, person, "countersign", no)

    async def _refused(self, action: Action, person: str, attempt: str, no: Refusal) -> Answer:
        data: dict[str, Json] = {
            "attempt": attempt,
            "reason": no.reason.value,
            "fields": dict(no.fields),
            "digest": action.digest,
        }
        await self._ledger.record(Fact(FactKind.DECISION_REFUSED, person, action.id, self._clock(), data))
        return Answer(action, no)


def _fields(action: Action, roles: str) -> dict[str, str]:
    return {"action": action.id, "state": action.state.value, "roles": roles}
