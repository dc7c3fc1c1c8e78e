"""Questions that point at the trouble that was talked about: "have we seen this before?", "did it help?"."""

import re
from collections.abc import Mapping, Sequence

from agent.models.embedded.arguments import refusal
from agent.models.embedded.folding import fold
from agent.models.embedded.reading import Call
from tools.contract import Json, Spec
from tools.slots import slots

_THIS = r"(?:this|that|it)"
_BEFORE = r"(?:before|already|earlier)"
_CHANGE = r"the (?:rollback|restart|fix|deploy|change)"
_CA = r"(?:ca|cela|ce probleme|cette panne|cette erreur)"
_SEEN = re.compile(
    rf"(?:have|had|did) (?:we|you|they|anyone|anybody) (?:ever )?(?:seen?|had|have) {_THIS}(?: {_BEFORE})?"
    rf"|(?:has|did) {_THIS} (?:ever )?happen(?:ed)?(?: {_BEFORE})?"
    rf"|(?:on a|a-t-on|avons-nous|est-ce qu'on a) deja (?:vu|eu) {_CA}"
    rf"|(?:est-ce que )?{_CA} est deja arrive"
)
_HELPED = re.compile(
    rf"(?:did|has) (?:{_THIS}|{_CHANGE}) (?:help(?:ed)?|work(?:ed)?|fix(?:ed)? {_THIS})"
    rf"|is {_THIS} (?:fixed|solved|better|over|gone|resolved)(?: now)?"
    rf"|(?:c'est|est-ce|est-ce que c'est) (?:repare|regle|resolu|fini|mieux)(?: maintenant)?"
    rf"|(?:est-ce que )?{_CA} (?:a marche|a aide|va mieux)(?: maintenant)?"
)
_PLACES = ("service", "environment")


def is_pointing(text: str) -> bool:
    """Whether the whole text asks about something it does not name."""
    return asks_whether_it_helped(text) or _SEEN.fullmatch(_bare(text)) is not None


def asks_whether_it_helped(text: str) -> bool:
    """Whether it asks how things are now: for figures, since a cause stays the cause for a while after its end."""
    return _HELPED.fullmatch(_bare(text)) is not None


def _bare(text: str) -> str:
    return fold(text).replace("’", "'").strip(" ?!.")


def looked_at_again(
    spec: Spec, calls: Sequence[Call], specs: Mapping[str, Spec], metrics: Sequence[str]
) -> tuple[Call, ...]:
    """One call, or one for each metric, about the service of earlier calls; none where they name no service."""
    for call in calls:
        spoken = {
            slot.role: call.arguments[name]
            for name, slot in slots(specs[call.tool].arguments).items()
            if slot.role in _PLACES and name in call.arguments
        }
        values: dict[str, Json] = {
            name: spoken[slot.role] for name, slot in slots(spec.arguments).items() if slot.role in spoken
        }
        measure = next((name for name, slot in slots(spec.arguments).items() if slot.role == "metric"), "")
        each = [{**values, measure: metric} for metric in metrics] if measure else [values]
        if "service" in spoken and all(refusal(spec, one) is None for one in each):
            return tuple(Call(spec.name, one) for one in each)
    return ()
