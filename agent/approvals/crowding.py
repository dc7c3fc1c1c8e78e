"""How many changes may run at once: one for each target, and of a tool or in an environment as many as allowed."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from agent.approvals.action import Action
from agent.approvals.refusal import Reason, Refusal

TARGET = ("environment", "service")  # arguments that say what is changed, unless a tool names others
ENVIRONMENT = "environment"


@dataclass(frozen=True, slots=True)
class Limits:
    """How many actions of a tool, and in an environment, may run at once; without a number, as many as there are."""

    tools: Mapping[str, int] = field(default_factory=dict)
    environments: Mapping[str, int] = field(default_factory=dict)


NO_LIMITS = Limits()


def target(action: Action, names: Sequence[str] = TARGET) -> str:
    """What an action changes, the same text for every action that changes the same.

    Where its arguments do not say, it is the tool as a whole, so that two of its runs are never at odds.
    """
    said = [str(action.arguments[name]) for name in names if action.arguments.get(name) is not None]
    return " ".join(said) or action.tool


def crowded(
    action: Action, running: Sequence[Action], limits: Limits, names: Callable[[Action], Sequence[str]]
) -> Refusal | None:
    """Why it has to wait for others that run, or None where there is room."""
    mine = target(action, names(action))
    beside = [one for one in running if one.id != action.id]
    same = next((one for one in beside if target(one, names(one)) == mine), None)
    if same is not None:
        return Refusal(Reason.BUSY, {"action": action.id, "other": same.id, "target": mine})
    environment = str(action.arguments.get(ENVIRONMENT, ""))
    tools = Counter(one.tool for one in beside)
    environments = Counter(str(one.arguments.get(ENVIRONMENT, "")) for one in beside)
    for what, limit, count in (
        (action.tool, limits.tools.get(action.tool), tools[action.tool]),
        (environment, limits.environments.get(environment), environments[environment]),
    ):
        if limit is not None and count >= limit:
            return Refusal(Reason.CROWDED, {"action": action.id, "what": what, "limit": str(limit)})
    return None
