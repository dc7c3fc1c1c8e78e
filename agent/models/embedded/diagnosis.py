"""Which reads answer "why is it failing?": where it runs, what it measures, what it logs, and what is known of it."""

import re
from collections.abc import Mapping

from agent.models.embedded.acts import Act, Mood
from agent.models.embedded.arguments import Context, fill, refusal
from agent.models.embedded.reading import Call
from agent.models.embedded.scan import Scan
from agent.models.embedded.times import DAY
from tools.contract import Json, Spec
from tools.slots import Kind, slots

_TROUBLE = re.compile(
    r"(?<!\S)(?:(?:why|how come|what makes|pourquoi|comment ca se fait) .*(?:fail\w*|slow\w*|broken|breaking|down|error\w*|timing out|timeouts?|unhealthy|crash\w*|degraded|stuck|sluggish|high|unavailable|not work\w*|n't work\w*|problem\w*|declined|refused|spik\w+|bad|red|laggy|echou\w*|lent\w*|plant\w*|cass\w*|tomb\w*|erreur\w*|rame\w*|bloqu\w*|marche\w*|fonctionne\w*|refus\w*|haut\w*|eleve\w*|rate\w*) "
    r"|what (?:'s|is) (?:wrong|the matter|the problem|going on|happening|up|broken|causing)|what happened to <service> just now|qu' est ce qui (?:se passe|cloche|ne va pas|casse|bloque)|que se passe t il|c' est quoi le (?:probleme|souci)|quel est le (?:probleme|souci)|qu' est ce qu' il y a avec|diagnose|investigate|troubleshoot|diagnostique\w*|enquete\w*|find out why)"
)
_PAST = re.compile(
    r"(?<!\S)(?:did|was|were|had|happened|went|failed last|fell|avait|etait|etaient|a t il|ont ils|est tombe|sont tombes?|s' est|a eu|ont echoue|a echoue|a plante|echouait|echouaient|echouaient ils|back in|last time|"
    r"la derniere fois|a cause) "
)
_SLOW = re.compile(
    r"(?<!\S)(?:slow\w*|sluggish|latency|laggy|lag|latence|lente?s?|lenteurs?|rame\w*|timing out|timeouts?|response times?) "
)


def reads(scan: Scan, act: Act, families: Mapping[str, Spec], context: Context) -> tuple[Call, ...]:
    """The reads that explain present trouble with a named service; none when the question is another one."""
    if act.mood in {Mood.ORDER, Mood.NEGATED} and not scan.abstract.startswith(("why", "pourquoi")):
        return ()
    if not _TROUBLE.search(scan.abstract) or _is_history(scan, context) or not scan.of("service"):
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
    return bool(_PAST.search(scan.abstract)) and not re.search(
        r"(?<!\S)(?:still|encore|now|right now|maintenant) ", scan.abstract
    )


def _plan(scan: Scan, families: Mapping[str, Spec]) -> list[tuple[str, dict[str, Json]]]:
    slow = bool(_SLOW.search(scan.abstract))
    order = ["latency_p95", "error_rate"] if slow else ["error_rate", "latency_p95"]
    plan: list[tuple[str, dict[str, Json]]] = [("status", {})]
    for metric in order:
        if (name := _measured(families.get("metrics"), metric)) is not None:
            plan.append(("metrics", {"metric": name}))
    plan += [("logs", {"level": "error", "contains": None}), ("knowledge", {})]
    return [
        (kin, {name: value for name, value in extras.items() if value is not None}) for kin, extras in plan
    ]


def _measured(spec: Spec | None, wanted: str) -> str | None:
    """The tool's own name for a metric, such as `latency` for `latency_p95`."""
    if spec is None:
        return None
    for slot in slots(spec.arguments).values():
        if slot.kind is Kind.CHOICE and slot.role == "metric":
            exact = [choice for choice in slot.choices if choice == wanted]
            near = [choice for choice in slot.choices if wanted.split("_")[0] in choice]
            return next(iter(exact + near), None)
    return None
