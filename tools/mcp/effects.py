"""What an MCP tool seems to do, guessed from its name, its description and its arguments: a suggestion for an operator.

Nothing is offered by this guess: the effect is what the settings say, and write where they say nothing. Whoever is not
sure is told `write`: rules first, and where no rule speaks, weights learned from tools that their makers labelled
(`python -m evals.effects FILE --train`).
"""

import json
import math
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources

from tools.contract import Effect, Json
from tools.mcp.wording import cleaned

THRESHOLD = 0.15  # probability of a change from which it is called one
_PARTS = re.compile(r"[^A-Za-z0-9]+|(?<=[a-z0-9])(?=[A-Z])")
_WORD = re.compile(r"[a-z][a-z']+")
_SENTENCE = re.compile(r"(?<=[.!?:])\s|\n")
_LEAD = re.compile(
    r"^\W*(?:start here[^:\n]*:|workflow:[^.\n]*(?:\\n|\s)*|discovery:|use this (?:tool )?(?:to|when)|this tool"
    r"|tool (?:to|for|that)|allows? (?:you )?to|can be used to|used to|it)\s+",
    re.IGNORECASE,
)
_LISTED = re.compile(
    r"^\W*([a-z]+)(?:(?:,? (?:or|and|and/or) |, |/)([a-z]+))?(?:,? (?:or|and|and/or) ([a-z]+))?\b",
    re.IGNORECASE,
)
_ONLY_LOOKS = re.compile(
    r"\bread[- ]only\b|\bonly (?:get|read)\b|\bdoes not (?:change|modify)\b", re.IGNORECASE
)
_FREE_QUERY = re.compile(
    r"\bsql\b|\bselect\s+[\w*(\"]|\binfluxql\b|\bcypher\b|\bgremlin\b|\bmutation\b|\bjavascript\b",
    re.IGNORECASE,
)
_WAITS = re.compile(r"\bwaits? (?:for|until)\b[^.]{0,60}\b(?:complete|finish|done|ready|end)", re.IGNORECASE)
_LOOSE = frozenset({"execute", "run", "call", "invoke", "issue", "send"})  # said of queries, too
_RUNS = frozenset({"run", "execute", "exec", "evaluate", "eval"})
_FREE_ARGUMENTS = frozenset(
    {"sql", "statement", "command", "cmd", "script", "code", "cypher", "mutation", "shell"}
)


@dataclass(frozen=True, slots=True)
class Guess:
    """A suggested effect, and what it rests on."""

    effect: Effect
    why: str
    by_rule: bool


def suggested(
    name: str, description: str, schema: Mapping[str, Json], hints: Mapping[str, Json] | None = None
) -> Guess:
    """The effect that a tool seems to have; write where that is not clear. A server's hint can only make it one."""
    text = cleaned(description).text
    given = hints or {}
    if given.get("readOnlyHint") is False or given.get("destructiveHint") is True:
        return Guess(Effect.WRITE, "its server says itself that it changes something", by_rule=True)
    ruled = by_rule(name, text, schema)
    if ruled is not None:
        return ruled
    chance = probability(name, text)
    effect = Effect.WRITE if chance >= THRESHOLD else Effect.READ
    return Guess(
        effect, f"no rule speaks; learned from others: {chance:.0%} that it changes something", by_rule=False
    )


def by_rule(name: str, description: str, schema: Mapping[str, Json]) -> Guess | None:
    """What the verbs say, the ones that change something first; None where they say nothing."""
    parts, lead = parts_of(name), leading(description)
    if (why := _changes(parts, lead, description, schema)) is not None:
        return Guess(Effect.WRITE, why, by_rule=True)
    if (why := _looks(parts, lead, description)) is not None:
        return Guess(Effect.READ, why, by_rule=True)
    return None


def _changes(
    parts: tuple[str, ...], lead: tuple[str, ...], description: str, schema: Mapping[str, Json]
) -> str | None:
    """Why it seems to change something; None where nothing says so."""
    if (why := _free(parts, description, schema)) is not None:
        return why
    only_looks = _ONLY_LOOKS.search(description) is not None
    orders = [part for part in parts if _orders(part) and not (only_looks and part == "request")]
    if orders and (parts[0] == orders[0] or not _is(parts[0], "looks")):
        return f"{orders[0]!r} in its name"
    loose = _LOOSE if any(_is(part, "looks") for part in parts) else frozenset[str]()
    spoken = [verb for verb in lead if _speaks(verb) and loose.isdisjoint(_stems(verb))]
    if spoken:
        return f"{spoken[0]!r} begins its description"
    return "it starts something and waits for it" if _WAITS.search(description) and not only_looks else None


def _looks(parts: tuple[str, ...], lead: tuple[str, ...], description: str) -> str | None:
    """Why it seems to look only; None where nothing says so."""
    if _ONLY_LOOKS.search(description):
        return "it says that it only looks"
    looks = [part for part in parts if _is(part, "looks")]
    if looks and (parts[0] in looks or any(_is(verb, "looks") for verb in lead)):
        return f"{looks[0]!r} in its name"
    return f"{lead[0]!r} begins its description" if lead and _is(lead[0], "looks") else None


def _orders(part: str) -> bool:
    """Whether a word of a name is a verb that changes something: `staged` is an adjective, `manage` says nothing."""
    adjective = part.endswith("ed") and part not in _verbs()["changes"]
    return _is(part, "changes") and not _is(part, "looks") and not adjective and part != "manage"


def _speaks(verb: str) -> bool:
    return _is(verb, "changes") and not _is(verb, "looks")


def _free(parts: tuple[str, ...], description: str, schema: Mapping[str, Json]) -> str | None:
    """Why it takes orders that nobody can foresee; None where it does not."""
    properties = schema.get("properties")
    names = {name.casefold() for name in properties} if isinstance(properties, Mapping) else set()
    if free := sorted(names & _FREE_ARGUMENTS):
        return f"its argument {free[0]!r} may order anything"
    if (parts[0] == "query" or _RUNS & set(parts)) and _FREE_QUERY.search(description):
        return "it takes queries in a language that can also change things"
    return None


def parts_of(name: str) -> tuple[str, ...]:
    """The words of a name, in small letters."""
    return tuple(part.casefold() for part in _PARTS.split(name) if part) or ("",)


def leading(description: str) -> tuple[str, ...]:
    """The verbs that the first sentence begins with: `Create, patch, or delete` are three."""
    said = _LEAD.sub("", description.strip())
    first = next((part for part in _SENTENCE.split(said) if _WORD.search(part.casefold())), "")
    found = _LISTED.match(first.strip())
    return tuple(word.casefold() for word in found.groups() if word) if found else ()


@cache
def _verbs() -> Mapping[str, frozenset[str]]:
    text = (resources.files("tools.mcp") / "verbs.toml").read_text(encoding="utf-8")
    return {kind: frozenset(str(words).split()) for kind, words in tomllib.loads(text).items()}


def _is(word: str, kind: str) -> bool:
    """Whether a word is a form of one of these verbs."""
    return any(stem in _verbs()[kind] for stem in _stems(word))


def _stems(word: str) -> Iterator[str]:
    yield word
    for ending in ("s", "es", "ed", "d", "ing"):
        if word.endswith(ending) and len(word) > len(ending) + 2:
            stem = word.removesuffix(ending)
            yield stem
            if ending == "ing":
                yield f"{stem}e"
            if len(stem) > 3 and stem[-1] == stem[-2]:
                yield stem[:-1]
    if word.endswith("ies"):
        yield f"{word[:-3]}y"


# --- what was learned ------------------------------------------------------------------------------------------------


def features(name: str, description: str) -> frozenset[str]:
    """What the weights are about: the words of the name, and those of the first two sentences, without endings."""
    said = " ".join(_SENTENCE.split(description.strip())[:2]).casefold()
    stems = {min(_stems(word), key=len) for word in _WORD.findall(said)}
    parts = parts_of(name)
    kinds = {
        *(f"verb:{kind}" for part in parts for kind in _verbs() if _is(part, kind)),
        *(f"lead:{kind}" for verb in leading(description) for kind in _verbs() if _is(verb, kind)),
    }
    return frozenset({*(f"name:{part}" for part in parts), *(f"says:{stem}" for stem in stems), *kinds})


@dataclass(frozen=True, slots=True)
class Weights:
    """A logistic regression over `features`."""

    bias: float
    by_feature: Mapping[str, float]

    def probability(self, found: frozenset[str]) -> float:
        score = self.bias + sum(self.by_feature.get(feature, 0.0) for feature in found)
        return 1 / (1 + math.exp(-max(-30.0, min(30.0, score))))


@cache
def _weights() -> Weights:
    read = json.loads((resources.files("tools.mcp") / "effects.json").read_text(encoding="utf-8"))
    return Weights(float(read["bias"]), {str(name): float(value) for name, value in read["weights"].items()})


def probability(name: str, description: str) -> float:
    """How likely it is by the shipped weights that a tool changes something."""
    return _weights().probability(features(name, description))
