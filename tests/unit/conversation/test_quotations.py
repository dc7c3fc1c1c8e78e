"""What stands in quotation marks was written so."""

from hypothesis import given
from hypothesis import strategies as st

from agent.conversation.evidence import Evidence
from agent.conversation.quotations import with_real_quotations
from tools.contract import Finding

TEXT = "The retry path took a connection\nbefore its loop, and never gave it back."
FINDING = Finding("passage", "INC-112", "docs", "pool", TEXT, {"fix": "Rolled back to 2.1.7 at noon."})
EVIDENCE = [Evidence(1, FINDING, "knowledge", "c")]
MARK = "(not written so)"


def told(answer: str) -> str:
    return with_real_quotations(answer, EVIDENCE, "who said “please roll it back now”?", MARK)


def test_what_was_written_stays_as_it_is_across_lines_cuts_and_facts() -> None:
    for quote in (
        "“The retry path took a connection before its loop”",
        "« never gave it back. »",
        '"Rolled back to 2.1.7 at noon."',
        "“The retry path took a connection … never gave it back”",
        "“please roll it back now”",
    ):
        assert told(f"It says {quote} [1].") == f"It says {quote} [1]."


def test_what_nobody_wrote_is_marked() -> None:
    assert told("It says “the pool was too small anyway” [1].") == (
        f"It says “the pool was too small anyway” {MARK} [1]."
    )
    assert MARK in told("“The retry path took a connection … and all was lost for ever”")


def test_a_few_words_in_marks_are_a_name() -> None:
    assert told("the flag “new search” is off") == "the flag “new search” is off"


@given(st.text(max_size=200))
def test_an_answer_only_ever_gains_marks(answer: str) -> None:
    assert told(answer).replace(f" {MARK}", "") == answer.replace(f" {MARK}", "")
