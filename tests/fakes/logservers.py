"""Log servers on loopback that hold lines in memory and speak the documented protocols of Loki and Elasticsearch."""

import json
import re
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from aiohttp import web

Kept = Mapping[str, str]  # ts (ISO 8601), service, environment, version, level, message


@asynccontextmanager
async def served(add: Callable[[web.Application], None]) -> AsyncIterator[str]:
    """An application on a free port of loopback, and its address."""
    app = web.Application()
    add(app)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def nano(line: Kept) -> int:
    return round(datetime.fromisoformat(line["ts"]).timestamp() * 1_000_000) * 1_000


@dataclass
class LokiStandIn:
    """Answers `query_range` and `index/stats` for selectors of equalities and one line filter `|~`."""

    lines: Sequence[Kept]
    asked: list[dict[str, str]] = field(default_factory=list)

    def add(self, app: web.Application) -> None:
        app.router.add_get("/loki/api/v1/query_range", self._range)
        app.router.add_get("/loki/api/v1/index/stats", self._stats)

    def _chosen(self, query: Mapping[str, str]) -> list[Kept]:
        """The start is included, the end is not; a pattern is RE2, of which the clients' escapes are Python's too."""
        selector, _, pattern = query["query"].partition(" |~ ")
        wanted = dict(re.findall(r'(\w+)="([^"]*)"', selector))
        expression = re.compile(json.loads(pattern)) if pattern else None
        return [
            line
            for line in self.lines
            if all(line.get(name) == value for name, value in wanted.items())
            and int(query["start"]) <= nano(line) < int(query["end"])
            and (expression is None or expression.search(json.dumps(line)))
        ]

    async def _range(self, request: web.Request) -> web.Response:
        self.asked.append(dict(request.query))
        found = sorted(self._chosen(request.query), key=nano, reverse=True)[: int(request.query["limit"])]
        streams: dict[str, dict[str, Any]] = {}
        for line in found:
            labels = {name: line[name] for name in ("service", "environment", "level")}
            stream = streams.setdefault(json.dumps(labels), {"stream": labels, "values": []})
            stream["values"].append([str(nano(line)), json.dumps(line)])
        data = {"resultType": "streams", "result": list(streams.values()), "stats": {"summary": {}}}
        return web.json_response({"status": "success", "data": data})

    async def _stats(self, request: web.Request) -> web.Response:
        found = self._chosen(request.query)
        octets = sum(len(json.dumps(line)) for line in found)
        return web.json_response({"streams": 1, "chunks": 1, "bytes": octets, "entries": len(found)})


@dataclass
class ElasticStandIn:
    """Answers `_search` and `_count` for a filter of one range, terms, and a phrase of whole words."""

    lines: Sequence[Kept]
    asked: list[dict[str, Any]] = field(default_factory=list)

    def add(self, app: web.Application) -> None:
        app.router.add_post("/{index}/_search", self._search)
        app.router.add_post("/{index}/_count", self._count)

    def _chosen(self, query: Mapping[str, Any]) -> list[tuple[int, Kept]]:
        found = list(enumerate(self.lines))
        for wanted in query["bool"]["filter"]:
            ((kind, condition),) = wanted.items()
            ((name, value),) = condition.items()
            found = [each for each in found if self._fits(kind, name, value, each[1])]
        return found

    def _fits(self, kind: str, name: str, value: Any, line: Kept) -> bool:
        if kind == "range":
            at = nano(line) // 1_000_000
            return _milli(value["gte"]) <= at <= _milli(value["lte"])
        if kind == "term":
            return bool(line[name] == value)
        words, phrase = (re.findall(r"\w+", text.casefold()) for text in (line[name], value))
        return any(words[at : at + len(phrase)] == phrase for at in range(len(words)))

    async def _search(self, request: web.Request) -> web.Response:
        body = await request.json()
        self.asked.append(body)
        found = sorted(self._chosen(body["query"]), key=lambda each: -nano(each[1]))[: body["size"]]
        hits = [
            {
                "_index": "logs-2026.11.23",
                "_id": str(number),
                "_score": None,
                "_source": {"@timestamp": line["ts"], **{name: line[name] for name in line if name != "ts"}},
                "sort": [nano(line) // 1_000_000],
            }
            for number, line in found
        ]
        return web.json_response({"took": 3, "timed_out": False, "hits": {"max_score": None, "hits": hits}})

    async def _count(self, request: web.Request) -> web.Response:
        found = self._chosen((await request.json())["query"])
        return web.json_response({"count": len(found), "_shards": {"total": 1, "successful": 1}})


def _milli(said: str | int) -> int:
    if isinstance(said, int):
        return said
    return round(datetime.fromisoformat(said).timestamp() * 1_000)


JOURNALCTL = """#!{python}
import json, sys
options = dict(each.partition("=")[::2] for each in sys.argv[1:])
units = [each.partition("=")[2] for each in sys.argv[1:] if each.startswith("--unit=")]
since, until = (float(options[name].lstrip("@")) for name in ("--since", "--until"))
assert "--reverse" in options and options["--output"] == "json"
for line in reversed(json.load(open({lines!r}))):
    if since <= int(line["__REALTIME_TIMESTAMP"]) / 1e6 <= until and line["_SYSTEMD_UNIT"] in units:
        print(json.dumps(line))
"""  # speaks as journalctl(1) documents `--output=json`
