"""Checking an answer: what is borne out stays as it is, what is not is marked."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from agent.conversation.checking import checked, with_real_citations, without_citations
from agent.conversation.evidence import Evidence
from tools.contract import Finding, Json

MARK = "(?)"
FACTS: dict[str, Json] = {"rate": 0.2341, "bytes": 157_286_400, "points": [[1, 88.25]], "seconds": 5400}
EVIDENCE = [
    Evidence(1, Finding("k", "12,431 lines", "s", "q", "waited 750 ms, 8 of 8; 503", FACTS), "logs", "c")
]


def check(answer: str, question: str = "") -> str:
    return checked(answer, EVIDENCE, question, MARK)


@pytest.mark.parametrize(
    "answer",
    [
        "12,431 errors",
        "12 431 erreurs",
        "12\u202f431 erreurs",
        "12431 errors",
        "about 12,000 lines",
        "environ 12 400 lignes",
        "12.4k lines",
        "23.4 % failed",
        "23,4 % en échec",
        "23% failed",
        "0.23 of them",
        "0.75 s",
        "750 ms",
        "150 MB",
        "90 minutes",
        "1.5 h",
        "88.25 or 88.3 or 88",
        "answered 503",
    ],
)
def test_a_figure_of_the_evidence_may_be_written_in_many_ways(answer: str) -> None:
    assert check(answer) == answer


@pytest.mark.parametrize(
    ("answer", "marked"),
    [
        ("12,432 errors", "12,432 (?) errors"),
        ("12,000 lines", "12,000 (?) lines"),
        ("24 % failed", "24 % (?) failed"),
        ("0.24 of them", "0.24 (?) of them"),
        ("751 ms", "751 ms (?)"),
        ("7 % more", "7 % (?) more"),
        ("marked 55 orders", "marked 55 (?) orders"),
        ("rose by 99%.", "rose by 99% (?)."),
        ("first 57, then 58", "first 57 (?), then 58 (?)"),
    ],
)
def test_a_figure_that_nothing_bears_out_is_marked(answer: str, marked: str) -> None:
    assert check(answer) == marked


@pytest.mark.parametrize(
    "answer",
    [
        "payments 2.4.0 and v3.99",
        "since 14:05, or 14h05, or 11 pm",
        "on 2026-11-30T12:34:56Z and 30 November 2026",
        "INC-112, A-17, payments-21, p95 and #4711",
        "see https://example.com/99/x and `exit 77`",
        "12. a point in a list",
        "two of 9 in 10 tries",
    ],
)
def test_versions_times_names_links_and_small_counts_are_no_figures(answer: str) -> None:
    assert check(answer) == answer


def test_a_figure_of_the_question_may_be_repeated() -> None:
    assert check("More than 4000 ms, you said.", "is it over 4000 ms?") == "More than 4000 ms, you said."


@pytest.mark.parametrize(
    ("answer", "kept"),
    [
        ("Bad [1].", "Bad [1]."),
        ("Bad [4].", "Bad."),
        ("Bad [1, 4].", "Bad [1]."),
        ("Bad[4], worse [1][2].", "Bad, worse [1]."),
    ],
)
def test_only_citations_of_real_evidence_stay(answer: str, kept: str) -> None:
    assert with_real_citations(answer, {1}) == kept


@pytest.mark.timeout(30)
@pytest.mark.parametrize("piece", ["a", "1", "1,", "`", "[1", "1.", "may ", "12 k", "a-1 "])
def test_a_hostile_answer_is_done_with_in_time(piece: str) -> None:
    check(piece * 20_000)


def test_an_earlier_answer_loses_its_citations() -> None:
    assert without_citations("Bad [1], worse [2, 3].") == "Bad, worse."


@given(st.integers(11, 10**9))
def test_every_number_that_the_evidence_has_is_borne_out_however_it_is_grouped(number: int) -> None:
    evidence = [Evidence(1, Finding("k", "t", "s", "q", "", {"n": number}), "logs", "c")]
    for answer in (f"{number} lines", f"{number:,} lines", f"{number:,} lines".replace(",", " ")):
        assert checked(answer, evidence, "", MARK) == answer


@given(st.text(alphabet="0123456789., %kms~about\n[]", max_size=120) | st.text(max_size=200))
@example("about 1" + "0" * 400)
def test_a_check_only_ever_adds_marks_and_takes_citations_away(answer: str) -> None:
    kept = with_real_citations(answer, set())
    assert checked(answer, [], "", MARK).replace(f" {MARK}", "") == kept.replace(f" {MARK}", "")
