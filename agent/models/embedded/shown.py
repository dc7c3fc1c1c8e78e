"""Sentences that say, word for word, what an example of a tool says, with one word where it has a placeholder."""

import re
from functools import lru_cache

from tools.contract import Spec

_PLACEHOLDER = re.compile(r"\\{(\w+)\\}")  # as `re.escape` leaves it
_PLAIN = re.compile(r"\{\w+\}|\W")
_AROUND = " \t.!?…"


def is_shown(spec: Spec, text: str) -> bool:
    """Whether the whole text is worded as an example of the tool; one of placeholders alone words nothing."""
    said = _trimmed(text)
    worded = (example.text for example in spec.examples if _PLAIN.sub("", example.text).strip())
    return any(_shape(example, "").fullmatch(said) for example in worded)


def worded_as_shown(spec: Spec, argument: str, text: str) -> str | None:
    """The word that stands where an example has `{argument}`, if the whole text is worded as that example."""
    said = _trimmed(text)
    for example in spec.examples:
        found = _shape(example.text, argument).fullmatch(said)
        if found is not None and "value" in found.groupdict():
            return found["value"]
    return None


def _trimmed(text: str) -> str:
    return " ".join(text.strip(_AROUND).split())


@lru_cache(maxsize=1024)
def _shape(example: str, argument: str) -> re.Pattern[str]:
    """The form of an example, one word for each placeholder; the word for the argument is the group `value`."""
    literal = re.escape(_trimmed(example))
    form = _PLACEHOLDER.sub(
        lambda found: r"[^\s\"'«»]+" if found[1] != argument else r"(?P<value>[^\s\"'«»]+)", literal
    )
    twice = form.count("(?P<value>") > 1  # which of the two is meant?
    return re.compile(form.replace("(?P<value>", "(?:") if twice else form, re.IGNORECASE)
