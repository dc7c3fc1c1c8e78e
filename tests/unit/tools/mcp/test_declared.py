"""Declared MCP servers are checked before anybody is connected to."""

from pathlib import Path

import pytest
import yaml

from tools.contract import Effect
from tools.mcp.declared import ServerRefused, declared

GOOD: dict[str, object] = {
    "name": "valves",
    "command": ["valve-server", "--site=north"],
    "tools": [{"tool": "look", "effect": "read"}, {"tool": "move"}],
}


def refused(**changes: object) -> str:
    with pytest.raises(ServerRefused) as caught:
        declared([{**GOOD, **changes}])
    return str(caught.value)


def test_a_tool_is_a_write_unless_the_operator_says_otherwise() -> None:
    (server,) = declared([GOOD])
    assert [tool.effect for tool in server.tools] == [Effect.READ, Effect.WRITE]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"command": None}, "either `command`, a list, or `url`"),
        ({"url": "https://x.example/mcp"}, "either `command`, a list, or `url`"),
        ({"command": "valve-server --site=north"}, "valid tuple"),
        ({"command": None, "url": "ftp://x.example"}, "should be an address"),
        ({"command": None, "url": "https://me:secret@x.example/mcp"}, "no user"),
        ({"command": None, "url": "https://x.example/mcp", "environment": {"A": "b"}}, "go with command"),
        ({"authorization_file": "key"}, "goes with url"),
        ({"shell": True}, "shell: Extra inputs"),
        ({"timeout": 0}, "greater than 0"),
        ({"tools": [{"tool": "look"}, {"tool": "look"}]}, "listed twice"),
        ({"tools": [{"tool": "look", "effect": "harmless"}]}, "'read' or 'write'"),
        ({"tools": [{"tool": "a b"}]}, "match pattern"),
        ({"tools": [{"tool": "a.b"}]}, "needs a `name`"),
        ({"tools": [{"tool": "a", "effect": "read", "plan": {"tool": "a"}}]}, "a read has no plan"),
        ({"tools": [{"tool": "a", "plan": {"tool": "b"}}]}, "'b' should be listed with `effect: read`"),
        ({"tools": [{"tool": "a", "plan": {"tool": "a"}}]}, "'a' should be listed with `effect: read`"),
        ({"tools": [{"tool": "a", "verify": {"tool": "a"}}]}, "needs `holds`"),
        ({"tools": [{"tool": "a", "undo": {"tool": "a", "holds": "x"}}]}, "belongs to verify"),
        ({"tools": [{"tool": "a", "plan": {"tool": "a", "project": "["}}]}, "no JMESPath"),
        ({"tools": [{"tool": "a", "arguments": {"x": {"pattern": "[a-z]+"}}}]}, "anchored"),
        ({"tools": [{"tool": "a", "arguments": {"x": {"pattern": "^[a$"}}}]}, "not a regular expression"),
        ({"tools": [{"tool": "a", "arguments": {"x": {"pattern": "^a$", "fixed": 1}}}]}, "one of choices"),
        ({"tools": [{"tool": "a", "arguments": {"x": {}}}]}, "one of choices"),
    ],
)  # fmt: skip
def test_a_wrong_declaration_names_the_server_and_what_is_wrong(
    changes: dict[str, object], message: str
) -> None:
    told = refused(**changes)
    assert message in told
    assert "'valves'" in told


def test_two_servers_of_one_name_are_refused() -> None:
    with pytest.raises(ServerRefused, match="there are two of this name"):
        declared([GOOD, GOOD])


@pytest.mark.parametrize("page", ["docs/how-to/connect-an-mcp-server.md", "tools/mcp/README.md"])
def test_every_documented_example_is_accepted(page: str) -> None:
    text = (Path(__file__).parents[4] / page).read_text(encoding="utf-8")
    found = [yaml.safe_load(part.partition("```")[0]) for part in text.split("```yaml\n")[1:]]
    assert found
    for example in found:
        servers = declared(example["tools"]["mcp"])
        listed = {tool.known_as for server in servers for tool in server.tools}
        assert set(example["tools"].get("enabled", ())) <= listed
