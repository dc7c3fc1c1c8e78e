"""What every service of the shop has: health, metrics in Prometheus' text format, a log, and an address book."""

import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from uuid import uuid4

from aiohttp import ClientSession, ClientTimeout, web
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest

from demo.shop.addresses import Addresses
from demo.shop.behaviour import Behaviour

BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
REQUEST_ID = web.RequestKey("request_id", str)
PRIVATE = frozenset({"/healthz", "/metrics"})
Body = dict[str, object]
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class Place:
    """Which process this is."""

    home: Path
    service: str
    environment: str
    version: str
    instance: str
    behaviour: Behaviour


class Service:
    """One running service; the three services add routes to it."""

    def __init__(self, place: Place, log: logging.Logger) -> None:
        self.place, self.log = place, log
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self.requests = Counter("http_requests", "Requests", ("route", "code"), registry=self.registry)
        self.durations = Histogram(
            "http_request_duration_seconds", "Durations", ("route",), buckets=BUCKETS, registry=self.registry
        )
        self.addresses = Addresses(place.home, place.environment)
        self.unhealthy = ""  # why it must not get traffic
        self.app = web.Application(middlewares=[self._measured])
        self.app.router.add_get("/healthz", self._health)
        self.app.router.add_get("/metrics", self._metrics)
        self.app.cleanup_ctx.append(self._client)
        self.http: ClientSession | None = None

    def gauge(self, name: str, text: str, value: Callable[[], float]) -> None:
        """A gauge that is read when somebody looks."""
        Gauge(name, text, registry=self.registry).set_function(value)

    async def call(
        self, service: str, method: str, path: str, *, on_behalf: web.Request, body: Body | None = None
    ) -> web.Response:
        """Asks another service, under the same request id; its status and body come back as a response."""
        if self.http is None:
            raise RuntimeError("the service has not started")
        url, headers = self.addresses.url(service) + path, {"X-Request-Id": on_behalf[REQUEST_ID]}
        async with self.http.request(method, url, json=body, headers=headers) as answer:
            return web.Response(
                status=answer.status, body=await answer.read(), content_type="application/json"
            )

    async def _client(self, _app: web.Application) -> AsyncIterator[None]:
        async with ClientSession(timeout=ClientTimeout(total=5)) as self.http:
            yield

    async def _health(self, _request: web.Request) -> web.Response:
        body = {
            "service": self.place.service,
            "version": self.place.version,
            "problem": self.unhealthy or None,
        }
        return web.json_response(body, status=503 if self.unhealthy else 200)

    async def _metrics(self, _request: web.Request) -> web.Response:
        return web.Response(body=generate_latest(self.registry), content_type="text/plain")

    @web.middleware
    async def _measured(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path in PRIVATE:
            return await handler(request)
        resource = request.match_info.route.resource
        route = resource.canonical if resource else "unknown"
        began = perf_counter()
        request[REQUEST_ID] = request.headers.get("X-Request-Id", uuid4().hex[:12])
        try:
            response = await handler(request)
        except web.HTTPException as error:
            response = web.json_response({"error": error.reason}, status=error.status)
        except Exception:  # the outermost edge of a service: the customer gets a 500, the log the reason
            self.log.exception("unexpected error", extra={"fields": {"request_id": request[REQUEST_ID]}})
            response = web.json_response({"error": "internal error"}, status=500)
        seconds = perf_counter() - began
        self.requests.labels(route, str(response.status)).inc()
        self.durations.labels(route).observe(seconds)
        fields = {
            "route": route,
            "status": response.status,
            "duration_ms": round(seconds * 1000, 1),
            "request_id": request[REQUEST_ID],
        }
        self.log.info("%s %s", request.method, route, extra={"fields": fields})
        return response
