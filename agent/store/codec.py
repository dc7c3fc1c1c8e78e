"""Actions, replies and channels as JSON text and back, the same for every store."""

from functools import lru_cache

from pydantic import TypeAdapter

from agent.approvals.action import Action
from agent.conversation.messages import Reply
from agent.conversation.overheard import Channel


@lru_cache(maxsize=1)
def _actions() -> TypeAdapter[Action]:
    return TypeAdapter(Action)


@lru_cache(maxsize=1)
def _replies() -> TypeAdapter[Reply]:
    return TypeAdapter(Reply)


@lru_cache(maxsize=1)
def _channels() -> TypeAdapter[Channel]:
    return TypeAdapter(Channel)


def action_text(action: Action) -> str:
    return _actions().dump_json(action).decode()


@lru_cache(maxsize=1024)  # an action does not change; its text does
def action_of(text: str) -> Action:
    return _actions().validate_json(text)


def reply_text(reply: Reply) -> str:
    return _replies().dump_json(reply).decode()


def reply_of(text: str) -> Reply:
    return _replies().validate_json(text)


def channel_text(channel: Channel) -> str:
    return _channels().dump_json(channel).decode()


@lru_cache(maxsize=1024)  # asked for at every search, and the members of a channel may be many
def channel_of(text: str) -> Channel:
    return _channels().validate_json(text)
