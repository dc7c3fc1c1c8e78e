"""A stand-in for the supervisor on loopback: its HTTP over a platform in memory, broken where a test says so."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from aiohttp import web

from tests.fakes.shop import Heard
from tools.contract import BadArguments
from tools.deploy.memory import MemoryPlatform
from tools.deploy.port import Order, OrderKind

TOKEN = "let-me-in"
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class SupervisorStandIn:
    """Speaks the supervisor's API. `status` answers everything with that status; `cut` leaves before the last line."""

    platform: MemoryPlatform
    status: int | None = None
    cut: bool = False
    garbage: bool = False
    seen: set[str] = field(default_factory=set)

    @asynccontextmanager
    async def open(self, folder: Path) -> AsyncIterator[Path]:
        """Serves until the block ends; yields the file with its address."""
        app = web.Application()
        app.router.add_get("/v1/state", self._state)
        app.router.add_get("/v1/releases/{service}", self._releases)
        app.router.add_get("/v1/history", self._history)
        for kind in ("deploy", "restart", "scale"):
            app.router.add_post(f"/v1/{kind}", self._change)
        app.middlewares.append(self._guard)
        runner = web.AppRunner(app)
        await runner.setup()
        try:
            site = web.TCPSite(runner, "127.0.0.1", 0)
            await site.start()
            file = folder / "supervisor.json"
            port = runner.addresses[0][1]
            file.write_text(
                json.dumps({"port": port, "token": TOKEN, "pid": 1, "started_at": "2026-11-23T05:00:00Z"})
            )
            yield file
        finally:
            await runner.cleanup()

    @web.middleware
    async def _guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            return web.json_response({"error": "who are you?"}, status=401)
        if self.status is not None:
            return web.json_response(
                {"error": "as the test wants it", "nearest": ["this"]}, status=self.status
            )
        if self.garbage:
            return web.Response(text="<html>hello</html>")
        try:
            return await handler(request)
        except BadArguments as error:
            return web.json_response({"error": str(error), "nearest": list(error.nearest)}, status=404)

    async def _state(self, _: web.Request) -> web.Response:
        listed = [
            {
                "service": one.service, "environment": one.environment, "version": one.version,
                "previous_version": one.previous_version, "replicas": one.replicas,
                "healthy_replicas": one.healthy_replicas, "since": one.since.isoformat(), "pids": [1, 2],
            }
            for one in await self.platform.running()
        ]  # fmt: skip
        return web.json_response({"services": listed})

    async def _releases(self, request: web.Request) -> web.Response:
        releases = await self.platform.releases(request.match_info["service"])
        listed = [
            {
                "version": one.version,
                "released_at": one.released_at and one.released_at.isoformat(),
                "notes": one.notes,
            }
            for one in releases
        ]
        return web.json_response({"releases": listed})

    async def _history(self, request: web.Request) -> web.Response:
        entries = await self.platform.history(request.query.get("service"), request.query.get("environment"))
        listed = [
            {
                "id": one.id, "kind": one.kind.value, "service": one.service, "environment": one.environment,
                "from": one.before, "to": one.after, "at": one.at.isoformat(), "by": one.by, "ok": one.ok,
            }
            for one in reversed(entries)
        ]  # fmt: skip
        return web.json_response({"deployments": listed})

    async def _change(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        kind = OrderKind(body.get("kind", request.path.rsplit("/", 1)[1]))
        order = Order(
            kind,
            body["service"],
            body["environment"],
            body["key"],
            body["by"],
            body.get("version"),
            body.get("replicas"),
        )
        known = order.key in self.seen
        heard = Heard()
        result = await self.platform.apply(order, heard)
        self.seen.add(order.key)
        if known:
            detail = result.detail.removeprefix("already done: ")
            outcome = {"done": True, "ok": result.ok, "detail": detail}
            return web.json_response({"error": "already done", "outcome": outcome}, status=409)
        response = web.StreamResponse()
        await response.prepare(request)
        for line in heard.lines:
            await response.write(json.dumps({"progress": line}).encode() + b"\n")
        if not self.cut:
            await response.write(
                json.dumps({"done": True, "ok": result.ok, "detail": result.detail}).encode() + b"\n"
            )
        return response
