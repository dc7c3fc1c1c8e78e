"""The supervisor over HTTP on loopback: what runs, what can, what was done; and the three kinds of change."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from hmac import compare_digest

from aiohttp import web

from demo.shop.releases import releases
from demo.supervisor.fleet import Busy, Deployment, Fleet, UnknownTarget
from demo.supervisor.processes import DidNotStart

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Api:
    """Routes over a fleet. Every request carries the token; every change a key that is used once."""

    def __init__(self, fleet: Fleet, token: str, stop: Callable[[], None]) -> None:
        self._fleet, self._token, self._stop = fleet, token, stop
        self.app = web.Application(middlewares=[self._guarded])
        self.app.router.add_get("/v1/state", self.state)
        self.app.router.add_get("/v1/releases/{service}", self.releases)
        self.app.router.add_get("/v1/history", self.history)
        self.app.router.add_post("/v1/deploy", self.change)
        self.app.router.add_post("/v1/restart", self.change)
        self.app.router.add_post("/v1/scale", self.change)
        self.app.router.add_post("/v1/stop", self.stop)

    @web.middleware
    async def _guarded(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        given = request.headers.get("Authorization", "")
        if not compare_digest(given, f"Bearer {self._token}"):
            return web.json_response({"error": "the token is missing or wrong"}, status=401)
        return await handler(request)

    async def state(self, _request: web.Request) -> web.Response:
        return web.json_response({"services": await self._fleet.state()})

    async def releases(self, request: web.Request) -> web.Response:
        service = request.match_info["service"]
        if service not in releases():
            return _unknown(UnknownTarget(f"no service {service!r}", sorted(releases())))
        listed = [
            {"version": one.version, "released_at": one.released_at.isoformat(), "notes": one.notes}
            for one in releases()[service]
        ]
        return web.json_response({"releases": listed})

    async def history(self, request: web.Request) -> web.Response:
        wanted = {name: request.query[name] for name in ("service", "environment") if request.query.get(name)}
        since = request.query.get("since", "")
        listed = [
            _told(entry)
            for entry in reversed(self._fleet.history)
            if all(getattr(entry, name) == value for name, value in wanted.items()) and entry.at >= since
        ]
        return web.json_response({"deployments": listed})

    async def change(self, request: web.Request) -> web.StreamResponse:
        """A change, its progress as one JSON object a line, the outcome last."""
        try:
            asked = await request.json()
            key, by = str(asked["key"]), str(asked["by"])
            done = self._fleet.seen(key)
            if done is not None:
                outcome = {"done": True, "ok": done.ok, "detail": done.detail}
                return web.json_response({"error": "already done", "outcome": outcome}, status=409)
            lines = self._lines(request.path.rsplit("/", 1)[1], asked, key, by)
            first = await anext(lines)
        except (KeyError, ValueError, TypeError) as error:
            return web.json_response({"error": f"bad request: {error!r}"}, status=422)
        except UnknownTarget as error:
            return _unknown(error)
        except Busy as error:
            return web.json_response({"error": str(error)}, status=423)
        response = web.StreamResponse(headers={"Content-Type": "application/x-ndjson"})
        await response.prepare(request)
        last = first
        await _send(response, {"progress": first})
        try:
            async for line in lines:
                last = line
                await _send(response, {"progress": line})
        except DidNotStart as error:
            last = str(error)
        outcome_entry = self._fleet.seen(key)
        ok = outcome_entry is not None and outcome_entry.ok
        await _send(
            response, {"done": True, "ok": ok, "detail": outcome_entry.detail if outcome_entry else last}
        )
        return response

    async def stop(self, _request: web.Request) -> web.Response:
        self._stop()
        return web.json_response({"stopping": True})

    def _lines(self, what: str, asked: dict[str, object], key: str, by: str) -> AsyncIterator[str]:
        service, environment = str(asked["service"]), str(asked["environment"])
        match what:
            case "deploy":
                kind = str(asked.get("kind", "deploy"))
                version = str(asked["version"])
                return self._fleet.deploy(service, environment, version, key=key, by=by, kind=kind)
            case "restart":
                return self._fleet.restart(service, environment, key=key, by=by)
            case _:
                replicas = int(str(asked["replicas"]))
                return self._fleet.scale(service, environment, replicas, key=key, by=by)


async def _send(response: web.StreamResponse, value: dict[str, object]) -> None:
    try:
        await response.write(json.dumps(value).encode() + b"\n")
    except ConnectionError:
        return  # whoever asked has left; the change goes on


def _unknown(error: UnknownTarget) -> web.Response:
    return web.json_response({"error": str(error), "nearest": list(error.nearest)}, status=404)


def _told(entry: Deployment) -> dict[str, object]:
    return {
        "id": entry.id,
        "kind": entry.kind,
        "service": entry.service,
        "environment": entry.environment,
        "from": entry.before,
        "to": entry.after,
        "at": entry.at,
        "by": entry.by,
        "ok": entry.ok,
        "detail": entry.detail,
    }
