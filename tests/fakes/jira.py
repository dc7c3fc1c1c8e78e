"""A Jira on loopback that holds issues in memory and answers as its REST API documents, in version 2 or 3."""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tools.contract import Clock

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
OPEN = {"name": "To Do", "statusCategory": {"id": 2, "key": "new", "name": "To Do"}}
DONE = {"name": "Done", "statusCategory": {"id": 3, "key": "done", "name": "Done"}}


@dataclass
class JiraStandIn:
    """Version 3 takes and gives texts as documents, and searches by `search/jql`; version 2 has plain texts."""

    clock: Clock
    version: str = "3"
    issues: dict[str, dict[str, Any]] = field(default_factory=dict)
    comments: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    sent: list[tuple[str, str, Any]] = field(default_factory=list)
    refusals: list[tuple[int, str]] = field(default_factory=list)  # of writes
    stuck: bool = False  # the workflow has no way to done

    def add(self, app: web.Application) -> None:
        app.middlewares.append(self._listen)
        base = f"/rest/api/{self.version}"
        search = "/search/jql" if self.version == "3" else "/search"
        for method, path, handler in (
            ("POST", search, self._search),
            ("POST", "/issue", self._open),
            ("GET", "/issue/{key}", self._get),
            ("GET", "/issue/{key}/comment", self._comments),
            ("POST", "/issue/{key}/comment", self._comment),
            ("DELETE", "/issue/{key}/comment/{id}", self._uncomment),
            ("GET", "/issue/{key}/transitions", self._transitions),
            ("POST", "/issue/{key}/transitions", self._move),
        ):
            app.router.add_route(method, base + path, handler)

    @web.middleware
    async def _listen(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        write = request.method != "GET" and not request.path.endswith(("/search", "/jql"))
        if write:
            body = await request.json() if request.can_read_body else None
            self.sent.append((request.method, request.path, body))
            if self.refusals:
                status, text = self.refusals.pop(0)
                return web.json_response({"errorMessages": [text], "errors": {}}, status=status)
        try:
            return await handler(request)
        except KeyError:
            return web.json_response({"errorMessages": ["Issue does not exist"], "errors": {}}, status=404)

    async def _search(self, request: web.Request) -> web.Response:
        """Understands conjunctions of `project =`, `labels =` and `statusCategory != Done`, newest first."""
        body = await request.json()
        condition, _, order = body["jql"].partition(" ORDER BY ")
        assert order == "created DESC"
        project: str
        (project,) = re.findall(r'project = "([^"]*)"', condition)
        labels = set(re.findall(r'labels = "([^"]*)"', condition))
        found = [
            {"id": key, "key": key, "fields": {name: each["fields"].get(name) for name in body["fields"]}}
            for key, each in reversed(self.issues.items())
            if key.startswith(f"{project}-")
            and labels <= set(each["fields"]["labels"])
            and each["fields"]["status"]["statusCategory"]["key"] != "done"
        ]
        shown = found[: body["maxResults"]]
        if self.version == "3":
            return web.json_response({"issues": shown, "isLast": len(shown) == len(found)})
        return web.json_response({"issues": shown, "total": len(found), "startAt": 0})

    async def _open(self, request: web.Request) -> web.Response:
        fields: dict[str, Any] = (await request.json())["fields"]
        self._is_text(fields["description"])
        key = f"{fields['project']['key']}-{len(self.issues) + 1}"
        at = self.clock().strftime("%Y-%m-%dT%H:%M:%S.000+0000")
        kept = {**fields, "status": OPEN, "created": at, "reporter": {"displayName": "Sayso Bot"}}
        self.issues[key] = {"key": key, "fields": kept}
        return web.json_response(
            {"id": "10000", "key": key, "self": f"https://jira.example/{key}"}, status=201
        )

    def _is_text(self, body: Any) -> None:
        if self.version == "2":
            assert isinstance(body, str)
        else:
            assert (body["type"], body["version"]) == ("doc", 1)

    async def _get(self, request: web.Request) -> web.Response:
        return web.json_response(self.issues[request.match_info["key"]])

    async def _comments(self, request: web.Request) -> web.Response:
        key = self.issues[request.match_info["key"]]["key"]
        return web.json_response({"comments": list(reversed(self.comments.get(key, []))), "total": 1})

    async def _comment(self, request: web.Request) -> web.Response:
        key, body = self.issues[request.match_info["key"]]["key"], (await request.json())["body"]
        self._is_text(body)
        made = {"id": str(900 + len(self.comments.get(key, []))), "body": body}
        self.comments.setdefault(key, []).append(made)
        return web.json_response(made, status=201)

    async def _uncomment(self, request: web.Request) -> web.Response:
        key = request.match_info["key"]
        self.comments[key] = [each for each in self.comments[key] if each["id"] != request.match_info["id"]]
        return web.Response(status=204)

    async def _transitions(self, request: web.Request) -> web.Response:
        now = self.issues[request.match_info["key"]]["fields"]["status"]
        ways = [{"id": "11", "name": "Back", "to": OPEN}, {"id": "31", "name": "Close", "to": DONE}]
        usable = [each for each in ways if each["to"] != now and not (self.stuck and each["to"] == DONE)]
        return web.json_response({"transitions": usable})

    async def _move(self, request: web.Request) -> web.Response:
        id_ = (await request.json())["transition"]["id"]
        self.issues[request.match_info["key"]]["fields"]["status"] = {"11": OPEN, "31": DONE}[id_]
        return web.Response(status=204)
