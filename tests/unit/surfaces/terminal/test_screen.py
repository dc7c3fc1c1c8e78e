"""Text from outside on a screen: nothing a terminal would obey, and no space lost."""

from agent.surfaces.terminal.screen import plain


def test_spaces_that_do_not_break_stay_between_a_number_and_its_unit() -> None:
    assert plain("7,41\u00a0requêtes/s, 86,7\u202f%") == "7,41\u00a0requêtes/s, 86,7\u202f%"


def test_control_characters_are_taken_out() -> None:
    assert plain("all \x1b[31mred\x1b[0m\x07\u2028") == "all [31mred[0m"
