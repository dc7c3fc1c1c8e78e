"""Giving an order to Argo CD once, and following it until its application is synced and healthy, or is not."""

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from tools.contract import BadArguments, Clock, Progress, ToolError, ToolUnavailable
from tools.deploy.argocd.application import Application, Entry
from tools.deploy.argocd.client import Client
from tools.deploy.argocd.declared import Declared
from tools.deploy.argocd.orders import known, with_order
from tools.deploy.argocd.versions import patched, version_in
from tools.deploy.argocd.workloads import RESTARTABLE
from tools.deploy.port import Order, OrderKind, Result, Unanswered
from tools.jsonserver import Unheard

Pause = Callable[[float], Awaitable[None]]
FIRST_PAUSE = 0.5  # seconds before the second look at an application; then ever longer
DEAF = 12  # reads in a row that may fail while an order is followed
DEGRADED = 10  # looks in a row that call it degraded before it counts as failed: it may be so for a moment
_BROKEN = frozenset({"Failed", "Error"})


@dataclass(frozen=True, slots=True)
class Goal:
    """What is waited for; `before` is when the operation began that was there before the order."""

    version: str | None  # None: a restart
    before: datetime | None


class Follower:
    """Carries orders out and waits for their end."""

    def __init__(self, client: Client, clock: Clock, mark: str, pause: Pause, every: float) -> None:
        self._client, self._clock, self._mark = client, clock, mark
        self._pause, self._every = pause, every

    async def apply(self, declared: Declared, name: str, order: Order, progress: Progress) -> Result:
        key = f"{self._mark}-{order.key}"
        application = await self._client.application(declared, name)
        if (before := known(application, key, self._clock())) is not None:
            version = None if before.kind is OrderKind.RESTART else before.version
            ended = await self._to_the_end(declared, name, Goal(version, None), progress)
            return replace(ended, detail=f"already done: {ended.detail}")
        if application.busy:
            raise ToolUnavailable(f"Argo CD is busy with {name} already; nothing was changed")
        await progress(f"{order.kind.value} {order.service} in {order.environment}")
        state = application.status.operation
        version = order.version if order.kind is not OrderKind.RESTART else None
        try:
            await self._give(declared, name, application, order, key)
        except Unheard as error:
            raise Unanswered(f"the order was sent, and Argo CD's answer was not heard: {error}") from error
        goal = Goal(version, state.started if state else None)
        return await self._to_the_end(declared, name, goal, progress)

    async def _to_the_end(self, declared: Declared, name: str, goal: Goal, progress: Progress) -> Result:
        """Follows it. Raises `Unanswered` where that is refused: it goes on there, whatever becomes of our looking."""
        try:
            return await self._follow(declared, name, goal, progress)
        except ToolError as error:
            raise Unanswered(f"the order was sent, and its end was not heard: {error}") from error

    def entry_of(self, declared: Declared, application: Application, version: str) -> Entry | None:
        """The latest entry of the history with this version, which is not the one that runs."""
        older = application.status.history[:-1]
        return next((each for each in reversed(older) if version_in(declared, each.source) == version), None)

    async def _give(
        self, declared: Declared, name: str, application: Application, order: Order, key: str
    ) -> None:
        """Notes the order on the application first: what follows is found again by it.

        Raises `Unanswered` where that was done and what follows was refused: a part of the order is there.
        """
        source = application.spec.source
        if source is None:
            raise BadArguments(
                f"the application {name} has several sources; only those with one are deployed here"
            )
        last = application.status.history[-1] if application.status.history else None
        running = version_in(declared, last.source) if last else ""
        noted = with_order(application, order, key, order.version or running, self._clock())
        version = order.version or ""
        back = self.entry_of(declared, application, version) if order.kind is OrderKind.ROLLBACK else None
        by_history = back is not None and not application.automatic
        if order.kind is OrderKind.RESTART or by_history:
            await self._client.patch(declared, name, {"metadata": noted})
        else:
            changed = patched(declared, source, version)
            await self._client.patch(declared, name, {"metadata": noted, "spec": {"source": changed}})
        try:
            if order.kind is OrderKind.RESTART:
                for each in application.status.resources:
                    if each.kind in RESTARTABLE:
                        await self._client.restart(declared, name, each)
            elif by_history and back is not None:
                await self._client.rollback(declared, name, back.id)
            elif not application.automatic:
                await self._client.sync(declared, name, key)
        except ToolError as error:
            raise Unanswered(
                f"the order was noted on {name}, and what follows was not done: {error}"
            ) from error

    async def _follow(self, declared: Declared, name: str, goal: Goal, progress: Progress) -> Result:
        told: set[str] = set()
        deaf = ill = well = 0
        looked, pause = 0, FIRST_PAUSE
        while True:
            try:
                application = await self._client.application(declared, name, refresh=looked == 0 or well == 1)
            except ToolUnavailable as error:
                deaf += 1
                if deaf > DEAF:
                    raise Unanswered(f"the order was sent, and its end was not heard: {error}") from error
                await self._pause(self._every)
                continue
            deaf, looked = 0, looked + 1
            for line in _lines(application):
                if line not in told:
                    told.add(line)
                    await progress(line)
            ill = ill + 1 if application.status.health.status == "Degraded" else 0
            well = well + 1 if application.status.health.status == "Healthy" and not application.busy else 0
            ended = self._ended(declared, application, goal, ill, well)
            if ended is not None:
                return ended
            await self._pause(min(pause, self._every))
            pause *= 2

    def _ended(
        self, declared: Declared, application: Application, goal: Goal, ill: int, well: int
    ) -> Result | None:
        """How it ended, `None` while it goes on."""
        status, name = application.status, application.metadata.name
        if application.busy:
            return None
        last = version_in(declared, status.history[-1].source) if status.history else ""
        state = status.operation
        fresh = state is not None and state.started != goal.before
        if goal.version is not None and fresh and state is not None and state.phase in _BROKEN:
            return Result(
                False, f"the sync of {name} {state.phase}: {state.message}; the last that worked is {last}"
            )
        there = goal.version is None or last == goal.version
        if there and ill > DEGRADED:
            return Result(
                False,
                f"{last} was synced and {name} is Degraded: {status.health.message or 'no reason told'}",
            )
        # right after an operation the health is that of before, so one look tells nothing
        if there and well > 1:
            return Result(True, f"{last or name} runs: {name} is Healthy and {status.sync.status}")
        return None


def _lines(application: Application) -> Iterator[str]:
    """How far it is."""
    state = application.status.operation
    if state is not None and state.phase:
        for each in state.result.resources if state.result else ():
            yield f"{each.kind} {each.name}: {each.message or each.status}"
        yield f"sync {state.phase}{f': {state.message}' if state.message else ''}"
    if application.status.health.status:
        yield f"health {application.status.health.status}"
