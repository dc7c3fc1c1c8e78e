"""What is said in a private channel while sayso serves and is killed: found by who is in it, with its link."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from agent.conversation.overheard import Standing
from agent.store.sql.store import SqlStore
from evals.bench.slack.workspace import Workspace, workspace

ROOT = Path(__file__).parents[2]
SETTINGS = """
people:
  maya: {{name: Maya, roles: [viewer], slack: UMAYA}}
  tom: {{name: Tom, roles: [viewer, keeper], slack: UTOM}}
  lea: {{name: Lea, roles: [viewer], slack: ULEA}}
tools: {{enabled: [knowledge]}}
access: {{knowledge: [viewer]}}
knowledge: {{embedder: none}}
serve: {{listen: "127.0.0.1:0"}}
slack:
  bot_token: xoxb-1
  app_token: xapp-1
  api: {api}
  listening: {{roles: [keeper], history: null}}
"""
LINK = "https://harbourlane.slack.com/archives/C1/p"


def environment(home: Path) -> dict[str, str]:
    return {**os.environ, "HOME": str(home.parent), "SAYSO_HOME": str(home)}


def link(ts: str) -> str:
    """Slack's link to a message."""
    return LINK + ts.replace(".", "")


@asynccontextmanager
async def serving(home: Path, slack: Workspace) -> AsyncIterator[asyncio.subprocess.Process]:
    """`sayso serve`, once it hears; killed with -9 at the end."""
    command = [sys.executable, "-m", "agent.cli", "serve"]
    with (home / "serve.log").open("ab") as log:
        process = await asyncio.create_subprocess_exec(
            *command, cwd=ROOT, env=environment(home), stdout=log, stderr=log
        )
    try:
        while not slack.sockets:
            assert process.returncode is None, (home / "serve.log").read_text()
            await asyncio.sleep(0.02)
        yield process
    finally:
        process.kill()
        await process.wait()
        while slack.sockets:
            await asyncio.sleep(0.02)


async def links(home: Path, person: str, query: str) -> list[object]:
    """Links of what somebody finds."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "agent.cli", "search", query, "--as", person, "--json"),
        cwd=ROOT,
        env=environment(home),
        stdout=asyncio.subprocess.PIPE,
    )
    printed, _ = await process.communicate()
    return [passage["link"] for passage in json.loads(printed)["passages"]]


async def test_every_acknowledged_message_is_found_after_a_kill_by_those_who_are_in_the_channel(
    tmp_path: Path,
) -> None:
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    async with asyncio.timeout(120), workspace() as slack:
        (home / "sayso.yaml").write_text(SETTINGS.format(api=slack.api))
        room = slack.rooms["C1"]
        room.private = True
        room.members += ["UMAYA", "UTOM"]
        said: list[str] = []
        async with serving(home, slack):
            await slack.command("index on", user="UTOM")
            for number in range(20):
                said.append(await slack.say(f"the vault opens with xylophone{number}", kind="message"))
        async with serving(home, slack):
            for number in range(20, 40):
                said.append(await slack.say(f"the vault opens with xylophone{number}", kind="message"))
            for number in (3, 19, 39):
                while link(said[number]) not in await links(home, "maya", f"xylophone{number}"):
                    await asyncio.sleep(0.2)
            assert await links(home, "lea", "xylophone3") == []
            await slack.say("what does the vault open with? xylophone19", channel="D1", kind="message")
            answer = await slack.shows("the vault opens with xylophone19", "D1")
            assert LINK in json.dumps(answer)
            room.members.remove("UMAYA")
            await slack.event({"type": "member_left_channel", "channel": "C1", "user": "UMAYA"})
            assert await links(home, "maya", "xylophone3") == []
            assert link(said[3]) in await links(home, "tom", "xylophone3")
            await slack.change(said[3], "…", None)
            while link(said[3]) in await links(home, "tom", "xylophone3"):
                await asyncio.sleep(0.1)
        store = await SqlStore.open(home / "sayso.db")
        kept = await store.overheard.remarks("C1")
        await store.close()
        assert [one.ts for one in kept if one.standing is Standing.STANDS] == said[:3] + said[4:]
