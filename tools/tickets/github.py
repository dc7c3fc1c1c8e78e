"""Issues of GitHub, by its REST API; a mark stands in the body where no reader sees it."""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from tools.contract import BadArguments, Json, ToolFailed
from tools.forgeserver import GitHubServer
from tools.jsonserver import Unheard, segment
from tools.tickets.port import Comment, Draft, Found, Place, Ticket

PER_PAGE, PAGES = 100, 5
_KEY = re.compile(r"([A-Za-z0-9._-]+/[A-Za-z0-9._-]+)#([1-9]\d{0,8})")
_NUMBER = re.compile(r"#?([1-9]\d{0,8})")


Shape = TypeVar("Shape")


class _Payload(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class _User(_Payload):
    login: str = ""


class _Label(_Payload):
    name: str


class _Issue(_Payload):
    number: int
    title: str
    body: str | None = None
    state: str
    labels: tuple[_Label, ...] = ()
    user: _User | None = None
    created_at: datetime
    html_url: str = ""
    pull_request: object = None


class _Comment(_Payload):
    id: int
    body: str | None = None


_ISSUE, _ISSUES = TypeAdapter(_Issue), TypeAdapter(tuple[_Issue, ...])
_COMMENTS = TypeAdapter(tuple[_Comment, ...])


class GitHubTickets:
    """Issues; pull requests, which the API lists among them, are none."""

    def __init__(self, server: GitHubServer) -> None:
        self._server = server

    @property
    def name(self) -> str:
        return self._server.name

    def key(self, said: str, place: Place | None) -> str:
        if _KEY.fullmatch(said):
            return said
        if (number := _NUMBER.fullmatch(said)) and place is not None:
            return f"{place.project}#{number[1]}"
        raise BadArguments(
            f"ticket = {said!r} should be owner/repository#12, or #12 with its service",
            field="ticket",
            value=said,
        )

    def project(self, key: str) -> str:
        return key.partition("#")[0]

    async def search(self, place: Place) -> Found:
        issues, more = await self._issues(place, place.labels)
        cut = f"the newest {len(issues)} were looked through" if more else None
        return Found([_ticket(place.project, each) for each in issues], cut)

    async def marked(self, place: Place, mark: str) -> Ticket | None:
        issues, _ = await self._issues(place, ())
        found = next((each for each in issues if _hidden(mark) in (each.body or "")), None)
        return _ticket(place.project, found) if found else None

    async def get(self, key: str) -> Ticket | None:
        said = await self._server.ask("GET", _path(key), missing=(404, 410))
        return None if said is None else _ticket(self.project(key), self._issue(said))

    async def open(self, place: Place, draft: Draft) -> Ticket:
        body: Json = {
            "title": draft.title,
            "body": f"{draft.text}\n\n{_hidden(draft.mark)}",
            "labels": list(draft.labels),
        }
        said = await self._server.ask("POST", f"{_base(place.project)}/issues", body=body)
        try:
            return _ticket(place.project, self._issue(said))
        except ToolFailed as error:  # it is there, whatever GitHub says of it
            raise Unheard(str(error)) from error

    async def comments(self, key: str) -> Sequence[Comment]:
        found: list[Comment] = []
        for page in range(1, PAGES + 1):
            asked = {"per_page": str(PER_PAGE), "page": str(page)}
            said = await self._server.ask("GET", f"{_path(key)}/comments", asked)
            listed = self._read(_COMMENTS, said)
            found += [Comment(str(each.id), each.body or "") for each in listed]
            if len(listed) < PER_PAGE:
                break
        return found

    async def comment(self, key: str, text: str) -> None:
        await self._server.ask("POST", f"{_path(key)}/comments", body={"body": text})

    async def uncomment(self, key: str, id_: str) -> None:
        path = f"{_base(self.project(key))}/issues/comments/{segment(id_)}"
        await self._server.ask("DELETE", path, missing=(404,))

    async def move(self, key: str, *, open_: bool) -> None:
        await self._server.ask("PATCH", _path(key), body={"state": "open" if open_ else "closed"})

    async def _issues(self, place: Place, labels: Sequence[str]) -> tuple[list[_Issue], bool]:
        """The open ones, newest first, and whether there are more than are read."""
        found: list[_Issue] = []
        for page in range(1, PAGES + 1):
            asked = {"state": "open", "sort": "created", "direction": "desc", "per_page": str(PER_PAGE)}
            asked |= {"page": str(page), **({"labels": ",".join(labels)} if labels else {})}
            said = await self._server.ask("GET", f"{_base(place.project)}/issues", asked)
            listed = self._read(_ISSUES, said)
            found += [each for each in listed if each.pull_request is None]
            if len(listed) < PER_PAGE:
                return found, False
        return found, True

    def _issue(self, said: Json) -> _Issue:
        return self._read(_ISSUE, said)

    def _read(self, adapter: TypeAdapter[Shape], said: Json) -> Shape:
        try:
            return adapter.validate_python(said)
        except ValidationError as error:
            raise ToolFailed(f"{self.name} told issues in another form than its API") from error


def _hidden(mark: str) -> str:
    return f"<!-- {mark} -->"


def _base(repository: str) -> str:
    return "/repos/" + "/".join(segment(part) for part in repository.split("/"))


def _path(key: str) -> str:
    repository, _, number = key.partition("#")
    return f"{_base(repository)}/issues/{segment(number)}"


def _ticket(repository: str, issue: _Issue) -> Ticket:
    return Ticket(
        key=f"{repository}#{issue.number}",
        title=issue.title,
        open=issue.state == "open",
        status=issue.state,
        labels=tuple(each.name for each in issue.labels),
        at=issue.created_at,
        by=issue.user.login if issue.user else "",
        link=issue.html_url,
    )
