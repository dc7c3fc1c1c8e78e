"""An answer from knowledge keeps what it can show, and leaves out what it only says."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.conversation.statements import Supported, sentences, supported


def kept(answer: str) -> str:
    return supported(answer).text


def test_a_statement_without_a_source_is_left_out_and_the_rest_is_unchanged() -> None:
    found = supported("The pool has 8 connections [1]. It was always small. Raise it to 12 [2].")
    assert found.text == "The pool has 8 connections [1]. Raise it to 12 [2]."
    assert found.left_out == ("It was always small.",)


def test_a_citation_behind_the_full_stop_belongs_to_the_sentence_before_it() -> None:
    assert kept("The pool is small. [1] Nobody minds.") == "The pool is small. [1]"


@pytest.mark.parametrize(
    "said",
    [
        "Which environment do you mean?",
        "Who owns it is not written anywhere.",
        "I could not find a runbook.",
        "Not found in the runbooks.",
        "There is no runbook for that.",
        "The runbook does not say who owns it.",
        "That has not been documented.",
        "Je ne trouve pas de page sur ce sujet.",
        "Aucun document n'en parle.",
        "Je n'ai rien de sûr, et le délai n'est pas documenté.",
        "It waits as A-17 for a release manager.",
        "Yes.",
    ],
)
def test_what_states_nothing_of_the_world_stays(said: str) -> None:
    assert kept(f"The pool is small [1]. {said}") == f"The pool is small [1]. {said}"


def test_abbreviations_versions_and_links_end_no_sentence() -> None:
    said = "Payments 2.4.0 leaks, e.g. under load, see https://example.com/a.b [1]."
    assert list(sentences(said)) == [said]


def test_points_below_a_cited_lead_in_stay_and_others_need_a_source_of_their_own() -> None:
    cited = "To fail over [2]:\n- stop the writer\n- promote the replica"
    assert kept(cited) == cited
    assert kept("To fail over:\n- stop the writer [2]\n- hope") == "To fail over:\n- stop the writer [2]"


def test_a_lead_in_that_leads_to_nothing_goes_too() -> None:
    found = supported("The pool is small [1].\n\nThis is how it works:\n- by magic")
    assert found.text == "The pool is small [1]."
    assert set(found.left_out) == {"This is how it works:", "by magic"}


def test_a_table_stays_when_a_row_of_it_is_cited() -> None:
    table = "| service | owner |\n|---|---|\n| catalog | Priya [1] |"
    assert kept(table) == table
    assert supported("| service | owner |\n|---|---|\n| catalog | Priya |").empty


def test_code_and_short_headings_stay_and_a_claim_in_a_heading_does_not() -> None:
    answer = "## Steps\nRun this [1]:\n```\npatronictl failover. Now.\n```"
    assert kept(answer) == answer
    assert "always" not in kept("# The pool was always too small for this kind of load\nIt has 8 [1].")


@pytest.mark.parametrize(
    "said",
    [
        'The runbook says "Stop the writer. Promote the replica." [1]',
        "Il est écrit « Arrêtez le pod. Relancez-le. » [1]",
        "Run `make stop. Then start` first [1].",
        "On Sept. 22 it broke, cf. no. 4 [1].",
    ],
)
def test_a_quotation_code_and_what_is_cut_short_stay_in_one_piece(said: str) -> None:
    assert list(sentences(said)) == [said]
    assert kept(f"{said} It was bad luck.") == said
    assert kept(f"{said} C'est la faute à personne.") == said


def test_a_sentence_that_goes_on_in_the_next_line_is_one() -> None:
    assert kept("The pool has\n8 connections [1]. It leaks.") == "The pool has\n8 connections [1]."
    listed = "To fail over [2]:\n- stop the writer\n  and wait\n- promote the replica"
    assert kept(listed) == listed
    assert kept("The pool has 8 connections [1]\nIt was always so") == "The pool has 8 connections [1]"


def test_a_service_begins_a_sentence_without_a_capital() -> None:
    assert kept("The pool is small [1]. checkout then fails.") == "The pool is small [1]."
    assert kept("The pool leaks. checkout then fails [1].") == "checkout then fails [1]."


@pytest.mark.parametrize(
    "said",
    [
        "Payments could not answer requests.",
        "The key was not found by payments.",
        "The owner is not documented, but it is Raj.",
        "Le propriétaire n'est pas documenté, mais c'est Raj.",
    ],
)
def test_a_claim_about_the_world_does_not_pass_for_not_knowing(said: str) -> None:
    assert kept(f"The pool is small [1]. {said}") == "The pool is small [1]."


def test_of_a_table_stay_the_rows_that_are_cited() -> None:
    found = supported("| service | owner |\n|---|---|\n| catalog | Priya [1] |\n| payments | Raj |")
    assert found.text == "| service | owner |\n|---|---|\n| catalog | Priya [1] |"
    assert found.left_out == ("| payments | Raj |",)


def test_a_lead_in_leads_to_its_own_list_only() -> None:
    found = supported("This is how:\n- by magic\n\nThe pool is small [1].")
    assert found.text == "The pool is small [1]."
    assert kept("- Cause:\n  - it leaks [1]\n- Fix:\n  - hope") == "- Cause:\n  - it leaks [1]"
    assert kept("It leaks [1]. To mend it:\n- hope") == "It leaks [1]."
    assert kept("This is known:\nIt leaks [1].") == "This is known:\nIt leaks [1]."


def test_a_long_lead_in_needs_a_source() -> None:
    claim = "It was the database team who forgot about the pool when they moved it to the new machines:"
    assert "database team" not in kept(f"{claim}\n- it has 8 connections [1]")


_WORDS = st.lists(
    st.sampled_from(
        ("pool", "leaks", "été", "2.4.0", "e.g.", "0,5", "https://a.example/b.c", "`a. B`", '"c. D"')
    ),
    min_size=2,
    max_size=6,
).map(" ".join)
_SENTENCE = st.builds(
    lambda name, words, cited, stop: f"{name} {words} end{' [1]' if cited else ''}{stop}",
    st.sampled_from(("The", "payments", "Les", "INC-112")),
    _WORDS,
    st.booleans(),
    st.sampled_from((".", "!", "…")),
)
_PARAGRAPH = st.lists(_SENTENCE, min_size=1, max_size=4).map(" ".join)
_LIST = st.lists(_SENTENCE.map(lambda said: f"- {said}"), min_size=1, max_size=3).map("\n".join)
_ROWS = st.lists(_SENTENCE.map(lambda said: f"| {said} |"), min_size=1, max_size=3).map("\n".join)
_ANSWER = st.lists(
    st.one_of(
        _PARAGRAPH,
        _LIST,
        _LIST.map(lambda points: f"In short:\n{points}"),
        _ROWS.map(lambda rows: f"| a |\n|---|\n{rows}"),
    ),
    min_size=1,
    max_size=4,
).map("\n\n".join)


@given(_ANSWER)
def test_whatever_stays_is_cited_and_stood_so_in_the_answer(answer: str) -> None:
    found = supported(answer)
    for line in found.text.split("\n"):
        for sentence in sentences(line):
            stated = " end" in sentence
            assert "[1]" in sentence or not stated
            assert sentence.strip() in answer
    assert all("[1]" not in sentence for sentence in found.left_out)


@given(_ANSWER)
def test_no_cited_sentence_is_lost_and_what_stays_keeps_its_order(answer: str) -> None:
    found = supported(answer)
    assert found.text.count("[1]") == answer.count("[1]")
    words = iter(answer.split())
    assert all(word in words for word in found.text.split())


@given(_ANSWER)
def test_what_was_read_once_stays_as_it_is(answer: str) -> None:
    once = supported(answer)
    assert supported(once.text) == Supported(once.text, ())


@given(st.text(max_size=200))
def test_sentences_together_are_the_line(line: str) -> None:
    assert "".join(sentences(line)) == line


@given(st.text("ab .!?:|-*#\n[1]`A17", max_size=120))
def test_any_text_is_borne(answer: str) -> None:
    assert len(kept(answer)) <= len(answer)
