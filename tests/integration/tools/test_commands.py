"""Declared commands, run as real programs."""

import asyncio
import os
import sys
from pathlib import Path

import pytest

from tests.fakes.shop import MAYA, WORDS, Heard, NoGrant, OneGrant
from tools.commands.commands import ReadCommand, WriteCommand, commands
from tools.commands.process import Runner
from tools.contract import GrantRefused, ToolFailed, ToolUnavailable, Verdict

PYTHON = Path(sys.executable)
RUNNER = Runner(path=str(PYTHON.parent))


def python(code: str, *arguments: str) -> list[str]:
    return [PYTHON.name, "-I", "-c", code, *arguments]


def reading(code: str, *arguments: str, **changes: object) -> ReadCommand:
    settings = {
        "name": "look",
        "description": "Looks at something",
        "effect": "read",
        "run": python(code, *arguments),
    }
    (tool,) = commands([{**settings, **changes}], WORDS, RUNNER)
    assert isinstance(tool, ReadCommand)
    return tool


FLAG = "import sys, pathlib; pathlib.Path(sys.argv[1]).write_text(sys.argv[2]); print('set to', sys.argv[2])"
SHOW = "import sys, pathlib; f = pathlib.Path(sys.argv[1]); print(f.read_text() if f.exists() else 'unset')"
CHECK = f"{SHOW}; sys.exit(0 if f.exists() and f.read_text() == sys.argv[2] else 1)"
CLEAR = "import sys, pathlib; pathlib.Path(sys.argv[1]).unlink(missing_ok=True)"


@pytest.fixture
def flag(tmp_path: Path) -> WriteCommand:
    """A command that sets a flag in a file, with its plan, check and way back."""
    file = str(tmp_path / "flag")
    (tool,) = commands(
        [
            {
                "name": "set-flag",
                "description": "Sets the flag to a word",
                "arguments": {"word": {"type": "string", "pattern": "^[a-z ;|$()-]+$"}},
                "plan": python(SHOW, file),
                "run": python(FLAG, file, "{word}"),
                "verify": python(CHECK, file, "{word}"),
                "undo": python(CLEAR, file),
                "examples": [
                    "set the flag to {word}",
                    {"text": "mets le drapeau à {word}", "language": "fr"},
                ],
            }
        ],
        WORDS,
        RUNNER,
    )
    assert isinstance(tool, WriteCommand)
    return tool


async def test_a_read_shows_what_the_program_wrote() -> None:
    tool = reading("print('three'); print('lines'); print('here')")
    outcome = await tool.run(tool.spec.validate({}), MAYA)
    assert (outcome.ok, outcome.summary) == (True, "look succeeded: here")
    assert outcome.findings[0].facts == {"command": "look", "exit_code": 0, "lines": 3}
    assert outcome.findings[0].raw == "three\nlines\nhere\n"


async def test_another_exit_code_is_an_answer_that_says_no() -> None:
    tool = reading("import sys; print('disk full', file=sys.stderr); sys.exit(3)")
    outcome = await tool.run(tool.spec.validate({}), MAYA)
    assert (outcome.ok, outcome.summary) == (False, "look ended with 3: disk full")


async def test_the_shell_is_never_asked(flag: WriteCommand) -> None:
    arguments = flag.spec.validate({"word": "a; echo $(whoami) | cat"})
    outcome = await flag.run(arguments, OneGrant(), Heard())
    assert outcome.summary == "set-flag succeeded: set to a; echo $(whoami) | cat"


async def test_the_program_sees_a_minimal_environment() -> None:
    tool = reading("import os; print(sorted(os.environ))", environment={"MODE": "x"}, cwd="/")
    outcome = await tool.run(tool.spec.validate({}), MAYA)
    assert outcome.summary.endswith("['LANG', 'MODE', 'PATH']") or "LC_CTYPE" in outcome.summary
    assert "HOME" not in outcome.summary


async def test_a_plan_shows_the_command_and_what_its_program_says(flag: WriteCommand) -> None:
    plan = await flag.plan(flag.spec.validate({"word": "green"}))
    assert "green" in plan.changes[0].what
    assert plan.notes == ("unset",)
    assert plan.undo is not None
    assert plan.undo.arguments == {"word": "green", "undo": True}


async def test_a_plan_that_reads_differently_is_another_world(flag: WriteCommand) -> None:
    arguments = flag.spec.validate({"word": "green"})
    before = await flag.plan(arguments)
    await flag.run(flag.spec.validate({"word": "red"}), OneGrant(), Heard())
    assert (await flag.plan(arguments)).observed != before.observed


async def test_a_plan_that_fails_is_told() -> None:
    (tool,) = commands(
        [
            {
                "name": "do",
                "description": "Does something",
                "run": ["true"],
                "plan": python("print('no'); exit(2)"),
            }
        ],
        WORDS,
        RUNNER,
    )
    assert isinstance(tool, WriteCommand)
    with pytest.raises(ToolFailed, match="ended with 2: no"):
        await tool.plan(tool.spec.validate({}))


async def test_what_was_done_is_verified_and_taken_back(flag: WriteCommand) -> None:
    arguments, back = (
        flag.spec.validate({"word": "green"}),
        flag.spec.validate({"word": "green", "undo": True}),
    )
    assert (await flag.verify(arguments)).verdict is Verdict.NOT_DONE
    heard = Heard()
    await flag.run(arguments, OneGrant(), heard)
    assert heard.lines == ["set to green"]
    assert (await flag.verify(arguments)).verdict is Verdict.DONE
    assert (await flag.verify(back)).verdict is Verdict.NOT_DONE
    await flag.run(back, OneGrant(), Heard())
    assert (await flag.verify(back)).verdict is Verdict.DONE


async def test_nothing_runs_without_a_grant(flag: WriteCommand) -> None:
    arguments = flag.spec.validate({"word": "green"})
    with pytest.raises(GrantRefused):
        await flag.run(arguments, NoGrant(), Heard())
    assert (await flag.verify(arguments)).verdict is Verdict.NOT_DONE


async def test_without_a_check_nobody_can_tell() -> None:
    (tool,) = commands([{"name": "do", "description": "Does something", "run": ["true"]}], WORDS, RUNNER)
    assert isinstance(tool, WriteCommand)
    assert (await tool.verify(tool.spec.validate({}))).verdict is Verdict.UNCLEAR


@pytest.mark.parametrize("then", ["time.sleep(60)", "sys.exit(0)"])
async def test_a_program_that_takes_too_long_is_ended_with_all_it_started(tmp_path: Path, then: str) -> None:
    pids = tmp_path / "pids"
    code = (
        "import os, subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        f"open({str(pids)!r}, 'w').write(f'{{os.getpid()}} {{child.pid}}')\n"
        f"{then}"
    )
    tool = reading(code, timeout=1.5)
    with pytest.raises(ToolFailed, match=r"was ended after 1\.5 s"):
        await tool.run(tool.spec.validate({}), MAYA)
    for pid in map(int, pids.read_text().split()):
        async with asyncio.timeout(5):
            while _runs(pid):  # there is no event for the end of a grandchild
                await asyncio.sleep(0.02)


async def test_a_change_that_takes_too_long_is_not_called_failed_but_left_to_verify() -> None:
    (tool,) = commands(
        [
            {
                "name": "do",
                "description": "Does something",
                "run": python("import time; print('half', flush=True); time.sleep(60)"),
                "verify": ["true"],
                "timeout": 3,
            }
        ],
        WORDS,
        Runner(path=f"{PYTHON.parent}:/usr/bin:/bin"),
    )
    assert isinstance(tool, WriteCommand)
    arguments = tool.spec.validate({})
    outcome = await tool.run(arguments, OneGrant(), Heard())
    assert outcome.ok
    assert "was ended after 3 s; what it did until then stays" in outcome.summary
    assert outcome.findings[0].facts["exit_code"] is None
    assert (await tool.verify(arguments)).verdict is Verdict.DONE


async def test_of_very_many_lines_the_first_and_the_last_are_told_while_it_runs() -> None:
    (tool,) = commands(
        [
            {
                "name": "do",
                "description": "Does something",
                "run": python("[print(n) for n in range(1000)]; print('end', end='')"),
            }
        ],
        WORDS,
        RUNNER,
    )
    assert isinstance(tool, WriteCommand)
    heard = Heard()
    await tool.run(tool.spec.validate({}), OneGrant(), heard)
    assert heard.lines[:200] == [str(number) for number in range(200)]
    assert heard.lines[200] == "... 791 more lines ..."
    assert heard.lines[201:] == [str(number) for number in range(991, 1000)] + ["end"]


def _runs(pid: int) -> bool:
    """Whether a process still works; one that only waits to be collected does not."""
    try:
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False


async def test_a_flood_of_output_keeps_its_beginning_and_its_end() -> None:
    tool = reading(
        "print('first'); [print('x' * 100) for _ in range(5000)]; print('last')", output_limit=2048
    )
    finding = (await tool.run(tool.spec.validate({}), MAYA)).findings[0]
    assert finding.raw is not None
    assert finding.raw.startswith("first")
    assert finding.raw.endswith("last\n")
    assert len(finding.raw) < 2_200
    assert finding.cut is not None
    assert "bytes in the middle were not kept" in finding.cut


async def test_a_program_that_is_not_there_is_unavailable() -> None:
    (tool,) = commands(
        [{"name": "do", "description": "Does something", "effect": "read", "run": ["no-such-program"]}],
        WORDS,
        RUNNER,
    )
    assert isinstance(tool, ReadCommand)
    with pytest.raises(ToolUnavailable, match="no program 'no-such-program'"):
        await tool.run(tool.spec.validate({}), MAYA)


def test_examples_teach_the_planner_in_both_languages(flag: WriteCommand) -> None:
    assert [(example.text, example.language) for example in flag.spec.examples] == [
        ("set the flag to {word}", "en"),
        ("mets le drapeau à {word}", "fr"),
    ]
