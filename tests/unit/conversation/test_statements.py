"""An answer from knowledge keeps what it can show, and leaves out what it only says."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.conversation.statements import sentences, supported


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


_WORDS = st.lists(st.sampled_from(("pool", "leaks", "été", "small")), min_size=3, max_size=6).map(" ".join)
_SENTENCE = st.tuples(_WORDS, st.booleans()).map(lambda made: f"X{made[0]}{' [1]' if made[1] else ''}.")


@given(
    st.lists(st.lists(_SENTENCE, min_size=1, max_size=4).map(" ".join), min_size=1, max_size=4).map(
        "\n\n".join
    )
)
def test_whatever_stays_is_cited_and_stood_so_in_the_answer(answer: str) -> None:
    found = supported(answer)
    for line in found.text.split("\n"):
        for sentence in sentences(line):
            assert "[1]" in sentence
            assert sentence.strip() in answer
    assert all("[1]" not in sentence for sentence in found.left_out)


@given(st.text(max_size=200))
def test_sentences_together_are_the_line(line: str) -> None:
    assert "".join(sentences(line)) == line


@given(st.text("ab .!?:|-*#\n[1]`A17", max_size=120))
def test_any_text_is_borne(answer: str) -> None:
    assert len(kept(answer)) <= len(answer)
