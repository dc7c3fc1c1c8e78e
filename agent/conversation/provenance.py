"""Where the arguments of a proposed write came from: the asker's own words, the settings, or untrusted text."""

import re
import unicodedata
from collections.abc import Mapping, Sequence

from agent.conversation.evidence import Evidence
from tools.contract import Json, Spec
from tools.slots import slots

ASKER, SETTINGS, MODEL = "asker", "settings", "model"
_NUMBER_WORDS = {
    "0": "zero zéro", "1": "one un une single", "2": "two deux couple", "3": "three trois", "4": "four quatre",
    "5": "five cinq", "6": "six", "7": "seven sept", "8": "eight huit", "9": "nine neuf", "10": "ten dix",
    "12": "twelve douze dozen douzaine",
}  # fmt: skip


def provenance(
    spec: Spec, arguments: Mapping[str, Json], said: Sequence[str], evidence: Sequence[Evidence]
) -> dict[str, str]:
    """For each argument `asker`, `settings`, `evidence N`, or `model` when nobody else named the value.

    `said` are the asker's own messages in the thread. A value counts as said in any of the tool's aliases for it.
    """
    spoken = folded(" \n ".join(said))
    return {name: _origin(spec, name, value, spoken, evidence) for name, value in arguments.items()}


def _origin(spec: Spec, name: str, value: Json, spoken: str, evidence: Sequence[Evidence]) -> str:
    field = spec.arguments.model_fields.get(name)
    slot = slots(spec.arguments).get(name)
    words = [str(value), *_NUMBER_WORDS.get(str(value), "").split()]
    if slot is not None:
        words += [alias for alias, meant in slot.aliases.items() if meant == value]
    if any(_stands_in(folded(word), spoken) for word in words):
        return ASKER
    if field is not None and not field.is_required() and field.get_default() == value:
        return SETTINGS
    for item in evidence:
        finding = item.finding
        if _stands_in(folded(str(value)), folded(f"{finding.title} {finding.text}")):
            return f"evidence {item.number}"
    return MODEL


def folded(text: str) -> str:
    """Lower case, without accents."""
    decomposed = unicodedata.normalize("NFKD", text.lower())
    return "".join(sign for sign in decomposed if not unicodedata.combining(sign))


def _stands_in(word: str, text: str) -> bool:
    """Whether the word stands in the text on its own; a plural s and a version's v are the same word."""
    return bool(word) and re.search(rf"(?<![\w.])v?{re.escape(word)}s?(?![\w]|\.\d)", text) is not None
