"""The sum of both halves, document by document, and who may read what."""

from hypothesis import given
from hypothesis import strategies as st

from knowledge.acl import named, readable
from knowledge.confidence import Signs, confidence
from knowledge.hybrid import fuse, rise
from knowledge.port import Place, Reader

OPEN = Place("slack:C1", "#payments", "slack")
CLOSED = Place("slack:C9", "#security-response", "slack", public=False, members=frozenset({"slack:U0RAJ"}))


def ranked(
    words: dict[str, float], cosines: dict[str, float] | None, foreign: frozenset[str] = frozenset()
) -> list[str]:
    owners = {chunk: chunk.partition("/")[0] for chunk in [*words, *(cosines or {})]}
    return [one.document for one in fuse(owners, words, cosines, floor=0.75, foreign=foreign)]


def test_agreement_of_both_halves_beats_one_of_them() -> None:
    assert ranked({"a": 0.6, "b": 0.7}, {"a": 0.9, "c": 0.91})[0] == "a"


def test_a_document_counts_with_the_best_of_each_half_even_from_two_chunks() -> None:
    assert ranked({"a/1": 0.8, "b/1": 0.8}, {"a/2": 0.95, "b/1": 0.8})[0] == "a"


def test_the_chunk_shown_is_the_one_with_the_best_sum() -> None:
    owners = {"a/1": "a", "a/2": "a"}
    (one,) = fuse(owners, {"a/1": 0.8, "a/2": 0.1}, {"a/1": 0.8, "a/2": 0.85}, floor=0.75)
    assert one.chunk == "a/1"


def test_without_a_model_words_count_whole() -> None:
    assert ranked({"a": 0.2, "b": 0.3}, None) == ["b", "a"]


def test_a_text_in_another_language_is_judged_by_its_meaning() -> None:
    assert ranked({"b": 0.2}, {"a": 0.93, "b": 0.84}, frozenset({"a"}))[0] == "a"


@given(st.floats(-1, 1), st.floats(-1, 1))
def test_a_nearer_cosine_never_counts_less(one: float, other: float) -> None:
    low, high = sorted((one, other))
    assert rise(low, 0.75) <= rise(high, 0.75) <= 1


@given(st.one_of(st.none(), st.floats(0, 1)), st.floats(0, 1), st.floats(0, 1), st.booleans())
def test_confidence_is_a_chance_and_a_missing_name_lowers_it(
    near: float | None, coverage: float, share: float, missing: bool
) -> None:
    here = confidence(Signs(near, coverage, share, misses_name=missing))
    assert 0 < here < 1
    assert here >= confidence(Signs(near, coverage, share, misses_name=True))


def test_a_private_place_is_read_by_its_members_only() -> None:
    assert readable([OPEN, CLOSED], Reader("maya", frozenset({"slack:U0MAYA"}))) == {OPEN.id}
    assert readable([OPEN, CLOSED], Reader("raj", frozenset({"slack:U0RAJ"}))) == {OPEN.id, CLOSED.id}


def test_a_place_is_called_with_or_without_its_sign_or_by_its_id() -> None:
    for called in ("payments", "#Payments", "slack:C1"):
        assert named([OPEN, CLOSED], called) == {OPEN.id}
