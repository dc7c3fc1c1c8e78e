"""The other end of Socket Mode: sends events at the times of a clock, and takes down when each was acknowledged.

An event's time runs from when it was due, however late it was sent, until its acknowledgement is here: what had to wait
behind something slow counts with all its waiting. What is not acknowledged within three seconds is sent again, as Slack
does, and so is what a dead process left unacknowledged; every fiftieth is sent twice at once.
"""

import asyncio
import json
import random
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from evals.bench.slack.questions import PEOPLE, Mix, user
from evals.bench.slack.standin import TEAM

AGAIN = 3.0  # seconds after which Slack sends an event again
TWICE = 50  # of so many events one comes twice
CHANNELS = 3000  # direct messages: Slack takes one message a second in each


@dataclass
class Sent:
    """One event; times are of the monotonic clock."""

    number: int
    event: str  # as JSON, the same in every delivery
    ts: str
    due: float
    late: float  # seconds
    acknowledged: float | None = None
    deliveries: int = 0
    orphan: bool = False  # a process died before it acknowledged it

    @property
    def took(self) -> float:
        """Seconds from when it was due until it was acknowledged."""
        return 0.0 if self.acknowledged is None else self.acknowledged - self.due


@dataclass
class Line:
    """Sends over the sockets that are open, each event to one of them."""

    mix: Mix
    chance: random.Random = field(default_factory=lambda: random.Random(1))
    events: list[Sent] = field(default_factory=list)
    sockets: list[web.WebSocketResponse] = field(default_factory=list)
    url: str = ""

    async def socket(self, request: web.Request) -> web.WebSocketResponse:
        """A connection of Socket Mode."""
        held = web.WebSocketResponse()
        await held.prepare(request)
        await held.send_json({"type": "hello", "num_connections": 1, "connection_info": {"app_id": "A1"}})
        self.sockets.append(held)
        async for heard in held:
            now = time.monotonic()
            _, _, name = json.loads(heard.data).get("envelope_id", "").rpartition("E")
            if name and self.events[int(name)].acknowledged is None:
                self.events[int(name)].acknowledged = now
        self.sockets.remove(held)
        return held

    async def send(self, rate: float, seconds: float) -> None:
        """Sends at an even rate for so long."""
        start = time.monotonic()
        for place in range(round(rate * seconds)):
            due = start + place / rate
            if (wait := due - time.monotonic()) > 0:
                await asyncio.sleep(wait)
            one = self._made(due)
            await self._deliver(one)
            if one.number % TWICE == 0:
                await self._deliver(one)

    async def settle(self, patience: float) -> None:
        """Waits until all that was sent is acknowledged."""
        until = time.monotonic() + patience
        while time.monotonic() < until and any(True for _ in self.open()):
            await asyncio.sleep(0.05)

    async def send_again(self) -> None:
        """Goes on without end: delivers what was not acknowledged in time once more."""
        first = 0
        while True:
            await asyncio.sleep(0.5)
            while first < len(self.events) and self.events[first].acknowledged is not None:
                first += 1
            now = time.monotonic()
            for one in self.events[first:]:
                if one.acknowledged is None and now - one.due > AGAIN * one.deliveries:
                    await self._deliver(one)

    def open(self) -> Iterable[Sent]:
        """What is not acknowledged yet."""
        return (one for one in self.events if one.acknowledged is None)

    def orphaned(self) -> None:
        """A process was killed: what it did not acknowledge is sent again to the next one."""
        for one in self.open():
            one.orphan = True

    def _made(self, due: float) -> Sent:
        number = len(self.events)
        ts = f"17{number:08}.000100"
        event: dict[str, Any] = {
            "type": "message",
            "user": user(self.chance.randrange(PEOPLE)),
            "channel": f"D{self.chance.randrange(CHANNELS)}",
            "channel_type": "im",
            "ts": ts,
            "text": self.mix.next(),
            "team": TEAM,
        }
        body = {"type": "event_callback", "team_id": TEAM, "event_id": f"Ev{number}", "event": event}
        made = Sent(number, json.dumps(body), ts, due, max(0.0, time.monotonic() - due))
        self.events.append(made)
        return made

    async def _deliver(self, one: Sent) -> None:
        if self.sockets:
            one.deliveries += 1
            attempt = one.deliveries - 1
            await self.chance.choice(self.sockets).send_str(
                f'{{"envelope_id": "E{one.number}", "type": "events_api", "accepts_response_payload": false, '
                f'"retry_attempt": {attempt}, "payload": {one.event}}}'
            )


@asynccontextmanager
async def line(mix: Mix) -> AsyncIterator[Line]:
    """A line for as long as the block lasts."""
    made, app = Line(mix), web.Application()
    app.router.add_get("/link/", made.socket)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    made.url = f"ws://127.0.0.1:{runner.addresses[0][1]}/link/"
    again = asyncio.create_task(made.send_again())
    try:
        yield made
    finally:
        again.cancel()
        await runner.cleanup()
