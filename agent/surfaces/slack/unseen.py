"""What people see while a question is answered in a quiet channel: nothing, until the answer is there."""

from agent.approvals.action import Action
from agent.conversation.messages import Step


class Unseen:
    """Implements `agent.conversation.ports.Audience`."""

    async def text(self, piece: str) -> None:
        """The whole follows."""

    async def progress(self, step: Step) -> None:
        """Nobody watches."""

    async def card(self, action: Action) -> None:
        """It is told by the outbox."""
