"""Running the calls of one model reply: reads side by side, writes as proposals, everything else refused."""

import asyncio
import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from pydantic import Field

from agent.approvals.action import Action, Origin
from agent.approvals.card import sentence
from agent.approvals.propose import REQUEST
from agent.approvals.refusal import ActionRefused
from agent.conversation.choosing import FIND, Asked, Choosing
from agent.conversation.evidence import Evidence, anchored
from agent.conversation.messages import Message, Offer, ResultKind, Role, Step, ToolCall
from agent.conversation.offers import offer
from agent.conversation.ports import Audience, Proposals, Shelf, Wishes
from agent.conversation.provenance import own_words, provenance, unasked
from agent.conversation.redact import Redactor
from agent.conversation.room import ALONE, Room
from agent.conversation.thread import ThreadId, TurnId
from tools.contract import (
    Arguments,
    Asker,
    BadArguments,
    File,
    Finding,
    Json,
    Outcome,
    ReadTool,
    Spec,
    ToolError,
    ToolFailed,
    ToolUnavailable,
    WriteTool,
)

MOST_WRITES = 3  # proposals of one turn: nobody asks for more at once, and a model that loops must not
BIG = 100_000  # characters, above which redacting is worth a thread

log = logging.getLogger("sayso.turn")


class Whitelist(Protocol):
    """The enabled tools."""

    def get(self, name: str) -> ReadTool | WriteTool:
        """The tool of this name. Raises `BadArguments` naming the nearest."""
        ...

    def specs(self) -> Sequence[Spec]: ...


@dataclass(slots=True)
class Bench:
    """What one turn has on its bench: whose it is, what may be used, and what was gathered so far."""

    thread: ThreadId
    turn: TurnId
    asker: Asker
    said: tuple[str, ...]  # the asker's own messages, newest last: what provenance goes by
    offered: frozenset[str]  # what may be called, shown or not
    shown: list[str] = field(default_factory=list)  # what the model was told of
    to_show: list[Offer] = field(default_factory=list)  # what it asked for since
    prompt: str = ""  # name, version and hash, for the trail
    model: str = ""  # that wrote the reply whose calls are run
    room: Room = ALONE
    evidence: list[Evidence] = field(default_factory=list)
    files: list[File] = field(default_factory=list)
    actions: list[Action] = field(default_factory=list)
    called: set[str] = field(default_factory=set)  # tool and arguments
    calls: list[dict[str, Json]] = field(default_factory=list)  # for the record

    @property
    def private(self) -> bool:
        """Whether something was gathered that not all who read along may read."""
        return not self.room.shows(item.finding.private for item in self.evidence)


@dataclass(frozen=True, slots=True)
class _Ready:
    """A call that passed every check. `position` is its place among the turn's calls, the same when it starts over."""

    call: ToolCall
    spec: Spec
    arguments: Arguments
    position: int


class Wanted(Arguments):
    """What a search for tools is for."""

    wanted: str = Field(min_length=1)


SEARCH = Spec(FIND.name, FIND.description, Wanted, FIND.effect)


class Toolbox:
    """Runs calls with the asker's rights, and nothing that was not offered.

    With `choosing` a model is shown what serves the request, where all tools would be too many.
    """

    def __init__(
        self,
        tools: Whitelist,
        proposals: Proposals,
        shelf: Shelf,
        redactor: Redactor,
        choosing: Choosing | None = None,
        wishes: Wishes | None = None,
    ) -> None:
        self._proposals, self._shelf, self._redactor = proposals, shelf, redactor
        self._choosing, self._wishes = choosing, wishes
        self._specs = {spec.name: spec for spec in tools.specs()}
        self._offers = {name: offer(spec) for name, spec in self._specs.items()}
        known = {name: tools.get(name) for name in self._specs}
        self._reads = {name: tool for name, tool in known.items() if not isinstance(tool, WriteTool)}

    def offers(self, names: frozenset[str]) -> tuple[Offer, ...]:
        """The tools of these names as a model sees them."""
        return tuple(offered for name, offered in self._offers.items() if name in names)

    def too_many(self, names: frozenset[str]) -> bool:
        """Whether the tools of these names are more than a model is shown at once."""
        return self._choosing is not None and not self._choosing.all_fit(self.offers(names))

    async def choose(self, names: frozenset[str], asked: Asked) -> tuple[Offer, ...]:
        """Those of them that a model is shown for what was asked, the most useful first."""
        offers = self.offers(names)
        return offers if self._choosing is None else await self._choosing.choose(offers, asked)

    async def run(self, calls: Sequence[ToolCall], bench: Bench, audience: Audience) -> tuple[Message, ...]:
        """One result for each call, in order; what they found and proposed lies on the bench afterwards."""
        first = len(bench.calls)
        checked = [self._checked(call, bench, first + place) for place, call in enumerate(calls)]
        outcomes = await asyncio.gather(*(self._looked(item, bench.asker, audience) for item in checked))
        results = []
        for call, item, outcome in zip(calls, checked, outcomes, strict=True):
            if isinstance(item, Message):
                result = item
            elif item.spec.name == FIND.name:
                result = await self._found(item, bench)
            elif outcome is None:
                result = await self._proposed(item, bench, audience)
            else:
                result = await self._numbered(item.call, outcome, bench)
            await audience.progress(Step(call, result.result, result.text))
            bench.calls.append(self._noted(call, result))
            results.append(result)
        return tuple(results)

    async def lay(self, tool: str, known: Outcome, bench: Bench) -> tuple[Message, Message]:
        """Puts on the bench what is known before anybody looks: a call that was not made, and its result."""
        call = ToolCall("known0000", tool, "{}")
        return Message(Role.AGENT, "", calls=(call,)), await self._numbered(call, known, bench)

    def _checked(self, call: ToolCall, bench: Bench, position: int) -> _Ready | Message:
        """Whether a call may run: offered, not repeated, with arguments that fit."""
        finding = call.name == FIND.name and self._choosing is not None and FIND.name in bench.shown
        if not finding and (call.name not in bench.offered or call.name not in self._specs):
            listed = ", ".join(sorted(bench.shown or bench.offered))
            return refused(call, f"{call.name!r} is not offered here. Offered: {listed}")
        try:
            written = json.loads(call.arguments or "{}")
        except (ValueError, RecursionError) as error:
            return refused(call, f"the arguments are no valid JSON ({error}); send one JSON object")
        if not isinstance(written, dict):
            return refused(call, "the arguments should be one JSON object")
        same = f"{call.name} {json.dumps(written, sort_keys=True)}"
        if same in bench.called:
            return refused(
                call, "this very call was made in this turn already; use its result, or do something else"
            )
        bench.called.add(same)
        try:
            spec = SEARCH if finding else self._specs[call.name]
            return _Ready(call, spec, spec.validate(written), position)
        except BadArguments as error:
            return refused(call, _advice(error))

    async def _looked(
        self, item: _Ready | Message, asker: Asker, audience: Audience
    ) -> Outcome | ToolError | None:
        """What a read came to, or how it failed; `None` for what is no read."""
        if isinstance(item, Message) or item.spec.name not in self._reads:
            return None
        await audience.progress(Step(item.call))
        spec = item.spec
        try:
            async with asyncio.timeout(spec.timeout):
                return await self._reads[spec.name].run(item.arguments, asker)
        except ToolError as error:
            return error
        except TimeoutError:
            return ToolUnavailable(f"it did not answer within {spec.timeout:.0f} s")
        except Exception as error:
            # Tools may be anybody's code: one that breaks must not take the turn and the other reads with it.
            log.exception("tool_broke", extra={"tool": spec.name})
            return ToolFailed(f"it broke: {type(error).__name__}: {error}")

    async def _found(self, item: _Ready, bench: Bench) -> Message:
        """The result of a search for tools: what each is for. They are shown from the next step on."""
        wanted = Wanted.of(item.arguments).wanted
        others = [offered for offered in self.offers(bench.offered) if offered.name not in bench.shown]
        found = () if self._choosing is None else await self._choosing.find(wanted, others)
        bench.to_show += found
        lines = [f"{offered.name}: {_first_line(offered.description)}" for offered in found]
        left = len(others) - len(found)
        text = "\n".join([*lines, f"{left} others are not listed; search in other words for those."])
        return Message(Role.TOOL, text, call_id=item.call.id, result=ResultKind.FOUND)

    async def _numbered(self, call: ToolCall, outcome: Outcome | ToolError, bench: Bench) -> Message:
        """The result of a read: redacted, numbered, kept whole on the shelf."""
        clean = self._redactor
        if isinstance(outcome, BadArguments):
            return refused(call, clean.text(_advice(outcome)))
        if isinstance(outcome, ToolError):
            return Message(Role.TOOL, clean.text(str(outcome)), call_id=call.id, result=ResultKind.FAILED)
        found, before = [], len(bench.evidence)
        for finding in outcome.findings:
            kept = await self._redacted(anchored(finding, before))
            handle = None if kept.raw is None else await self._shelf.keep(kept.raw)
            found.append(Evidence(len(bench.evidence) + 1, kept, call.name, call.id, handle))
            bench.evidence.append(found[-1])
        bench.files += [clean.file(file) for file in outcome.files]
        text = clean.text(outcome.summary)
        return Message(Role.TOOL, text, call_id=call.id, result=ResultKind.FOUND, evidence=tuple(found))

    async def _redacted(self, finding: Finding) -> Finding:
        if len(finding.raw or "") + len(finding.text) < BIG:
            return self._redactor.finding(finding)
        return await asyncio.to_thread(self._redactor.finding, finding)

    async def _proposed(self, item: _Ready, bench: Bench, audience: Audience) -> Message:
        """The result of a write: an action that waits, or why there is none."""
        call, spec = item.call, item.spec
        if len(bench.actions) >= MOST_WRITES:
            return refused(
                call,
                f"{MOST_WRITES} changes are proposed in this turn already; the rest can be asked for next",
            )
        arguments = item.arguments.canonical()
        try:
            action = await self._proposals.propose(
                spec.name,
                arguments,
                bench.asker,
                thread=bench.thread,
                key=f"{bench.turn}/{item.position}",
                why=self._redactor.text(bench.said[-1]),
                provenance=self._provenance(spec, arguments, bench),
                origin=Origin(
                    bench.turn,
                    bench.model,
                    bench.prompt,
                    tuple(f"{bench.turn}[{item.number}]" for item in bench.evidence),
                ),
            )
        except ActionRefused as no:
            return refused(call, sentence(no.refusal, bench.asker.locale))
        except BadArguments as error:
            return refused(call, self._redactor.text(_advice(error)))
        except ToolError as error:
            return Message(
                Role.TOOL, self._redactor.text(str(error)), call_id=call.id, result=ResultKind.FAILED
            )
        bench.actions.append(action)
        await audience.card(action)
        need = action.requirement
        if need.auto:
            title = self._redactor.text(action.plan.title)
            text = f"{action.id}: {title}; rule {need.rule} allows it without approval. It runs after this answer."
            return Message(Role.TOOL, text, call_id=call.id, result=ResultKind.ALLOWED, action=action.id)
        text = (
            f"proposed as {action.id}: {self._redactor.text(action.plan.title)}; it waits for {need.quorum} of "
            f"{', '.join(sorted(need.approver_roles))}. Nothing has changed yet."
        )
        return Message(Role.TOOL, text, call_id=call.id, result=ResultKind.PROPOSED, action=action.id)

    def _provenance(self, spec: Spec, arguments: Mapping[str, Json], bench: Bench) -> dict[str, str]:
        """Where each argument came from, and the change itself where the asker never asked for one like it."""
        said = tuple(own_words(text) for text in bench.said)
        origins = provenance(spec, arguments, said, bench.evidence)
        if self._wishes is not None and not self._wishes.asked_for(spec.name, said):
            origins[REQUEST] = unasked(spec, bench.evidence)
        return origins

    def _noted(self, call: ToolCall, result: Message) -> dict[str, Json]:
        """A call and what became of it, for the record."""
        return {
            "id": call.id,
            "tool": call.name,
            "arguments": self._redactor.text(call.arguments),
            "result": result.result.value if result.result else None,
            "text": result.text,
            "evidence": [item.number for item in result.evidence],
            "action": result.action,
        }


def refused(call: ToolCall, why: str) -> Message:
    """A result that says why a call was not run, in words a model can act on."""
    return Message(Role.TOOL, why, call_id=call.id, result=ResultKind.REFUSED)


def _first_line(text: str) -> str:
    return text.strip().partition("\n")[0]


def _advice(error: BadArguments) -> str:
    """The error with the nearest right values, unless it names them itself."""
    if error.nearest and error.nearest[0] not in str(error):
        return f"{error}; nearest: {', '.join(error.nearest)}"
    return str(error)
