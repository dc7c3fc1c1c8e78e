"""A model with the embedded planner behind it: when the model is down, the planner answers and says so."""

from dataclasses import replace

from agent.conversation.errors import MalformedReply, ModelUnavailable
from agent.conversation.messages import Reply, Request
from agent.conversation.ports import ChatModel, OnText
from agent.words.catalogue import say


class FallbackModel:
    """Implements `agent.conversation.ports.ChatModel`."""

    def __init__(self, model: ChatModel, planner: ChatModel) -> None:
        self._model, self._planner = model, planner
        self.name = model.name

    async def complete(self, request: Request, on_text: OnText) -> Reply:
        """The model's reply; after a malformed one it gets a second chance, then the planner replies."""
        try:
            try:
                return await self._model.complete(request, on_text)
            except MalformedReply:
                return await self._model.complete(request, on_text)
        except (ModelUnavailable, MalformedReply) as error:
            reply = await self._planner.complete(request, on_text)
            return replace(reply, note=say("turn.planner_stands_in", request.locale, why=error))
