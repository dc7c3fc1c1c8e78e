"""A model with the embedded planner behind it: when the model is down, the planner answers and says so."""

from dataclasses import replace
from datetime import datetime, timedelta

from agent.conversation.errors import MalformedReply, ModelUnavailable
from agent.conversation.messages import Reply, Request
from agent.conversation.ports import ChatModel, Closing, OnText
from agent.words.catalogue import say

REST = timedelta(seconds=60)  # how long a model that is down is not asked again: every try may cost a timeout


class FallbackModel:
    """Implements `agent.conversation.ports.ChatModel`."""

    def __init__(self, model: ChatModel, planner: ChatModel, *, rest: timedelta = REST) -> None:
        self._model, self._planner, self._rest = model, planner, rest
        self._down: tuple[datetime, ModelUnavailable] | None = None
        self.name = model.name

    async def complete(self, request: Request, on_text: OnText) -> Reply:
        """The model's reply; after a malformed one it gets a second chance, then the planner replies."""
        try:
            return await self._ask(request, on_text)
        except (ModelUnavailable, MalformedReply) as error:
            reply = await self._planner.complete(request, on_text)
            return replace(reply, note=say("turn.planner_stands_in", request.locale, why=error))

    async def close(self) -> None:
        """Lets go of the model's connections."""
        if isinstance(self._model, Closing):
            await self._model.close()

    async def _ask(self, request: Request, on_text: OnText) -> Reply:
        if self._down is not None and request.now < self._down[0] + self._rest:
            raise self._down[1]
        try:
            try:
                return await self._model.complete(request, on_text)
            except MalformedReply:
                return await self._model.complete(request, on_text)
        except ModelUnavailable as error:
            self._down = (request.now, error)
            raise
