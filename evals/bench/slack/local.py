"""The story of an action on `local-slack`, a Slack that others wrote: `python -m evals.bench.slack.local BINARY`.

Two bot processes hear everything; somebody asks, the requester's own click is refused, another one's counts, it runs
once, the card changes where it stands, and the thread hears how it ended. Then they read along, and back. The binary
binds every interface: run it where nobody else is, as in
`unshare -rn sh -c "ip link set lo up; python -m evals.bench.slack.local BINARY"`.
"""

import argparse
import asyncio
import json
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from aiohttp import ClientError, ClientSession

from agent.store.sql.store import SqlStore

PORT = 3100
BASE = f"http://127.0.0.1:{PORT}"
LONGEST = 40.0  # seconds that anything may take
CONFIG = """
workspace: {id: T1, name: Harbour Lane}
apps:
  - {appId: A1, botName: sayso, botUserId: UBOT, botToken: xoxb-1, appToken: xapp-1, mode: socket, signingSecret: s}
users:
  - {id: UMAYA, name: maya, real_name: Maya Lindqvist}
  - {id: UTOM, name: tom, real_name: Tom Okafor}
channels:
  - {id: C1, name: payments, members: [UMAYA, UTOM, UBOT]}
"""
Post = dict[str, Any]


class Local:
    """Drives it by its control pages."""

    def __init__(self, session: ClientSession) -> None:
        self._session = session

    async def ready(self) -> None:
        until = time.monotonic() + LONGEST
        while time.monotonic() < until:
            try:
                await self.messages()
            except ClientError:
                await asyncio.sleep(0.1)
            else:
                return
        raise TimeoutError("local-slack did not start")

    async def connected(self, count: int) -> None:
        """Waits until so many bots have opened a connection."""
        await self._until(
            lambda log: sum("apps.connections.open" in json.dumps(one) for one in log) >= count, "log"
        )

    async def control(self, page: str, **body: object) -> Post:
        async with self._session.post(f"{BASE}/_control/{page}", json=body) as answer:
            told: Post = await answer.json()
            return told

    async def messages(self) -> list[Post]:
        async with self._session.get(f"{BASE}/_control/messages/C1") as answer:
            told: list[Post] = (await answer.json())["messages"]
            return told

    async def shows(self, wanted: Callable[[Post], bool]) -> Post:
        """Waits for a message."""
        until = time.monotonic() + LONGEST
        while time.monotonic() < until:
            for one in await self.messages():
                if wanted(one):
                    return one
            await asyncio.sleep(0.1)
        raise TimeoutError(json.dumps(await self.messages())[:2000])

    async def _until(self, wanted: Callable[[list[Post]], bool], page: str) -> None:
        until = time.monotonic() + LONGEST
        while time.monotonic() < until:
            async with self._session.get(f"{BASE}/_control/{page}") as answer:
                if wanted((await answer.json())[page]):
                    return
            await asyncio.sleep(0.1)
        raise TimeoutError(f"{page} never showed it")


def buttons(message: Mapping[str, Any]) -> dict[str, Post]:
    """The buttons of a message, by what they are for."""
    return {
        element["action_id"]: element
        for block in message.get("blocks") or []
        if block["type"] == "actions"
        for element in block["elements"]
    }


async def story(binary: str) -> dict[str, object]:
    """What was seen."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "config.yaml").write_text(CONFIG, encoding="utf-8")
        quiet = asyncio.subprocess.DEVNULL
        command = [
            binary,
            "--config",
            str(folder / "config.yaml"),
            "--port",
            str(PORT),
            "--base-host",
            "127.0.0.1",
        ]
        server = await asyncio.create_subprocess_exec(*command, stdout=quiet, stderr=quiet)
        bots: list[asyncio.subprocess.Process] = []
        try:
            async with ClientSession() as session:
                slack = Local(session)
                await slack.ready()
                for _ in range(2):
                    bot = [sys.executable, "-m", "evals.bench.slack.bot", str(folder), f"{BASE}/api/"]
                    bots.append(await asyncio.create_subprocess_exec(*bot, stdout=quiet))
                await slack.connected(2)
                await asyncio.sleep(1)
                found = await _lived(slack)
        finally:
            for process in bots:
                process.send_signal(signal.SIGTERM)
            codes = [await process.wait() for process in bots]
            server.terminate()
            await server.wait()
        effects = len((folder / "witness").read_text().splitlines())
        return {**found, "kept": await _kept(folder), "effects": effects, "exit_codes": codes}


async def _lived(slack: Local) -> dict[str, object]:
    said = await slack.control("message", channel="C1", user="UMAYA", text="<@UBOT> stamp one")
    answer = await slack.shows(lambda one: one.get("text") == "It is proposed.")
    card = await slack.shows(lambda one: "sayso_approve" in buttons(one))
    approve = buttons(card)["sayso_approve"]
    await slack.control("interact", channel="C1", messageTs=card["ts"], user="UMAYA", action=approve)
    refused = await slack.shows(lambda one: "somebody else has to approve" in one.get("text", ""))
    await slack.control("interact", channel="C1", messageTs=card["ts"], user="UTOM", action=approve)
    await slack.shows(lambda one: "A-1 is done: Stamp one." in one.get("text", ""))
    await slack.control("command", channel="C1", user="UMAYA", command="/sayso", text="stamp two")
    await slack.shows(lambda one: "A-2: Stamp two" in one.get("text", ""))
    await slack.control("command", channel="C1", user="UTOM", command="/sayso", text="index on")
    await slack.shows(lambda one: "From now on I read along here" in one.get("text", ""))
    await slack.control("message", channel="C1", user="UMAYA", text="the vault opens with xylophone")
    await asyncio.sleep(3)  # whatever would be said twice; what was said before is read back
    last = await slack.messages()
    cards = [one for one in last if one.get("text", "").startswith("A-1: Stamp one (")]
    return {
        "answer": answer["text"],
        "in_thread": answer.get("thread_ts") == said["message"]["ts"],
        "refusal_only_for": refused.get("ephemeral_to"),
        "cards": [one["text"] for one in cards],
        "buttons_left": sorted(name for one in cards for name in buttons(one)),
        "outcomes": sum("A-1 is done" in one.get("text", "") for one in last),
        "told_of_reading_along": sum("I read along here, as" in one.get("text", "") for one in last),
        "answers": sum(one.get("text") == "It is proposed." for one in last),
    }


async def _kept(folder: Path) -> list[str]:
    """What people said, as it was read along and back."""
    store = await SqlStore.open(folder / "sayso.db")
    remarks = await store.overheard.remarks("C1")
    await store.close()
    return [json.loads(one.body)["text"] for one in remarks]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m evals.bench.slack.local", description=__doc__)
    parser.add_argument("binary")
    print(json.dumps(asyncio.run(story(parser.parse_args().binary))))


if __name__ == "__main__":
    main()
