"""The story the README tells, with real processes: why, a change that waits, a refusal, an approval, and it works."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]


@dataclass(frozen=True)
class Terminal:
    """Runs `sayso` as a person would, each time as a process of its own."""

    home: Path

    def run(self, *words: str, person: str = "maya") -> tuple[int, dict[str, object]]:
        """The exit code and the JSON it printed."""
        command = [
            sys.executable,
            "-m",
            "agent.cli",
            *words,
            "--home",
            str(self.home),
            "--json",
            "--as",
            person,
        ]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, env=self._environment())
        return done.returncode, json.loads(done.stdout)

    def demo(self, what: str) -> int:
        command = [sys.executable, "-m", "agent.cli", "demo", what, "--home", str(self.home)]
        return subprocess.run(command, capture_output=True, timeout=240, env=self._environment()).returncode

    def _environment(self) -> dict[str, str]:
        return {**os.environ, "HOME": str(self.home.parent)}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Terminal]:
    terminal = Terminal(tmp_path_factory.mktemp("demo") / "home")
    assert terminal.demo("start") == 0
    yield terminal
    terminal.demo("stop")


def test_the_whole_story(shop: Terminal) -> None:
    code, why = shop.run("ask", "why are payments failing?")
    answer = str(why["answer"])
    evidence = why["evidence"]
    assert code == 0
    assert isinstance(evidence, list)
    assert "payments 2.4.0" in answer
    assert "connection pool exhausted" in answer
    assert "INC-112" in answer
    assert {"log_patterns", "series", "passage"} <= {item["kind"] for item in evidence}
    log = (shop.home / "logs" / "production" / "payments.log").read_text()
    patterns = next(item for item in evidence if item["kind"] == "log_patterns")
    assert any(pattern["sample"] in log for pattern in patterns["facts"]["patterns"])

    _, pourquoi = shop.run("ask", "pourquoi les paiements échouent ?", person="ines")
    assert "payments 2.4.0" in str(pourquoi["answer"])
    assert pourquoi["language"] == "fr"

    _, proposed = shop.run("ask", "reviens à payments 2.3.9 en production", person="raj")
    assert isinstance(proposed["actions"], list)
    action = proposed["actions"][0]
    assert (action["tool"], action["arguments"]["version"]) == ("rollback", "2.3.9")
    assert version_of(shop, "payments") == "2.4.0"

    for person, word in (("raj", "somebody else"), ("maya", "roles")):
        code, refused = shop.run("actions", "approve", action["id"], person=person)
        assert code == 3
        assert word in str(refused["said"])
    assert version_of(shop, "payments") == "2.4.0"

    code, done = shop.run("actions", "approve", action["id"], "--reason", "seen it", person="tom")
    assert code == 0, done
    assert version_of(shop, "payments") == "2.3.9"
    code, _ = shop.run("actions", "approve", action["id"], person="sam")
    assert code == 3

    code, trail = shop.run("audit", "verify")
    assert trail["whole"] is True
    _, story = shop.run("audit", "show", action["id"])
    assert isinstance(story["events"], list)
    kinds = [event["kind"] for event in story["events"]]
    assert kinds == [
        "proposed", "decision_refused", "decision_refused", "decided", "claimed", "succeeded", "decision_refused",
    ]  # fmt: skip
    assert "connection pool exhausted" not in logged_after(shop, "2.3.9")


def version_of(shop: Terminal, service: str) -> str:
    _, state = shop.run("demo", "status")
    services = state["services"]
    assert isinstance(services, list)
    return next(
        str(one["version"])
        for one in services
        if (one["service"], one["environment"]) == (service, "production")
    )


def logged_after(shop: Terminal, version: str) -> str:
    """What the version logged since it came back, after a few more payments."""
    shop.run("ask", "what runs in production?")
    lines = (shop.home / "logs" / "production" / "payments.log").read_text().splitlines()
    back = max(number for number, line in enumerate(lines) if f"payments {version} started" in line)
    return "\n".join(line for line in lines[back:] if f'"version": "{version}"' in line)
