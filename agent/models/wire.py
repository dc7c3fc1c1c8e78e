"""Messages and tools as OpenAI's protocol has them on the wire."""

import json

from agent.conversation.messages import Message, Offer, Role
from tools.contract import Json


def function(offer: Offer) -> dict[str, Json]:
    """A tool as OpenAI's protocol has it, and LangChain after it."""
    return {
        "type": "function",
        "function": {"name": offer.name, "description": offer.description, "parameters": dict(offer.schema)},
    }


def wire(message: Message) -> dict[str, Json]:
    """One message as OpenAI's protocol has it."""
    text = message.shown or message.text
    match message.role:
        case Role.TOOL:
            return {"role": "tool", "tool_call_id": message.call_id or "", "content": text}
        case Role.AGENT if message.calls:
            calls: list[Json] = [
                {
                    "id": call.id,
                    "type": "function",
                    "function": {"name": call.name, "arguments": readable(call.arguments)},
                }
                for call in message.calls
            ]
            return {"role": "assistant", "content": text or None, "tool_calls": calls}
        case role:
            return {"role": role.value, "content": text}


def readable(arguments: str) -> str:
    """The arguments, or an empty object: endpoints refuse a history in which they are no JSON."""
    try:
        json.loads(arguments)
    except (ValueError, RecursionError):
        return "{}"
    return arguments
