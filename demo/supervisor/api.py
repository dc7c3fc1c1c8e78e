"""The supervisor over HTTP on loopback: what runs, what can, what was done; and the three kinds of change."""

import json
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime
from hmac import compare_digest
from typing import Literal

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from demo.shop.releases import releases
from demo.supervisor.fleet import MOST_REPLICAS, Busy, Deployment, Fleet, UnknownTarget

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Order(BaseModel, ABC):
    """What every change must say; `key` makes it happen once, however often it is asked for."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    service: str
    environment: str
    key: str = Field(min_length=1)
    by: str = Field(min_length=1)

    @abstractmethod
    def carried_out(self, fleet: Fleet) -> AsyncIterator[str]:
        """Carries it out, line by line."""


class DeployOrder(Order):
    version: str
    kind: Literal["deploy", "rollback"] = "deploy"

    def carried_out(self, fleet: Fleet) -> AsyncIterator[str]:
        return fleet.deploy(
            self.service, self.environment, self.version, key=self.key, by=self.by, kind=self.kind
        )


class RestartOrder(Order):
    def carried_out(self, fleet: Fleet) -> AsyncIterator[str]:
        return fleet.restart(self.service, self.environment, key=self.key, by=self.by)


class ScaleOrder(Order):
    replicas: int = Field(ge=1, le=MOST_REPLICAS)

    def carried_out(self, fleet: Fleet) -> AsyncIterator[str]:
        return fleet.scale(self.service, self.environment, self.replicas, key=self.key, by=self.by)


ORDERS: dict[str, type[Order]] = {"deploy": DeployOrder, "restart": RestartOrder, "scale": ScaleOrder}


class Api:
    """Routes over a fleet. Every request carries the token; every change a key that is used once."""

    def __init__(self, fleet: Fleet, token: str, stop: Callable[[], None]) -> None:
        self._fleet, self._token, self._stop = fleet, token, stop
        self.app = web.Application(middlewares=[self._guarded])
        self.app.router.add_get("/v1/state", self.state)
        self.app.router.add_get("/v1/releases/{service}", self.releases)
        self.app.router.add_get("/v1/history", self.history)
        self.app.router.add_get("/v1/targets", self.targets)
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
        try:
            since = datetime.fromisoformat(request.query.get("since") or "2000-01-01T00:00:00Z")
            listed = [
                _told(entry)
                for entry in reversed(self._fleet.history)
                if all(getattr(entry, name) == value for name, value in wanted.items())
                and datetime.fromisoformat(entry.at) >= since
            ]
        except (ValueError, TypeError):
            hint = "since should be a moment with its time zone, like 2026-11-23T05:00:00Z"
            return web.json_response({"error": hint}, status=422)
        return web.json_response({"deployments": listed})

    async def targets(self, _request: web.Request) -> web.Response:
        """Where a Prometheus finds every instance, in the form of its HTTP service discovery."""
        groups = [
            {
                "targets": [each.url.removeprefix("http://")],
                "labels": {
                    "service": each.service,
                    "environment": each.environment,
                    "version": each.version,
                    "instance": each.name,
                },
            }
            for each in self._fleet.instances()
        ]
        return web.json_response(groups)

    async def change(self, request: web.Request) -> web.StreamResponse:
        """A change, its progress as one JSON object a line, the outcome last."""
        try:
            asked = ORDERS[request.path.rsplit("/", 1)[1]].model_validate_json(await request.read())
            done = self._fleet.seen(asked.key)
            if done is not None:
                outcome = {"done": True, "ok": done.ok, "detail": done.detail}
                return web.json_response({"error": "already done", "outcome": outcome}, status=409)
            lines = asked.carried_out(self._fleet)
            first = await anext(lines)
        except ValidationError as error:
            wrong = (f"{'.'.join(map(str, each['loc'])) or 'body'}: {each['msg']}" for each in error.errors())
            return web.json_response({"error": "; ".join(wrong)}, status=422)
        except UnknownTarget as error:
            return _unknown(error)
        except Busy as error:
            return web.json_response({"error": str(error)}, status=423)
        response = web.StreamResponse(headers={"Content-Type": "application/x-ndjson"})
        await response.prepare(request)
        await _send(response, {"progress": first})
        async for line in lines:
            await _send(response, {"progress": line})
        done = self._fleet.seen(asked.key)
        ok, detail = (done.ok, done.detail) if done else (False, "it ended without an outcome")
        await _send(response, {"done": True, "ok": ok, "detail": detail})
        return response

    async def stop(self, _request: web.Request) -> web.Response:
        self._stop()
        return web.json_response({"stopping": True})


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
