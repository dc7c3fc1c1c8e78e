"""`sayso serve` with Slack: one process hears, the other works; either may die, and nothing that was heard is lost."""

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
from aiohttp import ClientSession

from evals.bench.slack.workspace import Workspace, workspace

ROOT = Path(__file__).parents[3]
LONGEST = 240.0  # seconds that anything may take on a busy machine
SETTINGS = """\
people:
  maya: {{name: Maya, roles: [viewer], slack: UMAYA}}
tools: {{enabled: [knowledge]}}
access: {{knowledge: [viewer]}}
serve: {{listen: "127.0.0.1:0", hearing: {hearing}}}
slack: {{api: "{api}", bot_token: xoxb-1, app_token: xapp-1}}
"""


@pytest.fixture
async def slack() -> AsyncIterator[Workspace]:
    async with workspace() as made:
        yield made


async def started(folder: Path, slack: Workspace, hearing: str) -> tuple[asyncio.subprocess.Process, str]:
    """A serving process, and the address of its pages."""
    folder.mkdir(mode=0o700, exist_ok=True)
    (folder / "sayso.yaml").write_text(SETTINGS.format(api=slack.api, hearing=hearing), encoding="utf-8")
    command = [sys.executable, "-m", "agent.cli", "serve", "--home", str(folder)]
    process = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stderr=asyncio.subprocess.PIPE)
    assert process.stderr is not None
    while b"sayso serves" not in (read := await process.stderr.readline()):
        assert read, f"it ended with {await process.wait()}"
    return process, read.decode().split("; ")[1].split("/readyz")[0]


async def ended(process: asyncio.subprocess.Process) -> int:
    with suppress(ProcessLookupError):
        process.send_signal(signal.SIGTERM)
    return await process.wait()


def child(process: asyncio.subprocess.Process) -> psutil.Process | None:
    return next(iter(psutil.Process(process.pid).children()), None)


@pytest.mark.parametrize("hearing", ["apart", "together"])
async def test_a_question_in_slack_is_answered_however_it_is_heard(
    tmp_path: Path, slack: Workspace, hearing: str
) -> None:
    async with asyncio.timeout(LONGEST):
        process, address = await started(tmp_path / "home", slack, hearing)
        assert (child(process) is not None) == (hearing == "apart")
        await slack.say("hello", channel="D1", kind="message")
        await slack.shows("Hello.", channel="D1")
        async with ClientSession() as session:
            async with session.get(f"{address}/readyz") as answer:
                found = json.loads(await answer.text())
            async with session.get(f"{address}/metrics") as answer:
                assert 'sayso_turns_total{ended="answered"} 1.0' in await answer.text()
        assert (found["ok"], found["checks"]["slack"]) == (True, "ok")
        assert await ended(process) == 0


async def test_the_process_that_hears_is_killed_and_people_are_heard_again(
    tmp_path: Path, slack: Workspace
) -> None:
    async with asyncio.timeout(LONGEST):
        process, _ = await started(tmp_path / "home", slack, "apart")
        heard = child(process)
        assert heard is not None
        heard.kill()
        while slack.sockets:
            await asyncio.sleep(0.02)
        while not slack.sockets:
            await asyncio.sleep(0.02)
        await slack.say("hello", channel="D1", kind="message")
        await slack.shows("Hello.", channel="D1")
        assert await ended(process) == 0


async def test_who_hears_ends_when_who_works_is_killed_and_what_was_heard_is_answered_once_by_the_next(
    tmp_path: Path, slack: Workspace
) -> None:
    async with asyncio.timeout(LONGEST):
        process, _ = await started(tmp_path / "home", slack, "apart")
        process.send_signal(signal.SIGSTOP)  # it works no more, and does not know it
        ts = await slack.say("hello", channel="D1", kind="message")  # returns when it is acknowledged
        process.kill()
        await process.wait()
        while slack.sockets:
            await asyncio.sleep(0.02)
        assert slack.texts("D1") == []
        process, _ = await started(tmp_path / "home", slack, "apart")
        told = await slack.shows("Hello.", channel="D1")
        assert told["thread_ts"] == ts
        assert await ended(process) == 0
        assert len(slack.texts("D1")) == 1


async def test_a_slack_that_takes_no_app_token_is_named(tmp_path: Path, slack: Workspace) -> None:
    folder = tmp_path / "home"
    folder.mkdir(mode=0o700)
    text = SETTINGS.format(api=slack.api, hearing="apart").replace(", app_token: xapp-1", "")
    (folder / "sayso.yaml").write_text(text, encoding="utf-8")
    command = [sys.executable, "-m", "agent.cli", "serve", "--home", str(folder)]
    process = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stderr=asyncio.subprocess.PIPE)
    _, said = await asyncio.wait_for(process.communicate(), LONGEST)
    assert b"slack.app_token" in said
    assert process.returncode == 5
