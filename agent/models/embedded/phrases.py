"""The sentences the planner learns its intents from: each tool's own examples and those of its family."""

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources

from tools.contract import Effect, Spec
from tools.slots import Kind, Slot, slots

TALK = "talk:"  # intents that need no tool: `talk:greeting`
_FAMILIES = {  # the words of a tool's name that tell its family
    "deploy": "deploy release",
    "rollback": "rollback revert",
    "restart": "restart",
    "scale": "scale",
    "logs": "logs log",
    "metrics": "metrics metric",
    "status": "status state",
    "report": "report",
    "knowledge": "knowledge docs",
    "kubernetes": "kubernetes k8s pods",
    "investigate": "investigate investigation",
}
_FAMILY_WORDS = {word: kin for kin, words in _FAMILIES.items() for word in words.split()}
_PLACE = re.compile(r"\{(\w+)\}")
_STANDS_FOR = {
    "service": "service", "environment": "environment", "version": "version", "count": "count", "replicas": "count",
    "time": "time", "since": "time", "window": "time", "period": "time", "until": "time", "quoted": "quoted",
    "contains": "quoted", "text": "quoted",
}  # fmt: skip
_BY_KIND = {
    Kind.VERSION: "version", Kind.COUNT: "count", Kind.DURATION: "time", Kind.SINCE: "time", Kind.UNTIL: "time",
    Kind.QUOTED: "quoted", Kind.REFERENCE: "reference",
}  # fmt: skip
_SPOKEN = {
    "version": "2.4.1",
    "count": "4",
    "time": "2 hours",
    "quoted": '"disk full"',
    "reference": "OPS-12",
}


@dataclass(frozen=True, slots=True)
class Phrase:
    """A sentence somebody might say, and the intent it shows: a tool's name or `talk:...`."""

    text: str
    intent: str


@lru_cache(maxsize=1)
def _book() -> Mapping[str, Mapping[str, Sequence[str]]]:
    text = resources.files("agent.models.embedded").joinpath("phrases.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def family(name: str) -> str | None:
    """The family a tool belongs to by its name: `query_logs` and `logs` are both logs."""
    return next((_FAMILY_WORDS[word] for word in re.split(r"[_\-.]", name) if word in _FAMILY_WORDS), None)


def families(specs: Sequence[Spec]) -> dict[str, Spec]:
    """The tool of each family; the first one named wins."""
    found: dict[str, Spec] = {}
    for spec in specs:
        if (kin := family(spec.name)) is not None:
            found.setdefault(kin, spec)
    return found


def phrases(specs: Sequence[Spec]) -> Iterator[Phrase]:
    """All phrases for a set of tools, with values in place of `{name}`."""
    spoken = {**_SPOKEN, **{role: _some(specs, role) for role in ("service", "environment")}}
    for spec in specs:
        roles = {name: _spoken_role(name, slot) for name, slot in slots(spec.arguments).items()}
        values = {name: slot.choices[0] for name, slot in slots(spec.arguments).items() if slot.choices}
        for example in spec.examples:
            yield Phrase(_fill(example.text, spoken, roles, values), spec.name)
    for kin, spec in families(specs).items():
        if kin in {"deploy", "rollback", "restart", "scale"} and spec.effect is not Effect.WRITE:
            continue
        for text in _book()["tools"].get(kin, ()):
            yield Phrase(_fill(text, spoken, {}, {}), spec.name)
    for label, texts in _book()["talk"].items():
        for text in texts:
            yield Phrase(_fill(text, spoken, {}, {}), TALK + label)


def _spoken_role(name: str, slot: Slot) -> str:
    if slot.kind is Kind.CHOICE:
        return slot.role or name
    return _BY_KIND.get(slot.kind, "")


def _some(specs: Sequence[Spec], role: str) -> str:
    """A value of the role that some tool knows; a plain word when none does."""
    for spec in specs:
        for name, slot in slots(spec.arguments).items():
            if slot.kind is Kind.CHOICE and (slot.role or name) == role and slot.choices:
                return slot.choices[0]
    return role


def _fill(text: str, spoken: Mapping[str, str], roles: Mapping[str, str], values: Mapping[str, str]) -> str:
    def value(match: re.Match[str]) -> str:
        name = match[1]
        role = roles.get(name) or _STANDS_FOR.get(name, name)
        return spoken.get(role) or values.get(name) or name

    return _PLACE.sub(value, text)
