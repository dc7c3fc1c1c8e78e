"""Slack's Web API and a supervisor of services, in a process of their own that costs as little as it can.

`python -m evals.bench.slack.standin LINK LOG`: LINK is where Socket Mode connects, LOG the file of what was posted, a
line of JSON each. Its port is the first line of its output. It keeps of each thread only what `conversations.replies`
has to give back. `evals.bench.slack.workspace` is the one that refuses what Slack refuses.
"""

import argparse
import asyncio
import json
import re
import sys
from collections import defaultdict
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TextIO

from aiohttp import web

from evals.bench.slack.questions import ENVIRONMENTS, SERVICES

BOT, TEAM = "UBOT", "T1"
RECEIPT = re.compile(r"T-\d+ · ")
SINCE = "2026-11-20T08:00:00Z"
Body = Mapping[str, Any]


class StandIn:
    """Answers every method at once; what is posted goes to the log."""

    def __init__(self, link: str, log: TextIO) -> None:
        self._link, self._log, self._count = link, log, 0
        self._threads: dict[str, list[dict[str, Any]]] = defaultdict(list)
        self._special: dict[str, Callable[[Body], dict[str, Any]]] = {
            "apps.connections.open": lambda _body: {"url": self._link},
            "auth.test": lambda _body: {"user_id": BOT, "team_id": TEAM, "url": "https://example.slack.com/"},
            "users.info": lambda body: {"user": {"id": body["user"], "team_id": TEAM, "name": body["user"]}},
            "conversations.open": lambda body: {"channel": {"id": f"D{body['users']}"}},
            "conversations.replies": lambda body: {"messages": self._threads.get(body["ts"], [])},
            "chat.postMessage": self._post,
            "chat.startStream": self._post,
            "chat.update": self._update,
        }

    async def call(self, request: web.Request) -> web.Response:
        """One call of the Web API."""
        body: Body = (
            json.loads(await request.read() or b"{}")
            if request.content_type == "application/json"
            else {**request.query, **await request.post()}
        )
        special = self._special.get(request.match_info["method"])
        answer = {} if special is None else special(body)
        return web.Response(text=json.dumps({"ok": True, **answer}), content_type="application/json")

    def _post(self, body: Body) -> dict[str, Any]:
        self._count += 1
        ts, thread = f"1800000000.{self._count:06}", str(body.get("thread_ts", ""))
        metadata = body.get("metadata")
        if metadata:
            self._threads[thread].append({"ts": ts, "metadata": metadata})
        subject = metadata["event_payload"]["subject"] if metadata else ""
        self._note(thread, ts, subject, body)
        return {"ts": ts, "channel": body["channel"]}

    def _update(self, body: Body) -> dict[str, Any]:
        self._note("", body["ts"], "", body)
        return {"ts": body["ts"]}

    def _note(self, thread: str, ts: str, subject: str, body: Body) -> None:
        blocks = body.get("blocks") or []
        line = {
            "thread": thread,
            "ts": ts,
            "subject": subject,
            "answers": any(_receipt(block) for block in blocks),
            "text": body.get("text", ""),
        }
        self._log.write(json.dumps(line) + "\n")
        self._log.flush()

    async def supervised(self, request: web.Request) -> web.Response:
        """What the supervisor says of services: all of them run and are well."""
        match request.match_info["what"].split("/")[0]:
            case "state":
                said: dict[str, Any] = {
                    "services": [
                        {"service": service, "environment": environment, "version": "1.4.2", "replicas": 3,
                         "healthy_replicas": 3, "since": SINCE}
                        for service in SERVICES
                        for environment in ENVIRONMENTS
                    ]
                }  # fmt: skip
            case "releases":
                said = {"releases": [{"version": "1.4.2"}, {"version": "1.4.1"}]}
            case _:
                said = {"deployments": []}
        return web.json_response(said)


def _receipt(block: Body) -> bool:
    """Whether it says what an answer took: every answer ends so, and nothing else does."""
    return block["type"] == "context" and RECEIPT.match(block["elements"][0]["text"]) is not None


async def serve(link: str, log: Path) -> None:
    """Serves until it is ended."""
    with log.open("a", encoding="utf-8") as file:
        made, app = StandIn(link, file), web.Application()
        app.router.add_route("*", "/api/{method}", made.call)
        app.router.add_get("/v1/{what:.*}", made.supervised)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        sys.stdout.write(f"{runner.addresses[0][1]}\n")
        sys.stdout.flush()
        await asyncio.Event().wait()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("link")
    parser.add_argument("log", type=Path)
    arguments = parser.parse_args()
    asyncio.run(serve(arguments.link, arguments.log))


if __name__ == "__main__":
    main()
