"""The metrics store of a Prometheus server (or what speaks its HTTP API: Thanos, Mimir, VictoriaMetrics)."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from urllib.parse import urlencode

from tools.contract import ToolFailed, Window
from tools.metrics.named import Formula, Scope, Written, basis, promql, selection
from tools.metrics.port import Trace
from tools.metrics.promql import parse
from tools.metrics.server import SECONDS, Matrix, PromServer, Vector

FINEST = timedelta(minutes=2)  # fits scrapes every 30 s
MOST_POINTS = 11_000  # Prometheus refuses a range of more points for one series


@dataclass(frozen=True, slots=True)
class Grafana:
    """Where people look at the same queries: the Explore page of a Grafana, and its data source's uid."""

    url: str
    source: str

    def link(self, query: str, window: Window) -> str:
        """A page as Grafana's documentation of Explore URLs has it (schema version 1); times in milliseconds."""
        start, end = (str(round(each.timestamp() * 1000)) for each in (window.start, window.end))
        pane = {
            "datasource": self.source,
            "queries": [
                {"refId": "A", "expr": query, "datasource": {"type": "prometheus", "uid": self.source}}
            ],
            "range": {"from": start, "to": end},
        }
        shown = {"schemaVersion": "1", "orgId": "1", "panes": json.dumps({"a": pane}, separators=(",", ":"))}
        return f"{self.url.rstrip('/')}/explore?{urlencode(shown)}"


class Prometheus:
    """Asks the server at `url`; `seconds` is how long one question may take.

    `finest` should be four times the scrape interval or more: a rate needs two samples in its window.
    """

    def __init__(
        self,
        url: str,
        seconds: float = SECONDS,
        finest: timedelta = FINEST,
        grafana: Grafana | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self._server, self.finest, self._grafana = PromServer(url, seconds, headers), finest, grafana

    @property
    def name(self) -> str:
        return self._server.name

    async def evaluate(
        self, formula: Formula, scope: Scope, windows: Sequence[Window]
    ) -> tuple[float | None, ...]:
        """One question for all windows of one length that follow each other evenly, one each for the others."""
        values: dict[int, float | None] = {}
        for places in _by_length(windows):
            group = [windows[place] for place in places]
            step = _even_step(group)
            if step is None:
                found = [await self._instant(formula, scope, window) for window in group]
            else:
                found = await self._range(formula, scope, group, step)
            values.update(zip(places, found, strict=True))
        return tuple(values[place] for place in range(len(windows)))

    async def origins(self, formula: Formula, scope: Scope, window: Window) -> frozenset[str]:
        return await self.values("origin", formula, scope, window)

    async def values(self, label: str, formula: Formula, scope: Scope, window: Window) -> frozenset[str]:
        asked = {
            "match[]": selection(basis(formula), scope)
            if not isinstance(formula, Written)
            else _first_of(formula, scope),
            "start": str(window.start.timestamp()),
            "end": str(window.end.timestamp()),
        }
        data = (await self._server.ask(f"/api/v1/label/{label}/values", asked)).data
        return frozenset(value for value in data if value) if isinstance(data, tuple) else frozenset()

    async def count(self, selector: str, at: datetime) -> int:
        """How many series a selector names, by one question that reads no more than their newest samples."""
        answer = await self._server.ask(
            "/api/v1/query", {"query": f"count({selector})", "time": str(at.timestamp())}
        )
        if not isinstance(answer.data, Vector):
            raise ToolFailed(f"{self.name} answered count({selector}) with something else than numbers")
        return int(float(answer.data.result[0].value[1])) if answer.data.result else 0

    async def traces(self, query: str, window: Window, step: timedelta) -> tuple[Trace, ...]:
        asked = {
            "query": query,
            "start": str((window.start + step).timestamp()),
            "end": str(window.end.timestamp()),
            "step": str(step.total_seconds()),
            "timeout": f"{self._server.seconds:g}s",
        }
        answer = await self._server.ask("/api/v1/query_range", asked)
        if not isinstance(answer.data, Matrix):
            raise ToolFailed(f"{self.name} answered {query} with something else than numbers")
        return tuple(
            Trace(
                each.metric,
                tuple((at, value) for at, text in each.values if (value := _number(text)) is not None),
            )
            for each in answer.data.result
        )

    def link(self, query: str, window: Window) -> str | None:
        if self._grafana is not None:
            return self._grafana.link(query, window)
        shown = {
            "g0.expr": query,
            "g0.tab": "0",
            "g0.range_input": f"{math.ceil(window.length.total_seconds())}s",
            "g0.end_input": f"{window.end:%Y-%m-%d %H:%M:%S}",
        }
        return f"{self._server.url}/graph?{urlencode(shown)}"

    async def _instant(self, formula: Formula, scope: Scope, window: Window) -> float | None:
        query = promql(formula, scope, window.length)
        answer = await self._server.ask(
            "/api/v1/query", {"query": query, "time": str(window.end.timestamp())}
        )
        if not isinstance(answer.data, Vector):
            raise ToolFailed(f"{self.name} answered {query} with something else than numbers")
        return _number(answer.data.result[0].value[1]) if answer.data.result else None

    async def _range(
        self, formula: Formula, scope: Scope, windows: Sequence[Window], step: timedelta
    ) -> list[float | None]:
        query = promql(formula, scope, windows[0].length)
        asked = {
            "query": query,
            "start": str(windows[0].end.timestamp()),
            "end": str(windows[-1].end.timestamp()),
            "step": str(step.total_seconds()),
        }
        answer = await self._server.ask("/api/v1/query_range", asked)
        if not isinstance(answer.data, Matrix):
            raise ToolFailed(f"{self.name} answered {query} with something else than numbers")
        values = answer.data.result[0].values if answer.data.result else ()
        by_place = {
            round((at - windows[0].end.timestamp()) / step.total_seconds()): _number(text)
            for at, text in values
        }
        return [by_place.get(place) for place in range(len(windows))]


def _by_length(windows: Sequence[Window]) -> list[list[int]]:
    """The places of the windows, those of one length together."""
    groups: dict[timedelta, list[int]] = {}
    for place, window in enumerate(windows):
        groups.setdefault(window.length, []).append(place)
    return list(groups.values())


def _even_step(windows: Sequence[Window]) -> timedelta | None:
    """The distance between windows of one length, if they follow each other evenly."""
    if not 2 <= len(windows) <= MOST_POINTS:
        return None
    step = windows[1].end - windows[0].end
    even = all(later.end - earlier.end == step for earlier, later in pairwise(windows))
    return step if even and step > timedelta(0) else None


def _first_of(formula: Written, scope: Scope) -> str:
    """The first selector of a written query, without its time."""
    first = parse(promql(formula, scope, FINEST)).selectors[0]
    return first.split(" offset ")[0]


def _number(text: str) -> float | None:
    """A sample value; what divides by nothing (`NaN`) is not known."""
    value = float(text)
    return value if math.isfinite(value) else None
