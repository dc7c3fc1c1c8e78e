"""A day on a Slack that others wrote, by Socket Mode and by signed HTTP: everything happens, and happens once."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BINARY = (
    Path(sys.prefix) / "local-slack/node_modules/local-slack-linux-x64/bin/local-slack"
)  # where .ci/run puts it
ALONE = ["unshare", "-rn", "sh", "-c"]  # it binds every interface: it gets a network of its own


# What is seen whichever way Slack reaches the bots.
EVERYWHERE: dict[str, object] = {
    "source": True,
    "permalink": True,
    "file": ["what-runs.csv", True],
    "evidence": True,
    "answer": "It is proposed.",
    "in_thread": True,
    "refusal_only_for": "UMAYA",
    "cards": ["A-1: Stamp one (done)"],
    "buttons_left": [],
    "outcomes": 1,
    "told_of_reading_along": 1,
    "answers": 2,
    "edited": ["A-3: Stamp three (superseded)"],
    "rejected_because": True,
    "after_a_restart": "A-5 is done: Stamp five. stamped; stamped",
    "expired": [[], True],
    "asked_with_a_file": True,
}
KEPT = [
    "<@UBOT> what runs?",
    "<@UBOT> stamp one",
    "the vault opens with xylophone",
    "<@UBOT> stamp three",
    "<@UBOT> stamp five",
    "<@UBOT> stamp soon",
    "<@UBOT> stamp seven",
]


def runs(*command: str) -> bool:
    return (
        shutil.which(command[0]) is not None and subprocess.run(command, capture_output=True).returncode == 0
    )


@pytest.mark.skipif(
    not BINARY.is_file(), reason="local-slack is not installed: npm package local-slack-linux-x64"
)
@pytest.mark.skipif(not runs(*ALONE, "ip link set lo up"), reason="no network namespaces here")
@pytest.mark.parametrize("mode", ["socket", "http"])
def test_a_day_is_lived_on_local_slack(mode: str) -> None:
    way = "--http" if mode == "http" else ""
    story = f"ip link set lo up; exec {sys.executable} -m evals.bench.slack.local {BINARY} {way}"
    done = subprocess.run([*ALONE, story], cwd=ROOT, capture_output=True, text=True, timeout=150)
    assert done.returncode == 0, done.stderr[-2000:]
    assert json.loads(done.stdout.splitlines()[-1]) == EVERYWHERE | (
        {
            "after_a_death": "A-8 is done: Stamp eight. stamped; stamped",
            "kept": [*KEPT, "<@UBOT> stamp eight"],
            "effects": 3,
            "exit_codes": [0, 0, -9, 0],
        }
        if mode == "socket"
        else {
            "by_menu": [200, "Well."],
            "kept": [*KEPT, "is this so?"],
            "effects": 2,
            "exit_codes": [0, 0],
        }
    )
