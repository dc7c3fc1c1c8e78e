"""The logs of Elasticsearch or OpenSearch: searches newest first by the parts of the API that both have."""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tools.contract import Json, ToolFailed
from tools.jsonserver import JsonServer, segment
from tools.logs.paging import PAGE, Entry, Pages, level, moment
from tools.logs.port import Budget, Estimate, Line, Query, Scanned
from tools.times import iso

NOTE = "text is found by whole words, as the index has them"


class _Payload(BaseModel):
    """What the server says; newer servers say more."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class _Hit(_Payload):
    id: str = Field(alias="_id")
    index: str = Field(default="", alias="_index")
    source: Mapping[str, object] = Field(alias="_source")
    sort: tuple[int, ...]


class _Hits(_Payload):
    hits: tuple[_Hit, ...]


class _Answer(_Payload):
    hits: _Hits
    timed_out: bool = False


class _Counted(_Payload):
    count: int


@dataclass(frozen=True, slots=True)
class Fields:
    """What the fields of a document are called; `a.b` is a field inside another (ECS: `service.name`, `log.level`)."""

    at: str = "@timestamp"
    message: str = "message"
    level: str = "level"
    service: str = "service"
    environment: str = "environment"
    version: str = "version"


class Elastic:
    """Asks the server for one index pattern (`logs-*`). Pages follow the time, so nothing is kept open there."""

    def __init__(
        self,
        server: JsonServer,
        index: str = "logs-*",
        fields: Fields | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._server, self._index, self._fields, self._clock = server, index, fields or Fields(), clock

    async def scan(self, query: Query, budget: Budget, take: Callable[[Line], None]) -> Scanned:
        path = f"/{segment(self._index)}/_search"

        async def ask(end: int) -> Sequence[Entry]:
            body: Json = {
                "query": self._where(query, end),
                "sort": [{self._fields.at: {"order": "desc", "format": "epoch_millis"}}],
                "size": PAGE,
                "track_total_hits": False,
            }
            return self._entries(await self._server.ask("POST", path, body=body), query)

        pages = Pages(ask, query, budget, take, self._clock)
        place = f"{self._server.name} {self._index}"
        return await pages.walk(_milli(query.window.end), (place,), None, NOTE if query.contains else None)

    async def estimate(self, query: Query) -> Estimate:
        """The exact count of documents, of every level and text."""
        everything = Query(query.environment, query.window, query.service)
        body: Json = {"query": self._where(everything, _milli(query.window.end))}
        said = await self._server.ask("POST", f"/{segment(self._index)}/_count", body=body)
        try:
            return Estimate(_Counted.model_validate(said).count)
        except ValidationError as error:
            raise ToolFailed(f"{self._server.name} counted in another form than its API") from error

    def _where(self, query: Query, end: int) -> Json:
        span: Json = {
            "gte": iso(query.window.start),
            "lte": end,
            "format": "strict_date_optional_time||epoch_millis",
        }
        wanted: list[Json] = [
            {"range": {self._fields.at: span}},
            {"term": {self._fields.environment: query.environment}},
        ]
        if query.service:
            wanted.append({"term": {self._fields.service: query.service}})
        if query.contains:
            wanted.append({"match_phrase": {self._fields.message: query.contains}})
        return {"bool": {"filter": wanted}}

    def _entries(self, said: Json, query: Query) -> list[Entry]:
        try:
            answer = _Answer.model_validate(said)
        except ValidationError as error:
            raise ToolFailed(f"{self._server.name} answered in another form than its API") from error
        if answer.timed_out:
            raise ToolFailed(f"{self._server.name} ran out of its own time; narrow the question")
        return [self._entry(hit, query) for hit in answer.hits.hits]

    def _entry(self, hit: _Hit, query: Query) -> Entry:
        fields, source = self._fields, hit.source
        message = _text(source, fields.message)
        line = None
        if message is not None:
            line = Line(
                at=_instant(_text(source, fields.at)) or moment(hit.sort[0] / 1_000),
                level=level(_text(source, fields.level)),
                service=_text(source, fields.service) or query.service or "",
                message=message,
                version=_text(source, fields.version),
                raw=_raw(source),
            )
        return Entry(hit.sort[0], f"{hit.index}/{hit.id}", line, len(line.raw) if line else 0)


def _text(source: Mapping[str, object], path: str) -> str | None:
    """A field by its path, whether it is written `{"a": {"b": 1}}` or `{"a.b": 1}`."""
    value = source.get(path)
    if value is None:
        value = source
        for name in path.split("."):
            value = value.get(name) if isinstance(value, Mapping) else None
    return None if value is None or isinstance(value, Mapping) else str(value)


def _raw(source: Mapping[str, object]) -> str:
    return json.dumps(source, ensure_ascii=False, default=str)


def _instant(text: str | None) -> datetime | None:
    try:
        found = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return found if found.tzinfo else None


def _milli(at: datetime) -> int:
    return round(at.timestamp() * 1_000)
