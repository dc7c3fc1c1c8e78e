"""Telling English from French."""

import pytest

from agent.conversation.language import language_of


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("why are payments failing?", "en"),
        ("roll payments back to 2.3.9", "en"),
        ("show me the errors since noon", "en"),
        ("pourquoi les paiements échouent ?", "fr"),
        ("reviens à payments 2.3.9", "fr"),
        ("montre les logs de checkout depuis hier", "fr"),
        ("restart catalog in staging, s'il te plaît", "fr"),
        ("Combien de paiements refusés par jour la semaine dernière", "fr"),
    ],
)
def test_small_words_and_accents_tell(text: str, language: str) -> None:
    assert language_of(text, "xx") == language


@pytest.mark.parametrize("text", ["", "payments 2.3.9", "logs checkout", "ok"])
def test_a_text_that_does_not_tell_leaves_it_to_the_setting(text: str) -> None:
    assert language_of(text, "fr") == "fr"
