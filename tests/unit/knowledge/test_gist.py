"""The gist of a question: what makes two of them the same."""

import pytest

from knowledge.gist import gist


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("who owns catalog?", "Catalog - who owns it"),
        ("what did we decide about timeouts?", "did we decide about the timeout"),
        ("how many payments failed last week", "how many payments have failed last week?"),
        ("qui gère le catalogue ?", "le catalogue, qui le gère"),
        ("comment rembourser un client ?", "how to refund a customer"),
        ("quand les paiements ont-ils échoué ?", "quand est-ce que les paiements ont échoué"),
    ],
)
def test_the_same_question_put_otherwise_has_the_same_gist(one: str, other: str) -> None:
    assert gist(one) == gist(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("who deployed 2.4.0?", "when was 2.4.0 deployed?"),
        ("who owns catalog?", "who owns payments?"),
        ("does 2.4.0 leak?", "does 2.4.1 leak?"),
        ("what is the timeout in staging?", "what is the timeout in production?"),
        ("how do I enable the cache?", "how do I disable the cache?"),
        ("who is on call this week?", "who is on call next week?"),
        ("comment rembourser un client ?", "comment facturer un client ?"),
    ],
)
def test_another_question_has_another_one(one: str, other: str) -> None:
    assert gist(one) != gist(other)


def test_a_question_of_small_words_only_is_about_those() -> None:
    assert gist("why?") != gist("and how?")
