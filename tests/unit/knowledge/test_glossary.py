"""Questions in one language find what is written in the other."""

from pathlib import Path

from knowledge.lexical import LexicalIndex
from knowledge.port import Entry, Scope

EVERYWHERE = Scope(places=frozenset({"open"}), groups=frozenset({"*"}))


def index(folder: Path, **texts: str) -> LexicalIndex:
    made = LexicalIndex(folder / "words")
    made.write([Entry(k, k, 0, len(t), t, "", t, "", "open", "*") for k, t in texts.items()], ())
    return made


def test_a_french_question_finds_an_english_page_and_the_other_way_round(tmp_path: Path) -> None:
    made = index(
        tmp_path,
        basket="how long a customer's basket is kept",
        certificate="renew the certificate",
        gel="le gel des déploiements pendant les soldes",
    )
    assert made.search(
        made.ask("combien de temps garde-t-on le panier d'un client ?", {"*"}), EVERYWHERE, 1
    ) == ["basket"]
    assert made.search(made.ask("when is the deployment freeze?", {"*"}), EVERYWHERE, 1) == ["gel"]


def test_a_passage_in_the_other_language_covers_the_question(tmp_path: Path) -> None:
    made = index(tmp_path, basket="how long a customer's basket is kept")
    question = made.ask("le panier du client", {"*"})
    assert question.coverage(made.terms("a customer's basket")) == 1.0
    assert question.shared(made.terms("a customer's basket")) == ("panier", "client")


def test_a_french_question_is_told_in_english_words_and_names_stay(tmp_path: Path) -> None:
    made = index(tmp_path)
    assert made.in_english("pourquoi le certificat de staging expire ?") == "certificate staging expire"
    assert made.in_english("why does the certificate expire?") is None


def test_two_words_that_are_written_as_one_are_found(tmp_path: Path) -> None:
    made = index(tmp_path, a="database failover with patronictl", b="mail over the wall")
    question = made.ask("fail over the database", {"*"})
    assert made.search(question, EVERYWHERE, 1) == ["a"]
    assert question.coverage(made.terms("database failover")) == 1.0


def test_a_name_that_is_missing_is_noticed(tmp_path: Path) -> None:
    made = index(tmp_path, a="the post-mortem of INC-112")
    question = made.ask("what does the post-mortem of INC-120 say", {"*"})
    assert question.misses_name(made.terms("the post-mortem of INC-112"))
    assert not question.misses_name(made.terms("the post-mortem of INC-120"))
