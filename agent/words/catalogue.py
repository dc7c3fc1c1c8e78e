"""The catalogue of fixed strings: one TOML file a language, looked up by key."""

import tomllib
from functools import lru_cache
from importlib import resources

LANGUAGES = ("en", "fr")
FALLBACK = "en"


class UnknownPhrase(KeyError):
    """A key that no catalogue has."""


@lru_cache(maxsize=len(LANGUAGES))
def phrases(language: str) -> dict[str, str]:
    """All phrases of one language, with dotted keys: `card.title` is `title` in `[card]`."""
    flat: dict[str, str] = {}
    # Each room's phrases live in a file of their own: planner.en.toml, cards.fr.toml.
    for file in sorted(resources.files("agent.words").iterdir(), key=lambda entry: entry.name):
        if file.name.endswith(f".{language}.toml"):
            flat.update(_flatten(tomllib.loads(file.read_text(encoding="utf-8"))))
    return flat


def _flatten(table: dict[str, object], prefix: str = "") -> dict[str, str]:
    flat: dict[str, str] = {}
    for key, value in table.items():
        if isinstance(value, dict):
            flat.update(_flatten(value, f"{prefix}{key}."))
        else:
            flat[f"{prefix}{key}"] = str(value)
    return flat


def say(key: str, locale: str, /, **fields: object) -> str:
    """The phrase for `key` in the language of `locale`, with its `{fields}` filled in.

    Where a phrase has the forms `key.one` and `key.other`, the field `count` chooses (French counts 0 as one).
    Raises `UnknownPhrase`.
    """
    language = locale[:2] if locale[:2] in LANGUAGES else FALLBACK
    known = phrases(language)
    if f"{key}.other" in known:
        count = fields.get("count")
        key = f"{key}.{'one' if count == 1 or (language == 'fr' and count == 0) else 'other'}"
    text = known.get(key) or phrases(FALLBACK).get(key)
    if text is None:
        raise UnknownPhrase(key)
    return text.format(**fields)
