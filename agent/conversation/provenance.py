"""Where the arguments of a proposed write came from: the asker's own words, the settings, or untrusted text."""

import difflib
import re
import unicodedata
from collections.abc import Mapping, Sequence

from agent.conversation.evidence import Evidence
from tools.contract import Json, Spec
from tools.slots import Kind, Slot, slots

ASKER, SETTINGS, MODEL = "asker", "settings", "model"
ALIKE = 0.84  # of two words, by difflib's ratio: one slip in a word of six letters
_WORD = re.compile(r"[\w-]+")
_NUMBERS = {
    "0": "zero", "1": "one un une single", "2": "two deux couple", "3": "three trois", "4": "four quatre",
    "5": "five cinq", "6": "six", "7": "seven sept", "8": "eight huit", "9": "nine neuf", "10": "ten dix",
    "12": "twelve douze dozen douzaine",
}  # fmt: skip


def own_words(text: str) -> str:
    """What somebody said themselves: without the lines they quote (`> ...`)."""
    return "\n".join(line for line in text.splitlines() if not line.lstrip().startswith(">"))


def provenance(
    spec: Spec, arguments: Mapping[str, Json], said: Sequence[str], evidence: Sequence[Evidence]
) -> dict[str, str]:
    """For each argument `asker`, `settings`, `evidence N`, or `model` when nobody else named the value.

    `said` are the asker's own messages in the thread. A value counts as said in any of the tool's aliases for it,
    as a number word, and with a slip of the pen when it is one of a few choices.
    """
    spoken = folded("\n".join(said))
    meanings = slots(spec.arguments)
    return {
        name: _origin(spec, name, value, meanings.get(name), spoken, evidence)
        for name, value in arguments.items()
    }


def unasked(spec: Spec, evidence: Sequence[Evidence]) -> str:
    """Where a change came from that the asker never spoke of: the evidence that names the tool, or the model."""
    words = [folded(spec.name), *folded(spec.name).replace("-", "_").split("_")]
    for item in evidence:
        text = folded(f"{item.finding.title}\n{item.finding.text}")
        if any(len(word) > 3 and word in text for word in words):
            return f"evidence {item.number}"
    return MODEL


def _origin(
    spec: Spec, name: str, value: Json, slot: Slot | None, spoken: str, evidence: Sequence[Evidence]
) -> str:
    written = str(value)
    words = [written, *_NUMBERS.get(written, "").split(), *_aliases(slot, value)]
    if any(_stands_in(folded(word), spoken) for word in words) or _misspelt(slot, written, spoken):
        return ASKER
    field = spec.arguments.model_fields.get(name)
    if field is not None and not field.is_required() and field.get_default() == value:
        return SETTINGS
    for item in evidence:
        if _stands_in(folded(written), folded(f"{item.finding.title}\n{item.finding.text}")):
            return f"evidence {item.number}"
    return MODEL


def folded(text: str) -> str:
    """Lower case, without accents."""
    if text.isascii():
        return text.lower()
    decomposed = unicodedata.normalize("NFKD", text.lower())
    return "".join(sign for sign in decomposed if not unicodedata.combining(sign))


def _aliases(slot: Slot | None, value: Json) -> list[str]:
    return [alias for alias, meant in slot.aliases.items() if meant == value] if slot else []


def _stands_in(word: str, text: str) -> bool:
    """Whether the word stands in the text on its own; a plural s and a version's v are the same word."""
    begin = text.find(word) if word else -1
    while begin >= 0:
        end = begin + len(word)
        before = _begins(text, begin) or (text[begin - 1] == "v" and _begins(text, begin - 1))
        if before and (_ends(text, end) or (text[end] == "s" and _ends(text, end + 1))):
            return True
        begin = text.find(word, begin + 1)
    return False


def _begins(text: str, place: int) -> bool:
    """Whether a word, or a number with points in it, may begin here: not within another one."""
    return place == 0 or not (text[place - 1] == "." or _of_a_word(text[place - 1]))


def _ends(text: str, place: int) -> bool:
    """Whether a word, or a number with points in it, may end before this place."""
    rest = text[place : place + 2]
    return not rest or not (_of_a_word(rest[0]) or (rest[0] == "." and rest[1:].isdecimal()))


def _of_a_word(sign: str) -> bool:
    return sign.isalnum() or sign == "_"


def _misspelt(slot: Slot | None, value: str, spoken: str) -> bool:
    """Whether some word is nearly this choice, and no other choice is nearer to it. Versions and counts never are."""
    if slot is None or slot.kind is not Kind.CHOICE or value not in slot.choices:
        return False
    names = {folded(choice): choice for choice in slot.choices} | {
        folded(other): name for other, name in slot.aliases.items()
    }
    for word in _WORD.findall(spoken):
        near = difflib.get_close_matches(word, names, n=1, cutoff=ALIKE) if len(word) > 4 else []
        if near and names[near[0]] == value:
            return True
    return False
