"""Declared commands on another machine, by a real OpenSSH server on loopback."""

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from tests.fakes.prometheus import free_port
from tests.fakes.shop import MAYA, WORDS, Heard, OneGrant
from tests.fakes.sshd import Sshd
from tools.commands.commands import ReadCommand, WriteCommand, commands
from tools.commands.ssh import Host
from tools.contract import Tool, ToolFailed, ToolUnavailable, Verdict

SHOW = 'test -f "$1" && cat -- "$1" || echo unset'
SET = 'printf %s "$2" > "$1"; echo "set to $2"'
TRICKS = (
    "a'b", "$(reboot)", "`reboot`", "a; reboot", "\\'", "'; reboot; '", "!!", "* ~ {a,b}", "a\\", "#", "> /x",
    "ｒｅｂｏｏｔ；",
)  # fmt: skip
CHECK = 'test "$(cat -- "$1")" = "$2"'


@pytest.fixture
def server(ssh_server: Sshd) -> Iterator[Sshd]:
    """The server, and afterwards its keys as they were."""
    yield ssh_server
    ssh_server.lists("host")
    ssh_server.accepts("id")


def made(host: Host, **declared: object) -> Tool:
    settings: Mapping[str, object] = {"name": "do-it", "description": "Does what is asked", "host": host.name}
    (tool,) = commands([{**settings, **declared}], WORDS, hosts=[host])
    return tool


def look(host: Host, *run: str, **declared: object) -> ReadCommand:
    tool = made(host, effect="read", run=list(run), **declared)
    assert isinstance(tool, ReadCommand)
    return tool


def change(host: Host, **declared: object) -> WriteCommand:
    tool = made(host, **declared)
    assert isinstance(tool, WriteCommand)
    return tool


def flag(host: Host, file: Path, run: str = SET) -> WriteCommand:
    """Sets a flag in a file over there, with its plan and its check."""
    return change(
        host,
        arguments={"word": {"type": "string", "pattern": "^[^\\n]+$"}},
        plan=["sh", "-c", SHOW, "-", str(file)],
        run=["sh", "-c", run, "-", str(file), "{word}"],
        verify=["sh", "-c", CHECK, "-", str(file), "{word}"],
    )


async def test_a_read_shows_what_a_program_wrote_over_there(server: Sshd) -> None:
    tool = look(server.host, "printf", "%s-%s\\n", "a b", "$(id)")
    outcome = await tool.run(tool.spec.validate({}), MAYA)
    assert (outcome.ok, outcome.summary) == (True, "do-it succeeded: a b-$(id)")
    assert outcome.findings[0].source == "box"
    assert outcome.findings[0].query.startswith("box: printf ")


async def test_another_exit_code_over_there_is_an_answer_that_says_no(server: Sshd) -> None:
    tool = look(server.host, "sh", "-c", "echo full >&2; exit 3")
    outcome = await tool.run(tool.spec.validate({}), MAYA)
    assert (outcome.ok, outcome.summary) == (False, "do-it ended with 3: full")


async def test_the_program_sees_nothing_of_our_environment(
    server: Sshd, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LC_SECRET", "42")
    monkeypatch.setenv("SSH_AUTH_SOCK", "/tmp/agent")
    tool = look(server.host, "env", environment={"MODE": "a b"})
    outcome = await tool.run(tool.spec.validate({}), MAYA)
    told = outcome.findings[0].raw or ""
    assert "MODE=a b" in told
    assert "LC_SECRET" not in told
    assert "SSH_AUTH_SOCK" not in told


async def test_every_value_arrives_over_there_as_it_was(server: Sshd) -> None:
    names = {f"v{number}": {"type": "string", "pattern": "^.+$"} for number in range(len(TRICKS))}
    tool = look(server.host, "printf", "<%s>\\n", *(f"{{{name}}}" for name in names), arguments=names)
    given = tool.spec.validate(dict(zip(names, TRICKS, strict=True)))
    outcome = await tool.run(given, MAYA)
    assert outcome.findings[0].raw == "".join(f"<{trick}>\n" for trick in TRICKS)


async def test_a_change_over_there_is_planned_made_and_verified(server: Sshd, tmp_path: Path) -> None:
    tool, word = flag(server.host, tmp_path / "flag"), "it's $(green); !"
    arguments = tool.spec.validate({"word": word})
    plan = await tool.plan(arguments)
    assert plan.notes == ("unset",)
    assert plan.title == "Run do-it on box"
    assert plan.observed["host"] == server.host.shown
    assert (await tool.verify(arguments)).verdict is Verdict.NOT_DONE
    heard = Heard()
    outcome = await tool.run(arguments, OneGrant(), heard)
    assert outcome.ok
    assert heard.lines == [f"set to {word}"]
    assert (tmp_path / "flag").read_text() == word
    assert (await tool.verify(arguments)).verdict is Verdict.DONE


async def test_a_machine_that_shows_another_key_is_refused_with_what_to_do(server: Sshd) -> None:
    server.lists("other")
    tool = look(server.host, "uptime")
    with pytest.raises(
        ToolFailed, match=r"shows another host key \(SHA256:.*nothing was run.*replace the line"
    ):
        await tool.run(tool.spec.validate({}), MAYA)


async def test_a_machine_whose_key_is_not_known_is_refused_with_what_to_do(server: Sshd) -> None:
    server.lists("")
    tool = look(server.host, "uptime")
    with pytest.raises(
        ToolFailed, match=r"has no host key in .*nothing was run.*add the line `\[127\.0\.0\.1\]:"
    ):
        await tool.run(tool.spec.validate({}), MAYA)


async def test_a_key_that_is_not_accepted_is_told(server: Sshd) -> None:
    server.accepts("other")
    tool = look(server.host, "uptime")
    with pytest.raises(ToolFailed, match=r"does not accept the key .*nothing was run"):
        await tool.run(tool.spec.validate({}), MAYA)


async def test_a_key_that_is_not_there_is_told(server: Sshd) -> None:
    tool = look(replace(server.host, identity=Path("/nowhere/id")), "uptime")
    with pytest.raises(ToolFailed, match=r"identity = '/nowhere/id' is no file"):
        await tool.run(tool.spec.validate({}), MAYA)


async def test_a_machine_that_does_not_answer_is_unavailable(server: Sshd) -> None:
    tool = look(replace(server.host, port=free_port()), "uptime")
    with pytest.raises(ToolUnavailable, match=r"cannot be reached: .*refused.*nothing was run"):
        await tool.run(tool.spec.validate({}), MAYA)


async def test_a_connection_that_is_lost_in_the_middle_leaves_the_last_word_to_verify(
    server: Sshd, tmp_path: Path
) -> None:
    cut = f'{SET}; until test -e "$1.heard"; do sleep 0.05; done; kill -9 $PPID; sleep 30'
    tool = flag(server.host, tmp_path / "flag", cut)
    arguments = tool.spec.validate({"word": "green"})

    async def heard(_line: str) -> None:
        (tmp_path / "flag.heard").touch()  # then the server's end of this connection dies

    outcome = await tool.run(arguments, OneGrant(), heard)
    assert outcome.ok  # nobody knows yet
    assert "the connection broke" in outcome.summary
    assert outcome.findings[0].facts["exit_code"] is None
    assert "set to green" in (outcome.findings[0].raw or "")
    assert (await tool.verify(arguments)).verdict is Verdict.DONE


async def test_nothing_is_forwarded_and_no_terminal_is_asked_for(server: Sshd) -> None:
    tool = look(server.host, "sh", "-c", "tty; echo $SSH_TTY$DISPLAY.")
    outcome = await tool.run(tool.spec.validate({}), MAYA)
    assert outcome.summary == "do-it succeeded: ."


async def test_a_key_may_be_good_for_one_program_only(server: Sshd, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    gate.write_text('#!/bin/sh\n[ "$SSH_ORIGINAL_COMMAND" = uptime ] && exec uptime\necho refused; exit 4\n')
    gate.chmod(0o755)
    server.accepts("id", f'restrict,command="{gate}"')
    allowed, other = look(server.host, "uptime"), look(server.host, "id")
    assert (await allowed.run(allowed.spec.validate({}), MAYA)).ok
    assert (await other.run(other.spec.validate({}), MAYA)).summary == "do-it ended with 4: refused"


async def test_the_machine_may_be_an_argument_among_those_that_are_listed(server: Sshd) -> None:
    host = server.host
    (tool,) = commands(
        [
            {
                "name": "up",
                "description": "Tells how long it is up",
                "effect": "read",
                "host": "{machine}",
                "arguments": {"machine": {"type": "choice", "choices": ["box", "other"]}},
                "run": ["echo", "here"],
            }
        ],
        WORDS,
        hosts=[host, replace(host, name="other", port=free_port())],
    )
    assert isinstance(tool, ReadCommand)
    assert tool.spec.target == ("environment", "service", "machine")
    assert (await tool.run(tool.spec.validate({"machine": "box"}), MAYA)).ok
    with pytest.raises(ToolUnavailable, match="other"):
        await tool.run(tool.spec.validate({"machine": "other"}), MAYA)


async def test_a_flood_over_there_is_kept_from_both_ends_and_ends(server: Sshd) -> None:
    tool = look(server.host, "sh", "-c", "seq 1 200000", output_limit=4096)
    finding = (await tool.run(tool.spec.validate({}), MAYA)).findings[0]
    assert (finding.raw or "").startswith("1\n2\n")
    assert (finding.raw or "").endswith("200000\n")
    assert "bytes in the middle were not kept" in (finding.cut or "")


async def test_many_at_once_do_not_mix_what_they_write(server: Sshd) -> None:
    tools = [look(server.host, "echo", str(number)) for number in range(4)]
    told = await asyncio.gather(*(tool.run(tool.spec.validate({}), MAYA) for tool in tools))
    assert [one.findings[0].raw for one in told] == ["0\n", "1\n", "2\n", "3\n"]
