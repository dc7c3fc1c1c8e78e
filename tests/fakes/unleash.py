"""An Unleash on loopback that holds features in memory and answers as its admin API documents."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class UnleashStandIn:
    """`features` are on or off by environment; `strategies` belong to every environment of every feature."""

    features: dict[str, dict[str, bool]]
    strategies: list[dict[str, Any]] = field(default_factory=list)
    archived: bool = False
    sent: list[str] = field(default_factory=list)

    def add(self, app: web.Application) -> None:
        app.middlewares.append(self._guard)
        one = "/api/admin/projects/default/features/{name}"
        app.router.add_get(one, self._get)
        app.router.add_post(one + "/environments/{environment}/{value:on|off}", self._set)

    @web.middleware
    async def _guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.headers.get("Authorization") != "user:secret":
            return web.json_response({"name": "AuthenticationRequired"}, status=401)
        try:
            return await handler(request)
        except KeyError as error:
            return web.json_response(
                {"name": "NotFoundError", "message": f"Could not find {error}"}, status=404
            )

    async def _get(self, request: web.Request) -> web.Response:
        places = self.features[request.match_info["name"]]
        told = [
            {"name": name, "enabled": on, "type": "production", "sortOrder": 1, "strategies": self.strategies}
            for name, on in places.items()
        ]
        return web.json_response(
            {
                "name": request.match_info["name"],
                "project": "default",
                "description": None,
                "archived": self.archived,
                "stale": False,
                "type": "release",
                "environments": told,
            }
        )

    async def _set(self, request: web.Request) -> web.Response:
        self.sent.append(request.path)
        places = self.features[request.match_info["name"]]
        places[request.match_info["environment"]]
        places[request.match_info["environment"]] = request.match_info["value"] == "on"
        return web.Response(status=200)
