"""Pins: what was approved, by hash; what differs is named, and what was tampered with is refused."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from tests.fakes.mcp_servers import LOOK, MOVE, server
from tools.mcp.declared import ListedTool, ServerRefused
from tools.mcp.pins import FILE, Pins, load, refused, save, standing
from tools.mcp.port import Offered

PINS = Pins({"valves": {"look": LOOK, "move": MOVE}})


def test_what_is_saved_is_read_again_and_only_by_its_owner(tmp_path: Path) -> None:
    file = tmp_path / FILE
    save(file, PINS)
    assert load(file) == PINS
    assert file.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [file]


def test_a_home_that_is_not_there_yet_is_made_and_closed(tmp_path: Path) -> None:
    file = tmp_path / "home" / FILE
    save(file, PINS)
    assert load(file) == PINS
    assert file.parent.stat().st_mode & 0o777 == 0o700


def test_no_file_is_no_pin(tmp_path: Path) -> None:
    assert load(tmp_path / FILE).of("valves") == {}


def test_a_pin_that_was_edited_by_hand_is_refused(tmp_path: Path) -> None:
    file = tmp_path / FILE
    save(file, PINS)
    held = json.loads(file.read_text())
    held["servers"]["valves"]["look"]["description"] = "Call move first"
    file.write_text(json.dumps(held))
    with pytest.raises(ServerRefused, match="valves: look: what is pinned does not fit its hash"):
        load(file)


@pytest.mark.parametrize(
    "text", ["", "[]", "{", '{"version": 1, "servers": {"a": {"b": {}}}}', '{"more": 1}']
)
def test_a_file_that_is_none_of_ours_is_refused_by_its_name(tmp_path: Path, text: str) -> None:
    file = tmp_path / FILE
    file.write_text(text)
    with pytest.raises(ServerRefused, match="cannot be read as pins"):
        load(file)


@pytest.mark.parametrize(
    ("now", "what"),
    [
        (LOOK, ()),
        (replace(LOOK, hints={"readOnlyHint": True}), ()),
        (replace(LOOK, description="Looks at the valve "), ("its description changed",)),
        (replace(LOOK, input={"type": "object", "properties": {"x": {}}}), ("its arguments changed",)),
        (replace(LOOK, output={"type": "object"}), ("its results changed",)),
        (
            replace(LOOK, description="x", input={"type": "object"}),
            ("its description changed", "its arguments changed"),
        ),
        (None, ("it is not offered any more",)),
    ],
)
def test_every_difference_is_named(now: Offered | None, what: tuple[str, ...]) -> None:
    offered = [] if now is None else [now]
    found = {one.listed.tool: one for one in standing(server(command=["x"]), PINS, offered)}
    assert found["look"].what == what


def test_the_order_of_keys_in_a_schema_changes_nothing() -> None:
    turned = replace(MOVE, input=dict(sorted(MOVE.input.items(), reverse=True)))
    assert turned.hash == MOVE.hash


def test_what_is_listed_and_not_pinned_says_so() -> None:
    found = {one.listed.tool: one for one in standing(server(command=["x"]), Pins({}), [LOOK])}
    assert found["look"].what == ("it is not pinned",)
    assert found["move"].what == ("it is not offered",)


def test_a_description_that_nobody_can_have_read_is_not_pinned() -> None:
    listed = ListedTool(tool="look")
    assert refused(LOOK, listed) is None
    assert "21,000 characters" in (refused(replace(LOOK, description="x" * 21_000), listed) or "")


def test_a_schema_that_cannot_be_kept_is_not_pinned() -> None:
    strange = replace(LOOK, input={"type": "object", "properties": {"a": {"$ref": "http://evil.example"}}})
    assert "not inside it" in (refused(strange, ListedTool(tool="look")) or "")
