"""A day on `local-slack`, a Slack that others wrote: `python -m evals.bench.slack.local BINARY [--http]`.

Two bot processes hear everything (one, where it is called by signed HTTP). Somebody asks, and gets an answer with its
evidence and a file; asks for a change, whose own click is refused, and another one's counts; it runs once, the card
changes where it stands, and the thread hears how it ended. Others are edited, rejected, or expire; one is asked for
with a file, and one by the menu of a message. They read along, and back; are started anew between a card and the
click on it, and one of two is killed. The binary binds every interface: run it where nobody else is, as in
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

from aiohttp import ClientError, ClientSession, FormData

from agent.store.sql.store import SqlStore
from evals.bench.slack.workspace import SECRET, Workspace

PORT, BOT_PORT = 3100, 3101
BASE = f"http://127.0.0.1:{PORT}"
LONGEST = 40.0  # seconds that anything may take
SEEN = 0.5  # seconds until a modal is there
CONFIG = """
workspace: {teamId: T1, name: Harbour Lane}
apps:
  - {appId: A1, botName: sayso, botUserId: UBOT, botToken: xoxb-1, appToken: xapp-1, WAY, signingSecret: SECRET}
users:
  - {id: UMAYA, name: maya, real_name: Maya Lindqvist}
  - {id: UTOM, name: tom, real_name: Tom Okafor}
channels:
  - {id: C1, name: payments, members: [UMAYA, UTOM, UBOT]}
"""
WAYS = {
    "socket": "mode: socket",
    "http": f"mode: events, requestUrl: http://127.0.0.1:{BOT_PORT}/slack/events",
}
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

    async def called(self, method: str, words: str) -> bool:
        """Waits until a bot called this with these words."""
        await self._until(
            lambda log: any(method in json.dumps(one) and words in json.dumps(one) for one in log), "log"
        )
        return True

    async def upload(self, user: str, text: str, name: str, content: bytes) -> None:
        """Somebody shares a file, with words."""
        form = FormData({"channel": "C1", "user": user, "text": text})
        form.add_field("file", content, filename=name)
        async with self._session.post(f"{BASE}/_control/upload", data=form) as answer:
            assert answer.status == 200

    async def shortcut(self, user: str, message: Post) -> int:
        """Somebody asks about a message by its menu; as Slack signs it, for this page has no such menu."""
        payload = {
            "type": "message_action",
            "callback_id": "sayso_ask",
            "trigger_id": "13.1",
            "action_ts": "1800000000.1",
            "team": {"id": "T1"},
            "user": {"id": user, "team_id": "T1"},
            "channel": {"id": "C1"},
            "message": message,
        }
        to = Workspace(bot=f"http://127.0.0.1:{BOT_PORT}/slack/events")
        return (await to.send({"payload": json.dumps(payload)}, ""))[0]

    async def control(self, page: str, **body: object) -> Post:
        async with self._session.post(f"{BASE}/_control/{page}", json=body) as answer:
            told: Post = await answer.json()
            return told

    async def click(self, message: Post, button: str, user: str) -> None:
        """Somebody presses a button of a message."""
        action = buttons(message)[button]
        await self.control("interact", channel="C1", messageTs=message["ts"], user=user, action=action)

    async def submit(self, user: str, **fields: str) -> None:
        """Somebody sends the modal that is open, as the page does it."""
        values = {name: {name: {"type": "plain_text_input", "value": text}} for name, text in fields.items()}
        async with self._session.ws_connect(f"{BASE}/ui") as page:
            await page.send_json({"t": "view_submit", "user": user, "values": values})
            await asyncio.sleep(SEEN)

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
                found = (await answer.json())[page]
                if wanted(found):
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


class Bots:
    """Bot processes on one store."""

    def __init__(self, folder: Path, mode: str) -> None:
        self._folder, self._mode = folder, mode
        self._alive: list[asyncio.subprocess.Process] = []
        self.codes: list[int] = []

    async def start(self, count: int) -> None:
        """So many more; returns once they hear."""
        where = ["--mode", self._mode, "--listen", f"127.0.0.1:{BOT_PORT}"]
        for _ in range(count):
            bot = [sys.executable, "-m", "evals.bench.slack.bot", str(self._folder), f"{BASE}/api/", *where]
            process = await asyncio.create_subprocess_exec(*bot, stdout=asyncio.subprocess.PIPE)
            self._alive.append(process)
            assert process.stdout is not None
            assert await process.stdout.readline()

    async def kill(self) -> None:
        """One of them dies without a word."""
        process = self._alive.pop(0)
        process.kill()
        self.codes.append(await process.wait())

    async def stop(self) -> None:
        for process in self._alive:
            process.send_signal(signal.SIGTERM)
        self.codes += [await process.wait() for process in self._alive]
        self._alive.clear()


async def story(binary: str, mode: str) -> dict[str, object]:
    """What was seen."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        config = CONFIG.replace("WAY", WAYS[mode]).replace("SECRET", SECRET)
        (folder / "config.yaml").write_text(config, encoding="utf-8")
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
        bots = Bots(folder, mode)
        try:
            async with ClientSession() as session:
                slack = Local(session)
                await slack.ready()
                await bots.start(2 if mode == "socket" else 1)
                found = await _asked(slack)
                found |= await _lived(slack)
                found |= await _changed(slack)
                found |= await _after_a_restart(slack, bots)
                found |= await _otherwise(slack)
                if mode == "socket":
                    found |= await _one_dies(slack, bots)
                else:
                    found |= await _by_menu(slack)
        finally:
            await bots.stop()
            server.terminate()
            await server.wait()
        effects = len((folder / "witness").read_text().splitlines())
        return {
            **found,
            "kept": await _kept(folder),
            "effects": effects,
            "exit_codes": bots.codes,
        }


async def _asked(slack: Local) -> dict[str, object]:
    """A question, its answer with evidence and a table, and the evidence in a modal."""
    await slack.control("message", channel="C1", user="UMAYA", text="<@UBOT> what runs?")
    answer = await slack.shows(lambda one: "payments 2.4.0 runs [1]" in one.get("text", ""))
    file = await slack.shows(lambda one: bool(one.get("files")))
    await slack.click(answer, "sayso_evidence", "UMAYA")
    return {
        "source": "platform · What runs" in json.dumps(answer["blocks"], ensure_ascii=False),
        "permalink": "/archives/C1/p1700000000000001|" in json.dumps(answer["blocks"]),
        "file": (file["files"][0]["name"], file.get("thread_ts") == answer.get("thread_ts")),
        "evidence": await slack.called("views.open", "8 of 8"),
    }


async def _otherwise(slack: Local) -> dict[str, object]:
    """Nobody decides in time; and somebody asks with a file beside it."""
    await slack.control("message", channel="C1", user="UMAYA", text="<@UBOT> stamp soon")
    expired = await slack.shows(lambda one: "A-6: Stamp soon (expired)" in one.get("text", ""))
    told = await slack.shows(lambda one: "A-6 expired, because nobody decided" in one.get("text", ""))
    await slack.upload("UMAYA", "<@UBOT> stamp seven", "seen.txt", b"what I saw")
    card = await slack.shows(lambda one: "A-7: Stamp seven" in one.get("text", ""))
    return {
        "expired": (sorted(buttons(expired)), told.get("thread_ts") == expired.get("thread_ts")),
        "asked_with_a_file": "sayso_approve" in buttons(card),
    }


async def _by_menu(slack: Local) -> dict[str, object]:
    said = await slack.control("message", channel="C1", user="UTOM", text="is this so?")
    status = await slack.shortcut("UMAYA", said["message"])
    answer = await slack.shows(
        lambda one: one.get("thread_ts") == said["message"]["ts"] and one.get("subtype") != "ephemeral"
    )
    return {"by_menu": (status, answer["text"])}


async def _one_dies(slack: Local, bots: Bots) -> dict[str, object]:
    """One of two bots is killed, and nobody notices."""
    await bots.start(1)
    await bots.kill()
    await slack.control("message", channel="C1", user="UMAYA", text="<@UBOT> stamp eight")
    card = await slack.shows(lambda one: "A-8: Stamp eight" in one.get("text", ""))
    await slack.click(card, "sayso_approve", "UTOM")
    done = await slack.shows(lambda one: "A-8 is done: " in one.get("text", ""))
    return {"after_a_death": done["text"]}


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


async def _changed(slack: Local) -> dict[str, object]:
    """A proposal is edited in a form, and what takes its place is rejected with a reason."""
    await slack.control("message", channel="C1", user="UMAYA", text="<@UBOT> stamp three")
    card = await slack.shows(lambda one: "A-3: Stamp three" in one.get("text", ""))
    await slack.click(card, "sayso_edit", "UMAYA")
    await asyncio.sleep(SEEN)
    await slack.submit("UMAYA", text="four")
    edited = await slack.shows(lambda one: "A-4: Stamp four" in one.get("text", ""))
    await slack.click(edited, "sayso_reject", "UTOM")
    await asyncio.sleep(SEEN)
    await slack.submit("UTOM", reason="not on a Friday")
    rejected = await slack.shows(lambda one: "A-4: Stamp four (rejected)" in one.get("text", ""))
    return {
        "edited": [one["text"] for one in await slack.messages() if one.get("text", "").startswith("A-3: ")],
        "rejected_because": "not on a Friday" in json.dumps(rejected),
    }


async def _after_a_restart(slack: Local, bots: Bots) -> dict[str, object]:
    """The bots are gone between a card and the click on it; a new one does what was approved."""
    await slack.control("message", channel="C1", user="UMAYA", text="<@UBOT> stamp five")
    card = await slack.shows(lambda one: "A-5: Stamp five" in one.get("text", ""))
    await bots.stop()
    await bots.start(1)
    await slack.click(card, "sayso_approve", "UTOM")
    done = await slack.shows(lambda one: "A-5 is done: " in one.get("text", ""))
    return {"after_a_restart": done["text"]}


async def _kept(folder: Path) -> list[str]:
    """What people said, as it was read along and back."""
    store = await SqlStore.open(folder / "sayso.db")
    remarks = await store.overheard.remarks("C1")
    await store.close()
    return [json.loads(one.body)["text"] for one in remarks]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m evals.bench.slack.local", description=__doc__)
    parser.add_argument("binary")
    parser.add_argument("--http", action="store_true", help="over signed HTTP, not Socket Mode")
    arguments = parser.parse_args()
    print(json.dumps(asyncio.run(story(arguments.binary, "http" if arguments.http else "socket"))))


if __name__ == "__main__":
    main()
