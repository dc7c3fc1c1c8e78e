"""Proposals: a wish to write becomes an action that waits, or is refused before anything is stored."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace

from agent.approvals.action import Action, ActionId, Draft, Origin, State
from agent.approvals.policy import Call, Policy
from agent.approvals.ports import Clock, Ledger, Tools
from agent.approvals.refusal import ActionRefused, Reason, Refusal
from agent.audit.event import Fact, FactKind
from tools.contract import Asker, Json, ToolError, ToolFailed, ToolUnavailable, WriteTool

FAILURES = 3  # approved and failed actions of one tool in one thread, after which no more are proposed
TRUSTED = frozenset({"asker", "settings"})  # where an argument may come from without a mark
CONFIDENT = "asker"
REQUEST = (
    "the change itself"  # where the wish came from, beside the arguments it has, when it was not the asker's
)


def untrusted(provenance: Mapping[str, str]) -> tuple[str, ...]:
    """The arguments that nobody who may be trusted has named."""
    return tuple(name for name, origin in provenance.items() if origin not in TRUSTED)


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody, or a model on their behalf, would like to change."""

    tool: str
    arguments: Mapping[str, Json]
    thread: str
    key: str
    why: str
    provenance: Mapping[str, str]
    supersedes: ActionId | None = None
    origin: Origin = Origin()
    by_itself: bool = True  # whether it may run without anybody looking at it, where a rule lets it


class Proposer:
    """Implements `agent.conversation.ports.Proposals` on the ledger."""

    def __init__(
        self, ledger: Ledger, tools: Tools, policy: Policy, clock: Clock, *, refuse_untrusted: bool = False
    ) -> None:
        self._ledger, self._tools, self._policy, self._clock = ledger, tools, policy, clock
        self._refuse_untrusted = refuse_untrusted

    async def propose(
        self,
        tool: str,
        arguments: Mapping[str, Json],
        asker: Asker,
        *,
        thread: str,
        key: str,
        why: str,
        provenance: Mapping[str, str],
        origin: Origin = Origin(),
    ) -> Action:
        """Judges, plans and stores. Raises `ActionRefused`, or a `ToolError` about arguments or planning."""
        return await self.wish(Wish(tool, arguments, thread, key, why, provenance, origin=origin), asker)

    async def renew(self, stale: Action, asker: Asker) -> Action:
        """Proposes the same again, with the plan as it is now, for somebody to look at. Raises as `propose`.

        What a rule lets run by itself by now is not proposed: nobody would look.
        """
        wish = Wish(
            stale.tool,
            stale.arguments,
            stale.thread,
            f"{stale.key}/anew",
            stale.why,
            stale.provenance,
            origin=replace(stale.origin, renews=stale.id),
            by_itself=False,
        )
        return await self.wish(wish, asker)

    async def edit(self, old: Action, asker: Asker, changes: Mapping[str, Json]) -> Action:
        """Proposes `old` again with some arguments changed; the old one is superseded. Raises as `propose`."""
        if old.state not in (State.AWAITING_APPROVAL, State.STALE, State.EXPIRED):
            fields = {"action": old.id, "state": old.state.value}
            raise await self._recorded(asker, old.tool, Refusal(Reason.NOT_WAITING, fields))
        wish = Wish(
            old.tool,
            {**old.arguments, **changes},
            old.thread,
            f"{old.key}/edit-{old.id}-{old.revision}-{'-'.join(f'{k}={v}' for k, v in sorted(changes.items()))}",
            # Words stay with whoever said them: somebody else's edit is that person's request about the old one.
            old.why if asker.person == old.requester else f"{old.id} ({old.requester}: {old.why})",
            {**old.provenance, **dict.fromkeys(changes, CONFIDENT)},
            supersedes=old.id if old.state is State.AWAITING_APPROVAL else await self._renewal(old),
            origin=Origin(old.origin.turn),
        )
        return await self.wish(wish, asker)

    async def _renewal(self, stale: Action) -> ActionId | None:
        """What a stale action was asked again as, while that waits: an edit takes its place, so that not both run."""
        for one in await self._ledger.actions(state=State.AWAITING_APPROVAL, thread=stale.thread):
            if one.origin.renews == stale.id:
                return one.id
        return None

    async def wish(self, wish: Wish, asker: Asker) -> Action:
        """The action this wish becomes."""
        tool = self._tools.get(wish.tool)
        if not isinstance(tool, WriteTool):
            raise await self._recorded(
                asker, wish.tool, Refusal(Reason.NOT_A_WRITE, {"tool": wish.tool}), wish
            )
        arguments = tool.spec.validate(wish.arguments)
        canonical = arguments.canonical()
        call = Call(wish.tool, canonical, asker.person, asker.roles, untrusted(wish.provenance))
        try:
            judged = self._policy.judge(call, self._clock())
        except ActionRefused as refused:
            raise await self._recorded(asker, wish.tool, refused.refusal, wish) from refused
        if judged.requirement.auto and not wish.by_itself:
            # It stays as stale as it was: that nobody would look is no attempt of anybody's to put on record.
            fields = {"action": wish.origin.renews, "state": State.STALE.value}
            raise ActionRefused(Refusal(Reason.NOT_WAITING, fields))
        if (no := await self._objection(wish)) is not None:
            raise await self._recorded(asker, wish.tool, no, wish)
        try:
            async with asyncio.timeout(tool.spec.timeout):
                plan = await tool.plan(arguments)
        except TimeoutError as error:
            raise ToolUnavailable(
                f"{wish.tool}: planning took more than {tool.spec.timeout:.0f} s; nothing was proposed"
            ) from error
        except ToolError:
            raise
        except Exception as error:  # whoever wrote the tool: who asks has to be told, whatever it is
            raise ToolFailed(f"{wish.tool} broke: {type(error).__name__}: {error}") from error
        if plan.changes_nothing:
            nothing = Refusal(Reason.NOTHING_TO_DO, {"plan": plan.title})
            raise await self._recorded(asker, wish.tool, nothing, wish)
        now = self._clock()
        proposed = await self._ledger.propose(
            Draft(
                key=wish.key,
                tool=wish.tool,
                tool_version=tool.spec.version,
                arguments=canonical,
                provenance=wish.provenance,
                requester=asker.person,
                thread=wish.thread,
                why=wish.why,
                plan=plan,
                requirement=judged.requirement,
                created_at=now,
                expires_at=now + judged.expires_after,
                supersedes=wish.supersedes,
                origin=wish.origin,
            )
        )
        return await self._allowed(proposed)

    async def _allowed(self, action: Action) -> Action:
        """An action that a rule allows by itself is approved at once, by the same ledger and with its audit row."""
        if not (action.requirement.auto and action.state is State.AWAITING_APPROVAL):
            return action
        after = action.moved(State.APPROVED)
        data: dict[str, Json] = {
            "verdict": "auto",
            "rule": action.requirement.rule,
            "digest": action.digest,
            "state": after.state.value,
        }
        if await self._ledger.apply(
            action, after, Fact(FactKind.DECIDED, "sayso", action.id, self._clock(), data)
        ):
            return after
        return await self._ledger.action(action.id) or action

    async def _objection(self, wish: Wish) -> Refusal | None:
        earlier = await self._ledger.actions(thread=wish.thread, limit=50)
        failed = 0
        for action in earlier:
            if action.tool == wish.tool and action.state is State.FAILED:
                failed += 1
            elif action.tool == wish.tool and action.state is State.SUCCEEDED:
                break
        if failed >= FAILURES:
            return Refusal(Reason.TOO_MANY_FAILURES, {"tool": wish.tool, "count": str(failed)})
        doubtful = untrusted(wish.provenance)
        if self._refuse_untrusted and doubtful:
            return Refusal(Reason.UNTRUSTED_TARGET, {"arguments": ", ".join(doubtful)})
        return None

    async def _recorded(
        self, asker: Asker, tool: str, no: Refusal, wish: Wish | None = None
    ) -> ActionRefused:
        data: dict[str, Json] = {"tool": tool, "reason": no.reason.value, **no.fields}
        data["policy_version"] = self._policy.version
        if wish is not None:
            data |= {
                "arguments": dict(wish.arguments),
                "thread": wish.thread,
                "turn": wish.origin.turn,
                "model": wish.origin.model,
                "why": wish.why,
            }
        fact = Fact(FactKind.PROPOSAL_REFUSED, asker.person, tool, self._clock(), data)
        await self._ledger.record(fact)
        return ActionRefused(no)
