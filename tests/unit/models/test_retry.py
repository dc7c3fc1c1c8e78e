"""Trying again: only what may pass, only so often, and as long as was asked for."""

import pytest

from agent.models.retry import LONGEST_WAIT, Passing, may_pass, retried


class Down(Exception):
    """What the caller sees in the end."""


class Flaky:
    """Fails as often as it was told to, then answers."""

    def __init__(self, *failures: Exception) -> None:
        self.failures, self.tries = list(failures), 0
        self.waits: list[float] = []

    async def __call__(self) -> str:
        self.tries += 1
        if self.failures:
            raise self.failures.pop(0)
        return "answer"

    async def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)

    async def retried(self, attempts: int = 3) -> str:
        return await retried(self, attempts=attempts, sleep=self.sleep)


async def test_what_works_at_once_is_not_tried_again() -> None:
    flaky = Flaky()

    assert await flaky.retried() == "answer"
    assert (flaky.tries, flaky.waits) == (1, [])


async def test_what_may_pass_is_tried_again_with_growing_waits() -> None:
    flaky = Flaky(Passing(Down()), Passing(Down()))

    assert await flaky.retried() == "answer"
    assert 0.5 <= flaky.waits[0] <= 1.0
    assert 1.0 <= flaky.waits[1] <= 1.5


async def test_the_wait_that_was_asked_for_is_kept() -> None:
    flaky = Flaky(Passing(Down(), after=0.0), Passing(Down(), after=12.5))

    await flaky.retried()

    assert flaky.waits == [0.0, 12.5]


async def test_after_the_last_attempt_the_cause_is_raised() -> None:
    flaky = Flaky(Passing(Down("one")), Passing(Down("two")), Passing(Down("three")))

    with pytest.raises(Down, match="three"):
        await flaky.retried()
    assert flaky.tries == 3


async def test_one_attempt_means_one() -> None:
    flaky = Flaky(Passing(Down("one")))

    with pytest.raises(Down, match="one"):
        await flaky.retried(attempts=1)
    assert flaky.tries == 1


async def test_a_wait_longer_than_people_have_patience_is_not_waited() -> None:
    flaky = Flaky(Passing(Down("later"), after=LONGEST_WAIT + 1))

    with pytest.raises(Down, match="later"):
        await flaky.retried()
    assert (flaky.tries, flaky.waits) == (1, [])


@pytest.mark.parametrize("failures", [(Down(),), (Passing(Down()), Down())])
async def test_any_other_failure_ends_it_at_once(failures: tuple[Exception, ...]) -> None:
    flaky = Flaky(*failures)

    with pytest.raises(Down):
        await flaky.retried()
    assert flaky.tries == len(failures)


@pytest.mark.parametrize("status", [408, 409, 429, 500, 503])
def test_some_statuses_are_worth_another_try(status: int) -> None:
    assert may_pass(status)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 422])
def test_a_refusal_is_not(status: int) -> None:
    assert not may_pass(status)
