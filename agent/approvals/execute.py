"""Running an approved action: claimed once, checked against policy and world again, run, verified, settled.

Whatever happens, a claimed action is never run a second time. When the worker dies in the middle, the action is found
as RUNNING under a dead worker's name, becomes UNKNOWN, and is settled by looking at the world or by a person.
"""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from agent.approvals.action import Action, Decision, Groups, Requirement, State
from agent.approvals.crowding import NO_LIMITS, TARGET, Limits, crowded, target
from agent.approvals.decide import Answer
from agent.approvals.policy import Call, Policy
from agent.approvals.ports import Clock, Ledger, Outputs, Roles, Tools, Workers
from agent.approvals.propose import untrusted
from agent.approvals.refusal import ActionRefused, Reason, Refusal
from agent.approvals.writing import Transcript
from agent.audit.event import Fact, FactKind
from tools.contract import (
    BadArguments,
    Change,
    Grant,
    GrantRefused,
    Json,
    Outcome,
    Plan,
    Progress,
    ToolError,
    ToolFailed,
    ToolUnavailable,
    Verdict,
    Verification,
    WriteTool,
    digest,
)

SLOWEST = 5.0  # seconds between two looks at the world after a run
ENDS: Mapping[Verdict, tuple[State, FactKind]] = {
    Verdict.DONE: (State.SUCCEEDED, FactKind.SUCCEEDED),
    Verdict.NOT_DONE: (State.FAILED, FactKind.FAILED),
    Verdict.UNCLEAR: (State.UNKNOWN, FactKind.UNKNOWN),
}


@dataclass(slots=True)
class OneTimeGrant:
    """The right to run one claimed action once."""

    action: str
    approved_by: tuple[str, ...]
    _tool: str
    _arguments: str
    _spent: bool = field(default=False)

    @classmethod
    def of(cls, action: Action) -> "OneTimeGrant":
        """For a claimed action only. Raises `GrantRefused` for any other."""
        if action.state is not State.RUNNING:
            raise GrantRefused(f"{action.id} is {action.state.value}, and only a claimed action may run")
        people = tuple(vote.person for vote in action.approvals)
        if action.glass is not None:
            people = (*people, action.glass.person)
        elif action.requirement.auto:
            people = ("the policy",)
        return cls(action.id, people, action.tool, digest(action.arguments))

    def spend(self, tool: str, arguments: Mapping[str, Json]) -> None:
        """Uses the grant up. Raises `GrantRefused` when it was spent or stands for something else."""
        if self._spent:
            raise GrantRefused(f"{self.action}: the grant was used already")
        if tool != self._tool or digest(arguments) != self._arguments:
            raise GrantRefused(
                f"{self.action}: the grant is for other arguments than those given to {tool!r}"
            )
        self._spent = True


class Executor:
    """Claims approved actions and sees them through."""

    def __init__(
        self,
        ledger: Ledger,
        tools: Tools,
        policy: Policy,
        roles: Roles,
        workers: Workers,
        clock: Clock,
        pauses: tuple[float, ...] | None = None,
        limits: Limits = NO_LIMITS,
        outputs: Outputs | None = None,
    ) -> None:
        self._ledger, self._tools, self._policy, self._roles = ledger, tools, policy, roles
        self._workers, self._clock, self._pauses, self._limits = workers, clock, pauses, limits
        self._outputs = outputs

    async def run(self, action: Action, progress: Progress) -> Answer:
        """Runs an approved action to its end. Refused (and recorded) when it may not run any more."""
        if (refusal := self._objection(action)) is not None:
            return await self._refuse(action, refusal)
        try:
            tool = self._write_tool(action.tool)
        except ToolError as error:
            return await self._stale(action, None, str(error))
        if tool.spec.version != action.tool_version:
            return await self._another_tool(action, tool.spec.version)
        return await self._planned(action, tool, progress)

    async def _planned(self, action: Action, tool: WriteTool, progress: Progress) -> Answer:
        """Plans it once more, and begins where the plan is the one that was approved."""
        try:
            arguments = tool.spec.validate(action.arguments)
            async with asyncio.timeout(tool.spec.timeout):
                plan = await tool.plan(arguments)
        except (ToolUnavailable, TimeoutError) as error:
            # Nothing is known about the world, so nothing is decided: it stays approved until it expires.
            fields = {"action": action.id, "why": str(error) or "the plan took too long"}
            return await self._refuse(action, Refusal(Reason.UNAVAILABLE, fields))
        except Exception as error:  # noqa: BLE001 - whoever wrote the tool: it would break again, and nobody be told
            broke = f"{action.tool} broke: {type(error).__name__}: {error}"
            return await self._stale(action, None, str(error) if isinstance(error, ToolError) else broke)
        if drifted := action.plan.drifted(plan):
            return await self._stale(replace(action, drifted=drifted), plan, drift(drifted))
        return await self._begin(action, tool, progress)

    async def _another_tool(self, action: Action, version: str) -> Answer:
        """What was approved is what the tool did then: another version of it may do something else."""
        changed = (Change("tool_version", action.tool_version, version),)
        return await self._stale(replace(action, drifted=changed), None, drift(changed))

    async def _begin(self, action: Action, tool: WriteTool, progress: Progress) -> Answer:
        """Claims it and sees it through."""
        claimed = await self._claim(action)
        if isinstance(claimed, Refusal):
            return Answer(action, claimed)  # it only waits for its turn, which is no attempt to put on record
        if claimed is None:
            latest = await self._ledger.action(action.id) or action
            return await self._refuse(latest, Refusal(Reason.OVERTAKEN, {"action": action.id}))
        return await self._see_through(claimed, tool, progress)

    async def recover(self) -> tuple[Action, ...]:
        """Settles what dead workers left RUNNING: by looking at the world; what cannot be told stays UNKNOWN."""
        running = await self._ledger.actions(state=State.RUNNING, limit=1000)
        found = [await self.look_after(action) for action in running if self.abandoned(action)]
        return tuple(action for action in found if action is not None)

    def abandoned(self, action: Action) -> bool:
        """Whether it runs in the hands of a worker that is dead."""
        dead = action.worker is None or not self._workers.alive(action.worker)
        return action.state is State.RUNNING and dead

    async def look_after(self, action: Action) -> Action | None:
        """Settles an abandoned action by looking at the world; None when somebody else did."""
        data: dict[str, Json] = {"worker": action.worker}
        unknown = action.moved(State.UNKNOWN, detail="its worker died while it ran")
        fact = Fact(FactKind.UNKNOWN, "sayso", action.id, self._clock(), data)
        return await self._look(unknown) if await self._ledger.apply(action, unknown, fact) else None

    async def settle(self, action: Action, person: str, *, succeeded: bool, reason: str) -> Answer:
        """A person says how an UNKNOWN action ended, after looking. It takes an approver's role."""
        at = self._clock()
        fields = {"action": action.id, "state": action.state.value}
        may = self._may_settle(action, person)
        roles = action.requirement.approver_roles
        no: Refusal | None = None
        if action.state is not State.UNKNOWN:
            no = Refusal(Reason.NOT_UNKNOWN, fields)
        elif not may:
            no = Refusal(Reason.NO_ROLE, {**fields, "roles": ", ".join(sorted(roles))})
        elif not reason.strip():
            no = Refusal(Reason.REASON_MISSING, fields)
        if no is not None:
            return await self._refuse(action, no, actor=person)
        after = action.moved(State.SUCCEEDED if succeeded else State.FAILED, detail=reason, at=at)
        fact = Fact(FactKind.SETTLED, person, action.id, at, {"state": after.state.value, "reason": reason})
        if await self._ledger.apply(action, after, fact):
            return Answer(after)
        return await self._refuse(action, Refusal(Reason.OVERTAKEN, fields), actor=person)

    def _may_settle(self, action: Action, person: str) -> bool:
        """Approvers may; where nobody had to approve, everybody who may ask for the tool."""
        roles = self._roles.roles(person)
        if action.requirement.auto:
            return self._policy.may_use(action.tool, roles)
        return action.requirement.may_approve(person, roles)

    def _objection(self, action: Action) -> Refusal | None:
        """Why it may not run: state, expiry, and the policy as it is now. The stricter of then and now counts."""
        fields = {"action": action.id, "state": action.state.value}
        if action.state is not State.APPROVED:
            return Refusal(Reason.NOT_APPROVED, fields)
        if self._clock() >= action.expires_at:
            return Refusal(Reason.EXPIRED, fields)
        roles = self._roles.roles(action.requester)
        call = Call(action.tool, action.arguments, action.requester, roles, untrusted(action.provenance))
        try:
            judged = self._policy.judge(call, self._clock())
        except ActionRefused as refused:
            no = refused.refusal
            if no.reason is Reason.SHUT:
                return Refusal(Reason.SHUT_SINCE, {**fields, **no.fields})
            return Refusal(Reason.POLICY_CHANGED, fields, because=no)
        if self._clock() >= action.created_at + judged.expires_after:
            return Refusal(Reason.POLICY_CHANGED, fields, because=Refusal(Reason.EXPIRED, fields))
        missing = self._missing(action, judged.requirement)
        return Refusal(Reason.POLICY_CHANGED, fields, because=missing) if missing else None

    def _missing(self, action: Action, now: Requirement) -> Refusal | None:
        """What the approvals lack, by the stricter of the policies of then and now; None when they suffice."""
        then = action.requirement
        if action.glass is not None:
            who = action.glass.person
            roles = self._roles.roles(who)
            if then.may_break_glass(who, roles) and now.may_break_glass(who, roles):
                return None
            return Refusal(Reason.NO_GLASS, {"action": action.id, "roles": _named(now.break_glass)})
        counting = [vote for vote in action.approvals if self._counts(vote, action, now)]
        teams = {self._roles.team(vote.person) for vote in counting} - {""}
        wanted, of_teams = max(then.quorum, now.quorum), max(then.distinct_teams, now.distinct_teams)
        if len(counting) >= wanted and (of_teams == 1 or len(teams) >= of_teams):
            return None
        fields = {
            "rule": now.rule,
            "needed": str(wanted),
            "counted": str(len(counting)),
            "teams": str(of_teams),
            "roles": _named(now.approvers) if now.quorum else _named(then.approvers),
        }
        return Refusal(Reason.NOT_ENOUGH, fields)

    def _counts(self, vote: Decision, action: Action, now: Requirement) -> bool:
        """Whether this yes still counts: by the roles of now, under both policies."""
        then, roles = action.requirement, self._roles.roles(vote.person)
        own = vote.person == action.requester
        return (
            then.may_approve(vote.person, roles)
            and (now.auto or now.may_approve(vote.person, roles))
            and (not own or (then.self_approval and (now.auto or now.self_approval)))
            and bool(vote.reason or not now.reason_required)
        )

    def target(self, action: Action) -> str:
        """What it changes: of those with the same target, one runs at a time."""
        return target(action, self._target_names(action))

    def _target_names(self, action: Action) -> Sequence[str]:
        try:
            return self._tools.get(action.tool).spec.target
        except BadArguments:  # it is no tool any more
            return TARGET

    async def _claim(self, action: Action) -> Action | Refusal | None:
        """The action as it runs; why there is no room for it yet; None when somebody else has it."""
        if not self._workers.trusted():
            return Refusal(Reason.AWAY, {"action": action.id})
        at = self._clock()
        claimed = replace(action.moved(State.RUNNING, at=at), worker=self._workers.me)
        fact = Fact(
            FactKind.CLAIMED,
            "sayso",
            action.id,
            at,
            {"worker": self._workers.me, "policy_now": self._policy.version},
        )

        def room(running: Sequence[Action]) -> Refusal | None:
            return crowded(action, running, self._limits, self._target_names)

        won = await self._ledger.claim(action, claimed, fact, room)
        if isinstance(won, Refusal):
            return won
        return claimed if won else None

    async def _see_through(self, action: Action, tool: WriteTool, progress: Progress) -> Answer:
        arguments = tool.spec.validate(action.arguments)
        grant: Grant = OneTimeGrant.of(action)
        written = Transcript(progress)
        try:
            self._awake(action)
            async with asyncio.timeout(tool.spec.timeout):
                outcome = await tool.run(arguments, grant, written)
        except ToolError as error:
            outcome = Outcome(ok=False, summary=str(error))
        except TimeoutError:
            # The effect may have happened: the world decides, not the clock.
            outcome = Outcome(ok=True, summary=f"no answer within {tool.spec.timeout:.0f} s")
        except Exception as error:  # noqa: BLE001 - whoever wrote the tool: here, too, the world decides
            outcome = Outcome(ok=True, summary=f"{tool.spec.name} broke: {type(error).__name__}: {error}")
        seen = await self._verified(tool, action) if outcome.ok else Verification(Verdict.NOT_DONE, "")
        detail = "; ".join(part for part in (outcome.summary, seen.detail) if part)
        at = self._clock()
        data: dict[str, Json] = {
            "detail": detail,
            "verified": seen.verdict.value,
            "ran": outcome.summary,
            "seen": seen.detail,
        }
        if output := await written.kept(outcome, self._outputs):
            data["output"] = output
        state, kind = ENDS[seen.verdict]
        return Answer(await self._ended(action, state, kind, detail, at, data), output=output)

    def _awake(self, action: Action) -> None:
        """Raises `ToolFailed` when this worker slept since the claim.

        The others may hold it for dead and have looked at the world already, so it does nothing any more.
        """
        if not self._workers.trusted():
            raise ToolFailed(f"its worker was away for too long; nothing was done for {action.id}")

    async def _verified(self, tool: WriteTool, action: Action) -> Verification:
        """Looks at the world until it is as wanted, or the looks are used up."""
        seen = Verification(Verdict.UNCLEAR, "")
        for pause in self._pauses or pauses(tool.spec.settles_within):
            await asyncio.sleep(pause)
            try:
                arguments = tool.spec.validate(action.arguments)
                async with asyncio.timeout(tool.spec.timeout):
                    seen = await tool.verify(arguments)
            except (ToolError, TimeoutError) as error:
                seen = Verification(Verdict.UNCLEAR, str(error) or "the check took too long")
            except Exception as error:  # noqa: BLE001 - whoever wrote the tool: it ran, and has to come to an end
                seen = Verification(
                    Verdict.UNCLEAR, f"{tool.spec.name} broke: {type(error).__name__}: {error}"
                )
            if seen.verdict is Verdict.DONE:
                break
        return seen

    async def _look(self, unknown: Action) -> Action:
        try:
            seen = await self._verified(self._write_tool(unknown.tool), unknown)
        except BadArguments as error:
            seen = Verification(Verdict.UNCLEAR, str(error))
        if seen.verdict is Verdict.UNCLEAR:
            return unknown
        state = State.SUCCEEDED if seen.verdict is Verdict.DONE else State.FAILED
        data: dict[str, Json] = {"state": state.value, "reason": seen.detail}
        return await self._ended(unknown, state, FactKind.SETTLED, seen.detail, self._clock(), data)

    async def _ended(
        self,
        action: Action,
        state: State,
        kind: FactKind,
        detail: str,
        at: datetime,
        data: Mapping[str, Json],
    ) -> Action:
        after = action.moved(state, detail=detail, at=at)
        if await self._ledger.apply(action, after, Fact(kind, "sayso", action.id, at, data)):
            return after
        return await self._ledger.action(action.id) or action

    async def _stale(self, action: Action, plan: Plan | None, why: str) -> Answer:
        at = self._clock()
        after = action.moved(State.STALE, detail=why, at=at)
        data: dict[str, Json] = {
            "why": why,
            "observed": dict(plan.observed) if plan else None,
            "drifted": [{"what": one.what, "was": one.before, "is": one.after} for one in action.drifted],
        }
        if await self._ledger.apply(action, after, Fact(FactKind.STALE, "sayso", action.id, at, data)):
            return Answer(after, Refusal(Reason.STALE, {"action": action.id, "why": why}))
        latest = await self._ledger.action(action.id) or action
        return Answer(latest, Refusal(Reason.OVERTAKEN, {"action": action.id}))

    async def _refuse(self, action: Action, no: Refusal, actor: str = "sayso") -> Answer:
        data: dict[str, Json] = {
            "reason": no.reason.value,
            "fields": dict(no.fields),
            "digest": action.digest,
            "policy_version": self._policy.version,
        }
        if no.because is not None:
            data |= {"because": no.because.reason.value, **no.because.fields}
        await self._ledger.record(Fact(FactKind.RUN_REFUSED, actor, action.id, self._clock(), data))
        return Answer(action, no)

    def _write_tool(self, name: str) -> WriteTool:
        tool = self._tools.get(name)
        if not isinstance(tool, WriteTool):
            raise BadArguments(f"{name!r} is not a tool that changes anything", field="tool", value=name)
        return tool


def _named(groups: Groups) -> str:
    return " · ".join(", ".join(sorted(group)) for group in groups) or "-"


def pauses(within: float) -> Iterator[float]:
    """Seconds before each look at the world: at once, then ever slower, the last one when the time is up."""
    yield 0.0
    left, pause = within, 0.5
    while left > 0:
        yield min(pause, left)
        left, pause = left - pause, min(pause * 2, SLOWEST)


def drift(drifted: Sequence[Change]) -> str:
    """What differs between the world that was approved and the world as it is, in words."""
    return "; ".join(f"{one.what} was {one.before} and is {one.after}" for one in drifted)
