"""The shop as GitHub and Argo CD know it: the same versions and times as the platform in memory."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from tests.fakes.argocd import ArgoStandIn, application
from tests.fakes.github import GitHubStandIn, Repository, deployment, release, run, status
from tests.fakes.logservers import served
from tests.fakes.shop import NOW, RELEASES, now
from tools.deploy.argocd.declared import Declared
from tools.deploy.argocd.platform import ArgoCD
from tools.deploy.github.platform import GitHubPlatform
from tools.deploy.github.service import Service, Workflow
from tools.forgeserver import GitHubServer, Pause
from tools.jsonserver import JsonServer

# what was deployed before the tests begin, oldest first: repository, version, environment, when
PAST = (
    ("payments", "2.3.8", "staging", NOW - timedelta(days=12)),
    ("payments", "2.3.9", "production", NOW - timedelta(days=10)),
    ("checkout", "1.8.2", "production", NOW - timedelta(days=9)),
    ("payments", "2.4.0", "production", NOW - timedelta(hours=1)),
    ("payments", "2.3.9", "staging", NOW - timedelta(hours=1)),
)


@dataclass
class Waits:
    """Pauses that were asked for, and take no time."""

    seconds: list[float] = field(default_factory=list)

    async def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)
        await asyncio.sleep(0)


def repositories() -> dict[str, Repository]:
    made = {"harbour/payments": Repository(), "harbour/checkout": Repository()}
    for service, each in RELEASES:
        where, tag = made[f"harbour/{service}"], f"v{each.version}"
        where.tags.append(tag)
        where.releases.append(release(tag, each.notes, each.released_at or NOW))
    return made


def shop_by_deployments(broken: frozenset[str] = frozenset()) -> GitHubStandIn:
    made = repositories()
    for id_, (service, version, place, at) in enumerate(PAST, 1):
        where = made[f"harbour/{service}"]
        where.deployments.append(deployment(id_, f"v{version}", place, at))
        where.statuses[id_] = [status("success", "done")]
    made["harbour/payments"].statuses[1].insert(0, status("inactive", ""))  # replaced in staging
    return GitHubStandIn(made, now, broken)


def shop_by_runs(broken: frozenset[str] = frozenset()) -> GitHubStandIn:
    made = repositories()
    for id_, (service, version, place, at) in enumerate(PAST, 1):
        made[f"harbour/{service}"].runs.append(
            run(id_, f"deploy {version} to {place} ()", at, "success", "raj")
        )
    return GitHubStandIn(made, now, broken)


def services(by_runs: bool = False, **changes: object) -> Mapping[str, Service]:
    workflow = Workflow("deploy.yml") if by_runs else None
    given: dict[str, object] = {"workflow": workflow, **changes}
    return {
        name: Service(name, f"harbour/{name}", **given)  # type: ignore[arg-type]  # the tests give what fits
        for name in ("payments", "checkout")
    }


@asynccontextmanager
async def github_platform(
    github: GitHubStandIn,
    declared: Mapping[str, Service] | None = None,
    waits: Pause | None = None,
    clock_at: datetime = NOW,
) -> AsyncIterator[GitHubPlatform]:
    """The platform over the stand-in, by runs where that has runs."""
    by_runs = any(each.runs for each in github.repositories.values())
    pause = waits or Waits()
    async with served(github.add) as url:
        server = GitHubServer(url, "Bearer secret", lambda: clock_at, pause)
        yield GitHubPlatform(
            server, declared or services(by_runs), ("production", "staging"), lambda: clock_at, pause=pause
        )


def source(service: str, version: str) -> dict[str, object]:
    return {
        "repoURL": f"https://git.example/harbour/{service}.git",
        "path": "deploy",
        "targetRevision": f"v{version}",
    }


def shop_by_argo(broken: frozenset[str] = frozenset(), ill: frozenset[str] = frozenset()) -> ArgoStandIn:
    past: dict[str, list[tuple[dict[str, object], datetime]]] = {}
    for service, version, place, at in PAST:
        past.setdefault(f"{service}-{place}", []).append((source(service, version), at))
    made = {name: application(name, sources, 1 if "staging" in name else 2) for name, sources in past.items()}
    tags: dict[str, list[str]] = {}
    for service, each in RELEASES:
        tags.setdefault(f"https://git.example/harbour/{service}.git", []).append(f"v{each.version}")
    return ArgoStandIn(made, tags, now, broken, ill)


def declared_for_argo(**changes: object) -> Mapping[str, Declared]:
    places = {"payments": ("production", "staging"), "checkout": ("production",)}
    return {
        name: Declared(name, {place: f"{name}-{place}" for place in where}, **changes)  # type: ignore[arg-type]  # the tests give what fits
        for name, where in places.items()
    }


@asynccontextmanager
async def argo_platform(
    argo: ArgoStandIn, declared: Mapping[str, Declared] | None = None, pause: Pause | None = None
) -> AsyncIterator[ArgoCD]:
    async with served(argo.add) as url:
        server = JsonServer(f"Argo CD {url}", url, headers={"Authorization": "Bearer secret"})
        yield ArgoCD(server, declared or declared_for_argo(), now, pause=pause or Waits())
