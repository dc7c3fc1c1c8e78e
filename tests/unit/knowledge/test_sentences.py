"""What is quoted is what was written."""

from hypothesis import given
from hypothesis import strategies as st

from knowledge.sentences import best, sentences

WRAPPED = "# Team\n\nTeam Shelf owns catalog: Priya\nNair (owner). Channel #catalog.\n\n- one point\n- another point\n"


@given(st.text(max_size=300))
def test_a_sentence_stands_where_it_says(text: str) -> None:
    for start, end, said in sentences(text):
        assert text[start:end] == said


@given(st.text(max_size=300), st.text(max_size=20))
def test_what_is_chosen_is_a_piece_of_the_text(text: str, wanted: str) -> None:
    assert best(text, lambda said: said.count(wanted)) in text


def test_a_line_that_is_wrapped_is_one_sentence_and_points_are_several() -> None:
    assert [one.said for one in sentences(WRAPPED)] == [
        "Team Shelf owns catalog: Priya\nNair (owner).",
        "Channel #catalog.",
        "one point",
        "another point",
    ]


def test_the_sentence_worth_most_goes_on_to_the_end_of_its_paragraph() -> None:
    assert (
        best(WRAPPED, lambda said: "owns" in said)
        == "Team Shelf owns catalog: Priya\nNair (owner). Channel #catalog."
    )
    assert best(WRAPPED, lambda said: "one" in said) == "one point"
