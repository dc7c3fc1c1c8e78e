"""Which reads answer "why is it failing?": where it runs, what it measures, what it logs, and what is known of it."""

import re
from collections.abc import Mapping

from agent.models.embedded.acts import Act, Mood, says
from agent.models.embedded.arguments import Context, fill, refusal
from agent.models.embedded.lengths import DAY
from agent.models.embedded.reading import Call
from agent.models.embedded.scan import Scan
from tools.contract import Json, Spec
from tools.slots import Kind, slots

_EVERYTHING = re.compile(
    r"\b(everything|anything|the (?:site|shop|system)|customers|tout|le (?:site|systeme)|la boutique|les clients)\b"
)
# Whoever names these asks about what runs a service rather than about the service,
_PODS = re.compile(r"\b(pods?|containers?|conteneurs?|kubernetes|k8s)\b")
# and these words are nobody's but the cluster's.
_CLUSTERS_OWN = re.compile(
    r"\b(crash ?loop ?back ?off|(?:image ?pull|err ?image ?pull) ?back ?off|oom ?killed|(?:kubernetes|k8s) events?"
    r"|evenements? (?:kubernetes|k8s))\b"
)


def reads(scan: Scan, act: Act, families: Mapping[str, Spec], context: Context) -> tuple[Call, ...]:
    """The reads that explain present trouble with a service or a place; none when the question is another one."""
    if act.mood in {Mood.ORDER, Mood.NEGATED} and not scan.abstract.startswith(("why", "pourquoi")):
        return ()
    where = {role: scan.of(role)[0].value for role in ("service", "environment") if scan.of(role)}
    if (cluster := families.get("kubernetes")) is not None and _is_of_the_cluster(scan, context):
        call = _call(cluster, {}, where, scan, context)
        return (call,) if call is not None else ()
    if not says("trouble", scan.abstract) or _is_history(scan, context):
        return ()
    wanted = where or ("investigate" in families and _EVERYTHING.search(scan.plain))
    calls = (
        [_call(spec, extras, where, scan, context) for spec, extras in _plan(scan, families)]
        if wanted
        else []
    )
    return tuple(call for call in calls if call is not None)


def is_of_nothing(scan: Scan, act: Act, context: Context) -> bool:
    """Whether a sentence asks about present trouble and names neither a service nor a place, nor quotes anything."""
    if act.mood in {Mood.ORDER, Mood.NEGATED} or _is_history(scan, context):
        return False
    ill = says("trouble", scan.abstract) or says("slow", scan.abstract)
    return ill and not any(scan.of(role) for role in ("service", "environment", "quoted"))


def _call(
    spec: Spec, extras: Mapping[str, Json], where: Mapping[str, str], scan: Scan, context: Context
) -> Call | None:
    """One read about the place; a metric that the question happens to name does not narrow it."""
    known = slots(spec.arguments)
    filled = fill(spec, scan, context)
    kept = {name: value for name, value in filled.values.items() if known[name].role != "metric"}
    named = {name: where[slot.role] for name, slot in known.items() if slot.role in where}
    arguments = {**kept, **named, **extras}
    return Call(spec.name, arguments, filled.said) if refusal(spec, arguments) is None else None


def _is_of_the_cluster(scan: Scan, context: Context) -> bool:
    """Whether only a cluster can answer: pods in trouble, or something by the cluster's own word for it."""
    if _CLUSTERS_OWN.search(scan.plain):
        return not _is_long_ago(scan, context)
    ill = says("trouble", scan.abstract) or says("ailing", scan.abstract)
    return bool(_PODS.search(scan.plain) and ill and not _is_history(scan, context))


def _is_history(scan: Scan, context: Context) -> bool:
    """Whether the question is about something past, which only people's notes can answer."""
    past = says("past", scan.abstract) and not says("now", scan.abstract)
    return _is_long_ago(scan, context) or past


def _is_long_ago(scan: Scan, context: Context) -> bool:
    starts = (mention.when.start for mention in scan.of("time") if mention.when is not None)
    return any(start is not None and context.now - start > 3 * DAY for start in starts)


def _plan(scan: Scan, families: Mapping[str, Spec]) -> list[tuple[Spec, dict[str, Json]]]:
    """The tools to ask, with the arguments that the question does not name."""
    if (whole := families.get("investigate")) is not None:
        return [(whole, {})]
    plan: list[tuple[Spec, dict[str, Json]]] = []
    for kin in ("status", "metrics", "logs", "knowledge"):
        spec = families.get(kin)
        if spec is None:
            continue
        named = {slot.role: name for name, slot in slots(spec.arguments).items()}
        if kin == "metrics" and spec.arguments.model_fields[named.get("metric", "")].is_required():
            order = (
                ("latency_p95", "error_rate")
                if says("slow", scan.abstract)
                else ("error_rate", "latency_p95")
            )
            plan += [(spec, {named["metric"]: name}) for wanted in order if (name := measured(spec, wanted))]
        else:
            plan.append((spec, {named["level"]: "error"} if kin == "logs" and "level" in named else {}))
    return plan


def measured(spec: Spec, wanted: str) -> str | None:
    """The tool's own name for a metric, such as `latency` for `latency_p95`."""
    for slot in slots(spec.arguments).values():
        if slot.kind is Kind.CHOICE and slot.role == "metric":
            exact = [choice for choice in slot.choices if choice == wanted]
            near = [choice for choice in slot.choices if wanted.split("_", maxsplit=1)[0] in choice]
            return next(iter(exact + near), None)
    return None
