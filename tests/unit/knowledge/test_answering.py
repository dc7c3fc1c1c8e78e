"""What makes a passage an answer, and a document worth more: spots, services, kinds of text."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from knowledge.analyzer import Terms
from knowledge.confidence import Signs, confidence
from knowledge.expected import Expected
from knowledge.lexical import LexicalIndex
from knowledge.pointed import Pointed, pointed
from knowledge.port import Document, Entry, Kind, Standing
from knowledge.question import Question
from knowledge.services import is_elsewhere, services_in
from knowledge.sources.markdown import page
from knowledge.worth import worth

NOW = datetime(2026, 11, 23, tzinfo=UTC)
LONG = "word " * 60


def document(text: str = LONG, *, services: tuple[str, ...] = ()) -> Document:
    made = page("a.md", source="docs", place="docs:", body=text, title="A page")
    return replace(made, services=services, date=NOW)


def asked(folder: Path, question: str, *texts: str) -> tuple[Question, LexicalIndex]:
    made = LexicalIndex(folder / "words")
    made.write(
        [
            Entry(
                chunk=str(number),
                document=str(number),
                start=0,
                end=len(text),
                text=text,
                context="",
                meaning=text,
                language="en",
                place="open",
                group="*",
            )
            for number, text in enumerate(texts)
        ],
        (),
    )
    return made.ask(question, {"*"}), made


def test_a_spot_counts_only_with_what_is_asked_for(tmp_path: Path) -> None:
    far = "The tyre shop is near. It opens early. Bring tea. Lunch costs 12 €."
    question, index = asked(tmp_path, "what does a tyre cost", far)
    assert pointed(question, Expected.MONEY, "A tyre costs 80 €.", index.terms).share == 1
    assert pointed(question, Expected.MONEY, far, index.terms).share < 1
    assert pointed(question, Expected.MONEY, "A tyre costs a lot.", index.terms) == Pointed(0.0, lacks=True)


def test_without_a_kind_every_spot_counts(tmp_path: Path) -> None:
    question, index = asked(tmp_path, "why is the tyre flat", "A flat tyre.")
    assert pointed(question, None, "A flat tyre.", index.terms) == Pointed(1.0, lacks=False)


def test_two_words_that_a_passage_writes_as_one_are_not_missed(tmp_path: Path) -> None:
    question, index = asked(tmp_path, "how to fail over", "the failover", "they fail", "over there")
    assert question.coverage(index.terms("the failover")) == 1


def test_small_words_are_not_missed(tmp_path: Path) -> None:
    question, index = asked(tmp_path, "should someone please water them", "water")
    assert question.coverage(index.terms("water")) == 1


def test_the_thing_asked_for_is_the_first_word_after_the_asking(tmp_path: Path) -> None:
    question, _ = asked(tmp_path, "which tool cuts tiles", "tiles are cut by hand")
    subject = question.first_in(" tool cuts tiles")
    assert subject is not None
    assert (subject.typed, subject.held) == ("tool", False)
    assert question.first_in("") is None


def test_services_are_those_that_documents_have() -> None:
    known = [document(services=("Payments",)), document(services=("catalog",))]
    assert services_in("l'équipe de payments, c'est qui ?", known) == {"payments"}


def test_a_passage_about_another_service_is_elsewhere() -> None:
    asked_about = frozenset({"catalog"})
    assert is_elsewhere(asked_about, document(services=("payments",)), "it is up")
    assert not is_elsewhere(asked_about, document(services=("catalog",)), "it is up")
    assert not is_elsewhere(asked_about, document(services=("payments",)), "like Catalog, it is up")
    assert not is_elsewhere(frozenset(), document(services=("payments",)), "it is up")


def test_a_page_is_worth_more_than_chat_and_long_chat_more_than_brief() -> None:
    written = document()
    chat, brief = replace(written, kind=Kind.CHAT), replace(document("done, thanks"), kind=Kind.CHAT)
    assert worth(written, NOW) > worth(chat, NOW) > worth(brief, NOW) > 0.7


def test_what_no_longer_holds_is_worth_less_and_what_is_new_or_pinned_more() -> None:
    here = document()
    assert worth(replace(here, standing=Standing.OBSOLETE), NOW) < worth(here, NOW)
    assert worth(replace(here, date=NOW - timedelta(days=900)), NOW) < worth(here, NOW)
    assert worth(replace(here, pinned=True), NOW) > worth(here, NOW)


def test_each_sign_against_a_passage_lowers_its_chance() -> None:
    for rise in (0.6, None):
        signs = Signs(rise, coverage=0.8, pointed=0.8)
        against = [
            replace(signs, misses_name=True),
            replace(signs, lacks=True),
            replace(signs, unheard=True),
            replace(signs, elsewhere=True),
        ]
        assert all(confidence(other) < confidence(signs) for other in against)


def test_terms_of_a_spot_are_those_of_its_sentences(tmp_path: Path) -> None:
    question, index = asked(tmp_path, "is the pump loud", "the pump is loud")
    seen: list[str] = []

    def terms(text: str) -> Terms:
        seen.append(text)
        return index.terms(text)

    assert pointed(question, None, "The pump hums. It is loud.", terms).share == 1
    assert seen == ["The pump hums.", "It is loud."]
