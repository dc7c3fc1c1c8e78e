"""Any other provider, through LangChain's chat models: `anthropic:...`, `google_genai:...`, `mistralai:...`."""

import asyncio
import json
from typing import TYPE_CHECKING

from agent.conversation.errors import MalformedReply, ModelUnavailable
from agent.conversation.messages import Message, Reply, Request, Role, ToolCall, Usage
from agent.conversation.ports import OnText
from agent.models.openai import Prices
from agent.models.retry import Passing, Sleep, may_pass, retried
from agent.models.wire import function

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel
    from langchain_core.messages import AIMessage, BaseMessage

ANSWER_NOW = "Answer now, from what is above. No more tools can be called."


class LangChainModel:
    """Implements `agent.conversation.ports.ChatModel` on a LangChain chat model.

    `name` is the provider's model as `init_chat_model` takes it; `model` may be given ready-made. `timeout` is in
    seconds and for one attempt.
    """

    def __init__(
        self,
        name: str,
        *,
        model: "BaseChatModel | None" = None,
        timeout: float = 60.0,
        attempts: int = 3,
        prices: Prices | None = None,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self.name = name
        self._chat, self._timeout, self._attempts = model, timeout, attempts
        self._prices, self._sleep = prices, sleep

    async def complete(self, request: Request, on_text: OnText) -> Reply:
        """Raises `ModelUnavailable` when the provider fails after the last attempt, `MalformedReply` for no reply."""
        shown = False

        async def told(piece: str) -> None:
            nonlocal shown
            shown = True
            await on_text(piece)

        async def attempt() -> Reply:
            try:
                async with asyncio.timeout(self._timeout):
                    return await self._streamed(request, told)
            except MalformedReply:
                raise
            # Each provider's package raises errors of its own, which share no base class.
            except Exception as error:
                down = ModelUnavailable(f"{self.name}: {type(error).__name__}: {str(error)[:200]}")
                raise (Passing(down) if _may_pass(error) and not shown else down) from error

        return await retried(attempt, attempts=self._attempts, sleep=self._sleep)

    async def _streamed(self, request: Request, on_text: OnText) -> Reply:
        from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage
        from langchain_core.messages.ai import add_ai_message_chunks

        chat = self._opened()
        messages = [wire(message) for message in request.messages]
        if not request.may_call:
            # Providers differ in how tools are forbidden, and some refuse a history of calls without them.
            messages.append(HumanMessage(ANSWER_NOW))
        bound = chat.bind_tools([function(offer) for offer in request.offers]) if request.offers else chat
        whole: AIMessage | None = None
        async for chunk in bound.astream(messages):
            # A model that cannot stream gives one whole message, which is no chunk.
            if isinstance(chunk, AIMessageChunk) and isinstance(whole, AIMessageChunk):
                whole = add_ai_message_chunks(whole, chunk)
            elif isinstance(chunk, AIMessage):
                whole = chunk
            if piece := str(chunk.text):
                await on_text(piece)
        if whole is None:
            raise MalformedReply(f"{self.name}: the answer is empty")
        return self._reply(whole)

    def _reply(self, answer: "AIMessage") -> Reply:
        text, calls = str(answer.text), _calls(answer)
        if not text.strip() and not calls:
            raise MalformedReply(f"{self.name}: the answer is empty")
        counted = answer.usage_metadata
        spent = (counted["input_tokens"], counted["output_tokens"]) if counted else (0, 0)
        cost = self._prices.of(*spent) if self._prices else None
        return Reply(text, calls, Usage(*spent, cost), self.name)

    def _opened(self) -> "BaseChatModel":
        if self._chat is None:
            from langchain.chat_models import init_chat_model

            self._chat = init_chat_model(self.name, timeout=self._timeout, max_retries=0)
        return self._chat


def _calls(answer: "AIMessage") -> tuple[ToolCall, ...]:
    """The calls with their arguments as the model wrote them, which LangChain mends and sometimes empties."""
    from langchain_core.messages import AIMessageChunk

    if isinstance(answer, AIMessageChunk) and answer.tool_call_chunks:
        pieces = answer.tool_call_chunks
        return tuple(ToolCall(made["id"] or "", made["name"] or "", made["args"] or "") for made in pieces)
    sound = (ToolCall(call["id"] or "", call["name"], json.dumps(call["args"])) for call in answer.tool_calls)
    broken = (
        ToolCall(call["id"] or "", call["name"] or "", call["args"] or "")
        for call in answer.invalid_tool_calls
    )
    return (*sound, *broken)


def _may_pass(error: Exception) -> bool:
    """Whether asking again may help, as far as errors of unknown packages tell: by status, else by kind."""
    status = getattr(error, "status_code", None)
    if isinstance(status, int):
        return may_pass(status)
    return isinstance(error, OSError) or any(word in type(error).__name__ for word in ("Timeout", "Connect"))


def wire(message: Message) -> "BaseMessage":
    """One message as LangChain has it."""
    from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage

    text = message.shown or message.text
    match message.role:
        case Role.SYSTEM:
            return SystemMessage(text)
        case Role.PERSON:
            return HumanMessage(text)
        case Role.TOOL:
            return ToolMessage(text, tool_call_id=message.call_id or "")
        case Role.AGENT:
            calls = [
                {"id": call.id, "name": call.name, "args": _object(call.arguments), "type": "tool_call"}
                for call in message.calls
            ]
            return AIMessage(text, tool_calls=calls)


def _object(arguments: str) -> dict[str, object]:
    try:
        value = json.loads(arguments or "{}")
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}
