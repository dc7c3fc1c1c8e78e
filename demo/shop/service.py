"""What every service of the shop has: health, metrics in Prometheus' text format, a log, and an address book."""

import asyncio
import logging
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter, time
from uuid import uuid4

from aiohttp import ClientSession, ClientTimeout, web
from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    Summary,
    generate_latest,
)

from demo.shop import certificate
from demo.shop.addresses import Addresses
from demo.shop.behaviour import Behaviour
from demo.shop.live import CONDITIONS, CONFIG, Live

BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
REQUEST_ID = web.RequestKey("request_id", str)
SKEW = "clock_skew"  # the condition: how many seconds this machine's clock is ahead
SIGNED_AT = "X-Signed-At"
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
        self.calls = Summary(
            "http_client_request_duration_seconds",
            "Calls of others",
            ("server_address",),
            registry=self.registry,
        )
        self.config = Live(place.home, CONFIG, place.environment, place.service)
        self.conditions = Live(place.home, CONDITIONS, place.environment, place.service)
        self.gauge("node_timex_offset_seconds", "Clock ahead of the reference", self._skew)
        self.addresses = Addresses(place.home, place.environment)
        self.unhealthy = ""  # why it must not get traffic
        self.app = web.Application(middlewares=[self._measured])
        self.app.router.add_get("/healthz", self._health)
        self.app.router.add_get("/metrics", self._metrics)
        self.app.cleanup_ctx.append(self._client)
        self.app.cleanup_ctx.append(self._certified)
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
        url = self.addresses.url(service) + path
        headers = {"X-Request-Id": on_behalf[REQUEST_ID], SIGNED_AT: f"{self.clock():.3f}"}
        with self.calls.labels(service).time():
            async with self.http.request(method, url, json=body, headers=headers) as answer:
                return web.Response(
                    status=answer.status, body=await answer.read(), content_type="application/json"
                )

    def clock(self) -> float:
        """What this machine takes for the time, in unix seconds."""
        return time() + self._skew()

    def _skew(self) -> float:
        return self.conditions.number(SKEW, 0)

    async def _client(self, _app: web.Application) -> AsyncIterator[None]:
        async with ClientSession(timeout=ClientTimeout(total=5)) as self.http:
            yield

    async def _certified(self, _app: web.Application) -> AsyncIterator[None]:
        """Tells when the certificate runs out, where there is one."""
        file = certificate.file_of(self.place.home, self.place.environment, self.place.service)
        if not file.exists():
            yield
            return
        ends = certificate.expiry(file)
        self.gauge("probe_ssl_earliest_cert_expiry", "End of the certificate", ends.timestamp)
        name = f"{self.place.service}.harbourlane.example"
        watching = asyncio.create_task(certificate.watch(self.log, name, ends))
        yield
        watching.cancel()

    def _grumble(self, request_id: str) -> None:
        """Errors in a side path that no customer notices, where the conditions say so."""
        if random.random() < self.conditions.number("noise_share", 0):
            noise = self.conditions.text("noise", "").replace("%", str(random.randint(1, 40)))
            self.log.error("%s", noise, extra={"fields": {"request_id": request_id}})

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
        self._grumble(request[REQUEST_ID])
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
