"""Issues of Jira: version 3 of the REST API (Cloud, texts as documents), or 2 (Server and Data Center, plain texts)."""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from tools.contract import BadArguments, Json, ToolError, ToolFailed
from tools.jsonserver import JsonServer, Unheard, segment
from tools.tickets.adf import document, plain
from tools.tickets.port import Comment, Draft, Found, Place, Ticket

MOST = 100
_KEY = re.compile(r"[A-Z][A-Z0-9_]{1,30}-[1-9]\d{0,8}")
_FIELDS: list[Json] = ["summary", "status", "labels", "created", "reporter"]
Shape = TypeVar("Shape")


class _Payload(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class _Category(_Payload):
    key: str = ""


class _Status(_Payload):
    name: str = ""
    category: _Category = Field(default_factory=_Category, alias="statusCategory")


class _Person(_Payload):
    displayName: str = ""  # noqa: N815 - the API's word


class _Fields(_Payload):
    summary: str = ""
    status: _Status = Field(default_factory=_Status)
    labels: tuple[str, ...] = ()
    created: datetime
    reporter: _Person | None = None


class _Issue(_Payload):
    key: str
    fields: _Fields


class _Issues(_Payload):
    issues: tuple[_Issue, ...] = ()
    isLast: bool = True  # noqa: N815 - the API's word
    total: int = 0


class _Made(_Payload):
    key: str


class _Comment(_Payload):
    id: str
    body: object = None


class _Comments(_Payload):
    comments: tuple[_Comment, ...] = ()


class _Transition(_Payload):
    id: str
    name: str = ""
    to: _Status = Field(default_factory=_Status)


class _Transitions(_Payload):
    transitions: tuple[_Transition, ...] = ()


_ISSUES, _ISSUE, _MADE = TypeAdapter(_Issues), TypeAdapter(_Issue), TypeAdapter(_Made)
_COMMENTS, _TRANSITIONS, _JSON = TypeAdapter(_Comments), TypeAdapter(_Transitions), TypeAdapter(Json)


class JiraTickets:
    """Issues of one type; a mark is a label, which a search finds exactly."""

    def __init__(
        self, server: JsonServer, issue_type: str = "Task", version: Literal["2", "3"] = "3"
    ) -> None:
        self._server, self._type, self._version = server, issue_type, version

    @property
    def name(self) -> str:
        return self._server.name

    def key(self, said: str, place: Place | None) -> str:  # noqa: ARG002 - a key of Jira names its project
        if not _KEY.fullmatch(said.upper()):
            raise BadArguments(
                f"ticket = {said!r} should be a key such as OPS-12", field="ticket", value=said
            )
        return said.upper()

    def project(self, key: str) -> str:
        return key.rpartition("-")[0]

    async def search(self, place: Place) -> Found:
        said = await self._searched(place, [])
        more = not said.isLast or said.total > len(said.issues)
        cut = f"the newest {len(said.issues)} were looked through" if more else None
        return Found([self._ticket(each) for each in said.issues], cut)

    async def marked(self, place: Place, mark: str) -> Ticket | None:
        found = (await self._searched(place, [mark])).issues
        return self._ticket(found[0]) if found else None

    async def get(self, key: str) -> Ticket | None:
        asked = {"fields": ",".join(str(each) for each in _FIELDS)}
        said = await self._server.ask("GET", self._path(key), asked, missing=(404,))
        return None if said is None else self._ticket(self._read(_ISSUE, said))

    async def open(self, place: Place, draft: Draft) -> Ticket:
        body: Json = {
            "fields": {
                "project": {"key": place.project},
                "issuetype": {"name": self._type},
                "summary": draft.title,
                "description": self._text(draft.text),
                "labels": [*draft.labels, draft.mark],
            }
        }
        said = await self._server.ask("POST", f"/rest/api/{self._version}/issue", body=body)
        try:
            made = self._read(_MADE, said)
            found = await self.get(made.key)
        except ToolError as error:  # it is there, whatever becomes of our looking
            raise Unheard(str(error)) from error
        if found is None:
            raise Unheard(f"{self.name} made {made.key} and does not show it")
        return found

    async def comments(self, key: str) -> Sequence[Comment]:
        """The newest hundred."""
        asked = {"maxResults": str(MOST), "orderBy": "-created"}
        said = await self._server.ask("GET", f"{self._path(key)}/comment", asked)
        told = self._read(_COMMENTS, said).comments
        return [Comment(each.id, plain(_JSON.validate_python(each.body))) for each in told]

    async def comment(self, key: str, text: str) -> None:
        await self._server.ask("POST", f"{self._path(key)}/comment", body={"body": self._text(text)})

    async def uncomment(self, key: str, id_: str) -> None:
        await self._server.ask("DELETE", f"{self._path(key)}/comment/{segment(id_)}", missing=(404,))

    async def move(self, key: str, *, open_: bool) -> None:
        """By the first transition of the workflow that leads to a status that is done, or is not."""
        said = self._read(_TRANSITIONS, await self._server.ask("GET", f"{self._path(key)}/transitions"))
        fitting = [each for each in said.transitions if (each.to.category.key != "done") is open_]
        if not fitting:
            named = ", ".join(each.name for each in said.transitions) or "none"
            wanted = "opens it again" if open_ else "closes it"
            raise ToolFailed(f"{key} has no transition now that {wanted}; it has: {named}")
        await self._server.ask(
            "POST", f"{self._path(key)}/transitions", body={"transition": {"id": fitting[0].id}}
        )

    async def _searched(self, place: Place, more: Sequence[str]) -> _Issues:
        """Open issues with every label. What stands in JQL comes from the settings, or is a mark of ours."""
        parts = [f"project = {_quoted(place.project)}", "statusCategory != Done"]
        parts += [f"labels = {_quoted(each)}" for each in (*place.labels, *more)]
        body: Json = {
            "jql": f"{' AND '.join(parts)} ORDER BY created DESC",
            "fields": _FIELDS,
            "maxResults": MOST,
        }
        path = "/rest/api/3/search/jql" if self._version == "3" else "/rest/api/2/search"
        return self._read(_ISSUES, await self._server.ask("POST", path, body=body))

    def _text(self, text: str) -> Json:
        return document(text) if self._version == "3" else text

    def _path(self, key: str) -> str:
        return f"/rest/api/{self._version}/issue/{segment(key)}"

    def _ticket(self, issue: _Issue) -> Ticket:
        fields = issue.fields
        return Ticket(
            key=issue.key,
            title=fields.summary,
            open=fields.status.category.key != "done",
            status=fields.status.name,
            labels=fields.labels,
            at=fields.created,
            by=fields.reporter.displayName if fields.reporter else "",
            link=f"{self._server.url}/browse/{issue.key}",
        )

    def _read(self, adapter: TypeAdapter[Shape], said: Json) -> Shape:
        try:
            return adapter.validate_python(said)
        except ValidationError as error:
            raise ToolFailed(f"{self.name} told issues in another form than its API") from error


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
