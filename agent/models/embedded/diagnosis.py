"""Which reads answer "why is it failing?": where it runs, what it measures, what it logs, and what is known of it."""

from collections.abc import Mapping

from agent.models.embedded.acts import Act, Mood, says
from agent.models.embedded.arguments import Context, fill, refusal
from agent.models.embedded.lengths import DAY
from agent.models.embedded.reading import Call
from agent.models.embedded.scan import Scan
from tools.contract import Json, Spec
from tools.slots import Kind, slots


def reads(scan: Scan, act: Act, families: Mapping[str, Spec], context: Context) -> tuple[Call, ...]:
    """The reads that explain present trouble with a named service; none when the question is another one."""
    if act.mood in {Mood.ORDER, Mood.NEGATED} and not scan.abstract.startswith(("why", "pourquoi")):
        return ()
    if not says("trouble", scan.abstract) or _is_history(scan, context) or not scan.of("service"):
        return ()
    calls = []
    for kin, extras in _plan(scan, families):
        if (spec := families.get(kin)) is not None:
            filled = fill(spec, scan, context)
            arguments = {
                **filled.values,
                **{name: value for name, value in extras.items() if name in slots(spec.arguments)},
            }
            if refusal(spec, arguments) is None:
                calls.append(Call(spec.name, arguments, filled.said))
    return tuple(calls)


def _is_history(scan: Scan, context: Context) -> bool:
    """Whether the question is about something past, which only people's notes can answer."""
    for mention in scan.of("time"):
        when = mention.when
        if when is not None and when.start is not None and context.now - when.start > 3 * DAY:
            return True
    return says("past", scan.abstract) and not says("now", scan.abstract)


def _plan(scan: Scan, families: Mapping[str, Spec]) -> list[tuple[str, dict[str, Json]]]:
    slow = says("slow", scan.abstract)
    order = ["latency_p95", "error_rate"] if slow else ["error_rate", "latency_p95"]
    plan: list[tuple[str, dict[str, Json]]] = [("status", {})]
    for metric in order:
        if (name := measured(families.get("metrics"), metric)) is not None:
            plan.append(("metrics", {"metric": name}))
    plan += [("logs", {"level": "error", "contains": None}), ("knowledge", {})]
    return [
        (kin, {name: value for name, value in extras.items() if value is not None}) for kin, extras in plan
    ]


def measured(spec: Spec | None, wanted: str) -> str | None:
    """The tool's own name for a metric, such as `latency` for `latency_p95`."""
    if spec is None:
        return None
    for slot in slots(spec.arguments).values():
        if slot.kind is Kind.CHOICE and slot.role == "metric":
            exact = [choice for choice in slot.choices if choice == wanted]
            near = [choice for choice in slot.choices if wanted.split("_", maxsplit=1)[0] in choice]
            return next(iter(exact + near), None)
    return None
