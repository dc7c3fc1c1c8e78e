"""Works that wait at the same moment, done in one transaction: one way there and one sync of the disk for all."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Generic, TypeVar

from agent.store.port import StoreBusy, StoreDamaged, StoreError, StoreFull, StoreReadOnly, StoreUnreachable

I = TypeVar("I")  # noqa: E741 - an item
O = TypeVar("O")  # noqa: E741 - its outcome
MOST = 64  # items of one transaction: the first one waits for the last one
# What would end every item alike: there is no use in trying one after the other.
FOR_ALL = (StoreBusy, StoreDamaged, StoreFull, StoreReadOnly, StoreUnreachable)


@dataclass(frozen=True, slots=True)
class _Waiting(Generic[I, O]):
    item: I
    loop: asyncio.AbstractEventLoop
    future: "asyncio.Future[O]"


class Group(Generic[I, O]):
    """Nothing waits for company: what comes in one step of the loop, or during a transaction, goes together.

    `together` does a sequence of items in one transaction, all or none, with an outcome for each. When it fails
    because of one of them, each is done alone, so that one bad item is the only one to fail. An outcome is told after
    the commit, never before.
    """

    def __init__(self, thread: Executor, together: Callable[[Sequence[I]], Sequence[O]]) -> None:
        self._thread, self._together = thread, together
        self._waiting: deque[_Waiting[I, O]] = deque()  # appended by any thread, emptied by the one
        self._due: set[asyncio.AbstractEventLoop] = set()  # loops that will say so at the end of their step

    async def do(self, item: I) -> O:
        """The outcome of this item. Raises what `together` raises for it."""
        loop = asyncio.get_running_loop()
        waiting: _Waiting[I, O] = _Waiting(item, loop, loop.create_future())
        self._waiting.append(waiting)
        if loop not in self._due:
            self._due.add(loop)
            loop.call_soon(self._say, loop)
        return await waiting.future

    def _say(self, loop: asyncio.AbstractEventLoop) -> None:
        self._due.discard(loop)
        self._go_on()

    def _go_on(self) -> None:
        """Has the next ones done; once the thread takes nothing more, whoever waits is told so."""
        try:
            self._thread.submit(self._take)
        except RuntimeError:
            left = [self._waiting.popleft() for _ in range(len(self._waiting))]
            _tell_all(left, [StoreError("the store was closed; this was not accepted")] * len(left))

    def _take(self) -> None:
        taken = [self._waiting.popleft() for _ in range(min(MOST, len(self._waiting)))]
        if not taken:
            return  # an earlier one took it along
        if self._waiting:
            self._go_on()
        _tell_all(taken, self._outcomes([one.item for one in taken]))

    def _outcomes(self, items: Sequence[I]) -> Sequence[O | BaseException]:
        try:
            return self._together(items)
        except BaseException as error:  # noqa: BLE001 - it is raised again where it was asked for
            if len(items) == 1 or isinstance(error, FOR_ALL):
                return [error] * len(items)
        return [outcome for item in items for outcome in self._outcomes([item])]


def _tell_all(asked: "Sequence[_Waiting[I, O]]", outcomes: Sequence[O | BaseException]) -> None:
    by_loop: dict[asyncio.AbstractEventLoop, list[tuple[asyncio.Future[O], O | BaseException]]] = {}
    for one, outcome in zip(asked, outcomes, strict=True):
        by_loop.setdefault(one.loop, []).append((one.future, outcome))
    for loop, told in by_loop.items():
        if not loop.is_closed():  # whoever asked went away; what they asked for is done
            loop.call_soon_threadsafe(_tell, told)


def _tell(told: "Sequence[tuple[asyncio.Future[O], O | BaseException]]") -> None:
    for future, outcome in told:
        if future.done():  # cancelled meanwhile
            continue
        if isinstance(outcome, BaseException):
            future.set_exception(outcome)
        else:
            future.set_result(outcome)
