"""The verbs of the command line: one module each, with `add(group)` for its options and a coroutine that runs it."""

import argparse
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Context:
    """The surroundings of the process, read once."""

    environ: Mapping[str, str]
    cwd: Path


# What `add_subparsers` returns; argparse has no public name for it.
Group: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"  # noqa: SLF001


def add_place(verb: argparse.ArgumentParser) -> None:
    """The options that say which home and settings a verb works on."""
    place = verb.add_argument_group("where")
    place.add_argument("--home", type=Path, metavar="DIR", help="home folder of the data (default: see docs)")
    place.add_argument("--config", type=Path, metavar="FILE", help="settings file (default: DIR/sayso.yaml)")


def add_asker(verb: argparse.ArgumentParser) -> None:
    verb.add_argument(
        "--as", dest="person", metavar="PERSON", help="who is asking (default: SAYSO_AS, else you)"
    )


def add_json(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("--json", action="store_true", help="print one JSON document instead of text")
