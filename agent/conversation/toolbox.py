"""Running the calls of one model reply: reads at once and side by side, writes as proposals."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from agent.approvals.action import Action
from agent.approvals.card import sentence
from agent.approvals.refusal import ActionRefused
from agent.conversation.evidence import Evidence
from agent.conversation.messages import Message, Offer, ResultKind, Role, ToolCall
from agent.conversation.ports import Proposals, Shelf
from agent.conversation.provenance import provenance
from agent.conversation.redact import Redactor
from agent.conversation.thread import ThreadId
from tools.contract import (
    Arguments,
    Asker,
    BadArguments,
    File,
    Json,
    Outcome,
    ReadTool,
    Spec,
    ToolError,
    ToolUnavailable,
    WriteTool,
)

Notify = Callable[[str], Awaitable[None]]


class Whitelist(Protocol):
    """The enabled tools."""

    def get(self, name: str) -> ReadTool | WriteTool:
        """The tool of this name. Raises `BadArguments` naming the nearest."""
        ...

    def specs(self) -> Sequence[Spec]: ...


@dataclass(slots=True)
class Bench:
    """What one turn has gathered so far."""

    thread: ThreadId
    turn: str
    asker: Asker
    said: tuple[str, ...]  # the asker's own messages, for the provenance of arguments
    offered: frozenset[str]
    evidence: list[Evidence] = field(default_factory=list)
    files: list[File] = field(default_factory=list)
    actions: list[Action] = field(default_factory=list)
    called: dict[str, str] = field(default_factory=dict)  # tool and arguments -> call id
    calls: list[dict[str, Json]] = field(default_factory=list)  # for the record


@dataclass(frozen=True, slots=True)
class _Ready:
    """A call that passed every check and may run."""

    call: ToolCall
    tool: ReadTool | WriteTool
    arguments: Arguments


class Toolbox:
    """Runs calls with the asker's rights, and nothing that was not offered."""

    def __init__(self, tools: Whitelist, proposals: Proposals, shelf: Shelf, redactor: Redactor) -> None:
        self._tools, self._proposals, self._shelf, self._redactor = tools, proposals, shelf, redactor
        self._offers: dict[str, Offer] = {}

    def offers(self, names: frozenset[str]) -> tuple[Offer, ...]:
        """The tools of these names as a model sees them."""
        return tuple(self._offer(spec) for spec in self._tools.specs() if spec.name in names)

    async def run(self, calls: Sequence[ToolCall], bench: Bench, notify: Notify) -> tuple[Message, ...]:
        """One result message for each call, in order; what they found is added to the bench."""
        checked = [self._check(call, bench) for call in calls]
        reads = [
            (item, item.tool)
            for item in checked
            if isinstance(item, _Ready) and not isinstance(item.tool, WriteTool)
        ]
        if reads:
            await notify(", ".join(dict.fromkeys(tool.spec.name for _, tool in reads)))
        outcomes = await asyncio.gather(*(_read(tool, item.arguments, bench.asker) for item, tool in reads))
        found = dict(zip((item.call.id for item, _ in reads), outcomes, strict=True))
        results = []
        for call, item in zip(calls, checked, strict=True):
            if isinstance(item, Message):
                result = item
            elif call.id in found:
                result = await self._shelved(item, found[call.id], bench)
            else:
                result = await self._propose(item, bench)
            results.append(result)
            _note(bench, call, result)
        return tuple(results)

    def _offer(self, spec: Spec) -> Offer:
        if spec.name not in self._offers:
            # Only the shape and the descriptions: titles repeat the names, and every token is paid for each turn.
            schema = _untitled(spec.arguments.model_json_schema())
            text = f"[{spec.effect}] {spec.description}"
            self._offers[spec.name] = Offer(spec.name, text, schema, spec.effect)
        return self._offers[spec.name]

    def _check(self, call: ToolCall, bench: Bench) -> _Ready | Message:
        """Whether a call may run: offered, not repeated, with arguments that fit."""
        if call.name not in bench.offered:
            return refused(
                call, f"{call.name!r} is not offered here. Offered: {', '.join(sorted(bench.offered))}"
            )
        try:
            raw = json.loads(call.arguments or "{}")
        except ValueError as error:
            return refused(call, f"the arguments are no valid JSON ({error}); send one JSON object")
        if not isinstance(raw, dict):
            return refused(call, "the arguments must be one JSON object")
        same = f"{call.name} {json.dumps(raw, sort_keys=True)}"
        if same in bench.called:
            return refused(
                call, "this call was made already in this turn; its result is above. Do something else"
            )
        bench.called[same] = call.id
        try:
            tool = self._tools.get(call.name)
            return _Ready(call, tool, tool.spec.validate(raw))
        except BadArguments as error:
            return refused(call, _advice(error))

    async def _shelved(self, item: _Ready, outcome: Outcome | ToolError, bench: Bench) -> Message:
        """The result of a read: redacted, numbered, kept whole on the shelf."""
        name, call = item.tool.spec.name, item.call
        if isinstance(outcome, BadArguments):
            return refused(call, _advice(outcome))
        if isinstance(outcome, ToolError):
            text = f"{name} could not be checked: {self._redactor.text(str(outcome))}"
            return Message(Role.TOOL, text, call_id=call.id, result=ResultKind.FAILED)
        found = []
        for finding in outcome.findings:
            clean = self._redactor.finding(finding)
            handle = None if clean.raw is None else await self._shelf.keep(clean.raw)
            found.append(Evidence(len(bench.evidence) + 1, clean, name, call.id, handle))
            bench.evidence.append(found[-1])
        bench.files += outcome.files
        summary = self._redactor.text(outcome.summary)
        return Message(Role.TOOL, summary, call_id=call.id, result=ResultKind.FOUND, evidence=tuple(found))

    async def _propose(self, item: _Ready, bench: Bench) -> Message:
        """The result of a write: an action that waits, or why there is none."""
        spec, call = item.tool.spec, item.call
        arguments = item.arguments.canonical()
        try:
            action = await self._proposals.propose(
                spec.name,
                arguments,
                bench.asker,
                thread=bench.thread,
                key=f"{bench.turn}/{call.id}",
                why=self._redactor.text(bench.said[-1]),
                provenance=provenance(spec, arguments, bench.said, bench.evidence),
            )
        except ActionRefused as refusal:
            return refused(call, sentence(refusal.refusal, bench.asker.locale))
        except BadArguments as error:
            return refused(call, _advice(error))
        except ToolError as error:
            return Message(Role.TOOL, str(error), call_id=call.id, result=ResultKind.FAILED)
        bench.actions.append(action)
        need = action.requirement
        text = (
            f"proposed as {action.id}: {action.plan.title}; it waits for {need.quorum} of "
            f"{', '.join(sorted(need.approver_roles))}. Nothing has changed yet."
        )
        return Message(Role.TOOL, text, call_id=call.id, result=ResultKind.PROPOSED, action=action.id)


async def _read(tool: ReadTool, arguments: Arguments, asker: Asker) -> Outcome | ToolError:
    """What the tool found, or the error it ended with; a slow one is cut off at its timeout."""
    try:
        return await asyncio.wait_for(tool.run(arguments, asker), tool.spec.timeout)
    except ToolError as error:
        return error
    except TimeoutError:
        return ToolUnavailable(f"{tool.spec.name} did not answer within {tool.spec.timeout:.0f} s")


def refused(call: ToolCall, why: str) -> Message:
    return Message(Role.TOOL, why, call_id=call.id, result=ResultKind.REFUSED)


def _advice(error: BadArguments) -> str:
    """The error with the nearest right values, unless it names them itself."""
    if error.nearest and error.nearest[0] not in str(error):
        return f"{error}; nearest: {', '.join(error.nearest)}"
    return str(error)


def _note(bench: Bench, call: ToolCall, result: Message) -> None:
    bench.calls.append(
        {
            "id": call.id,
            "tool": call.name,
            "arguments": call.arguments,
            "result": result.result.value if result.result else None,
            "text": result.text,
            "evidence": [item.number for item in result.evidence],
            "action": result.action,
        }
    )


def _untitled(schema: Mapping[str, Json]) -> dict[str, Json]:
    return {
        name: _value_untitled(value)
        for name, value in schema.items()
        if not (name == "title" and isinstance(value, str))
    }


def _value_untitled(value: Json) -> Json:
    if isinstance(value, dict):
        return _untitled(value)
    return [_value_untitled(item) for item in value] if isinstance(value, list) else value
