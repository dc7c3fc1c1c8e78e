"""GitHub and GitLab, against local servers that answer as their documentation shows."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any

import pytest
from aiohttp import web

from tests.fakes.logservers import served
from tests.fakes.shop import NOW
from tools.changes.github import GitHubChanges
from tools.changes.gitlab import GitLabChanges
from tools.changes.paging import PER_PAGE
from tools.changes.port import ChangeKind, Occurrence, Repository, Scope
from tools.contract import ToolFailed, ToolUnavailable, Window
from tools.jsonserver import JsonServer
from tools.times import iso

DAY = Scope(Window(NOW - timedelta(days=1), NOW), "payments", "production")
REPOSITORIES = {
    "payments": Repository("harbour/payments", ("deploy",)),
    "catalog": Repository("harbour/catalog"),
}


def ago(**span: float) -> str:
    return iso(NOW - timedelta(**span))


def pulls(count: int) -> list[dict[str, Any]]:
    """Closed pull requests, newest first, every third of them not merged."""
    return [
        {
            "number": 1000 - number,
            "title": f"change {number}",
            "html_url": f"https://github.example/pull/{1000 - number}",
            "updated_at": ago(minutes=number),
            "merged_at": None if number % 3 == 2 else ago(minutes=number),
            "user": {"login": "raj", "id": 1},
            "draft": False,
        }
        for number in range(count)
    ]


GITHUB: dict[str, list[dict[str, Any]]] = {
    "/repos/harbour/payments/deployments": [
        {
            "id": 9,
            "ref": "v2.4.0",
            "environment": "production",
            "created_at": ago(hours=1),
            "creator": {"login": "raj"},
        },
        {"id": 8, "ref": "v2.3.9", "environment": "staging", "created_at": ago(hours=2), "creator": None},
        {
            "id": 7,
            "ref": "v2.3.8",
            "environment": "production",
            "created_at": ago(days=3),
            "creator": {"login": "tom"},
        },
    ],
    "/repos/harbour/payments/deployments/9/statuses": [
        {"id": 2, "state": "failure"},
        {"id": 1, "state": "pending"},
    ],
    "/repos/harbour/payments/deployments/8/statuses": [],
    "/repos/harbour/payments/releases": [
        {"tag_name": "v2.5.0", "name": "draft", "created_at": ago(hours=1), "published_at": None},
        {
            "tag_name": "v2.4.0",
            "name": "Retries",
            "html_url": "https://github.example/releases/v2.4.0",
            "created_at": ago(hours=3),
            "published_at": ago(hours=2),
            "author": {"login": "tom"},
        },
    ],
    "/repos/harbour/payments/pulls": pulls(130),
    "/repos/harbour/payments/commits": [
        {
            "sha": "abc",
            "html_url": "https://github.example/commit/abc",
            "commit": {
                "message": "Pool of 8\n\nbody",
                "committer": {"name": "Raj Iyer", "date": ago(hours=4)},
            },
            "author": None,
        }
    ],
}
GITLAB: dict[str, list[dict[str, Any]]] = {
    "/api/v4/projects/harbour%2Fpayments/deployments": [
        {
            "ref": "v2.4.0",
            "status": "failed",
            "created_at": ago(hours=1),
            "updated_at": ago(minutes=50),
            "user": {"username": "raj"},
            "environment": {"name": "production"},
        }
    ],
    "/api/v4/projects/harbour%2Fpayments/releases": [
        {
            "tag_name": "v2.4.0",
            "name": "v2.4.0",
            "created_at": ago(hours=3),
            "released_at": ago(hours=2),
            "author": {"username": "tom"},
        }
    ],
    "/api/v4/projects/harbour%2Fpayments/merge_requests": [
        {
            "iid": 12,
            "title": "Retry payments",
            "web_url": "https://gitlab.example/merge/12",
            "updated_at": ago(hours=3),
            "merged_at": ago(hours=3),
            "author": {"username": "raj"},
        }
    ],
    "/api/v4/projects/harbour%2Fpayments/repository/commits": [
        {"title": "Pool of 8", "committed_date": ago(hours=4), "committer_name": "Raj Iyer", "web_url": None}
    ],
}


@asynccontextmanager
async def forge(answers: dict[str, list[dict[str, Any]]], asked: list[str]) -> AsyncIterator[JsonServer]:
    """A server that gives its lists page by page, and 404 for what it does not have."""

    async def answer(request: web.Request) -> web.Response:
        path = request.raw_path.partition("?")[0]
        asked.append(request.raw_path)
        if path not in answers:
            return web.json_response({"message": "Not Found"}, status=404)
        size, page = int(request.query.get("per_page", "30")), int(request.query.get("page", "1"))
        return web.json_response(answers[path][(page - 1) * size : page * size])

    def add(app: web.Application) -> None:
        app.router.add_get("/{rest:.*}", answer)

    async with served(add) as url:
        yield JsonServer("forge", url)


def told(occurrences: tuple[Occurrence, ...], kind: ChangeKind) -> list[Occurrence]:
    return sorted((each for each in occurrences if each.kind is kind), key=lambda each: each.at, reverse=True)


async def test_github_tells_deployments_with_their_status_releases_merges_and_configuration() -> None:
    asked: list[str] = []
    async with forge(GITHUB, asked) as server:
        known = await GitHubChanges(server, REPOSITORIES).changes(DAY)
    deployed = told(known.occurrences, ChangeKind.DEPLOYMENT)
    assert [(each.title, each.by, each.environment, each.ok) for each in deployed] == [
        ("deployed v2.4.0, failure", "raj", "production", False),
        ("deployed v2.3.9", "", "staging", True),
    ]
    (released,) = told(known.occurrences, ChangeKind.RELEASE)
    assert (released.title, released.at) == ("released v2.4.0: Retries", NOW - timedelta(hours=2))
    (configured,) = told(known.occurrences, ChangeKind.CONFIG)
    assert (configured.title, configured.by) == ("deploy: Pool of 8", "Raj Iyer")
    assert all("/catalog/" not in path for path in asked)


async def test_lists_are_followed_as_far_back_as_is_wanted() -> None:
    asked: list[str] = []
    async with forge(GITHUB, asked) as server:
        known = await GitHubChanges(server, REPOSITORIES).changes(DAY)
        assert len(told(known.occurrences, ChangeKind.MERGE)) == 87
        assert sum("/pulls" in path for path in asked) == 2
        asked.clear()
        await GitHubChanges(server, REPOSITORIES).changes(
            Scope(Window(NOW - timedelta(minutes=PER_PAGE // 2), NOW), "payments", "production")
        )
        assert sum("/pulls" in path for path in asked) == 1


async def test_more_than_is_read_is_said() -> None:
    async with forge({**GITHUB, "/repos/harbour/payments/pulls": pulls(700)}, []) as server:
        known = await GitHubChanges(server, REPOSITORIES).changes(DAY)
    assert known.cut == "harbour/payments has more than was read"


async def test_a_list_that_is_refused_is_unchecked_and_the_others_are_told() -> None:
    without = {path: items for path, items in GITHUB.items() if not path.endswith("/deployments")}
    async with forge(without, []) as server:
        known = await GitHubChanges(server, REPOSITORIES).changes(DAY)
    assert told(known.occurrences, ChangeKind.RELEASE) != []
    (unchecked,) = known.unchecked
    assert unchecked.startswith("deployments of harbour/payments: forge refused with status 404")


async def test_gitlab_tells_the_same() -> None:
    async with forge(GITLAB, []) as server:
        known = await GitLabChanges(server, REPOSITORIES).changes(DAY)
    assert {each.kind: (each.title, each.by, each.ok) for each in known.occurrences} == {
        ChangeKind.DEPLOYMENT: ("deployed v2.4.0, failed", "raj", False),
        ChangeKind.RELEASE: ("released v2.4.0", "tom", True),
        ChangeKind.MERGE: ("merged !12: Retry payments", "raj", True),
        ChangeKind.CONFIG: ("deploy: Pool of 8", "Raj Iyer", True),
    }
    assert all(datetime.fromisoformat(ago(hours=5)) < each.at < NOW for each in known.occurrences)


@pytest.mark.parametrize("kind", [GitHubChanges, GitLabChanges])
async def test_a_repository_nobody_has_and_a_server_that_is_not_there_are_told(
    kind: type[GitHubChanges] | type[GitLabChanges],
) -> None:
    async with forge({}, []) as server:
        with pytest.raises(ToolFailed, match="404"):
            await kind(server, REPOSITORIES).changes(DAY)
    with pytest.raises(ToolUnavailable):
        await kind(JsonServer("forge", "http://127.0.0.1:9"), REPOSITORIES).changes(DAY)
