"""A model that says what it was told to say: for tests and rehearsals."""

from collections.abc import Sequence

from agent.conversation.errors import ModelUnavailable
from agent.conversation.messages import Reply, Request
from agent.conversation.ports import OnText


class ScriptedModel:
    """Implements `agent.conversation.ports.ChatModel`: one scripted reply (or error) a call, in order."""

    def __init__(self, *script: Reply | Exception, name: str = "scripted") -> None:
        self.name = name
        self._script: Sequence[Reply | Exception] = script
        self.requests: list[Request] = []

    async def complete(self, request: Request, on_text: OnText) -> Reply:
        self.requests.append(request)
        if len(self.requests) > len(self._script):
            raise ModelUnavailable(f"{self.name}: the script has only {len(self._script)} replies")
        entry = self._script[len(self.requests) - 1]
        if isinstance(entry, Exception):
            raise entry
        if entry.text:
            await on_text(entry.text)
        return entry
