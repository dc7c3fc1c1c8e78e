"""What is overheard, in memory: it keeps the same contract as the tables."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace

from agent.conversation.overheard import (
    Account,
    Amend,
    Channel,
    Held,
    Page,
    Remark,
    Standing,
    Walk,
    erased,
    news,
    turned,
)


class MemoryOverheard:
    """Implements `agent.conversation.overheard.Overheard`; everything is gone with the process."""

    def __init__(self) -> None:
        self._channels: dict[str, Channel] = {}
        self._held: dict[str, dict[str, Held]] = {}
        self._accounts: dict[str, Account] = {}
        self._changes = 0

    async def channels(self) -> Sequence[Channel]:
        return [self._channels[id_] for id_ in sorted(self._channels)]

    async def channel(self, id_: str) -> Channel | None:
        return self._channels.get(id_)

    async def amend(self, id_: str, amend: Amend) -> Channel:
        before = self._channels.get(id_, Channel(id_))
        after = replace(amend(before), revision=before.revision)
        if after == self._channels.get(id_):
            return after
        self._channels[id_] = after
        self._changes += after.outward != before.outward
        if before.heard and not after.heard:
            left = erased(one.remark for one in self._held.get(id_, {}).values())
            self._held[id_] = {}
            self._keep(id_, left)
        return self._channels[id_]

    async def note(self, channel: str, remark: Remark) -> bool:
        known, held = self._channels.get(channel), self._held.get(channel, {}).get(remark.ts)
        if known is None or not known.heard or not news(None if held is None else held.remark, remark):
            return False
        self._keep(channel, [remark])
        return True

    async def strike(self, channel: str, ts: str) -> bool:
        return await self.note(channel, Remark(ts, edited="~", standing=Standing.DELETED))

    async def turn(self, channel: str, page: Page, walks: Sequence[Walk]) -> bool:
        known = self._channels.get(channel)
        if known is None or not known.heard or known.walks != tuple(walks):
            return False
        if changed := turned(page, self._held.get(channel, {})):
            self._keep(channel, changed)
        after = replace(self._channels[channel], walks=page.walks, covered=page.covered)
        self._changes += after.outward != known.outward
        self._channels[channel] = after
        return True

    def _keep(self, channel: str, changed: Iterable[Remark]) -> None:
        known = self._channels[channel]
        self._channels[channel] = known = replace(known, revision=known.revision + 1)
        held = self._held.setdefault(channel, {})
        held |= {remark.ts: Held(remark, known.revision) for remark in changed}

    async def remarks(self, channel: str) -> Sequence[Remark]:
        return [one.remark for _, one in sorted(self._held.get(channel, {}).items())]

    async def gone(self, channel: str, messages: Collection[str]) -> frozenset[str]:
        held = self._held.get(channel, {})
        return frozenset(
            ts for ts in messages if ts in held and held[ts].remark.standing is not Standing.STANDS
        )

    async def count(self, channel: str) -> int:
        return sum(one.standing is Standing.STANDS for one in await self.remarks(channel))

    async def signature(self) -> str:
        said = sum(channel.revision for channel in self._channels.values())
        return f"{len(self._channels)}/{said}/{self._changes}"

    async def account(self, id_: str) -> Account | None:
        return self._accounts.get(id_)

    async def put_account(self, account: Account) -> None:
        known = self._accounts.get(account.id)
        if known is None or known.read_at <= account.read_at:
            self._accounts[account.id] = account

    async def accounts(self) -> Sequence[Account]:
        return [self._accounts[id_] for id_ in sorted(self._accounts)]
