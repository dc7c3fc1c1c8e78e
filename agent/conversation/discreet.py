"""Writes that let no secret out: what they plan, answer, see and complain of is redacted before anybody has it.

A plan rests on what was seen as it was. Where something was blacked out in that, a hash of the whole stands beside it,
so that a world that changed only there is another world still.

Errors::

    Unforeseen        whoever wrote the tool: it raised what it should not; carries the name of that and what it said
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace

from agent.conversation.progress import readable, visible
from agent.conversation.redact import Redactor
from tools.contract import (
    Arguments,
    Change,
    Grant,
    GrantRefused,
    Json,
    Outcome,
    Plan,
    Progress,
    Spec,
    Tool,
    ToolError,
    Verification,
    WriteTool,
    digest,
)
from tools.registry import Registry

WHOLE = "whole"  # the field of what was observed that holds the hash


class Unforeseen(Exception):
    """A tool broke, in a way that its contract does not know."""


def discreet(registry: Registry, redactor: Redactor) -> Registry:
    """The same tools, whose writes let no secret out. What reads find is redacted where it becomes evidence."""
    tools: Iterable[Tool] = registry
    return Registry(
        (DiscreetWrite(tool, redactor) if isinstance(tool, WriteTool) else tool for tool in tools),
        registry.off,
    )


@dataclass(frozen=True, slots=True)
class DiscreetWrite:
    """Implements `WriteTool`. What a run wrote is redacted where it is kept."""

    tool: WriteTool
    redactor: Redactor

    @property
    def spec(self) -> Spec:
        return self.tool.spec

    async def plan(self, arguments: Arguments) -> Plan:
        with self._errors():
            return self._clean(await self.tool.plan(arguments))

    async def run(self, arguments: Arguments, grant: Grant, progress: Progress) -> Outcome:
        with self._errors():
            outcome = await self.tool.run(arguments, grant, progress)
        return replace(outcome, summary=self._said(outcome.summary))

    async def verify(self, arguments: Arguments) -> Verification:
        with self._errors():
            seen = await self.tool.verify(arguments)
        return replace(seen, detail=self._said(seen.detail))

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except ToolError as error:
            error.args = (self._said(str(error)),)
            raise
        except GrantRefused:
            raise
        except TimeoutError as error:
            raise TimeoutError(self._said(str(error))) from error
        except Exception as error:
            raise Unforeseen(self._said(f"{type(error).__name__}: {error}")) from error

    def _said(self, text: str) -> str:
        """What a program said, for people."""
        return self.redactor.text("\n".join(readable(line) for line in text.split("\n")))

    def _meant(self, text: str) -> str:
        """What somebody is to decide on: nothing in it is hidden but secrets."""
        return self.redactor.text(visible(text))

    def _clean(self, plan: Plan) -> Plan:
        text = self._meant
        observed = self._observed(plan.observed)
        sealed = WHOLE in observed and WHOLE not in plan.observed
        return replace(
            plan,
            title=text(plan.title),
            changes=tuple(Change(text(one.what), text(one.before), text(one.after)) for one in plan.changes),
            touches=tuple(text(one) for one in plan.touches),
            observed=observed,
            undo_text=text(plan.undo_text),
            health=text(plan.health),
            notes=tuple(self._said(one) for one in plan.notes),
            matters=(*plan.matters, WHOLE) if sealed and plan.matters is not None else plan.matters,
        )

    def _observed(self, observed: Mapping[str, Json]) -> Mapping[str, Json]:
        clean = {name: self.redactor.value(value) for name, value in observed.items()}
        return observed if digest(clean) == digest(observed) else {**clean, WHOLE: digest(observed)}
