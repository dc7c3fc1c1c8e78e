"""A procedure: its steps with the values of one run put in, and what a step's turn is known by."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from tools.contract import Json, digest

PLACE = re.compile(r"\{([a-z][a-z0-9_]*)\}")
PREFIX = "runbook:"  # of the event ids of steps
TOOL = "runbook-"  # of the names of the tools that start one


@dataclass(frozen=True, slots=True)
class Step:
    """One call. `goes_on`: the procedure does even if this fails."""

    tool: str
    arguments: Mapping[str, Json]
    goes_on: bool = False

    def filled(self, values: Mapping[str, Json]) -> dict[str, Json]:
        """The arguments with the values of a run; a placeholder alone keeps the value's type."""
        return {name: _filled(value, values) for name, value in self.arguments.items()}

    @property
    def places(self) -> frozenset[str]:
        """The parameters it names."""
        return frozenset(
            name for value in self.arguments.values() for one in _texts(value) for name in PLACE.findall(one)
        )


@dataclass(frozen=True, slots=True)
class Procedure:
    """A runbook as the settings have it."""

    name: str
    title: str
    steps: tuple[Step, ...]
    roles: frozenset[str]

    @property
    def version(self) -> str:
        """Names exactly these steps: a run goes on only with the procedure it began with."""
        return digest(
            {
                "steps": [
                    {"tool": step.tool, "with": dict(step.arguments), "goes_on": step.goes_on}
                    for step in self.steps
                ]
            }
        )[:12]


@dataclass(frozen=True, slots=True)
class Ref:
    """Step `number`, counted from one, of the run that the turn `run` began."""

    run: str
    number: int

    @property
    def event(self) -> str:
        """What the step is heard under: the same however often it is said, so it is done once."""
        return f"{PREFIX}{self.run}:{self.number}"

    @classmethod
    def of(cls, event: str) -> "Ref | None":
        """The step of this event id; None for anything else that was said."""
        found = re.fullmatch(rf"{PREFIX}(T-\d+):(\d+)", event)
        return None if found is None else cls(found[1], int(found[2]))


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a procedure, as the turn that began it kept it."""

    name: str
    version: str
    values: Mapping[str, Json]

    @classmethod
    def among(cls, evidence: Iterable[Json]) -> "Run | None":
        """The run that a turn began, by what was kept of it; None where it began none."""
        for item in evidence:
            facts = item.get("facts") if isinstance(item, Mapping) and item.get("kind") == "runbook" else None
            if isinstance(facts, Mapping):
                values = facts.get("values")
                return cls(
                    str(facts.get("name")),
                    str(facts.get("version")),
                    values if isinstance(values, Mapping) else {},
                )
        return None


def _filled(value: Json, values: Mapping[str, Json]) -> Json:
    if isinstance(value, str):
        alone = PLACE.fullmatch(value)
        return values[alone[1]] if alone else PLACE.sub(lambda found: str(values[found[1]]), value)
    if isinstance(value, Mapping):
        return {name: _filled(one, values) for name, one in value.items()}
    if isinstance(value, Sequence):
        return [_filled(one, values) for one in value]
    return value


def _texts(value: Json) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, Mapping):
        return [text for one in value.values() for text in _texts(one)]
    return [text for one in value for text in _texts(one)] if isinstance(value, Sequence) else []
