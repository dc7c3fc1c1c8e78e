"""What waits, in memory: messages without an answer, what is still to be told, and the beats of those at work."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from agent.approvals.ports import Beat
from agent.conversation.inbox import Batch, Waiting, is_alone, together
from agent.conversation.outbox import Due, Kind, attended
from agent.conversation.posted import Post
from agent.conversation.thread import Line, Said, ThreadId, TurnId
from agent.store.port import TurnRecord


class MemoryWaiting:
    """Implements `Inbox`, `Outbox`, `Posted` and `Beats`; everything is gone with the process."""

    def __init__(self) -> None:
        self._turns: dict[TurnId, TurnRecord] = {}
        self._notices: list[tuple[ThreadId, int, Line]] = []
        self._begun: dict[TurnId, TurnId] = {}
        self._stopped: dict[TurnId, str] = {}
        self._workers: dict[TurnId, str] = {}
        self._posts: dict[tuple[str, str, str], Post] = {}
        self._due: dict[tuple[Kind, str], tuple[Due, str | None]] = {}
        self._beats: dict[str, Beat] = {}

    async def begin(self, thread: ThreadId, worker: str) -> Batch | None:
        open_ = self._open(thread)
        if not open_ or self._workers.get(open_[0].turn, worker) != worker:
            return None
        waiting = [
            Waiting(one.turn, one.speaker, one.question, self._begun.get(one.turn), is_alone(one.event_id))
            for one in open_
        ]
        parts = together(waiting)
        self._begun.update(dict.fromkeys(parts, parts[-1]))
        self._workers.update(dict.fromkeys(parts, worker))
        taken = [self._turns[part] for part in parts]
        last = taken[-1]
        text = "\n".join(one.question for one in taken)
        stopped = next((self._stopped[part] for part in parts if part in self._stopped), None)
        return Batch(
            last.turn, Said(last.event_id, last.thread, last.speaker, text, taken[0].asked_at), parts, stopped
        )

    async def stop(self, thread: ThreadId, by: str) -> tuple[TurnId, ...]:
        new = tuple(one.turn for one in self._open(thread) if one.turn not in self._stopped)
        self._stopped.update(dict.fromkeys(new, by))
        return new

    async def stopped(self, turns: Collection[TurnId]) -> Mapping[TurnId, str]:
        return {turn: self._stopped[turn] for turn in turns if turn in self._stopped}

    async def due(self, before: datetime) -> Sequence[Due]:
        return [due for due, worker in self._due.values() if worker is None and due.at <= before]

    async def take(self, thread: ThreadId, worker: str) -> Sequence[Due]:
        free = [due for due, by in self._due.values() if due.thread == thread and by is None]
        self._due.update({(due.kind, due.subject): (due, worker) for due in free})
        return free

    async def told(self, due: Sequence[Due]) -> None:
        for one in due:
            now = self._due.get((one.kind, one.subject))
            if now is not None and now[0].version == one.version:
                del self._due[one.kind, one.subject]
            elif now is not None:
                self._due[one.kind, one.subject] = (now[0], None)

    async def give_back(self, due: Due) -> None:
        now = self._due.get((due.kind, due.subject))
        if now is not None:
            self._due[due.kind, due.subject] = (now[0], None)

    async def let_go(self, worker: str) -> int:
        held = [key for key, (_, by) in self._due.items() if by == worker]
        self._due.update({key: (self._due[key][0], None) for key in held})
        return len(held)

    async def notice(self, subject: str) -> str | None:
        place = int(subject.partition("-")[2])
        return self._notices[place - 1][2].text if 0 < place <= len(self._notices) else None

    async def posted(self, surface: str, subject: str) -> Sequence[Post]:
        found = [post for post in self._posts.values() if (post.surface, post.subject) == (surface, subject)]
        return sorted(found, key=lambda post: post.place)

    async def note_post(self, post: Post) -> None:
        self._posts[post.surface, post.subject, post.place] = post

    async def beat(self, worker: str, role: str) -> None:
        self._beats[worker] = Beat(role, self._beats[worker].count + 1 if worker in self._beats else 1)

    async def beats(self) -> Mapping[str, Beat]:
        return dict(self._beats)

    async def leave(self, worker: str) -> None:
        self._beats.pop(worker, None)
        self._workers = {turn: who for turn, who in self._workers.items() if who != worker}
        await self.let_go(worker)

    async def turn(self, id_: TurnId) -> TurnRecord | None:
        found = self._turns.get(id_)
        return None if found is None else replace(found, worker=self._workers.get(id_))

    def _open(self, thread: ThreadId) -> list[TurnRecord]:
        return [one for one in self._turns.values() if one.thread == thread and one.finished_at is None]

    def _parts(self, turn: TurnId) -> list[TurnId]:
        """The messages that share the answer of this turn, without itself."""
        return [part for part, last in self._begun.items() if last == turn and part != turn]

    def _note_due(self, kind: Kind, subject: str, thread: ThreadId, at: datetime) -> None:
        if attended(thread):
            return
        due, worker = self._due.get((kind, subject), (Due(kind, subject, thread, 0, at), None))
        self._due[kind, subject] = (replace(due, version=due.version + 1), worker)
