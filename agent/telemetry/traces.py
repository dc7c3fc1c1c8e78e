"""OpenTelemetry traces of a request, from what was said to how it ended, with the GenAI conventions.

One request is one trace, over processes and over the minutes that an approval takes: its ids are derived from the turn,
so whoever runs the action later adds to the same trace without having been told of it. Names and attributes follow
https://opentelemetry.io/docs/specs/semconv/gen-ai/ ; ours begin with `sayso.`. What people, models and tools say stays
out, unless the settings say otherwise.
"""

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from importlib.metadata import version

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.trace import NonRecordingSpan, SpanContext, SpanKind, Status, StatusCode, TraceFlags

from agent.conversation.messages import Reply, Request
from agent.conversation.ports import ChatModel, Closing, OnText
from agent.conversation.redact import Redactor
from agent.telemetry.spans import Attributes
from tools.contract import (
    Arguments,
    Asker,
    Grant,
    Outcome,
    Plan,
    Progress,
    ReadTool,
    Spec,
    Verification,
    WriteTool,
)
from tools.registry import Registry

_ROOT: ContextVar[tuple[int, int] | None] = ContextVar("root of a request", default=None)


class TracesUnavailable(Exception):
    """A package is missing; the message says which extra has it."""


class _Ids(RandomIdGenerator):
    """Random ids, but for the first span of a request."""

    def generate_trace_id(self) -> int:
        root = _ROOT.get()
        return super().generate_trace_id() if root is None else root[0]

    def generate_span_id(self) -> int:
        root = _ROOT.get()
        if root is None:
            return super().generate_span_id()
        _ROOT.set(None)  # only the first one
        return root[1]


class Traces:
    """Implements `Spans`, and wraps a model and tools. `salt` tells this installation's requests from others'."""

    def __init__(
        self, processor: SpanProcessor, *, salt: str, content: bool = False, redactor: Redactor | None = None
    ) -> None:
        resource = Resource.create({"service.name": "sayso", "service.version": version("sayso")})
        self._provider = TracerProvider(resource=resource, id_generator=_Ids())
        self._provider.add_span_processor(processor)
        self._tracer = self._provider.get_tracer("sayso", version("sayso"))
        self._salt, self._content, self._redactor = salt, content, redactor or Redactor()

    @classmethod
    def to(cls, endpoint: str, *, salt: str, content: bool, redactor: Redactor) -> "Traces":
        """Sends them to an OTLP endpoint over HTTP, in the background. Raises `TracesUnavailable`."""
        try:
            from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        except ImportError as error:
            raise TracesUnavailable(
                "`telemetry.traces` needs a package: pip install 'sayso[traces]'"
            ) from error
        return cls(
            BatchSpanProcessor(OTLPSpanExporter(endpoint=endpoint)),
            salt=salt,
            content=content,
            redactor=redactor,
        )

    def close(self) -> None:
        """Sends what is left."""
        self._provider.shutdown()

    # --- spans of the application --------------------------------------------------------------------------------

    @contextmanager
    def request(self, turn: str, attributes: Attributes, /) -> Iterator[None]:
        token = _ROOT.set(self._ids(turn))
        try:
            span = self._tracer.start_span(
                "invoke_agent sayso",
                context=Context(),
                kind=SpanKind.SERVER,
                attributes={
                    "gen_ai.operation.name": "invoke_agent",
                    "gen_ai.agent.name": "sayso",
                    "sayso.turn": turn,
                    **attributes,
                },
            )
        finally:
            _ROOT.reset(token)
        with (
            trace.use_span(span, end_on_exit=True, record_exception=False, set_status_on_exception=False),
            _told(span),
        ):
            yield

    @contextmanager
    def later(self, turn: str, name: str, attributes: Attributes, /) -> Iterator[None]:
        trace_id, span_id = self._ids(turn)
        root = SpanContext(trace_id, span_id, is_remote=True, trace_flags=TraceFlags(TraceFlags.SAMPLED))
        context = trace.set_span_in_context(NonRecordingSpan(root), Context())
        with _span(self._tracer, name, dict(attributes), context=context):
            yield

    def _ids(self, turn: str) -> tuple[int, int]:
        hashed = hashlib.sha256(f"{self._salt}/{turn}".encode()).digest()
        return int.from_bytes(hashed[:16]), int.from_bytes(hashed[16:24])

    # --- wrapped ports -------------------------------------------------------------------------------------------

    def model(self, model: ChatModel) -> ChatModel:
        """The model, each of whose calls is a span."""
        return _TracedModel(model, self._tracer, self._redactor if self._content else None)

    def registry(self, registry: Registry) -> Registry:
        """The tools, each of whose runs is a span."""
        return Registry([self._tool(registry.get(spec.name)) for spec in registry.specs()], registry.off)

    def _tool(self, tool: ReadTool | WriteTool) -> ReadTool | WriteTool:
        if isinstance(tool, WriteTool):
            return _TracedWrite(tool, self._tracer)
        return _TracedRead(tool, self._tracer)


@contextmanager
def _told(span: trace.Span) -> Iterator[None]:
    """What goes wrong is told by its kind alone: the words of an error may quote what somebody asked, or a key."""
    try:
        yield
    except BaseException as error:
        span.set_attribute("error.type", type(error).__qualname__)
        span.set_status(Status(StatusCode.ERROR))
        raise


@contextmanager
def _span(
    tracer: trace.Tracer,
    name: str,
    attributes: Attributes,
    *,
    context: Context | None = None,
    kind: SpanKind = SpanKind.INTERNAL,
) -> Iterator[trace.Span]:
    with (
        tracer.start_as_current_span(
            name,
            context=context,
            kind=kind,
            attributes=dict(attributes),
            record_exception=False,
            set_status_on_exception=False,
        ) as span,
        _told(span),
    ):
        yield span


class _TracedModel:
    """Implements `ChatModel`. With a redactor, what is said is part of the span, without secrets."""

    def __init__(self, model: ChatModel, tracer: trace.Tracer, redactor: Redactor | None) -> None:
        self._model, self._tracer, self._redactor = model, tracer, redactor

    @property
    def name(self) -> str:
        return self._model.name

    async def complete(self, request: Request, on_text: OnText) -> Reply:
        asked = {"gen_ai.operation.name": "chat", "gen_ai.request.model": self.name}
        with _span(self._tracer, f"chat {self.name}", asked, kind=SpanKind.CLIENT) as span:
            if self._redactor is not None:
                said = [
                    {"role": one.role.value, "content": self._redactor.text(one.shown or one.text)}
                    for one in request.messages
                ]
                span.set_attribute("gen_ai.input.messages", json.dumps(said, ensure_ascii=False))
            reply = await self._model.complete(request, on_text)
            span.set_attributes(
                {
                    "gen_ai.response.model": reply.model or self.name,
                    "gen_ai.usage.input_tokens": reply.usage.input_tokens,
                    "gen_ai.usage.output_tokens": reply.usage.output_tokens,
                    "sayso.tool_calls": len(reply.calls),
                }
            )
            if self._redactor is not None:
                span.set_attribute("gen_ai.output.messages", self._redactor.text(reply.text))
            return reply

    async def close(self) -> None:
        if isinstance(self._model, Closing):
            await self._model.close()


class _Traced:
    """What both kinds of tools share."""

    def __init__(self, tracer: trace.Tracer, spec: Spec) -> None:
        self._tracer, self.spec = tracer, spec

    @contextmanager
    def _span(self, what: str, **attributes: str) -> Iterator[trace.Span]:
        named = {
            "gen_ai.operation.name": what,
            "gen_ai.tool.name": self.spec.name,
            "gen_ai.tool.type": "function",
        }
        with _span(self._tracer, f"{what} {self.spec.name}", {**named, **attributes}) as span:
            yield span


class _TracedRead(_Traced):
    """Implements `ReadTool`."""

    def __init__(self, tool: ReadTool, tracer: trace.Tracer) -> None:
        super().__init__(tracer, tool.spec)
        self._tool = tool

    async def run(self, arguments: Arguments, asker: Asker) -> Outcome:
        with self._span("execute_tool") as span:
            return _seen(span, await self._tool.run(arguments, asker))


class _TracedWrite(_Traced):
    """Implements `WriteTool`."""

    def __init__(self, tool: WriteTool, tracer: trace.Tracer) -> None:
        super().__init__(tracer, tool.spec)
        self._tool = tool

    async def plan(self, arguments: Arguments) -> Plan:
        with self._span("plan"):
            return await self._tool.plan(arguments)

    async def run(self, arguments: Arguments, grant: Grant, progress: Progress) -> Outcome:
        with self._span("execute_tool", **{"sayso.action": grant.action}) as span:
            return _seen(span, await self._tool.run(arguments, grant, progress))

    async def verify(self, arguments: Arguments) -> Verification:
        with self._span("verify") as span:
            seen = await self._tool.verify(arguments)
            span.set_attribute("sayso.verdict", seen.verdict.value)
            return seen


def _seen(span: trace.Span, outcome: Outcome) -> Outcome:
    """Marks the span of a run that went badly."""
    span.set_attribute("sayso.findings", len(outcome.findings))
    if not outcome.ok:
        span.set_status(Status(StatusCode.ERROR))
    return outcome
