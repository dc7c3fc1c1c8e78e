"""The catalogue: both languages say the same things."""

import string

import pytest

from agent.words.catalogue import LANGUAGES, UnknownPhrase, phrases, say


def fields(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_every_language_has_the_same_phrases() -> None:
    assert set(phrases("fr")) == set(phrases("en"))


def test_every_phrase_has_the_same_fields_in_every_language() -> None:
    differing = [
        key
        for key, text in phrases("en").items()
        # "one" may say the number in words, so only the others must agree.
        if not key.endswith(".one") and fields(text) != fields(phrases("fr")[key])
    ]
    assert differing == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_phrase_is_empty(language: str) -> None:
    assert [key for key, text in phrases(language).items() if not text.strip()] == []


def test_french_counts_zero_as_one() -> None:
    assert say("terminal.searched", "fr", count=0, places="x").startswith("0 document parcouru ")
    assert say("terminal.searched", "en", count=0, places="x").startswith("Searched 0 documents ")


def test_a_regional_locale_gets_its_language() -> None:
    assert say("terminal.bye", "fr-CA") == say("terminal.bye", "fr")


def test_an_unknown_language_gets_english() -> None:
    assert say("terminal.bye", "de") == say("terminal.bye", "en")


def test_an_unknown_key_is_an_error() -> None:
    with pytest.raises(UnknownPhrase):
        say("terminal.nonsense", "en")
