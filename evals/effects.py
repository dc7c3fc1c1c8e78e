"""How well the effect of MCP tools is guessed: `python -m evals.effects FILE [--blind FILE] [--train] [--json]`.

FILE holds a JSON line a tool: server, name, description, readOnly (what its makers say). Each server is held out once
and judged by weights learned from the others. The rules are the same in every fold, and whoever wrote them had read
these tools: their figure is no estimate for servers that nobody has seen. `--blind` names tools that nobody read before
the rules were written. `--train` writes the weights that are shipped. Ends with 1 where a bar is missed out of fold.
"""

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from agent.models.embedded.regression import train
from tools.contract import Effect, Json
from tools.mcp.effects import THRESHOLD, Weights, by_rule, features

RECALL, ALARMS = 0.99, 0.05  # the bars: share of changes called so, share of reads called changes
CURVE = (0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5)
SHIPPED = Path(__file__).parents[1] / "tools" / "mcp" / "effects.json"
_DECAY, _LEAST = 0.01, 0.02  # of the training; weights below the least are left out
_BIAS = "bias"


@dataclass(frozen=True, slots=True)
class Labelled:
    """One tool with its makers' word on it."""

    server: str
    name: str
    description: str
    changes: bool
    input: Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class Score:
    """How many changes and reads there were, and how many of each were called changes."""

    changes: int
    caught: int
    reads: int
    alarms: int

    @property
    def recall(self) -> float:
        return self.caught / self.changes if self.changes else 1.0

    @property
    def alarm_rate(self) -> float:
        return self.alarms / self.reads if self.reads else 0.0

    @property
    def holds(self) -> bool:
        return self.recall >= RECALL and self.alarm_rate <= ALARMS

    def __str__(self) -> str:
        return (
            f"recall {self.caught}/{self.changes} = {self.recall:.3f}, "
            f"false alarms {self.alarms}/{self.reads} = {self.alarm_rate:.3f}"
        )


def read(file: Path) -> list[Labelled]:
    """The tools of a file that somebody labelled."""
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]
    return [
        Labelled(row["server"], row["name"], row["description"], not row["readOnly"], row.get("input") or {})
        for row in rows
        if row["readOnly"] is not None
    ]


def learned(tools: Sequence[Labelled]) -> Weights:
    """A logistic regression over the features of these tools."""
    import numpy as np

    found = [features(tool.name, tool.description) for tool in tools]
    names = sorted({feature for each in found for feature in each})
    place = {name: number for number, name in enumerate(names, 1)}
    rows = np.zeros((len(tools), len(names) + 1), dtype=np.float32)
    rows[:, 0] = 1.0
    for row, each in zip(rows, found, strict=True):
        row[[place[name] for name in each]] = 1.0
    labels = np.array([int(tool.changes) for tool in tools], dtype=np.int64)
    weights = train(rows, labels, 2, decay=_DECAY, steps=2_000)
    towards = weights[:, 1] - weights[:, 0]
    kept = {name: round(float(towards[place[name]]), 3) for name in names}
    return Weights(
        round(float(towards[0]), 3), {name: value for name, value in kept.items() if abs(value) >= _LEAST}
    )


@dataclass(frozen=True, slots=True)
class Judged:
    """A tool, what a rule says of it (None: nothing), and the probability by weights that never saw its server."""

    tool: Labelled
    rule: Effect | None
    probability: float

    def called_change(self, threshold: float, *, rules: bool = True) -> bool:
        if rules and self.rule is not None:
            return self.rule is Effect.WRITE
        return self.probability >= threshold


def judged(tools: Sequence[Labelled], weights: Weights) -> list[Judged]:
    """The tools judged by given weights."""
    made = []
    for tool in tools:
        ruled = by_rule(tool.name, tool.description, tool.input)
        chance = weights.probability(features(tool.name, tool.description))
        made.append(Judged(tool, None if ruled is None else ruled.effect, chance))
    return made


def out_of_fold(tools: Sequence[Labelled]) -> list[Judged]:
    """Every server judged by weights of the others."""
    made: list[Judged] = []
    for server in sorted({tool.server for tool in tools}):
        others = [tool for tool in tools if tool.server != server]
        made += judged([tool for tool in tools if tool.server == server], learned(others))
    return made


def scored(found: Sequence[Judged], threshold: float = THRESHOLD, *, rules: bool = True) -> Score:
    """How many were called what they are."""
    called = [(one.tool.changes, one.called_change(threshold, rules=rules)) for one in found]
    return Score(
        sum(is_ for is_, _ in called),
        sum(is_ and said for is_, said in called),
        sum(not is_ for is_, _ in called),
        sum(said and not is_ for is_, said in called),
    )


def write(weights: Weights, file: Path = SHIPPED) -> None:
    """Writes what is shipped."""
    ordered = dict(sorted(weights.by_feature.items()))
    text = json.dumps({"bias": weights.bias, "weights": ordered}, indent=0, ensure_ascii=True)
    file.write_text(f"{text}\n", encoding="utf-8")


def figures(tools: Sequence[Labelled], blind: Sequence[Labelled]) -> dict[str, Score]:
    """Every figure by what it is about."""
    folds, whole = out_of_fold(tools), learned(tools)
    found = {
        "out of fold, rules and weights": scored(folds),
        "out of fold, weights alone": scored(folds, rules=False),
        "whole set, rules and weights": scored(judged(tools, whole)),
        "whole set, where a rule speaks": scored([one for one in folds if one.rule is not None]),
    }
    found |= {
        f"out of fold, weights alone, threshold {at:.2f}": scored(folds, at, rules=False) for at in CURVE
    }
    if blind:
        seen = judged(blind, whole)
        found["blind, rules and weights"] = scored(seen)
        for server in sorted({tool.server for tool in blind}):
            found[f"blind, {server}"] = scored([one for one in seen if one.tool.server == server])
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints the figures, or writes the weights."""
    parser = argparse.ArgumentParser(
        prog="python -m evals.effects",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("file", type=Path, help="labelled tools, a JSON line each")
    parser.add_argument("--blind", type=Path, help="labelled tools that nobody read while writing the rules")
    parser.add_argument("--train", action="store_true", help="write the weights that are shipped")
    parser.add_argument("--json", action="store_true", help="the figures as JSON")
    chosen = parser.parse_args(arguments)
    absent = [file for file in (chosen.file, chosen.blind) if file is not None and not file.is_file()]
    if absent:
        print(f"skipped: {absent[0]} is not there; it is no part of the project")
        return 0
    tools = read(chosen.file)
    if chosen.train:
        write(learned(tools))
        print(f"{SHIPPED}: learned from {len(tools)} tools")
        return 0
    found = figures(tools, read(chosen.blind) if chosen.blind else ())
    if chosen.json:
        shown = {
            name: {"recall": one.recall, "alarms": one.alarm_rate, "changes": one.changes, "reads": one.reads}
            for name, one in found.items()
        }
        print(json.dumps(shown, indent=2))
    else:
        for name, one in found.items():
            print(f"{name:52} {one}")
        for wrong in out_of_fold(tools):
            if wrong.tool.changes != (said := wrong.called_change(THRESHOLD)):
                by = "rule" if wrong.rule is not None else f"weights ({wrong.probability:.2f})"
                print(
                    f"  {wrong.tool.server} {wrong.tool.name}: called {'write' if said else 'read'} by {by}"
                )
    return 0 if found["out of fold, rules and weights"].holds else 1


if __name__ == "__main__":
    sys.exit(main())
