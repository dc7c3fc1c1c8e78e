"""Conditions of a rule on one typed argument: exact values, whole-text expressions, beginnings, ranges of numbers."""

import re
from dataclasses import dataclass
from typing import TypeAlias

from agent.words.catalogue import say
from tools.contract import Json

Scalar: TypeAlias = str | int | float | bool


@dataclass(frozen=True, slots=True)
class OneOf:
    """The argument is exactly one of these values, of the same type: `3` is not `"3"`, and `true` is not `1`."""

    values: tuple[Scalar, ...]

    def holds(self, value: Json) -> bool:
        return any(_kind(value) == _kind(one) and value == one for one in self.values)

    def as_json(self) -> dict[str, Json]:
        return {"values": sorted(self.values, key=repr)}

    def said(self, argument: str, locale: str) -> str:
        return say(
            "policy.when_values", locale, argument=argument, values=", ".join(map(_shown, self.values))
        )


@dataclass(frozen=True, slots=True)
class Matches:
    """The whole text fits this regular expression: it is anchored at both ends, whoever forgets `^` and `$`."""

    pattern: str

    def holds(self, value: Json) -> bool:
        return isinstance(value, str) and re.fullmatch(self.pattern, value) is not None

    def as_json(self) -> dict[str, Json]:
        return {"matches": self.pattern}

    def said(self, argument: str, locale: str) -> str:
        return say("policy.when_matches", locale, argument=argument, pattern=self.pattern)


@dataclass(frozen=True, slots=True)
class Begins:
    """The text begins with exactly these characters."""

    prefix: str

    def holds(self, value: Json) -> bool:
        return isinstance(value, str) and value.startswith(self.prefix)

    def as_json(self) -> dict[str, Json]:
        return {"prefix": self.prefix}

    def said(self, argument: str, locale: str) -> str:
        return say("policy.when_prefix", locale, argument=argument, prefix=self.prefix)


@dataclass(frozen=True, slots=True)
class Ranges:
    """The number lies within these bounds; `None` is no bound."""

    above: float | None = None
    at_least: float | None = None
    below: float | None = None
    at_most: float | None = None

    def holds(self, value: Json) -> bool:
        if isinstance(value, bool) or not isinstance(value, int | float):
            return False
        return (
            (self.above is None or value > self.above)
            and (self.at_least is None or value >= self.at_least)
            and (self.below is None or value < self.below)
            and (self.at_most is None or value <= self.at_most)
        )

    def as_json(self) -> dict[str, Json]:
        return dict(self._bounds())

    def said(self, argument: str, locale: str) -> str:
        parts = [say(f"policy.when_{name}", locale, bound=f"{bound:g}") for name, bound in self._bounds()]
        return " ".join([argument, say("policy.and", locale).join(parts)])

    def _bounds(self) -> list[tuple[str, float]]:
        every = (
            ("above", self.above),
            ("at_least", self.at_least),
            ("below", self.below),
            ("at_most", self.at_most),
        )
        return [(name, bound) for name, bound in every if bound is not None]


@dataclass(frozen=True, slots=True)
class Every:
    """All of these hold."""

    conditions: "tuple[Condition, ...]"

    def holds(self, value: Json) -> bool:
        return all(condition.holds(value) for condition in self.conditions)

    def as_json(self) -> dict[str, Json]:
        return {"every": [condition.as_json() for condition in self.conditions]}

    def said(self, argument: str, locale: str) -> str:
        return say("policy.and", locale).join(one.said(argument, locale) for one in self.conditions)


Condition: TypeAlias = OneOf | Matches | Begins | Ranges | Every


def _kind(value: object) -> str:
    """Numbers are of one kind, whole or not; everything else is of its own."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return "number" if is_number else type(value).__name__


def _shown(value: Scalar) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
