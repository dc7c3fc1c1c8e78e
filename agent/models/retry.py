"""The one place where something is tried again: reads and calls of a model, never a write."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from tenacity import AsyncRetrying

T = TypeVar("T")
Sleep = Callable[[float], Awaitable[None]]
LONGEST_WAIT = 20.0  # seconds; an endpoint that asks for more is treated as unavailable


class Passing(Exception):
    """A failure that may pass: wrap it in this to have it tried again. `after` is what the endpoint asked to wait."""

    def __init__(self, cause: Exception, after: float | None = None) -> None:
        super().__init__(str(cause))
        self.cause, self.after = cause, after


async def retried(
    attempt: Callable[[], Awaitable[T]],
    *,
    attempts: int,
    first_wait: float = 0.5,
    sleep: Sleep = asyncio.sleep,
) -> T:
    """Runs `attempt` until it works, at most `attempts` times; only `Passing` failures are tried again.

    Waits as the endpoint asked (`Retry-After`), else exponentially with jitter. Raises the last failure's cause.
    """
    try:
        return await attempt()
    except Passing as failure:
        first = failure
    # Nearly every call works at once. Only now is tenacity brought in, and shown the first failure as its own.
    failed = [first]

    async def again() -> T:
        if failed:
            raise failed.pop()
        return await attempt()

    try:
        return await _policy(attempts, first_wait, sleep)(again)
    except Passing as failure:
        raise failure.cause from failure


def _policy(attempts: int, first_wait: float, sleep: Sleep) -> "AsyncRetrying":
    """What is tried again, how often, and after how long."""
    from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, stop_after_attempt
    from tenacity.wait import wait_exponential, wait_random

    backoff = wait_exponential(multiplier=first_wait, max=LONGEST_WAIT) + wait_random(0, first_wait)

    def wait(state: RetryCallState) -> float:
        failure = state.outcome.exception() if state.outcome else None
        if isinstance(failure, Passing) and failure.after is not None:
            return failure.after
        return backoff(state)

    def worth_it(failure: BaseException) -> bool:
        return isinstance(failure, Passing) and (failure.after is None or failure.after <= LONGEST_WAIT)

    return AsyncRetrying(
        sleep=sleep,
        stop=stop_after_attempt(attempts),
        wait=wait,
        retry=retry_if_exception(worth_it),
        reraise=True,
    )


def may_pass(status: int) -> bool:
    """Whether an HTTP status is worth another try: too slow, in conflict, too many, or the server's own fault."""
    return status in {408, 409, 429} or status >= 500
