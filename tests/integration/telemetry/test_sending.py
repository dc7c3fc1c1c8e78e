"""Traces over OTLP/HTTP: what a process sends to a collector on this machine."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from aiohttp import web
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

ROOT = Path(__file__).parents[3]
SETTINGS = """
people:
  maya: {name: Maya, roles: [viewer]}
tools: {enabled: [knowledge]}
access: {knowledge: [viewer]}
knowledge: {embedder: none}
"""


@dataclass
class Collector:
    """Takes in what is sent to it; `broken` answers with an error."""

    broken: bool = False
    names: list[str] = field(default_factory=list)
    traces: set[bytes] = field(default_factory=set)
    url: str = ""

    async def take(self, request: web.Request) -> web.Response:
        sent = ExportTraceServiceRequest.FromString(await request.read())
        spans = [
            span for resource in sent.resource_spans for scope in resource.scope_spans for span in scope.spans
        ]
        self.names += [span.name for span in spans]
        self.traces |= {span.trace_id for span in spans}
        return web.Response(status=400 if self.broken else 200)


@pytest.fixture
async def collector() -> AsyncIterator[Collector]:
    made = Collector()
    app = web.Application()
    app.router.add_post("/v1/traces", made.take)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    made.url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1/traces"
    yield made
    await runner.cleanup()


async def asked(home: Path, url: str) -> tuple[int | None, str]:
    """`sayso ask` in a process of its own: exit code and what it printed."""
    (home / "sayso.yaml").write_text(SETTINGS, encoding="utf-8")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "agent.cli", "ask", "--home", str(home), "--as", "maya", "hello"),
        cwd=ROOT,
        env={**os.environ, "SAYSO_TELEMETRY__TRACES": url},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    return process.returncode, said.decode()


async def test_a_question_arrives_at_the_collector_as_one_trace(collector: Collector, tmp_path: Path) -> None:
    code, said = await asked(tmp_path, collector.url)

    assert code == 0, said
    assert {"invoke_agent sayso", "chat embedded planner"} <= set(collector.names)
    assert len(collector.traces) == 1


async def test_a_collector_that_refuses_changes_nothing_for_the_person(
    collector: Collector, tmp_path: Path
) -> None:
    collector.broken = True

    code, said = await asked(tmp_path, collector.url)

    assert code == 0, said
    assert collector.names != []
