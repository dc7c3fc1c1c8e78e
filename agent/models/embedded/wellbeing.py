"""Questions whether a service is well: instances that answer are not all of it, errors and alerts belong to it too."""

import re
from collections.abc import Mapping

from agent.models.embedded.acts import Act, Mood
from agent.models.embedded.arguments import Context, fill
from agent.models.embedded.diagnosis import measured
from agent.models.embedded.pointing import looked_at_again
from agent.models.embedded.reading import Call
from agent.models.embedded.scan import Scan
from tools.contract import Spec

_PLACE = r"(?: (?:in|on|en|sur|dans)(?: the| la| le)? <environment>)?"
_SUBJECT = rf"(?:the |our |le |la |l' )?<service>(?: service)?{_PLACE}"
_STILL = r"(?: (?:still|now|really|currently|doing|looking|all|toujours|encore|vraiment|bien|il|elle|t))*"
_WELL = r"(?:ok|okay|healthy|fine|well|good|alright|right|in good shape|sain|saine|en bonne sante|en forme|nickel)"
_END = rf"{_PLACE}(?: (?:now|right now|today|again|currently|at the moment|maintenant|la|please|stp|svp))* ?[?.! ]*$"
_ASKED = re.compile(
    rf"(?:(?:is|are|does|est ce que) )?{_SUBJECT}(?: (?:is|looks?|est|semble))?{_STILL} {_WELL}{_END}"
    rf"|how (?:is|'s|are|does) {_SUBJECT}(?: (?:doing|going|look|looking|feeling))*{_END}"
    rf"|(?:est ce que )?{_SUBJECT} (?:va|vont|se porte)(?: t il| t elle| il| elle)? bien{_END}"
    rf"|comment (?:va|vont|se porte) {_SUBJECT}{_END}"
)


def reads(
    scan: Scan, act: Act, families: Mapping[str, Spec], specs: Mapping[str, Spec], context: Context
) -> tuple[Call, ...]:
    """What runs of the service, its error rate and its alerts; none where the question is another one."""
    status = families.get("status")
    if status is None or not is_asked(scan, act):
        return ()
    filled = fill(status, scan, context)
    if not filled.complete:
        return ()
    calls = [Call(status.name, filled.values, filled.said)]
    for spec in (families.get("metrics"), specs.get("alerts")):
        if spec is not None:
            named = [name] if (name := measured(spec, "error_rate")) else []
            calls += looked_at_again(spec, calls[:1], specs, named)
    return tuple(calls)


def is_asked(scan: Scan, act: Act) -> bool:
    """Whether the sentence asks just that, of a service it names and of now."""
    asks = act.mood in {Mood.QUESTION, Mood.TOLD} and len(scan.of("service")) == 1
    return asks and not scan.of("time") and _ASKED.match(scan.abstract) is not None
