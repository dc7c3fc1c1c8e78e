"""The model of a step: it makes exactly the call that the runbook says, and tells what came of it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from agent.conversation.messages import Message, Reply, Request, ResultKind, ToolCall
from agent.conversation.ports import OnText
from agent.words.catalogue import say
from tools.contract import Json

SHOWN = 600  # characters of a finding in the answer of a step; the evidence has all of it


@dataclass(frozen=True, slots=True)
class StepModel:
    """Implements `agent.conversation.ports.ChatModel`."""

    name: str
    tool: str
    arguments: Mapping[str, Json]

    async def complete(self, request: Request, _on_text: OnText, /) -> Reply:
        result = next((one for one in reversed(request.messages) if one.result is not None), None)
        if result is None:
            written = json.dumps(dict(self.arguments), ensure_ascii=False)
            return Reply("", (ToolCall("step", self.tool, written),), model=self.name, by_code=True)
        return Reply(_told(result, request.locale), model=self.name, by_code=True)


@dataclass(frozen=True, slots=True)
class NoStep:
    """Implements `agent.conversation.ports.ChatModel`: answers a step of a procedure that is another one now."""

    name: str = "runbook"

    async def complete(self, request: Request, _on_text: OnText, /) -> Reply:
        return Reply(say("runbook.changed", request.locale), model=self.name, by_code=True)


def _told(result: Message, locale: str) -> str:
    match result.result:
        case ResultKind.PROPOSED | ResultKind.ALLOWED:
            return say("runbook.proposed", locale, action=result.action or "")
        case ResultKind.FOUND:
            found = [
                f"{one.finding.title} [{one.number}]\n{_short(one.finding.text)}" for one in result.evidence
            ]
            return "\n".join(found) or result.text
        case _:
            return say("runbook.refused", locale, why=result.text)


def _short(text: str) -> str:
    return text if len(text) <= SHOWN else text[:SHOWN].rstrip() + "…"
