"""Values in argument lists: whole, in their place, and never more of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes.shop import WORDS
from tools.commands.arguments import CommandArguments, model, render
from tools.commands.declared import Command
from tools.contract import Arguments, BadArguments, Effect, Spec
from tools.slots import Kind, slots

NASTY = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)


def command(**arguments: object) -> Command:
    return Command.model_validate(
        {"name": "do-it", "description": "Does what is asked", "arguments": arguments, "run": ["x"]}
    )


def spec(**arguments: object) -> Spec:
    return Spec("do-it", "", model(command(**arguments), WORDS), Effect.WRITE)


@given(
    elements=st.lists(
        st.one_of(
            NASTY.filter(lambda text: "{" not in text), st.sampled_from(["{one}", "--x={one}", "{one}{two}"])
        ),
        max_size=8,
    ),
    one=NASTY,
    two=NASTY,
)
def test_no_value_adds_an_argument_or_touches_another(elements: list[str], one: str, two: str) -> None:
    given_list = ["program", *elements]
    filled = render(given_list, {"one": one, "two": two})
    assert len(filled) == len(given_list)
    for element, result in zip(given_list, filled, strict=True):
        if "{" not in element:
            assert result == element
        assert result in {element, one, f"--x={one}", one + two}


def test_a_value_that_looks_like_a_placeholder_stays_a_value() -> None:
    assert render(["x", "{one}", "{two}"], {"one": "{two}", "two": "2"}) == ("x", "{two}", "2")


@given(NASTY)
def test_a_value_that_could_be_an_option_is_refused(text: str) -> None:
    word = spec(word={"type": "string", "pattern": "^.*$"})
    with pytest.raises(BadArguments):
        word.validate({"word": f"-{text}"})


def test_a_pattern_may_allow_a_dash_on_purpose() -> None:
    offset = spec(offset={"type": "string", "pattern": r"^-?\d+$"})
    assert offset.validate({"offset": "-5"}).canonical() == {"offset": "-5"}


@pytest.mark.parametrize("text", ["abc\n", "ab\0c", "ABC", ""])
def test_text_fits_its_pattern_as_a_whole(text: str) -> None:
    word = spec(word={"type": "string", "pattern": "^[a-z]+$"})
    with pytest.raises(BadArguments):
        word.validate({"word": text})


def test_numbers_choices_lengths_and_names_are_held_to_their_kind() -> None:
    typed = spec(
        count={"type": "integer", "minimum": 1, "maximum": 9, "default": 3},
        mode={"type": "choice", "choices": ["soft", "hard"], "aliases": {"doux": "soft"}},
        wait={"type": "duration", "default": "5m"},
        service={"type": "service"},
        environment={"type": "environment"},
    )
    found = CommandArguments.of(typed.validate({"mode": "doux", "service": "pay"}))
    assert found.values() == {
        "count": "3", "mode": "soft", "wait": "5m", "service": "payments", "environment": "production",
    }  # fmt: skip
    for wrong in ({"count": 10}, {"count": "3"}, {"mode": "medium"}, {"wait": "soon"}, {"service": "nope"}):
        with pytest.raises(BadArguments) as caught:
            typed.validate({"mode": "soft", "service": "payments", **wrong})
        assert caught.value.field == next(iter(wrong))


def test_a_planner_learns_what_each_argument_means() -> None:
    found = slots(
        spec(
            word={"type": "string", "pattern": "^a$"},
            version={"type": "string", "pattern": r"^\d+$"},
            count={"type": "integer", "minimum": 1, "maximum": 9},
            service={"type": "service"},
        ).arguments
    )
    assert {name: slot.kind for name, slot in found.items()} == {
        "word": Kind.QUOTED, "version": Kind.VERSION, "count": Kind.COUNT, "service": Kind.CHOICE,
    }  # fmt: skip


def test_arguments_of_another_tool_are_an_error_of_ours() -> None:
    with pytest.raises(TypeError):
        CommandArguments.of(Arguments())


def test_a_choice_that_is_none_is_refused_with_those_there_are() -> None:
    flags = {"type": "choice", "choices": ["payments_pause", "delivery_slots", "new_search"]}
    with pytest.raises(BadArguments, match="payments_pause, delivery_slots, new_search"):
        spec(flag=flags).validate({"flag": "dark_mode"})
