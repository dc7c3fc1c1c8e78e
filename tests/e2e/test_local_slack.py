"""The story of an action on a Slack that others wrote: two bots hear everything, and it happens once."""

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


def runs(*command: str) -> bool:
    return (
        shutil.which(command[0]) is not None and subprocess.run(command, capture_output=True).returncode == 0
    )


@pytest.mark.skipif(
    not BINARY.is_file(), reason="local-slack is not installed: npm package local-slack-linux-x64"
)
@pytest.mark.skipif(not runs(*ALONE, "ip link set lo up"), reason="no network namespaces here")
def test_an_action_lives_its_life_on_local_slack() -> None:
    story = f"ip link set lo up; exec {sys.executable} -m evals.bench.slack.local {BINARY}"
    done = subprocess.run([*ALONE, story], cwd=ROOT, capture_output=True, text=True, timeout=150)
    assert done.returncode == 0, done.stderr[-2000:]
    assert json.loads(done.stdout.splitlines()[-1]) == {
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
        "kept": [
            "<@UBOT> stamp one",
            "the vault opens with xylophone",
            "<@UBOT> stamp three",
            "<@UBOT> stamp five",
        ],
        "effects": 2,
        "exit_codes": [0, 0, 0],
    }
