"""Places for turns, given out so that nobody who asks for much keeps the others waiting."""

import asyncio
from collections import Counter, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Gate:
    """Lets `places` turns work at once, and of one person at most `each`.

    Whoever has the fewest turns at work goes first; among those, who has waited longest. It may be narrowed for a
    while (`open`): what works goes on, and fewer begin.
    """

    def __init__(self, places: int, each: int) -> None:
        self.places = self.most = places
        self._at_work, self._each = 0, each
        self._working: Counter[str] = Counter()
        self._waiting: deque[tuple[str, asyncio.Future[None]]] = deque()

    @property
    def waiting(self) -> int:
        """How many wait."""
        return len(self._waiting)

    @property
    def at_work(self) -> int:
        """How many have a place."""
        return self._at_work

    def open(self, places: int) -> None:
        """Lets so many work at once from now on: one at least, and no more than it was made for."""
        self.places = max(1, min(places, self.most))
        self._let_in()

    @asynccontextmanager
    async def place(self, person: str) -> AsyncIterator[None]:
        """Waits for a place, and gives it back."""
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((person, turn))
        self._let_in()
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():  # let in at the same moment
                self._leave(person)
            else:
                self._waiting.remove((person, turn))
            raise
        try:
            yield
        finally:
            self._leave(person)

    def _leave(self, person: str) -> None:
        self._working[person] -= 1
        if not self._working[person]:
            del self._working[person]
        self._at_work -= 1
        self._let_in()

    def _let_in(self) -> None:
        while self._at_work < self.places:
            # Who gave up in this very moment stands here still, and takes no place.
            able = [one for one in self._waiting if not one[1].done() and self._working[one[0]] < self._each]
            if not able:
                return
            person, turn = min(able, key=lambda one: self._working[one[0]])  # the first of several
            self._waiting.remove((person, turn))
            self._working[person] += 1
            self._at_work += 1
            turn.set_result(None)
