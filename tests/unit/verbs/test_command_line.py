"""The command line itself: its first screen, and what its help names."""

import argparse
import subprocess
import sys
from pathlib import Path

from agent import cli

ROOT = Path(__file__).parents[3]


def test_without_a_verb_it_says_what_it_is_and_where_to_begin() -> None:
    script = "import sys, agent.cli; code = agent.cli.main(); print([*sys.modules]); sys.exit(code)"
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    said, loaded = done.stdout.rsplit("\n[", 1)
    for part in ("runs operations by conversation", "sayso demo", "sayso init", "sayso chat", "sayso --help"):
        assert part in said
    assert len(said.splitlines()) < 12
    assert "'agent.verbs'" in loaded
    assert not {"'pydantic'", "'rich'", "'yaml'"} & set(loaded.rstrip("]\n").split(", "))


def test_the_line_about_actions_names_everything_that_can_be_done_with_one() -> None:
    top = verbs_of(cli.parser())
    (line,) = (choice.help for choice in top._choices_actions if choice.dest == "actions")
    assert line is not None
    assert set(line.split(": ")[1].split(", ")) == set(verbs_of(top.choices["actions"]).choices)


def verbs_of(parser: argparse.ArgumentParser) -> "argparse._SubParsersAction[argparse.ArgumentParser]":
    """What `add_subparsers` made; argparse has no public way to it."""
    (found,) = (one for one in parser._actions if isinstance(one, argparse._SubParsersAction))
    return found
