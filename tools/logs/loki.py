"""The logs of a Grafana Loki, by its HTTP API: range queries backwards, and index statistics for estimates."""

import json
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tools.contract import Json, ToolFailed
from tools.jsonserver import JsonServer
from tools.logs.paging import PAGE, Entry, Pages, line_of, moment
from tools.logs.port import Budget, Estimate, Line, Query, Scanned

_NANO = 1_000_000_000
LEVELS = ("level", "detected_level", "severity")


class _Payload(BaseModel):
    """What the server says; newer servers say more."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class _Stream(_Payload):
    stream: Mapping[str, str]
    values: tuple[tuple[str, str], ...]


class _Data(_Payload):
    result: tuple[_Stream, ...]


class _Answer(_Payload):
    data: _Data


class _Statistics(_Payload):
    entries: int = 0
    octets: int = Field(default=0, alias="bytes")


@dataclass(frozen=True, slots=True)
class Streams:
    """What the labels of this Loki's streams are called."""

    service: str = "service"
    environment: str = "environment"
    level: str = ""  # empty: whichever of `LEVELS` there is
    version: str = "version"


class Loki:
    """Asks the Loki behind `server`. The text is looked for by the server, in any case; everything else here too."""

    def __init__(
        self, server: JsonServer, streams: Streams | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._server, self._streams, self._clock = server, streams or Streams(), clock

    async def scan(self, query: Query, budget: Budget, take: Callable[[Line], None]) -> Scanned:
        logql = self._logql(query)
        start = _nano(query.window.start)

        async def ask(end: int) -> Sequence[Entry]:
            # The start is included and the end is not; lines of the oldest instant are asked for again.
            asked = {
                "query": logql,
                "start": str(start),
                "end": str(end + 1),
                "limit": str(PAGE),
                "direction": "backward",
            }
            return self._entries(await self._server.ask("GET", "/loki/api/v1/query_range", asked), query)

        pages = Pages(ask, query, budget, take, self._clock)
        return await pages.walk(
            _nano(query.window.end) - 1,
            (f"{self._server.name} {self._selector(query)}",),
            self._link(logql, query),
        )

    async def estimate(self, query: Query) -> Estimate:
        """By the statistics of the index, which count chunks and so a little more than the window."""
        asked = {
            "query": self._selector(query),
            "start": str(_nano(query.window.start)),
            "end": str(_nano(query.window.end)),
        }
        said = await self._server.ask("GET", "/loki/api/v1/index/stats", asked)
        try:
            statistics = _Statistics.model_validate(said)
        except ValidationError as error:
            raise ToolFailed(
                f"{self._server.name} told its statistics in another form than its API"
            ) from error
        return Estimate(statistics.entries, statistics.octets)

    def _selector(self, query: Query) -> str:
        labels = {self._streams.environment: query.environment}
        if query.service:
            labels[self._streams.service] = query.service
        return (
            "{"
            + ", ".join(f"{name}={json.dumps(value, ensure_ascii=False)}" for name, value in labels.items())
            + "}"
        )

    def _logql(self, query: Query) -> str:
        if not query.contains:
            return self._selector(query)
        literal = re.sub(r"([\\.+*?()|\[\]{}^$])", r"\\\1", query.contains)
        return f"{self._selector(query)} |~ {json.dumps(f'(?i){literal}', ensure_ascii=False)}"

    def _entries(self, said: Json, query: Query) -> list[Entry]:
        try:
            streams = _Answer.model_validate(said).data.result
        except ValidationError as error:
            raise ToolFailed(f"{self._server.name} answered in another form than its API") from error
        entries = []
        for each in streams:
            service = each.stream.get(self._streams.service) or query.service or ""
            said_level = next(
                (each.stream[name] for name in self._streams.level if name in each.stream), None
            )
            stream = json.dumps(dict(sorted(each.stream.items())))
            for at, text in each.values:
                line = line_of(
                    moment(int(at) / _NANO), text, service, said_level, each.stream.get(self._streams.version)
                )
                entries.append(Entry(int(at), f"{stream}{at}{text}", line, len(text)))
        return sorted(entries, key=lambda entry: -entry.at)

    def _link(self, logql: str, query: Query) -> str:
        shown = {"query": logql, "start": str(_nano(query.window.start)), "end": str(_nano(query.window.end))}
        return f"{self._server.url}/loki/api/v1/query_range?{urlencode(shown)}"


def _nano(at: datetime) -> int:
    return round(at.timestamp() * 1_000_000) * 1_000
