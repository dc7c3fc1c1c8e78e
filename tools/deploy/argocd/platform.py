"""Argo CD as a platform: what its applications run, and what may be ordered of them."""

import asyncio
from collections.abc import Mapping
from datetime import datetime

from tools.contract import BadArguments, Change, Clock, Json, Progress, ToolFailed
from tools.deploy.argocd.application import Application, Source
from tools.deploy.argocd.client import Client
from tools.deploy.argocd.declared import By, Declared, read
from tools.deploy.argocd.following import Follower, Pause
from tools.deploy.argocd.orders import history
from tools.deploy.argocd.versions import version_in
from tools.deploy.argocd.workloads import RESTARTABLE, Counted, counted, differing, wanted_by
from tools.deploy.port import Deployment, Order, OrderKind, Rehearsal, Release, Result, Running
from tools.deploy.target import order_of
from tools.jsonserver import JsonServer
from tools.vocabulary import unknown


class ArgoCD:
    """Each service in each environment is one application."""

    def __init__(
        self,
        server: JsonServer,
        services: Mapping[str, Declared],
        clock: Clock,
        mark: str = "sayso",
        pause: Pause = asyncio.sleep,
        every: float = 3.0,
    ) -> None:
        self._client, self._services = Client(server), services
        self._follower = Follower(self._client, clock, mark, pause, every)

    async def running(self) -> tuple[Running, ...]:
        found = await asyncio.gather(
            *(self._now(each, place) for each in self._services.values() for place in each.applications)
        )
        return tuple(each for each in found if each is not None)

    async def running_at(self, service: str, environment: str) -> Running | None:
        declared, _ = self._application(service, environment)
        return await self._now(declared, environment)

    async def releases(self, service: str) -> tuple[Release, ...]:
        """The tags of the repository that Argo CD knows, newest version first; it knows no notes."""
        declared = self._service(service)
        repository = declared.tags_of
        if not repository:
            first = next(iter(declared.applications.values()))
            repository = self._source(await self._client.application(declared, first)).repo
        tags = await self._client.tags(repository)
        versions = {version for tag in tags if (version := read(declared.tag, tag))}
        return tuple(Release(each, None) for each in sorted(versions, key=order_of, reverse=True))

    async def history(
        self, service: str | None = None, environment: str | None = None, since: datetime | None = None
    ) -> tuple[Deployment, ...]:
        places = [
            (each, place)
            for each in self._services.values()
            for place in each.applications
            if service in {None, each.name} and environment in {None, place}
        ]
        found = await asyncio.gather(
            *(self._client.application(each, each.applications[place]) for each, place in places)
        )
        entries = [
            entry
            for (each, place), application in zip(places, found, strict=True)
            for entry in history(each, place, application)
            if since is None or entry.at >= since
        ]
        return tuple(sorted(entries, key=lambda entry: entry.at, reverse=True))

    async def rehearse(self, order: Order) -> Rehearsal:
        declared, name = self._able(order)
        application = await self._client.application(declared, name)
        source = self._source(application)
        notes = [_state(application, declared)]
        if application.automatic:
            healing = ", and undoes what is changed in the cluster" if application.heals else ""
            notes.append(
                f"auto-sync is on: Argo CD syncs {name} by itself as soon as it wants another version{healing}"
            )
        if order.kind is OrderKind.RESTART:
            names = [
                f"{each.kind} {each.name}"
                for each in application.status.resources
                if each.kind in RESTARTABLE
            ]
            if not names:
                raise BadArguments(
                    f"{name} has nothing that can be restarted: no {' nor '.join(RESTARTABLE)}"
                )
            change = Change(f"application {name}", "runs", f"restarts {', '.join(names)}")
            return Rehearsal(tuple(notes), changes=(change,))
        version = order.version or ""
        wanted = version_in(declared, source)
        back = (
            self._follower.entry_of(declared, application, version)
            if order.kind is OrderKind.ROLLBACK
            else None
        )
        by_history = back is not None and not application.automatic
        items = await self._client.differences(declared, name)
        prune = application.prunes if application.automatic else declared.prune
        notes += [f"differs now, and is synced too: {line}" for line in differing(items, prune=prune)]
        if by_history and back is not None:
            change = Change(
                f"application {name}", f"wants {wanted}", f"rolled back to history id {back.id} ({version})"
            )
            notes.append(
                f"{name} goes on wanting {wanted}, and Argo CD calls it OutOfSync until it wants {version}"
            )
        else:
            change = Change(
                f"{_what(declared)} of application {name}", wanted or "not set", declared.written(version)
            )
        if declared.by is By.REVISION and not by_history:
            manifests = await self._client.manifests(declared, name, declared.written(version))
            notes += [f"would change: {line}" for line in wanted_by(items, manifests, prune=prune)]
        last = application.status.history[-1].id if application.status.history else None
        observed: dict[str, Json] = {
            "application": name,
            "wants": wanted,
            "history": last,
            "auto_sync": application.automatic,
        }
        return Rehearsal(tuple(notes), observed, changes=(change,))

    async def apply(self, order: Order, progress: Progress) -> Result:
        declared, name = self._able(order)
        return await self._follower.apply(declared, name, order, progress)

    async def _now(self, declared: Declared, place: str) -> Running | None:
        name = declared.applications[place]
        application = await self._client.application(declared, name)
        done = [(version_in(declared, each.source), each.at) for each in application.status.history]
        if not done:
            return None
        version, since = done[-1]
        wanted = version_in(declared, application.spec.source)
        seen = await self._counted(declared, name)
        return Running(
            service=declared.name,
            environment=place,
            version=version,
            previous_version=next((each for each, _ in reversed(done) if each != version), None),
            replicas=seen.replicas,
            healthy_replicas=seen.healthy,
            since=max(since, seen.restarted) if seen.restarted else since,
            state=_state(application, declared),
            well=_well(application, rolled_back=wanted != version),
            coming=wanted if application.busy and wanted != version else None,
        )

    async def _counted(self, declared: Declared, name: str) -> Counted:
        """Replicas, where the token may see the live state; without it they are not known."""
        try:
            return counted(await self._client.differences(declared, name))
        except ToolFailed:
            return Counted(None, None, None)

    def _able(self, order: Order) -> tuple[Declared, str]:
        """The service and its application. Raises `BadArguments` for what Argo CD cannot do."""
        if order.kind is OrderKind.SCALE:
            raise BadArguments(
                f"{order.service} is what Git says, and Argo CD does not scale it: change its replicas in Git"
            )
        return self._application(order.service, order.environment)

    def _application(self, service: str, environment: str) -> tuple[Declared, str]:
        """Raises `BadArguments` for a service or an environment without an application."""
        declared = self._service(service)
        if environment not in declared.applications:
            raise unknown(
                "environment",
                environment,
                declared.applications,
                f"{service} has no application for {environment!r}",
            )
        return declared, declared.applications[environment]

    def _service(self, name: str) -> Declared:
        if name not in self._services:
            raise unknown(
                "service", name, self._services, f"no application is declared for the service {name!r}"
            )
        return self._services[name]

    def _source(self, application: Application) -> Source:
        source = application.spec.source
        if source is None:
            raise BadArguments(
                f"{application.metadata.name} has several sources; only applications with one are deployed here"
            )
        return source


def _what(declared: Declared) -> str:
    match declared.by:
        case By.REVISION:
            return "target revision"
        case By.IMAGE:
            return f"image {declared.target}"
        case By.HELM:
            return f"parameter {declared.target}"


def _state(application: Application, declared: Declared) -> str:
    """How Argo CD sees it, in its words."""
    status, wanted = application.status, version_in(declared, application.spec.source)
    why = f" ({status.health.message})" if status.health.message else ""
    health = f"{status.health.status or 'health unknown'}{why}"
    phase = (
        f", last operation {status.operation.phase}" if status.operation and status.operation.phase else ""
    )
    sync = status.sync.status or "sync unknown"
    return f"{health}, {sync}{f' with {wanted}' if sync == 'OutOfSync' and wanted else ''}{phase}"


def _well(application: Application, *, rolled_back: bool) -> bool:
    """Synced and healthy after an operation that went well; after a rollback it is out of sync as it should be."""
    status = application.status
    synced = status.sync.status == "Synced" or rolled_back
    finished = status.operation is None or status.operation.phase == "Succeeded"
    return status.health.status == "Healthy" and synced and finished
