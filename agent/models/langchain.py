"""Any other provider, through LangChain's chat models: `anthropic:...`, `google_genai:...`, `mistralai:...`."""

import json
from typing import TYPE_CHECKING

from agent.conversation.errors import ModelUnavailable
from agent.conversation.messages import Message, Reply, Request, Role, ToolCall, Usage
from agent.conversation.ports import OnText
from agent.models.openai import Prices
from agent.models.retry import Passing, retried

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel
    from langchain_core.messages import BaseMessage


class LangChainModel:
    """Implements `agent.conversation.ports.ChatModel` on a LangChain chat model.

    `model` may be given ready-made; otherwise `init_chat_model(name)` makes it at first use.
    """

    def __init__(
        self,
        name: str,
        *,
        model: "BaseChatModel | None" = None,
        timeout: float = 60.0,
        attempts: int = 3,
        prices: Prices | None = None,
    ) -> None:
        self.name = name
        self._chat, self._timeout, self._attempts, self._prices = model, timeout, attempts, prices

    async def complete(self, request: Request, on_text: OnText) -> Reply:
        """Raises `ModelUnavailable` when the provider fails after the last attempt."""

        async def attempt() -> Reply:
            try:
                return await self._asked(request, on_text)
            # Each provider's package raises errors of its own, which share no base class.
            except Exception as error:
                raise Passing(ModelUnavailable(f"{self.name}: {type(error).__name__}: {error}")) from error

        return await retried(attempt, attempts=self._attempts)

    async def _asked(self, request: Request, on_text: OnText) -> Reply:
        chat = self._opened()
        tools = [
            {
                "type": "function",
                "function": {
                    "name": offer.name,
                    "description": offer.description,
                    "parameters": dict(offer.schema),
                },
            }
            for offer in request.offers
        ]
        bound = chat.bind_tools(tools) if tools and request.may_call else chat
        answer = await bound.ainvoke([wire(message) for message in request.messages])
        text = str(answer.text)
        made = [
            ToolCall(call["id"] or "", call["name"], json.dumps(call["args"])) for call in answer.tool_calls
        ]
        made += [
            ToolCall(call["id"] or "", call["name"] or "", call["args"] or "")
            for call in answer.invalid_tool_calls
        ]
        if text:
            await on_text(text)
        counted = answer.usage_metadata
        spent = (counted["input_tokens"], counted["output_tokens"]) if counted else (0, 0)
        cost = self._prices.of(*spent) if self._prices else None
        return Reply(text, tuple(made), Usage(*spent, cost), self.name)

    def _opened(self) -> "BaseChatModel":
        if self._chat is None:
            from langchain.chat_models import init_chat_model

            self._chat = init_chat_model(self.name, timeout=self._timeout, max_retries=0)
        return self._chat


def wire(message: Message) -> "BaseMessage":
    """One message as LangChain has it."""
    from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage

    match message.role:
        case Role.SYSTEM:
            return SystemMessage(message.text)
        case Role.PERSON:
            return HumanMessage(message.text)
        case Role.TOOL:
            return ToolMessage(message.text, tool_call_id=message.call_id or "")
        case Role.AGENT:
            calls = [
                {"id": call.id, "name": call.name, "args": _object(call.arguments), "type": "tool_call"}
                for call in message.calls
            ]
            return AIMessage(message.text, tool_calls=calls)


def _object(arguments: str) -> dict[str, object]:
    try:
        value = json.loads(arguments or "{}")
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
