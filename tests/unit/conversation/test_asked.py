"""Unanswered questions: who may know of which, and what marks come to."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from agent.conversation.asked import InVain, Mark, balance, gaps

NOW = datetime(2026, 11, 23, tzinfo=UTC)
PEOPLE = ("maya", "raj", "tom")


def row(number: int, person: str, *, gist: str = "who: catalog own", public: bool = False) -> InVain:
    return InVain(f"T-{number}", gist, f"{gist}?", gist, person, NOW + timedelta(minutes=number), public)


def test_the_most_asked_comes_first_with_how_often_and_by_whom() -> None:
    rows = [row(1, "maya", gist="a"), row(2, "maya", gist="b"), row(3, "raj", gist="b")]
    first, second = gaps(rows, "nora", sees_all=True)
    assert (first.id, first.times, first.people) == ("Q-2", 2, ("maya", "raj"))
    assert (second.id, second.times) == ("Q-1", 1)


def test_a_question_asked_in_private_is_known_to_its_asker_only() -> None:
    assert [gap.times for gap in gaps([row(1, "maya")], "maya", sees_all=False)] == [1]
    assert gaps([row(1, "maya")], "raj", sees_all=False) == ()
    assert [gap.id for gap in gaps([row(1, "maya", public=True)], "raj", sees_all=False)] == ["Q-1"]


@given(
    st.lists(st.tuples(st.sampled_from(PEOPLE), st.sampled_from("ab"), st.booleans()), max_size=12),
    st.sampled_from(PEOPLE),
)
def test_what_somebody_may_not_know_of_is_not_even_counted(
    asked: list[tuple[str, str, bool]], person: str
) -> None:
    rows = [row(i, who, gist=about, public=public) for i, (who, about, public) in enumerate(asked)]
    mine = [one for one in rows if one.public or one.person == person]
    assert gaps(rows, person, sees_all=False) == gaps(mine, person, sees_all=True)


def test_a_gap_is_made_of_the_questions_somebody_may_know_of() -> None:
    rows = [row(1, "maya"), row(2, "raj", public=True), row(3, "tom")]
    (gap,) = gaps(rows, "raj", sees_all=False)
    assert (gap.id, gap.rows) == ("Q-2", (rows[1],))


def test_marks_are_weighed_against_each_other() -> None:
    def mark(person: str, document: str, *, helpful: bool) -> Mark:
        return Mark("g", document, person, helpful, "g?", NOW)

    marks = [mark("maya", "a", helpful=True), mark("raj", "a", helpful=True), mark("tom", "b", helpful=False)]
    assert balance(marks) == {"a": 2, "b": -1}
