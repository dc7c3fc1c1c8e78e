"""The audit trail for a reader: its events with what is not for them withheld, and whether the chain holds."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from pathlib import Path

from agent.approvals.sight import Eyes, Reading
from agent.audit.chain import Report
from agent.audit.event import Event
from agent.audit.verification import Witness, each, verify
from agent.members import Members, eyes_of
from agent.people.person import Person
from agent.store.keys import CheckpointFile, PublicKeys, Seal
from agent.store.port import Store


class Trail:
    """Reads and verifies the events that the store keeps."""

    def __init__(self, store: Store, seal: Seal, members: Members) -> None:
        self._store, self._seal, self._members = store, seal, members

    async def events(
        self,
        subject: str | None = None,
        *,
        reader: Person | None = None,
        after: int = 0,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> AsyncIterator[Event]:
        """The trail, oldest first, with what is not for this reader withheld; without one, nearly all of it is."""
        eyes = Eyes("", frozenset()) if reader is None else eyes_of(reader)
        reading = Reading(self._store, eyes, self._members.policy.may_use)
        async for event in self._store.events(subject, after=after, since=since, until=until):
            yield await reading.row(event)

    async def latest(self, count: int, reader: Person) -> list[Event]:
        """The end of the trail."""
        tip = await self._store.tip()
        after = 0 if tip is None else max(0, tip.seq - count)
        return [event async for event in self.events(reader=reader, after=after)]

    async def verify(self, keys: Sequence[str] = (), checkpoints: Path | None = None) -> Report:
        """Verifies the chain and the checkpoints, those of the store and those of the file.

        `keys` are PEM texts of public keys; without any, the home's own. Raises `KeyMissing`, `OSError`.
        """
        own = self._seal.book if checkpoints is None else CheckpointFile(checkpoints)
        witnesses = (
            Witness("the store", self._store.checkpoints()),
            Witness(own.name, each(own.lines())),
        )
        public = PublicKeys(*(keys or self._seal.public()))
        return await verify(
            lambda after: self._store.events(after=after), await self._store.store_id(), witnesses, public
        )
