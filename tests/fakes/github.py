"""A GitHub on loopback that holds repositories in memory and answers as its REST API documents.

Deployments and runs move one step each time they are looked at. What is in `refusals` is answered first, once each.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from aiohttp import web

from tools.contract import Clock
from tools.times import iso

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
BOT = {"login": "sayso-bot", "id": 41, "type": "Bot"}


@dataclass
class Repository:
    """One repository; commits are named by their tags."""

    releases: list[dict[str, Any]] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)
    deployments: list[dict[str, Any]] = field(default_factory=list)  # oldest first
    statuses: dict[int, list[dict[str, Any]]] = field(default_factory=dict)  # newest first
    runs: list[dict[str, Any]] = field(default_factory=list)  # oldest first
    checks: list[dict[str, Any]] = field(default_factory=list)
    contexts: list[dict[str, Any]] = field(default_factory=list)
    required: list[str] = field(default_factory=list)
    environments: dict[str, dict[str, Any]] = field(default_factory=dict)
    issues: list[dict[str, Any]] = field(default_factory=list)
    comments: list[dict[str, Any]] = field(default_factory=list)


@dataclass
class GitHubStandIn:
    """`broken` versions fail; with `silent` runs are not named in the answer to a dispatch, as before 2026."""

    repositories: dict[str, Repository]
    clock: Clock
    broken: frozenset[str] = frozenset()
    silent: bool = False
    run_name: str = "{kind} {version} to {environment} ({key})"
    refusals: list[tuple[int, Mapping[str, str], str]] = field(default_factory=list)
    stuck: bool = False  # what was started stays pending
    asked: list[tuple[str, str]] = field(default_factory=list)
    sent: list[tuple[str, str, Any]] = field(default_factory=list)

    def add(self, app: web.Application) -> None:
        app.middlewares.append(self._listen)
        repo = "/repos/{owner}/{name}"
        for method, path, handler in (
            ("GET", "", self._repository),
            ("GET", "/releases", self._releases),
            ("GET", "/tags", self._tags),
            ("GET", "/commits/{ref}", self._commit),
            ("GET", "/commits/{ref}/check-runs", self._checks),
            ("GET", "/commits/{ref}/status", self._combined),
            ("GET", "/branches/main", self._branch),
            ("GET", "/rules/branches/main", self._rules),
            ("GET", "/environments/{environment}", self._environment),
            ("GET", "/deployments", self._deployments),
            ("POST", "/deployments", self._deploy),
            ("GET", "/deployments/{id}", self._deployment),
            ("GET", "/deployments/{id}/statuses", self._statuses),
            ("GET", "/actions/workflows/{file}/runs", self._runs),
            ("POST", "/actions/workflows/{file}/dispatches", self._dispatch),
            ("GET", "/actions/runs/{id}", self._run),
            ("GET", "/actions/runs/{id}/jobs", self._jobs),
            ("GET", "/actions/runs/{id}/pending_deployments", self._pending),
            ("GET", "/issues", self._issues),
            ("POST", "/issues", self._open),
            ("GET", "/issues/{number}", self._issue),
            ("PATCH", "/issues/{number}", self._edit),
            ("GET", "/issues/{number}/comments", self._comments),
            ("POST", "/issues/{number}/comments", self._comment),
            ("DELETE", "/issues/comments/{id}", self._uncomment),
        ):
            app.router.add_route(method, repo + path, handler)

    @web.middleware
    async def _listen(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        self.asked.append((request.method, request.path))
        if request.method != "GET":
            body = await request.json() if request.can_read_body else None
            self.sent.append((request.method, request.path, body))
        if self.refusals:
            status, headers, text = self.refusals.pop(0)
            return web.json_response({"message": text}, status=status, headers=dict(headers))
        try:
            return await handler(request)
        except KeyError:
            return web.json_response({"message": "Not Found", "status": "404"}, status=404)

    def _of(self, request: web.Request) -> Repository:
        return self.repositories[f"{request.match_info['owner']}/{request.match_info['name']}"]

    def _page(self, request: web.Request, items: list[dict[str, Any]]) -> web.Response:
        return web.json_response(self._part(request, items))

    def _part(self, request: web.Request, items: list[dict[str, Any]]) -> list[dict[str, Any]]:
        size, page = int(request.query.get("per_page", "30")), int(request.query.get("page", "1"))
        return items[(page - 1) * size : page * size]

    async def _repository(self, request: web.Request) -> web.Response:
        self._of(request)
        return web.json_response({"id": 1, "default_branch": "main", "private": True})

    async def _releases(self, request: web.Request) -> web.Response:
        return self._page(request, self._of(request).releases)

    async def _tags(self, request: web.Request) -> web.Response:
        return self._page(
            request, [{"name": tag, "commit": {"sha": sha(tag)}} for tag in self._of(request).tags]
        )

    async def _commit(self, request: web.Request) -> web.Response:
        if request.match_info["ref"] not in self._of(request).tags:
            return web.json_response({"message": "No commit found for SHA"}, status=422)
        return web.json_response({"sha": sha(request.match_info["ref"]), "commit": {"message": "x"}})

    async def _checks(self, request: web.Request) -> web.Response:
        runs = self._of(request).checks
        return web.json_response({"total_count": len(runs), "check_runs": self._part(request, runs)})

    async def _combined(self, request: web.Request) -> web.Response:
        statuses = self._part(request, self._of(request).contexts)
        return web.json_response({"state": "success", "statuses": statuses})

    async def _branch(self, request: web.Request) -> web.Response:
        required = {"enforcement_level": "everyone", "contexts": self._of(request).required, "checks": []}
        protection = {"enabled": True, "required_status_checks": required}
        return web.json_response({"name": "main", "protected": True, "protection": protection})

    async def _rules(self, request: web.Request) -> web.Response:
        rule = {
            "type": "required_status_checks",
            "ruleset_id": 42,
            "parameters": {
                "required_status_checks": [{"context": each} for each in self._of(request).required[:1]],
                "strict_required_status_checks_policy": False,
            },
        }
        return web.json_response([{"type": "deletion", "ruleset_id": 42}, rule])

    async def _environment(self, request: web.Request) -> web.Response:
        return web.json_response(self._of(request).environments[request.match_info["environment"]])

    async def _deployments(self, request: web.Request) -> web.Response:
        found = [
            each
            for each in reversed(self._of(request).deployments)
            if request.query.get("environment") in {None, each["environment"]}
            and request.query.get("task") in {None, each["task"]}
        ]
        return self._page(request, found)

    async def _deploy(self, request: web.Request) -> web.Response:
        repository, body = self._of(request), await request.json()
        made = {
            "id": 1000 + len(repository.deployments),
            "sha": sha(body["ref"]),
            "ref": body["ref"],
            "task": body.get("task", "deploy"),
            "payload": body.get("payload", {}),
            "environment": body.get("environment", "production"),
            "description": body.get("description"),
            "creator": BOT,
            "created_at": iso(self.clock()),
            "updated_at": iso(self.clock()),
            "production_environment": body.get("environment") == "production",
            "transient_environment": False,
        }
        repository.deployments.append(made)
        repository.statuses[made["id"]] = []
        return web.json_response(made, status=201)

    async def _deployment(self, request: web.Request) -> web.Response:
        repository, id_ = self._of(request), int(request.match_info["id"])
        found = next((each for each in repository.deployments if each["id"] == id_), None)
        if found is None:
            raise KeyError(id_)
        self._move(repository, found)
        return web.json_response(found)

    def _move(self, repository: Repository, deployment: dict[str, Any]) -> None:
        """One step: queued, in progress, and its end; a success makes those before it inactive, but in production."""
        told = repository.statuses[deployment["id"]]
        if self.stuck and told:
            return
        match len(told):
            case 0:
                told.insert(0, status("queued", "in the queue"))
            case 1:
                told.insert(0, status("in_progress", "three pods to go"))
            case 2:
                good = not any(each in deployment["ref"] for each in self.broken)
                told.insert(
                    0, status("success" if good else "failure", "done" if good else "not healthy in time")
                )
                if good and not deployment["production_environment"]:
                    self._retire(repository, deployment)

    def _retire(self, repository: Repository, deployment: dict[str, Any]) -> None:
        for each in repository.deployments:
            told = repository.statuses[each["id"]]
            older = each["id"] != deployment["id"] and each["environment"] == deployment["environment"]
            if older and told and told[0]["state"] == "success":
                told.insert(0, status("inactive", ""))

    async def _statuses(self, request: web.Request) -> web.Response:
        return self._page(request, self._of(request).statuses[int(request.match_info["id"])])

    async def _runs(self, request: web.Request) -> web.Response:
        found = list(reversed(self._of(request).runs))
        return web.json_response({"total_count": len(found), "workflow_runs": found})

    async def _dispatch(self, request: web.Request) -> web.Response:
        repository, body = self._of(request), await request.json()
        if self.silent and "return_run_details" in body:
            return web.json_response({"message": "Invalid request. No such field."}, status=422)
        made = run(7000 + len(repository.runs), self.run_name.format(**body["inputs"]), self.clock(), None)
        repository.runs.append(made)
        if self.silent:
            return web.Response(status=204)
        return web.json_response(
            {
                "workflow_run_id": made["id"],
                "run_url": "https://api.github.example/x",
                "html_url": made["html_url"],
            }
        )

    async def _run(self, request: web.Request) -> web.Response:
        id_ = int(request.match_info["id"])
        found = next((each for each in self._of(request).runs if each["id"] == id_), None)
        if found is None:
            raise KeyError(id_)
        good = not any(each in found["display_title"] for each in self.broken)
        if not self.stuck:
            steps = {"queued": "waiting", "waiting": "in_progress", "in_progress": "completed"}
            found["status"] = steps.get(found["status"], found["status"])
            if found["status"] == "completed":
                found["conclusion"] = found["conclusion"] or ("success" if good else "failure")
        return web.json_response(found)

    async def _jobs(self, request: web.Request) -> web.Response:
        found = next(each for each in self._of(request).runs if each["id"] == int(request.match_info["id"]))
        if found["status"] in {"queued", "waiting"}:
            return web.json_response({"total_count": 0, "jobs": []})
        step = {"name": "Push image", "status": "completed", "conclusion": "success", "number": 1}
        job = {
            "id": 1,
            "name": "deploy",
            "status": found["status"],
            "conclusion": found["conclusion"],
            "steps": [step, {"name": "Wait", "status": "in_progress", "conclusion": None, "number": 2}],
        }
        return web.json_response({"total_count": 1, "jobs": [job]})

    async def _pending(self, request: web.Request) -> web.Response:
        reviewer = {"type": "Team", "reviewer": {"id": 1, "name": "Release", "slug": "release"}}
        return web.json_response(
            [{"environment": {"id": 5, "name": "production"}, "wait_timer": 0, "reviewers": [reviewer]}]
        )

    async def _issues(self, request: web.Request) -> web.Response:
        labels = set(filter(None, request.query.get("labels", "").split(",")))
        state = request.query.get("state", "open")
        found = [
            each
            for each in reversed(self._of(request).issues)
            if labels <= {label["name"] for label in each["labels"]} and state in {"all", each["state"]}
        ]
        return self._page(request, found)

    async def _open(self, request: web.Request) -> web.Response:
        repository, body = self._of(request), await request.json()
        number = len(repository.issues) + 1
        made = issue(number, body["title"], body.get("body"), body.get("labels", []), self.clock())
        repository.issues.append(made)
        return web.json_response(made, status=201)

    def _numbered(self, request: web.Request) -> dict[str, Any]:
        number = int(request.match_info["number"])
        found = next((each for each in self._of(request).issues if each["number"] == number), None)
        if found is None:
            raise KeyError(number)
        return found

    async def _issue(self, request: web.Request) -> web.Response:
        return web.json_response(self._numbered(request))

    async def _edit(self, request: web.Request) -> web.Response:
        found = self._numbered(request)
        found.update(await request.json())
        return web.json_response(found)

    async def _comments(self, request: web.Request) -> web.Response:
        number = self._numbered(request)["number"]
        found = [each for each in self._of(request).comments if each["number"] == number]
        return self._page(request, found)

    async def _comment(self, request: web.Request) -> web.Response:
        repository, number = self._of(request), self._numbered(request)["number"]
        made = {
            "id": 500 + len(repository.comments),
            "number": number,
            "body": (await request.json())["body"],
            "user": BOT,
            "created_at": iso(self.clock()),
            "html_url": f"https://github.example/issues/{number}#issuecomment",
        }
        repository.comments.append(made)
        return web.json_response(made, status=201)

    async def _uncomment(self, request: web.Request) -> web.Response:
        comments, id_ = self._of(request).comments, int(request.match_info["id"])
        if not any(each["id"] == id_ for each in comments):
            raise KeyError(id_)
        comments[:] = [each for each in comments if each["id"] != id_]
        return web.Response(status=204)


def sha(tag: str) -> str:
    return tag.encode().hex().ljust(40, "0")[:40]


def status(state: str, description: str) -> dict[str, Any]:
    return {
        "id": 1,
        "state": state,
        "description": description,
        "log_url": "https://ci.example/1",
        "creator": BOT,
    }


def deployment(id_: int, ref: str, environment: str, at: datetime, login: str = "raj") -> dict[str, Any]:
    """One that somebody else made."""
    return {
        "id": id_,
        "sha": sha(ref),
        "ref": ref,
        "task": "deploy",
        "payload": "{}",
        "environment": environment,
        "description": None,
        "creator": {"login": login},
        "created_at": iso(at),
        "production_environment": environment == "production",
    }


def run(
    id_: int, title: str, at: datetime, conclusion: str | None, login: str = "sayso-bot"
) -> dict[str, Any]:
    return {
        "id": id_,
        "name": "Deploy",
        "display_title": title,
        "event": "workflow_dispatch",
        "status": "completed" if conclusion else "queued",
        "conclusion": conclusion,
        "html_url": f"https://github.example/runs/{id_}",
        "created_at": iso(at),
        "actor": {"login": login},
        "triggering_actor": {"login": login},
    }


def issue(number: int, title: str, body: str | None, labels: list[str], at: datetime) -> dict[str, Any]:
    return {
        "number": number,
        "title": title,
        "body": body,
        "state": "open",
        "labels": [{"id": 1, "name": each, "color": "ededed"} for each in labels],
        "user": BOT,
        "created_at": iso(at),
        "html_url": f"https://github.example/issues/{number}",
        "comments": 0,
    }


def release(tag: str, name: str, at: datetime) -> dict[str, Any]:
    return {
        "tag_name": tag,
        "name": name or tag,
        "body": "",
        "draft": False,
        "prerelease": False,
        "created_at": iso(at),
        "published_at": iso(at),
        "author": {"login": "tom"},
    }
