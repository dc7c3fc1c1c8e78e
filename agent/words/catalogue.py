"""The catalogue of fixed strings: one TOML file a language, looked up by key."""

import tomllib
from functools import lru_cache
from importlib import resources

LANGUAGES = ("en", "fr")
FALLBACK = "en"


class UnknownPhrase(KeyError):  # noqa: N818 - a programming error, named for what it is
    """A key that no catalogue has."""


@lru_cache(maxsize=len(LANGUAGES))
def phrases(language: str) -> dict[str, str]:
    """All phrases of one language, with dotted keys: `card.title` is `title` in `[card]`."""
    flat: dict[str, str] = {}
    # A room's phrases may live in a file of their own: words/en.toml, words/planner.en.toml, words/cards.en.toml.
    for file in sorted(resources.files("agent.words").iterdir(), key=lambda entry: entry.name):
        if file.name == f"{language}.toml" or file.name.endswith(f".{language}.toml"):
            for section, entries in tomllib.loads(file.read_text(encoding="utf-8")).items():
                flat.update({f"{section}.{key}": text for key, text in entries.items()})
    return flat


def say(key: str, locale: str, /, *, count: int | None = None, **fields: object) -> str:
    """The phrase for `key` in the language of `locale`, with its `{fields}` filled in.

    With `count`, `key.one` or `key.other` is chosen (French counts 0 as one). Raises `UnknownPhrase`.
    """
    language = locale[:2] if locale[:2] in LANGUAGES else FALLBACK
    if count is not None:
        single = count == 1 or (language == "fr" and count == 0)
        key, fields = f"{key}.{'one' if single else 'other'}", {**fields, "count": count}
    text = phrases(language).get(key) or phrases(FALLBACK).get(key)
    if text is None:
        raise UnknownPhrase(key)
    return text.format(**fields)
