"""A request is one trace, from what was said to how it ended, whoever runs the action and whenever."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode, format_trace_id

from agent.app import App
from agent.approvals.action import Verdict
from agent.conversation.errors import ModelUnavailable
from agent.conversation.messages import Request
from agent.conversation.thread import ThreadId
from agent.models.scripted import ScriptedModel
from agent.telemetry.traces import Traces
from evals.bench.durability.stamps import PEOPLE, SURFACE, StampModel, WitnessVoice, opened

MAYA, TOM = PEOPLE.get("maya"), PEOPLE.get("tom")
THREAD = ThreadId(f"{SURFACE}:1")


class Collector(InMemorySpanExporter):
    """Outlives the processes that send to it."""

    def shutdown(self) -> None:
        """It stays."""


class Bench:
    """sayso with traces that a test can read."""

    def __init__(self, folder: Path, *, content: bool = False, salt: str = "here") -> None:
        self.folder, self._content, self._salt = folder, content, salt
        self._exporter = Collector()

    async def open(self) -> App:
        traces = Traces(SimpleSpanProcessor(self._exporter), salt=self._salt, content=self._content)
        return await opened(self.folder, self.folder / "sayso.db", model=StampModel(), traces=traces)

    def spans(self) -> list[ReadableSpan]:
        return sorted(self._exporter.get_finished_spans(), key=lambda span: span.start_time or 0)

    def named(self, name: str) -> ReadableSpan:
        return next(span for span in self.spans() if span.name == name)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


async def lived(bench: Bench) -> None:
    """A request that is answered in one process, and approved and run in another."""
    app = await bench.open()
    answer = await app.ask(MAYA, "stamp one", WitnessVoice(bench.folder / "told"), THREAD)
    await app.close()
    other = await bench.open()
    told = await other.decide(answer.actions[0], TOM, Verdict.APPROVE)

    async def progress(_line: str) -> None:
        """Nobody watches."""

    await other.run(told.action, progress, "en")
    await other.close()


async def test_one_request_is_one_trace_over_processes(bench: Bench) -> None:
    await lived(bench)
    assert [span.name for span in bench.spans()] == [
        "invoke_agent sayso",
        "chat stamper",
        "plan stamp",
        "chat stamper",
        "decide stamp",
        "run stamp",
        "plan stamp",
        "execute_tool stamp",
        "verify stamp",
    ]
    assert len({span.context.trace_id for span in bench.spans() if span.context}) == 1


async def test_spans_hang_where_they_happened(bench: Bench) -> None:
    await lived(bench)
    root, run = bench.named("invoke_agent sayso"), bench.named("run stamp")
    assert root.parent is None
    assert root.context is not None
    assert run.context is not None
    for name in ("chat stamper", "decide stamp", "run stamp"):
        parent = bench.named(name).parent
        assert parent is not None
        assert parent.span_id == root.context.span_id
    executed = bench.named("execute_tool stamp").parent
    assert executed is not None
    assert executed.span_id == run.context.span_id


async def test_attributes_follow_the_conventions(bench: Bench) -> None:
    await lived(bench)
    root, chat = bench.named("invoke_agent sayso").attributes, bench.named("chat stamper").attributes
    assert root is not None
    assert chat is not None
    assert (root["gen_ai.operation.name"], root["gen_ai.agent.name"]) == ("invoke_agent", "sayso")
    assert (root["sayso.turn"], root["gen_ai.conversation.id"]) == ("T-1", THREAD)
    assert chat["gen_ai.operation.name"] == "chat"
    assert (chat["gen_ai.request.model"], chat["gen_ai.usage.output_tokens"]) == ("stamper", 0)
    executed = bench.named("execute_tool stamp").attributes
    assert executed is not None
    assert (executed["gen_ai.tool.name"], executed["sayso.action"]) == ("stamp", "A-1")


@pytest.mark.parametrize("content", [False, True])
async def test_what_people_say_is_in_it_only_where_somebody_chose_so(tmp_path: Path, content: bool) -> None:
    bench = Bench(tmp_path, content=content)
    await lived(bench)
    everything = " ".join(str(value) for span in bench.spans() for value in (span.attributes or {}).values())
    assert ("stamp one" in everything) is content


async def test_two_installations_do_not_share_traces(tmp_path: Path) -> None:
    found = set()
    for salt in ("here", "there"):
        folder = tmp_path / salt
        folder.mkdir()
        bench = Bench(folder, salt=salt)
        await lived(bench)
        context = bench.named("invoke_agent sayso").context
        assert context is not None
        found.add(format_trace_id(context.trace_id))
    assert len(found) == 2


async def test_what_breaks_is_named_by_its_class_and_not_by_what_it_says() -> None:
    exporter = InMemorySpanExporter()
    traces = Traces(SimpleSpanProcessor(exporter), salt="here")
    model = traces.model(ScriptedModel(ModelUnavailable("the words of an endpoint")))
    request = Request((), (), "en", datetime(2026, 11, 23, tzinfo=UTC))

    async def text(_piece: str) -> None:
        """Nobody listens."""

    with pytest.raises(ModelUnavailable), traces.request("T-1", {}), traces.later("T-1", "run stamp", {}):
        await model.complete(request, text)

    spans = exporter.get_finished_spans()
    assert [span.name for span in spans] == ["chat scripted", "run stamp", "invoke_agent sayso"]
    for span in spans:
        assert (span.attributes or {})["error.type"] == "ModelUnavailable"
        assert span.status.status_code is StatusCode.ERROR
        assert "words" not in span.to_json()
