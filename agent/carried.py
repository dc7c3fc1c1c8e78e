"""The actions that sayso carried out, as a source of changes: what was switched by command may be what broke it."""

from agent.approvals.action import Action, State
from agent.approvals.ports import Ledger
from agent.store.port import StoreError
from tools.changes.port import ChangeKind, Known, Occurrence, Scope
from tools.contract import ToolUnavailable

LATEST = 200  # actions that are looked at
_RAN = frozenset({State.RUNNING, State.SUCCEEDED, State.FAILED, State.UNKNOWN})
_PLATFORMS = frozenset(
    {"deploy", "rollback", "restart", "scale"}
)  # the platform's own history tells of these


class Carried:
    """Implements `ChangeSource` on the ledger of actions, which opens after the tools are made."""

    name = "actions"

    def __init__(self) -> None:
        self._ledger: Ledger | None = None

    def opens(self, ledger: Ledger) -> None:
        """Says where the actions are; `agent.bootstrap` does, once the store is open."""
        self._ledger = ledger

    async def changes(self, scope: Scope) -> Known:
        """What ran in the window. Raises `ToolUnavailable`."""
        if self._ledger is None:
            raise ToolUnavailable("the actions are not open")
        try:
            actions = await self._ledger.actions(limit=LATEST)
        except StoreError as error:
            raise ToolUnavailable(f"the actions cannot be read: {error}") from error
        told = [one for each in actions if (one := _told(each)) is not None]
        cut = f"only the latest {LATEST} actions" if len(actions) == LATEST else None
        return Known(tuple(one for one in told if scope.holds(one)), cut)


def _told(action: Action) -> Occurrence | None:
    """An action as a change; `None` where it never ran, or somebody else tells of it."""
    if action.state not in _RAN or action.started_at is None or action.tool in _PLATFORMS:
        return None
    service, environment = (action.arguments.get(name) for name in ("service", "environment"))
    return Occurrence(
        at=action.started_at,
        kind=ChangeKind.ACTION,
        title=f"{action.id} {action.plan.title}",
        by=action.requester,
        source=Carried.name,
        service=service if isinstance(service, str) else None,
        environment=environment if isinstance(environment, str) else None,
        ok=action.state is not State.FAILED,
    )
