"""Faults played on the shop's real processes, in short: the investigation names the true cause and invents nothing."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from demo.faults.fault import Fault
from demo.faults.play import Script, script
from demo.faults.recording import record
from demo.faults.ten import BEFORE, TEN
from evals.bench.faults.asking import desk
from evals.bench.faults.recording import Recording
from evals.bench.faults.scoring import Score, score

NAMES = ("bad-config", "slow-dependency", "harmless-spike")
STRIKES, ENDS = 40.0, 74.0  # seconds: half a minute of each is what the rules need


def shortened(fault: Fault) -> Script:
    """The script of a seed with less time in it, and only herrings that come before the strike."""
    played = script(fault, 3)
    early = [each for each in fault.herrings if (each.earliest, each.latest) == BEFORE][:1]
    return replace(
        played,
        strikes=STRIKES,
        ends=ENDS,
        baskets_a_second=5.0,
        magnitude=1.0,
        herrings=tuple((STRIKES - 16.0, each) for each in early),
    )


@pytest.fixture
async def scores(tmp_path: Path) -> dict[str, Score]:
    """All are played at the same time, on a shop each."""
    faults = {fault.name: fault for fault in TEN}
    folders = {name: tmp_path / "kept" / name for name in NAMES}
    await asyncio.gather(*(record(folders[name], shortened(faults[name]), tmp_path) for name in NAMES))
    recordings = {name: Recording.of(folder) for name, folder in folders.items()}
    async with desk(tmp_path / "desk") as asked:
        return {name: score(each, await asked.ask(each)) for name, each in recordings.items()}


@pytest.mark.e2e
@pytest.mark.slow
@pytest.mark.timeout(420)
async def test_the_true_cause_comes_first_the_herring_is_ruled_out_and_nothing_is_invented(
    scores: dict[str, Score],
) -> None:
    assert {name: each.first for name, each in scores.items()} == dict.fromkeys(NAMES, True)
    assert {name: all(each.herrings.values()) for name, each in scores.items()} == dict.fromkeys(NAMES, True)
    assert {name: each.invented for name, each in scores.items()} == dict.fromkeys(NAMES, ())
