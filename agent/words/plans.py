"""Plans in the reader's language: a plan is kept once, as its approvers' digest covers it, and shown to many."""

import re
from collections.abc import Iterator
from functools import lru_cache

from agent.words.catalogue import FALLBACK, phrases, say

ROOM = "plan."
ANYTHING = frozenset({"rest", "since"})  # fields that may hold spaces
_FIELD = re.compile(r"\\\{(\w+)\\\}")


def in_language(text: str, locale: str) -> str:
    """A text of a shipped tool's plan in this language; any other text as it is."""
    if locale[:2] == FALLBACK:
        return text
    for key, pattern in _patterns():
        if (found := pattern.fullmatch(text)) is not None:
            return say(key, locale, **found.groupdict())
    return text


@lru_cache(maxsize=1)
def _patterns() -> tuple[tuple[str, re.Pattern[str]], ...]:
    return tuple(_compiled())


def _compiled() -> Iterator[tuple[str, re.Pattern[str]]]:
    for key, template in phrases(FALLBACK).items():
        if key.startswith(ROOM):
            yield key, re.compile(_FIELD.sub(_group, re.escape(template)))


def _group(field: re.Match[str]) -> str:
    return f"(?P<{field[1]}>{'.+' if field[1] in ANYTHING else r'[^ ]+'})"
