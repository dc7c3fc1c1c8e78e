"""GitHub as a platform: it deploys and rolls back by orders to GitHub, and knows of what runs what GitHub was told."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from tools.contract import BadArguments, Change, Clock, Progress, ToolError, ToolFailed, ToolUnavailable
from tools.deploy.github.deployments import Deployments
from tools.deploy.github.dispatches import Dispatches
from tools.deploy.github.gates import GateKeeper
from tools.deploy.github.releases import releases
from tools.deploy.github.rollout import Reach, Rollout, Stage, Way
from tools.deploy.github.service import Failing, Service, in_words
from tools.deploy.port import Deployment, Order, OrderKind, Rehearsal, Release, Result, Running, Unanswered
from tools.deploy.target import order_of
from tools.forgeserver import GitHubServer, Pause
from tools.jsonserver import Unheard
from tools.vocabulary import unknown

KEY_LIFE = timedelta(days=1)  # an action's key is looked for this far back; older ones are of another store
NOW = Reach(most=15, worked=2)  # what is read to tell what runs there, and what ran before
PATIENT = timedelta(hours=1)  # an attempt that has not moved for this long keeps nobody else from deploying
FIRST_PAUSE = 0.5  # seconds before the second look at an attempt; then ever longer
DEAF = 12  # reads in a row that may fail while an attempt is followed


class GitHubPlatform:
    """Deploys each service the way that is declared for it: by a workflow, or by the Deployments API."""

    def __init__(
        self,
        server: GitHubServer,
        services: Mapping[str, Service],
        environments: Sequence[str],
        clock: Clock,
        mark: str = "sayso",
        pause: Pause = asyncio.sleep,
        every: float = 5.0,
    ) -> None:
        self._server, self._services, self._environments = server, services, tuple(environments)
        self._clock, self._mark, self._pause, self._every = clock, mark, pause, every
        self._gates = GateKeeper(server)
        self._deployments, self._dispatches = Deployments(server, self._gates), Dispatches(server)

    async def running(self) -> tuple[Running, ...]:
        places = [(name, place) for name in self._services for place in self._places(name)]
        found = await asyncio.gather(*(self._now(name, place) for name, place in places))
        return tuple(each for each in found if each is not None)

    async def running_at(self, service: str, environment: str) -> Running | None:
        self._place(service, environment)
        return await self._now(service, environment)

    async def releases(self, service: str) -> tuple[Release, ...]:
        return await releases(self._server, self._service(service))

    async def history(
        self, service: str | None = None, environment: str | None = None, since: datetime | None = None
    ) -> tuple[Deployment, ...]:
        places = [
            (name, place)
            for name in self._services
            for place in self._places(name)
            if service in {None, name} and environment in {None, place}
        ]
        found = await asyncio.gather(*(self._told(name, place, since) for name, place in places))
        entries = [each for told in found for each in told if since is None or each.at >= since]
        return tuple(sorted(entries, key=lambda each: each.at, reverse=True))

    async def rehearse(self, order: Order) -> Rehearsal:
        service, place = self._able(order)
        version = order.version or ""
        gates = await self._gates.gates(service, version, place)
        back = order.kind is OrderKind.ROLLBACK
        if not gates.open and service.failing is Failing.REFUSE and not back:
            raise ToolFailed(
                f"{order.service} {version} may not be deployed: {'; '.join(gates.notes)}. Its checks have to pass, "
                "or the setting `failing_checks` has to be `mark`"
            )
        return Rehearsal(
            changes=(Change("GitHub", "not told", in_words(service, order, place)),),
            notes=gates.notes,
            observed={"commit": gates.commit, "failing_checks": sorted(gates.failing)},
        )

    async def apply(self, order: Order, progress: Progress) -> Result:
        service, place = self._able(order)
        way, key = self._way(service), f"{self._mark}-{order.key}"
        before = await way.rollouts(service, place, Reach(since=self._clock() - KEY_LIFE))
        known = next((each for each in before if each.key == key and self._age(each) < KEY_LIFE), None)
        if known is not None:
            ended = await self._follow(order, service, place, known.id, progress)
            return replace(ended, detail=f"already done: {ended.detail}")
        busy = next(
            (each for each in before if each.stage is Stage.PENDING and self._age(each) < PATIENT), None
        )
        if busy is not None:
            raise ToolUnavailable(
                f"{busy.version} is on its way to {place} already, by {busy.by} {busy.link}; nothing was changed"
            )
        await progress(f"{order.kind.value} {order.service} in {order.environment}")
        try:
            started = await way.start(service, place, order, key)
        except Unheard as error:
            raise Unanswered(f"the order was sent, and GitHub's answer was not heard: {error}") from error
        id_ = started.id if started.id is not None else await self._found(service, place, key)
        return await self._follow(order, service, place, id_, progress)

    async def _follow(
        self, order: Order, service: Service, place: str, id_: int, progress: Progress
    ) -> Result:
        """Tells how far it is until it has ended. Raises `Unanswered` when GitHub falls silent or lets us not look."""
        told: set[str] = set()
        deaf, pause = 0, FIRST_PAUSE
        while True:
            try:
                now, lines = await self._way(service).look(service, id_)
                deaf = 0
            except ToolError as error:  # it goes on there, whatever becomes of our looking
                deaf += 1
                if deaf > DEAF or not isinstance(error, ToolUnavailable):
                    raise Unanswered(f"the order was sent, and its end was not heard: {error}") from error
                await self._pause(self._every)
                continue
            for line in lines:
                if line not in told:
                    told.add(line)
                    await progress(line)
            if now.stage is not Stage.PENDING:
                return await self._ended(order, service, place, now)
            await self._pause(min(pause, self._every))
            pause *= 2

    async def _ended(self, order: Order, service: Service, place: str, now: Rollout) -> Result:
        where = f" ({now.link})" if now.link else ""
        if now.worked:
            return Result(True, f"GitHub says that {now.version} is deployed to {order.environment}{where}")
        try:
            others = await self._way(service).rollouts(service, place, NOW)
        except ToolError:
            others = ()  # that it failed is known without them
        last = next((each for each in others if each.stage is Stage.GOOD), None)
        kept = f"; the last that worked there is {last.version}" if last else ""
        return Result(False, f"{now.version} was not deployed: {now.note}{where}{kept}")

    async def _found(self, service: Service, place: str, key: str) -> int:
        """The attempt with this key, which a server that names no run shows after a moment."""
        for _ in range(DEAF):
            try:
                listed = await self._way(service).rollouts(service, place, Reach(most=10))
            except ToolError as error:
                raise Unanswered(f"the order was sent, and its end was not heard: {error}") from error
            found = (each.id for each in listed if each.key == key and self._age(each) < KEY_LIFE)
            if (id_ := next(found, None)) is not None:
                return id_
            await self._pause(self._every)
        raise Unanswered(
            f"the order was sent, and GitHub shows no run with {key} in its name: `run-name:` of the workflow should "
            "be as the setting `run_name`"
        )

    async def _now(self, name: str, environment: str) -> Running | None:
        """What GitHub was last told that works there; `None` where nothing ever did."""
        service = self._service(name)
        place = service.environments.get(environment, environment)
        found = await self._way(service).rollouts(service, place, NOW)
        worked = [each for each in found if each.worked]
        if not worked or worked[0].stage is Stage.REPLACED:
            return None
        last = worked[0]
        coming = next(
            (each for each in found if each.stage is Stage.PENDING and self._age(each) < PATIENT), None
        )
        return Running(
            service=name,
            environment=environment,
            version=last.version,
            previous_version=next((each.version for each in worked if each.version != last.version), None),
            replicas=None,
            healthy_replicas=None,
            since=last.at,
            state="as GitHub was told; health is not known there",
            coming=coming.version if coming else None,
        )

    async def _told(self, name: str, environment: str, since: datetime | None) -> list[Deployment]:
        service = self._service(name)
        place = service.environments.get(environment, environment)
        found = [
            each
            for each in await self._way(service).rollouts(service, place, Reach(since=since))
            if each.stage is not Stage.PENDING
        ]
        entries = []
        for number, each in enumerate(found):
            before = next((one.version for one in found[number + 1 :] if one.worked), None)
            back = before is not None and order_of(each.version) < order_of(before)
            kind = each.kind or (OrderKind.ROLLBACK if back else OrderKind.DEPLOY)
            entries.append(
                Deployment(
                    id=str(each.id),
                    kind=kind,
                    service=name,
                    environment=environment,
                    before=before,
                    after=each.version,
                    at=each.at,
                    by=each.by,
                    ok=each.worked,
                )
            )
        return entries

    def _able(self, order: Order) -> tuple[Service, str]:
        """The service and GitHub's name of the environment. Raises `BadArguments` for what GitHub cannot do."""
        service = self._service(order.service)
        if order.kind in {OrderKind.RESTART, OrderKind.SCALE}:
            raise BadArguments(
                f"{order.service} is deployed through GitHub, which cannot {order.kind.value} what runs: do that where "
                "it runs"
            )
        return service, self._place(order.service, order.environment)

    def _place(self, name: str, environment: str) -> str:
        """GitHub's name of the environment. Raises `BadArguments` where the service is not deployed to it."""
        service, places = self._service(name), self._places(name)
        if environment not in places:
            raise unknown(
                "environment",
                environment,
                places,
                f"{name} is not deployed to {environment!r} through GitHub",
            )
        return service.environments.get(environment, environment)

    def _service(self, name: str) -> Service:
        if name not in self._services:
            raise unknown(
                "service", name, self._services, f"no repository is declared for the service {name!r}"
            )
        return self._services[name]

    def _places(self, name: str) -> tuple[str, ...]:
        return tuple(self._service(name).environments) or self._environments

    def _way(self, service: Service) -> Way:
        return self._deployments if service.workflow is None else self._dispatches

    def _age(self, rollout: Rollout) -> timedelta:
        return self._clock() - rollout.at
