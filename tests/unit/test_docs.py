"""The reference pages say what the code says."""

from pathlib import Path

import pytest

from agent import cli
from agent.approvals.action import State
from agent.verbs import actions
from docs.generate import REFERENCE, settings_page, tools_page, verbs

ROOT = Path(__file__).parents[2]


def test_every_setting_is_documented_as_it_is() -> None:
    assert (REFERENCE / "settings.md").read_text(encoding="utf-8") == settings_page(), "run `make docs`"


def test_every_tool_is_documented_as_it_is() -> None:
    assert (REFERENCE / "tools.md").read_text(encoding="utf-8") == tools_page(), "run `make docs`"


@pytest.mark.parametrize(
    ("name", "verb"), sorted(verbs(cli.parser()).items()), ids=lambda value: str(value)[:20]
)
def test_every_verb_and_its_options_are_documented(name: str, verb: object) -> None:
    page = (REFERENCE / "commands.md").read_text(encoding="utf-8")
    section = page.partition(f"## `sayso {name}`")[2].partition("\n## ")[0]
    options = [option for action in verb._actions for option in action.option_strings]  # type: ignore[attr-defined]  # argparse shows its options nowhere else
    assert section
    assert [option for option in options if option not in section] == []


def test_every_page_the_readme_links_to_exists() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    linked = [part.split(")")[0] for part in readme.split("](")[1:]]
    assert [link for link in linked if not link.startswith("http") and not (ROOT / link).exists()] == []


def test_the_states_a_person_may_ask_for_are_those_there_are() -> None:
    assert tuple(state.value for state in State) == actions.STATES
