"""Prompts: versions that were released stay as they are, and every field is filled."""

import hashlib
import re
from importlib import resources

import pytest

from prompts.loader import UnknownPrompt, load

# A released prompt is never edited: records of old turns name it by this hash. Write a v2 instead.
RELEASED = {
    ("system", 1): "fa958303a83d14b66d2008321a50cd5e1d67ac12eba13c42ebc6273d61adfc22",
    ("incident", 1): "79ea7755d1b7f402df984bd0b830d4ccff284c4adedded5dd64fed7fd92b70b7",
    ("system", 2): "d37b58e6dc08055faa35fb6d19865a0298c5d029d3cc05e1fdb1d69538e86cbe",
}


@pytest.mark.parametrize(("name", "version"), RELEASED)
def test_a_released_version_is_what_it_was(name: str, version: int) -> None:
    assert load(name, version).sha256 == RELEASED[name, version]


def test_every_version_that_ships_is_in_the_list_of_released_ones() -> None:
    shipped = {
        (folder.name, int(file.name[1:-3]))
        for folder in resources.files("prompts").iterdir()
        if folder.is_dir() and not folder.name.startswith("_")
        for file in folder.iterdir()
        if file.name.endswith(".md")
    }
    assert shipped == set(RELEASED)


def test_the_newest_version_is_loaded_unless_one_is_named() -> None:
    assert load("system").version == max(version for name, version in RELEASED if name == "system")


def test_a_prompt_is_known_by_name_version_and_hash() -> None:
    prompt = load("system", 1)
    raw = resources.files("prompts").joinpath("system/v1.md").read_bytes()

    assert prompt.sha256 == hashlib.sha256(raw).hexdigest()
    assert prompt.label == f"system/v1@{prompt.sha256[:8]}"


def test_the_front_matter_is_not_part_of_the_prompt() -> None:
    assert load("system", 1).text.startswith("You are sayso")


def test_all_fields_are_filled() -> None:
    fields = {"person": "Maya", "roles": "oncall", "now": "Monday", "zone": "UTC", "language": "French"}

    text = load("system", 1).filled(**fields)

    assert not re.search(r"\{\{|\}\}", text)
    assert "You speak with Maya (roles: oncall)" in text


def test_a_field_is_filled_with_its_value_and_nothing_in_the_value_is_a_field() -> None:
    fields = {"person": "{{roles}}", "roles": "r", "now": "n", "zone": "z", "language": "l"}

    assert "You speak with {{roles}} (roles: r)" in load("system", 1).filled(**fields)


def test_a_missing_field_is_an_error() -> None:
    with pytest.raises(KeyError):
        load("system", 1).filled(person="Maya")


@pytest.mark.parametrize(("name", "version"), [("nonsense", None), ("system", 99)])
def test_an_unknown_prompt_is_an_error(name: str, version: int | None) -> None:
    with pytest.raises(UnknownPrompt):
        load(name, version)
