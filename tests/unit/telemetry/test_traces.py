"""A request is one trace, from what was said to how it ended, whoever runs the action and whenever."""

from pathlib import Path

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import format_trace_id

from agent.app import App
from agent.approvals.action import Verdict
from agent.conversation.messages import Reply, Request
from agent.conversation.ports import OnText
from agent.conversation.thread import ThreadId
from agent.telemetry.traces import Traces
from evals.bench.durability.stamps import PEOPLE, SURFACE, Stamp, StampModel, WitnessVoice, opened
from tools.contract import Arguments, Plan, ToolFailed

MAYA, TOM = PEOPLE.get("maya"), PEOPLE.get("tom")
KEY = "AKIA" + "IOSFODNN7EXAMPLE"
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

    async def open(self, *, model: StampModel | None = None, stamp: Stamp | None = None) -> App:
        traces = Traces(SimpleSpanProcessor(self._exporter), salt=self._salt, content=self._content)
        return await opened(self.folder, self.folder / "sayso.db", model=model, stamp=stamp, traces=traces)

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


class RaisingModel(StampModel):
    async def complete(self, request: Request, on_text: OnText) -> Reply:
        raise RuntimeError("400: the customer said 'my password is mellon'")


class RaisingStamp(Stamp):
    async def plan(self, arguments: Arguments) -> Plan:
        raise ToolFailed("backend says: token abc123 is wrong")


def written(bench: Bench) -> str:
    """Everything that left for the collector."""
    return " ".join(span.to_json() for span in bench.spans())


async def test_the_words_of_an_error_stay_here_and_its_kind_goes(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    app = await bench.open(model=RaisingModel())
    with pytest.raises(RuntimeError):
        await app.ask(MAYA, "stamp one", WitnessVoice(tmp_path / "told"), THREAD)
    await app.close()
    assert "mellon" not in written(bench)
    assert [span.attributes["error.type"] for span in bench.spans() if span.attributes] == [
        "RuntimeError"
    ] * 2
    assert not any(span.status.is_ok for span in bench.spans())


async def test_the_words_of_a_tools_error_stay_here_too(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    app = await bench.open(stamp=RaisingStamp(tmp_path / "witness"))
    await app.ask(MAYA, "stamp one", WitnessVoice(tmp_path / "told"), THREAD)
    await app.close()
    assert bench.named("plan stamp").status.is_ok is False
    assert "abc123" not in written(bench)


async def test_secrets_are_blacked_out_even_where_words_may_go(tmp_path: Path) -> None:
    bench = Bench(tmp_path, content=True)
    app = await bench.open()
    await app.ask(MAYA, f"hello {KEY}", WitnessVoice(tmp_path / "told"), THREAD)
    await app.close()
    assert "hello" in written(bench)
    assert KEY not in written(bench)


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
