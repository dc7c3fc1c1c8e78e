"""What GitHub knows: deployments with their last status, releases, merged pull requests, commits to configuration."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime

from pydantic import TypeAdapter, ValidationError

from tools.changes.paging import Part, Payload, joined, listed, together
from tools.changes.port import ChangeKind, Known, Occurrence, Repositories, Repository, Scope
from tools.contract import ToolFailed
from tools.jsonserver import JsonServer, segment
from tools.times import iso

_NEVER = datetime(1, 1, 1, tzinfo=UTC)
_FAILED = frozenset({"failure", "error"})


class _User(Payload):
    login: str = ""


class _Deployment(Payload):
    id: int
    ref: str
    environment: str
    created_at: datetime
    creator: _User | None = None
    description: str | None = None


class _DeploymentStatus(Payload):
    state: str


class _Release(Payload):
    tag_name: str
    name: str | None = None
    html_url: str | None = None
    created_at: datetime
    published_at: datetime | None = None
    author: _User | None = None


class _Pull(Payload):
    number: int
    title: str
    html_url: str | None = None
    updated_at: datetime
    merged_at: datetime | None = None
    user: _User | None = None


class _Author(Payload):
    name: str = ""
    date: datetime


class _CommitText(Payload):
    message: str
    committer: _Author


class _Commit(Payload):
    sha: str
    html_url: str | None = None
    commit: _CommitText
    author: _User | None = None


_STATUSES = TypeAdapter(tuple[_DeploymentStatus, ...])


class GitHubChanges:
    """Asks the REST API (version 2022-11-28) about the repository of each service."""

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
        base = "/repos/" + "/".join(segment(part) for part in where.path.split("/"))
        parts = {
            "deployments": self._deployments(base, service, scope),
            "releases": self._releases(base, service, scope),
            "pull requests": self._pulls(base, service, scope),
        }
        parts |= {f"commits to {path}": self._config(base, service, scope, path) for path in where.config}
        return await together(where.path, parts)

    async def _deployments(self, base: str, service: str, scope: Scope) -> Part:
        found, more = await listed(
            self._server, f"{base}/deployments", _Deployment, scope.window.start, lambda each: each.created_at
        )
        inside = [each for each in found if scope.window.start <= each.created_at < scope.window.end]
        states = await asyncio.gather(*(self._state(base, each.id) for each in inside))
        return [
            Occurrence(
                at=each.created_at,
                kind=ChangeKind.DEPLOYMENT,
                title=f"deployed {each.ref}" + (f", {state}" if state else ""),
                by=_login(each.creator),
                source=self.name,
                service=service,
                environment=each.environment,
                ok=state not in _FAILED,
            )
            for each, state in zip(inside, states, strict=True)
        ], more

    async def _state(self, base: str, id_: int) -> str:
        """The newest status of a deployment, the first that the API lists."""
        said = await self._server.ask(
            "GET", f"{base}/deployments/{id_}/statuses", {"per_page": "1"}, missing=(404,)
        )
        try:
            statuses = _STATUSES.validate_python(said or ())
        except ValidationError as error:
            raise ToolFailed(f"{self.name} told a status in another form than its API") from error
        return statuses[0].state if statuses else ""

    async def _releases(self, base: str, service: str, scope: Scope) -> Part:
        found, more = await listed(
            self._server, f"{base}/releases", _Release, scope.window.start, lambda each: each.created_at
        )
        return [
            Occurrence(
                at=each.published_at,
                kind=ChangeKind.RELEASE,
                title=f"released {each.tag_name}"
                + (f": {each.name}" if each.name not in {None, each.tag_name} else ""),
                by=_login(each.author),
                source=self.name,
                service=service,
                link=each.html_url,
            )
            for each in found
            if each.published_at is not None
        ], more

    async def _pulls(self, base: str, service: str, scope: Scope) -> Part:
        """A merged pull request was updated when it was merged or later, so the order by update misses none."""
        asked = {"state": "closed", "sort": "updated", "direction": "desc"}
        found, more = await listed(
            self._server, f"{base}/pulls", _Pull, scope.window.start, lambda each: each.updated_at, asked
        )
        return [
            Occurrence(
                at=each.merged_at,
                kind=ChangeKind.MERGE,
                title=f"merged #{each.number}: {each.title}",
                by=_login(each.user),
                source=self.name,
                service=service,
                link=each.html_url,
            )
            for each in found
            if each.merged_at is not None
        ], more

    async def _config(self, base: str, service: str, scope: Scope, path: str) -> Part:
        asked = {"path": path, "since": iso(scope.window.start), "until": iso(scope.window.end)}
        found, more = await listed(
            self._server, f"{base}/commits", _Commit, _NEVER, lambda _: scope.window.end, asked
        )
        return [
            Occurrence(
                at=each.commit.committer.date,
                kind=ChangeKind.CONFIG,
                title=f"{path}: {_first(each.commit.message)}",
                by=_login(each.author) or each.commit.committer.name,
                source=self.name,
                service=service,
                link=each.html_url,
            )
            for each in found
        ], more


def _login(user: _User | None) -> str:
    return user.login if user else ""


def _first(message: str) -> str:
    lines: Sequence[str] = message.splitlines()
    return lines[0][:200] if lines else "no message"
