"""With sixty tools whitelisted: is the right one among those a model is shown, and what do their descriptions cost?

The cases are `ops_tool_calls.jsonl` (English and French, eight tools) and BFCL's `multiple`; the rest of each whitelist
of sixty is drawn, the same for the same case, from real Kubernetes tools and the functions of BFCL's other cases. A
case counts if every tool it expects is shown. Tokens are those the product counts. Cases that expect no tool count for
tokens alone. Every second case is the half that was developed on; the other half is `unseen`.

Run it as `python -m evals.bench.routing [--json] [--words-only] [--cache FOLDER] FOLDER`.
"""

import argparse
import asyncio
import json
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ConfigDict
from pydantic.config import JsonDict

from agent.conversation.budget import offer_cost
from agent.conversation.choosing import BUDGET, Asked, Choosing
from agent.conversation.offers import offer
from agent.conversation.ports import TokenCounter
from agent.models.router import ToolRouter
from agent.models.tokens import counter
from evals.understand_tools import names, toolset
from knowledge.embed import local_embedder
from knowledge.port import Embedder
from tools.contract import Arguments, Effect, Spec

WHITELISTED = 60
FILES = ("ops_tool_calls.jsonl", "k8s_mcp_tools.json", "bfcl/BFCL_v4_multiple.json")
ANSWERS = "bfcl/possible_answer_multiple.json"
_TYPES = {"dict": "object", "float": "number", "tuple": "array", "any": "string"}


@dataclass(frozen=True, slots=True)
class Case:
    """A request, the tools that should be shown for it, and all that are whitelisted."""

    id: str
    text: str
    expected: frozenset[str]
    tools: tuple[Spec, ...]


@dataclass(frozen=True, slots=True)
class Result:
    """What a model was shown for one case."""

    case: Case
    shown: int
    tokens: int
    all_tokens: int
    missed: frozenset[str]
    rank: int  # the place of the last tool that was expected, from 1; 0 where none is
    milliseconds: float


def cases(folder: Path) -> list[Case]:
    """All cases of the folder, in the order of the files."""
    ops = _lines(folder / FILES[0])
    cluster = [_declared(tool) for tool in json.loads((folder / FILES[1]).read_text(encoding="utf-8"))]
    functions = {str(row["id"]): row for row in _lines(folder / FILES[2])}
    answers = {str(row["id"]): row for row in _lines(folder / ANSWERS)}
    expected = [
        (str(call["tool"]), call["args"]) for row in ops for call in row["expect"] if call["tool"] != "none"
    ]
    team = toolset(names(arguments for _, arguments in expected))
    others = {tool.name: tool for row in functions.values() for tool in map(_declared, row["function"])}
    pool = (*team, *cluster, *others.values())
    found = [
        _case(
            f"ops-{row['id']}",
            row["text"],
            [call["tool"] for call in row["expect"] if call["tool"] != "none"],
            team,
            pool,
        )
        for row in ops
    ]
    for id_, row in functions.items():
        right = [_name(name) for call in answers[id_]["ground_truth"] for name in call]
        own = tuple(_declared(function) for function in row["function"])
        found.append(_case(id_, row["question"][0][0]["content"], right, own, pool))
    return found


def _case(id_: str, text: str, expected: Sequence[str], own: Sequence[Spec], pool: Sequence[Spec]) -> Case:
    """Its own tools and as many others as make sixty, in no order that tells which is which."""
    drawn = random.Random(id_)  # the same whitelist for the same case
    taken = {tool.name for tool in own}
    rest = drawn.sample([tool for tool in pool if tool.name not in taken], WHITELISTED - len(own))
    tools = [*own, *rest]
    drawn.shuffle(tools)
    return Case(id_, text, frozenset(expected), tuple(tools))


def _lines(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]


def _name(name: str) -> str:
    return name.replace(".", "_")  # the providers of language models accept no dots


def _declared(tool: Mapping[str, Any]) -> Spec:
    """A tool of the files as one of ours; its schema stays the one that it declares."""
    schema = _standard(tool.get("inputSchema") or tool.get("parameters") or {"type": "object"})

    def as_declared(shape: JsonDict) -> None:
        shape.clear()
        shape.update(schema)

    class Declared(Arguments):
        model_config = ConfigDict(extra="allow", json_schema_extra=as_declared)

    return Spec(_name(str(tool["name"])), str(tool["description"]), Declared, Effect.WRITE)


def _standard(schema: Any) -> Any:
    """BFCL's type names as JSON Schema has them."""
    if isinstance(schema, dict):
        return {
            name: _TYPES.get(value, value) if name == "type" and isinstance(value, str) else _standard(value)
            for name, value in schema.items()
        }
    return [_standard(item) for item in schema] if isinstance(schema, list) else schema


async def measure(
    found: Sequence[Case], embedder: Embedder | None, counting: TokenCounter, budget: int
) -> list[Result]:
    """What is shown for each case. Each whitelist is read once before the clock runs, as at a start."""
    results = []
    for case in found:
        router = ToolRouter(case.tools, embedder)
        await router.prepare()
        choosing = Choosing(router, counting, budget)
        offers = [offer(tool) for tool in case.tools]
        whole = sum(offer_cost(each, counting) for each in offers)
        choosing.all_fit(offers)
        await choosing.choose(offers, Asked("warm-up"))  # counts the tokens of the schemas, once in a process
        began = time.perf_counter()
        shown = await choosing.choose(offers, Asked(case.text))
        took = time.perf_counter() - began
        names_shown = {each.name for each in shown}
        ranked = await router.rank(case.text)
        results.append(
            Result(
                case,
                len(shown),
                sum(offer_cost(each, counting) for each in shown),
                whole,
                case.expected - names_shown,
                max((ranked.index(name) + 1 for name in case.expected), default=0),
                took * 1000,
            )
        )
    return results


def summed_up(results: Sequence[Result]) -> dict[str, object]:
    """The figures of some results."""
    calling = [result for result in results if result.case.expected]
    return {
        "cases": len(results),
        "with_tool": len(calling),
        "right_tool_shown": round(sum(not result.missed for result in calling) / max(1, len(calling)), 4),
        "tokens_median": statistics.median(result.tokens for result in results),
        "tokens_most": max(result.tokens for result in results),
        "tools_shown_median": statistics.median(result.shown for result in results),
        "all_tools_tokens_median": statistics.median(result.all_tokens for result in results),
        "all_tools_tokens_most": max(result.all_tokens for result in results),
        "ranked_first": round(sum(result.rank == 1 for result in calling) / max(1, len(calling)), 4),
        "reading_ms_median": round(statistics.median(result.milliseconds for result in results), 1),
        "missed": [
            f"{result.case.id}: {', '.join(sorted(result.missed))}" for result in calling if result.missed
        ],
    }


async def figures(folder: Path, cache: Path, *, words_only: bool, budget: int) -> dict[str, object]:
    """Both halves and the whole, and what they were measured with."""
    local = local_embedder(cache / "vectors.db")
    embedder = None if words_only else local.embedder
    counting = counter(cache)
    results = await measure(cases(folder), embedder, counting, budget)
    return {
        "whitelisted": WHITELISTED,
        "embedder": embedder.name if embedder else None,
        "tokens_exact": counting.exact,
        "developed_on": summed_up(results[0::2]),
        "unseen": summed_up(results[1::2]),
        "all": summed_up(results),
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints the figures; ends with 1 where the bar is missed: fewer than 4,000 tokens, the right tool in 99 %."""
    parser = argparse.ArgumentParser(prog="python -m evals.bench.routing", description=__doc__)
    parser.add_argument("folder", type=Path, help="with ops_tool_calls.jsonl, k8s_mcp_tools.json and bfcl/")
    parser.add_argument("--json", action="store_true", help="the figures as JSON")
    parser.add_argument("--words-only", action="store_true", help="without the embedding model")
    parser.add_argument("--cache", type=Path, help="a folder that keeps vectors for the next run")
    parser.add_argument(
        "--budget", type=int, default=BUDGET, help="tokens of descriptions (default: %(default)s)"
    )
    chosen = parser.parse_args(arguments)
    missing = [name for name in (*FILES, ANSWERS) if not (chosen.folder / name).is_file()]
    if missing:
        print(f"skipped: {chosen.folder} has no {', '.join(missing)}")
        return 0
    with tempfile.TemporaryDirectory() as made:
        cache = chosen.cache or Path(made)
        found = asyncio.run(figures(chosen.folder, cache, words_only=chosen.words_only, budget=chosen.budget))
    print(json.dumps(found, indent=2) if chosen.json else _as_text(found))
    whole = found["all"]
    assert isinstance(whole, dict)
    return 0 if whole["right_tool_shown"] >= 0.99 and whole["tokens_most"] < 4_000 else 1


def _as_text(found: Mapping[str, object]) -> str:
    lines = [f"{name}: {value}" for name, value in found.items() if not isinstance(value, dict)]
    for half in ("developed_on", "unseen", "all"):
        part = found[half]
        assert isinstance(part, dict)
        lines += ["", half, *(f"  {name}: {value}" for name, value in part.items())]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
