"""What the application asks of traces, and the answer of one where nothing is traced."""

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Protocol

Attributes = Mapping[str, str | int | float | bool]


class Spans(Protocol):
    """What the application asks of traces."""

    def request(self, turn: str, attributes: Attributes, /) -> AbstractContextManager[None]:
        """The span of a whole request, which begins its trace."""
        ...

    def later(self, turn: str, name: str, attributes: Attributes, /) -> AbstractContextManager[None]:
        """A span of the same request's trace, at another time, perhaps in another process."""
        ...

    def close(self) -> None:
        """Sends what is left."""
        ...


class NoSpans:
    """Implements `Spans`: nothing is traced."""

    def close(self) -> None:
        """There is nothing to send."""

    def request(self, _turn: str, _attributes: Attributes, /) -> AbstractContextManager[None]:
        return nullcontext()

    def later(self, _turn: str, _name: str, _attributes: Attributes, /) -> AbstractContextManager[None]:
        return nullcontext()
