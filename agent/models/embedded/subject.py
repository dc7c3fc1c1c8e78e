"""Questions about trouble with a pronoun for a subject: "why is it slow?" is about what was talked about."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime

from agent.models.embedded.folding import fold
from agent.models.embedded.reading import AskBack, Doubt
from agent.models.embedded.scan import Scan, Scanner
from tools.contract import Spec
from tools.slots import slots

_LOOKED_BACK = 6  # earlier messages that a pronoun can be about
_ILL = r"(?: (?:so|still|always|now|really))* (?:slow|failing|broken|down|crashing|happening|timing out)\b"
_PRONOUN = re.compile(
    r"\b(?:why|how come)(?:'s| is| are| does| do| did)? (?P<it>it(?! that\b)|they|(?:this|that)(?="
    + _ILL
    + r"))(?P<is>'s)?\b"
    r"|\bwhat(?:'s| is) wrong with (?P<with>it|this|that|them)(?= *(?:[?.!,]|$|now|right now))"
    r"|\bpourquoi (?:est-ce qu(?:e |'))?(?P<fr>c'est|ca|cela|il(?! y\b)|elle)\b"
)


def is_pronoun(text: str) -> bool:
    """Whether a text asks why of something it does not name."""
    return _PRONOUN.search(fold(text)) is not None


def named(text: str, service: str) -> str:
    """The text about a service instead of the pronoun."""
    found = _PRONOUN.search(fold(text))
    if found is None:
        return text
    group = next(name for name in ("it", "with", "fr") if found[name])
    verb = " is" if found["is"] else " est" if found[group] == "c'est" else ""
    return f"{text[: found.start(group)]}{service}{verb}{text[found.end('is' if found['is'] else group) :]}"


def spoken_of(scanner: Scanner, earlier: Sequence[str], now: datetime) -> tuple[str, ...]:
    """The services that the last of the earlier messages that names any is about."""
    found = (services(scanner.scan(text, now)) for text in reversed(earlier[-_LOOKED_BACK:]))
    return next((each for each in found if each), ())


def services(scan: Scan) -> tuple[str, ...]:
    """The services that a sentence names."""
    return tuple(dict.fromkeys(mention.value for mention in scan.of("service")))


def whose(families: Mapping[str, Spec], spoken: Sequence[str]) -> AskBack | None:
    """Asks which service is meant: of those that were talked about, else of all there are."""
    for kin in ("investigate", "status", "metrics", "logs"):
        if (spec := families.get(kin)) is not None:
            for name, slot in slots(spec.arguments).items():
                if slot.role == "service" and slot.choices:
                    return AskBack(Doubt.MISSING, spec.name, name, tuple(spoken) or slot.choices)
    return None
