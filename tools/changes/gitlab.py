"""What GitLab knows: deployments, releases, merged merge requests, commits to configuration."""

import asyncio
from datetime import UTC, datetime

from tools.changes.paging import Part, Payload, joined, listed, together
from tools.changes.port import ChangeKind, Known, Occurrence, Repositories, Repository, Scope
from tools.jsonserver import JsonServer, segment
from tools.times import iso

_NEVER = datetime(1, 1, 1, tzinfo=UTC)


class _User(Payload):
    username: str = ""


class _Environment(Payload):
    name: str


class _Deployment(Payload):
    ref: str
    status: str
    created_at: datetime
    updated_at: datetime
    user: _User | None = None
    environment: _Environment


class _Release(Payload):
    tag_name: str
    name: str | None = None
    created_at: datetime
    released_at: datetime
    author: _User | None = None


class _Merge(Payload):
    iid: int
    title: str
    web_url: str | None = None
    updated_at: datetime
    merged_at: datetime | None = None
    author: _User | None = None


class _Commit(Payload):
    title: str
    committed_date: datetime
    committer_name: str = ""
    web_url: str | None = None


class GitLabChanges:
    """Asks version 4 of the REST API about the project of each service."""

    def __init__(self, server: JsonServer, repositories: Repositories) -> None:
        self._server, self._repositories = server, repositories

    @property
    def name(self) -> str:
        return self._server.name

    async def changes(self, scope: Scope) -> Known:
        chosen = [each for each in self._repositories.items() if scope.service in {None, each[0]}]
        known = await asyncio.gather(*(self._of(service, where, scope) for service, where in chosen))
        return joined(known)

    async def _of(self, service: str, where: Repository, scope: Scope) -> Known:
        base = f"/api/v4/projects/{segment(where.path)}"
        parts = {
            "deployments": self._deployments(base, service, scope),
            "releases": self._releases(base, service, scope),
            "merge requests": self._merges(base, service, scope),
        }
        parts |= {f"commits to {path}": self._config(base, service, scope, path) for path in where.config}
        return await together(where.path, parts)

    async def _deployments(self, base: str, service: str, scope: Scope) -> Part:
        asked = {"order_by": "updated_at", "sort": "desc", "updated_after": iso(scope.window.start)}
        found, more = await listed(
            self._server,
            f"{base}/deployments",
            _Deployment,
            scope.window.start,
            lambda each: each.updated_at,
            asked,
        )
        return [
            Occurrence(
                at=each.created_at,
                kind=ChangeKind.DEPLOYMENT,
                title=f"deployed {each.ref}, {each.status}",
                by=_username(each.user),
                source=self.name,
                service=service,
                environment=each.environment.name,
                ok=each.status != "failed",
            )
            for each in found
        ], more

    async def _releases(self, base: str, service: str, scope: Scope) -> Part:
        found, more = await listed(
            self._server, f"{base}/releases", _Release, scope.window.start, lambda each: each.released_at
        )
        return [
            Occurrence(
                at=each.released_at,
                kind=ChangeKind.RELEASE,
                title=f"released {each.tag_name}"
                + (f": {each.name}" if each.name not in {None, each.tag_name} else ""),
                by=_username(each.author),
                source=self.name,
                service=service,
            )
            for each in found
        ], more

    async def _merges(self, base: str, service: str, scope: Scope) -> Part:
        asked = {
            "state": "merged",
            "order_by": "updated_at",
            "sort": "desc",
            "updated_after": iso(scope.window.start),
        }
        found, more = await listed(
            self._server,
            f"{base}/merge_requests",
            _Merge,
            scope.window.start,
            lambda each: each.updated_at,
            asked,
        )
        return [
            Occurrence(
                at=each.merged_at,
                kind=ChangeKind.MERGE,
                title=f"merged !{each.iid}: {each.title}",
                by=_username(each.author),
                source=self.name,
                service=service,
                link=each.web_url,
            )
            for each in found
            if each.merged_at is not None
        ], more

    async def _config(self, base: str, service: str, scope: Scope, path: str) -> Part:
        asked = {"path": path, "since": iso(scope.window.start), "until": iso(scope.window.end)}
        found, more = await listed(
            self._server, f"{base}/repository/commits", _Commit, _NEVER, lambda _: scope.window.end, asked
        )
        return [
            Occurrence(
                at=each.committed_date,
                kind=ChangeKind.CONFIG,
                title=f"{path}: {each.title[:200]}",
                by=each.committer_name,
                source=self.name,
                service=service,
                link=each.web_url,
            )
            for each in found
        ], more


def _username(user: _User | None) -> str:
    return user.username if user else ""
