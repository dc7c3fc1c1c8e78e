"""What is overheard, as the knowledge room reads it."""

from collections.abc import Collection, Sequence

from agent.conversation.overheard import Overheard
from knowledge.sources.slack_live import Followed, Kept


class Overhearing:
    """Implements `knowledge.sources.slack_live.Archive` on the store."""

    def __init__(self, overheard: Overheard) -> None:
        self._overheard = overheard

    async def channels(self) -> Sequence[Followed]:
        """Channels with their rights as they are now."""
        return [
            Followed(
                one.id,
                one.name,
                one.private,
                one.heard,
                one.members,
                None if one.doubted else one.confirmed_at,
                one.url,
                one.pins,
                one.covered,
                one.revision,
            )
            for one in await self._overheard.channels()
        ]

    async def messages(self, channel: str) -> Sequence[Kept]:
        """All messages of a channel, oldest first."""
        return [Kept(one.ts, one.body) for one in await self._overheard.remarks(channel)]

    async def gone(self, channel: str, messages: Collection[str]) -> frozenset[str]:
        """Those of these messages that do not stand any more."""
        return await self._overheard.gone(channel, messages)

    async def outsiders(self) -> frozenset[str]:
        """Guests, bots, people of other workspaces, and those who were deactivated."""
        return frozenset(account.id for account in await self._overheard.accounts() if account.outsider)

    async def users(self) -> Sequence[str]:
        """Everybody as Slack describes them."""
        return [account.body for account in await self._overheard.accounts()]
