"""`/healthz`, `/readyz` and `/metrics` over HTTP, for probes and for Prometheus."""

from collections.abc import Awaitable, Callable, Mapping

from aiohttp import web

Checks = Callable[
    [], Awaitable[Mapping[str, str | None]]
]  # a name each, and why it is not well; None where it is
Page = Callable[[], Awaitable[bytes]]


class Health:
    """A small server. `alive` is whether the process is to be kept, `ready` whether it is of use at this moment."""

    def __init__(self, listen: str, *, alive: Checks, ready: Checks, metrics: Page) -> None:
        host, _, port = listen.rpartition(":")
        self._host, self._port = host, int(port)
        self._alive, self._ready, self._metrics = alive, ready, metrics
        self._runner: web.AppRunner | None = None

    async def start(self) -> str:
        """Begins to listen; gives its address. Raises `OSError` where something else listens there."""
        app = web.Application()
        app.router.add_get("/healthz", self._health)
        app.router.add_get("/readyz", self._readiness)
        app.router.add_get("/metrics", self._page)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, self._host, self._port).start()
        host, port = self._runner.addresses[0][:2]
        return f"http://{host}:{port}"

    async def stop(self) -> None:
        """Listens no more."""
        if self._runner is not None:
            await self._runner.cleanup()

    async def _health(self, _request: web.Request) -> web.Response:
        return _told(await self._alive())

    async def _readiness(self, _request: web.Request) -> web.Response:
        return _told(await self._ready())

    async def _page(self, _request: web.Request) -> web.Response:
        return web.Response(
            body=await self._metrics(), headers={"Content-Type": "text/plain; version=0.0.4; charset=utf-8"}
        )


def _told(found: Mapping[str, str | None]) -> web.Response:
    well = not any(found.values())
    body = {"ok": well, "checks": {name: why or "ok" for name, why in found.items()}}
    return web.json_response(body, status=200 if well else 503)
