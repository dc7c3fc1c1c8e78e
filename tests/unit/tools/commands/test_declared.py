"""Declared commands are checked before anything is made of them."""

import pytest

from tools.commands.declared import CommandRefused, declared

GOOD: dict[str, object] = {
    "name": "clear-cache",
    "description": "Empties the cache of one service",
    "arguments": {"service": {"type": "service"}, "depth": {"type": "integer", "minimum": 1, "maximum": 5}},
    "run": ["cachectl", "clear", "--depth={depth}", "{service}"],
}


def refused(**changes: object) -> str:
    with pytest.raises(CommandRefused) as caught:
        declared([{**GOOD, **changes}])
    return str(caught.value)


def test_a_command_is_a_write_unless_it_says_otherwise() -> None:
    (command,) = declared([GOOD])
    assert command.effect.value == "write"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"run": ["{service}", "x"]}, "should be fixed, without a placeholder"),
        ({"run": []}, "at least 1 item"),
        ({"run": ["echo", "{sirvice}"]}, "'{sirvice}' names no argument; arguments: service, depth"),
        ({"run": "echo hello"}, "valid tuple"),
        ({"shell": True}, "shell: Extra inputs are not permitted"),
        ({"effect": "read", "undo": ["echo"]}, "has only run"),
        ({"name": "clear cache"}, "name: String should match pattern"),
        ({"arguments": {"undo": {"type": "service"}}, "run": ["x"]}, "a name of our own"),
        ({"arguments": {"n": {"type": "string", "pattern": "[a-z]+"}}, "run": ["x"]}, "should be anchored"),
        ({"arguments": {"n": {"type": "string", "pattern": "^[a-z$"}}, "run": ["x"]}, "not a regular expression"),
        ({"arguments": {"n": {"type": "string", "pattern": "^a$", "default": "b"}}, "run": ["x"]}, "does not fit"),
        ({"arguments": {"n": {"type": "choice", "choices": ["a"], "aliases": {"x": "b"}}}, "run": ["x"]}, "['b']"),
        ({"arguments": {"n": {"type": "integer", "minimum": 3, "maximum": 1}}, "run": ["x"]}, "more than maximum"),
        ({"arguments": {"n": {"type": "float"}}, "run": ["x"]}, "does not match any of the expected tags"),
        ({"timeout": 0}, "timeout: Input should be greater than 0"),
    ],
)  # fmt: skip
def test_a_wrong_declaration_names_the_command_and_what_is_wrong(
    changes: dict[str, object], message: str
) -> None:
    told = refused(**changes)
    assert message in told
    assert "tools.commands: " in told


def test_all_problems_are_told_at_once() -> None:
    with pytest.raises(CommandRefused) as caught:
        declared([{**GOOD, "run": []}, {**GOOD, "name": "other", "timeout": -1}])
    assert str(caught.value).count("tools.commands:") == 2


def on(host: str, **changes: object) -> str:
    with pytest.raises(CommandRefused) as caught:
        declared([{**GOOD, "host": host, **changes}], ["web-1", "web-2"])
    return str(caught.value)


def test_a_host_is_one_of_those_in_the_settings() -> None:
    (command,) = declared([{**GOOD, "host": "web-1"}], ["web-1"])
    assert command.hosts() == ("web-1",)
    assert "'web-3' is none of tools.ssh.hosts: web-1, web-2" in on("web-3")


def test_a_host_may_be_an_argument_with_listed_choices() -> None:
    machine = {"machine": {"type": "choice", "choices": ["web-1", "web-2"]}}
    chosen = {**GOOD, "run": ["x"], "arguments": machine, "host": "{machine}"}
    (command,) = declared([chosen], ["web-1", "web-2"])
    assert (command.machine, command.hosts()) == ("machine", ("web-1", "web-2"))
    with pytest.raises(CommandRefused, match="'web-2' is none"):
        declared([chosen], ["web-1"])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"host": "{service}"}, "should name an argument of the type choice"),
        ({"host": "{nobody}"}, "should name an argument of the type choice"),
        ({"cwd": "/srv"}, "cwd: a program on another machine"),
        ({"run": ["sh", "-c", "a\nb"]}, "control character"),
        ({"environment": {"A;reboot": "1"}}, "'A;reboot' should be a name"),
    ],
)
def test_what_another_machine_cannot_have_is_refused(changes: dict[str, object], message: str) -> None:
    assert message in on(**{"host": "web-1", **changes})  # type: ignore[arg-type]  # a test names what it changes
