"""Signed HTTP's gate: what Slack did not sign a moment ago is refused before anybody reads it, and recorded."""

import hmac
import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from agent.app import App
from agent.audit.event import Fact, FactKind
from agent.store.port import StoreError
from agent.surfaces.slack.events import NAME
from agent.surfaces.slack.shape import readable

LOG = logging.getLogger("sayso.slack")
GOOD_FOR = (
    300  # seconds that a signature is: https://docs.slack.dev/authentication/verifying-requests-from-slack
)
AGAIN = timedelta(hours=1)  # what one address is refused for over and over is recorded once in a while
MOST = 10_000  # refusals that are remembered
STATUS = {"too large": 413, "unsigned": 401, "stale": 401, "forged": 401, "replayed": 409, "unreadable": 400}


class Gate:
    """Stands before everything that HTTP mode serves. A request counts once, however often it is sent."""

    def __init__(self, app: App, secret: str, clock: Callable[[], datetime]) -> None:
        self._app, self._secret, self._clock = app, secret.encode(), clock
        self._refused: dict[tuple[str, str], datetime] = {}
        # Signatures of what was taken: lately, and in the time before; together for longer than one is good.
        self._young, self._old, self._turned = set[int](), set[int](), clock()

    def middleware(self) -> Middleware:
        """The gate as aiohttp knows it."""

        @web.middleware
        async def gate(request: web.Request, handler: Handler) -> web.StreamResponse:
            why = await self._objection(request)
            if why:
                return await self._refuse(request, why)
            try:
                answer = await handler(request)
            except (ValueError, AttributeError, TypeError, KeyError):  # signed, and yet no request of Slack's
                return await self._refuse(request, "unreadable")
            if answer.status == web.HTTPOk.status_code:
                self._note(request.headers["X-Slack-Signature"])
            return answer

        return gate

    async def _objection(self, request: web.Request) -> str:
        """Why a request is none of Slack's; empty where it is one."""
        try:
            body = await request.read()
        except web.HTTPRequestEntityTooLarge:
            return "too large"
        stamp, signature = (
            request.headers.get(f"X-Slack-{name}", "") for name in ("Request-Timestamp", "Signature")
        )
        if not (stamp.isascii() and stamp.isdecimal() and signature):
            return "unsigned"
        if abs(self._clock().timestamp() - int(stamp)) > GOOD_FOR:
            return "stale"
        # Of the bytes as they came: the verifier of the SDK wants text, which a broken body may not be.
        base = b"v0:" + stamp.encode() + b":" + body
        made = f"v0={hmac.new(self._secret, base, 'sha256').hexdigest()}"
        if not hmac.compare_digest(made.encode(), signature.encode(errors="replace")):
            return "forged"
        seen = _short(signature)
        if seen in self._young or seen in self._old:
            return "replayed"
        return "" if readable(body) else "unreadable"

    def _note(self, signature: str) -> None:
        """Remembers what was taken, for as long as its signature is good at least."""
        if self._clock() - self._turned > timedelta(seconds=2 * GOOD_FOR):
            self._young, self._old, self._turned = set(), self._young, self._clock()
        self._young.add(_short(signature))

    async def _refuse(self, request: web.Request, why: str) -> web.Response:
        remote, now = request.remote or "-", self._clock()
        LOG.warning("a request from %s is refused: %s", remote, why)
        last = self._refused.get((remote, why))
        if last is None or now - last >= AGAIN:
            if len(self._refused) >= MOST:
                self._refused.clear()
            self._refused[remote, why] = now
            fact = Fact(FactKind.REFUSED, remote, f"{NAME}:http", now, {"reason": why})
            try:
                await self._app.store.record(fact)
            except StoreError as error:
                LOG.warning("the refusal is not recorded: %s", error)
        return web.Response(status=STATUS[why], text=f"refused: {why}")


def _short(signature: str) -> int:
    """64 bits of a signature that is known to be one."""
    return int(signature[3:19], 16)
