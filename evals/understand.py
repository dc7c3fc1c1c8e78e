"""Measures what the planner without a language model understands: `python -m evals.understand --json FILE`."""

import argparse
import asyncio
import json
import re
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from statistics import median, quantiles

from pydantic import BaseModel, ConfigDict

from agent.models.embedded.folding import as_words
from agent.models.embedded.reading import AskBack, Call, Reading
from agent.models.embedded.understanding import Understanding
from evals.understand_tools import WRITES, names, toolset
from knowledge.embed import local_embedder
from tools.contract import Effect, Json

_NOW = datetime(
    2026, 11, 23, 15, 42, tzinfo=UTC
)  # a Monday afternoon; the cases say nothing that depends on the day


class Expected(BaseModel):
    """One call that would be right: the tool and the arguments that must match, or `none`."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    tool: str
    args: dict[str, str | int | float | list[str] | None] = {}


class Case(BaseModel):
    """One request, and the calls of which any is right."""

    model_config = ConfigDict(extra="ignore", frozen=True)
    id: int | str
    text: str
    lang: str = "en"
    expect: list[Expected]


@dataclass(frozen=True, slots=True)
class Verdict:
    """How one case went."""

    case: Case
    got: Reading
    tool: bool
    arguments: bool
    wrong_write: bool
    milliseconds: float

    @property
    def wants_call(self) -> bool:
        return all(expected.tool != "none" for expected in self.case.expect)


def matches(expected: Mapping[str, object], got: Mapping[str, Json]) -> bool:
    """Whether every expected argument is there with its value; of a list, every word must occur."""
    return all(_same(value, got.get(name)) for name, value in expected.items())


def _same(expected: object, got: Json) -> bool:
    if isinstance(expected, list):
        words = as_words(str(got or ""))
        return all(as_words(str(word)) in words for word in expected)
    if isinstance(expected, int | float) and not isinstance(expected, bool):
        return got == expected
    if expected is None:
        return got is None
    return isinstance(got, str) and _plain(str(expected)) == _plain(got)


def _plain(value: str) -> str:
    return as_words(re.sub(r"^v(?=\d)", "", value.strip(), flags=re.IGNORECASE))


def judge(case: Case, got: Reading, milliseconds: float, writes: frozenset[str]) -> Verdict:
    """Compares what was understood with what was expected."""
    calls: Sequence[Call] = got if isinstance(got, tuple) else ()
    pairs = [(expected, call) for expected in case.expect for call in calls if expected.tool == call.tool]
    right = [call for expected, call in pairs if matches(expected.args, call.arguments)]
    silent = not calls and any(expected.tool == "none" for expected in case.expect)
    wrong_write = any(call.tool in writes and call not in right for call in calls)
    return Verdict(case, got, bool(pairs) or silent, bool(right) or silent, wrong_write, milliseconds)


async def measure(cases: Sequence[Case], zone: tzinfo = UTC) -> list[Verdict]:
    """Reads every case with the product's planner over a toolset that knows the cases' names."""
    expected = [one for case in cases for one in case.expect]
    named = {tool: ["environment" in one.args for one in expected if one.tool == tool] for tool in WRITES}
    specs = toolset(
        names(one.args for one in expected),
        frozenset(tool for tool, seen in named.items() if seen and all(seen)),
    )
    writes = frozenset(spec.name for spec in specs if spec.effect is Effect.WRITE)
    embedder = local_embedder().embedder
    with tempfile.TemporaryDirectory() as folder:
        planner = Understanding(specs, embedder=embedder, zone=zone, cache=Path(folder))
        await planner.prepare()  # training is not part of a request
        await planner.read("which words load the embedding model?", now=_NOW)
        verdicts = []
        for case in cases:
            started = time.perf_counter()
            got = await planner.read(case.text, now=_NOW)
            verdicts.append(judge(case, got, (time.perf_counter() - started) * 1_000, writes))
    return verdicts


def figures(verdicts: Sequence[Verdict]) -> dict[str, float | int]:
    """The figures of a run; fractions are of the cases that expect a call, or that expect none."""
    wanting = [verdict for verdict in verdicts if verdict.wants_call]
    silent = [verdict for verdict in verdicts if not verdict.wants_call]
    times = sorted(verdict.milliseconds for verdict in verdicts)
    calls = [len(verdict.got) for verdict in wanting if isinstance(verdict.got, tuple)]
    return {
        "tool_right": _share([verdict.tool for verdict in wanting]),
        "args_right": _share([verdict.arguments for verdict in wanting]),
        "none_right": _share([verdict.tool for verdict in silent]),
        "wrong_writes": sum(verdict.wrong_write for verdict in verdicts),
        "ms_median": round(median(times), 2),
        "ms_p90": round(quantiles(times, n=10)[-1], 2) if len(times) > 1 else round(times[0], 2),
        "cases": len(verdicts),
        "cases_with_call": len(wanting),
        "asked_back": sum(isinstance(verdict.got, AskBack) for verdict in wanting),
        "calls_mean": round(sum(calls) / len(calls), 2) if calls else 0.0,
    }


def _share(right: Sequence[bool]) -> float:
    return round(sum(right) / len(right), 4) if right else 1.0


def load(file: Path) -> list[Case]:
    """Cases, one JSON object a line. Raises `ValueError` naming the line that is wrong."""
    cases = []
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), start=1):
        if line.strip():
            try:
                cases.append(Case.model_validate_json(line))
            except ValueError as error:
                raise ValueError(f"{file}: line {number}: {error}") from error
    if not cases:
        raise ValueError(f"{file}: holds no cases")
    return cases


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints the figures as one JSON object; `--failures` lists what went wrong on stderr."""
    parser = argparse.ArgumentParser(prog="evals.understand", description=__doc__)
    parser.add_argument(
        "--json", type=Path, required=True, metavar="FILE", help="the cases, one JSON object a line"
    )
    parser.add_argument("--failures", action="store_true", help="list the cases that went wrong, on stderr")
    chosen = parser.parse_args(arguments)
    try:
        cases = load(chosen.json)
    except (OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return 2
    verdicts = asyncio.run(measure(cases))
    if chosen.failures:
        for verdict in verdicts:
            if not verdict.arguments or verdict.wrong_write:
                mark = "WRITE" if verdict.wrong_write else "tool" if not verdict.tool else "args"
                wanted = [(expected.tool, expected.args) for expected in verdict.case.expect]
                print(
                    f"{mark:5} {verdict.case.id} {verdict.case.text!r}\n      want {wanted}\n      got  {verdict.got}",
                    file=sys.stderr,
                )
    print(json.dumps(figures(verdicts), indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
