"""Metrics that an operator declares in `sayso.yaml`: PromQL templates with typed parameters.

Errors::

    MetricRefused     the operator: a declaration is wrong; the message names metric, key, value and what is right
"""

import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Self

from pydantic import Field, model_validator

from tools.commands.declared import (
    ArgumentName,
    ChoiceArgument,
    DurationArgument,
    IntegerArgument,
    StringArgument,
)
from tools.contract import BadArguments
from tools.declared import Declared, taken
from tools.metrics.named import METRICS, PLACE, Metric, Written, filled
from tools.metrics.promql import parse

_GIVEN = {"service": "a", "environment": "a", "window": "5m"}
_TAKEN = frozenset({"metric", "service", "environment", "since", "until", "step", "window", "by", "chart"})
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"')

Parameter = Annotated[
    StringArgument | ChoiceArgument | IntegerArgument | DurationArgument, Field(discriminator="type")
]


class MetricRefused(Exception):
    """A declared metric cannot be offered; the message says what is wrong with it."""


class DeclaredMetric(Declared):
    """One metric: `$service`, `$environment`, `$window` and the parameters may stand in its query.

    `query` is one number for each instant, so it adds up what it selects. Inside a string a value is escaped; a matcher
    whose value nobody gives (such as `service="$service"` when all are meant) lets everything pass.
    """

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,47}$")]
    words: str = Field(min_length=2, max_length=80)
    query: str = Field(min_length=1, max_length=1_000)
    unit: str = Field(default="", max_length=20)
    floor: float = Field(default=0.0, ge=0)
    aliases: tuple[str, ...] = ()
    parameters: Mapping[ArgumentName, Parameter] = Field(default_factory=dict)

    @property
    def metric(self) -> Metric:
        return self.of({})

    def of(self, values: Mapping[str, str]) -> Metric:
        """The metric with the values of its own parameters; the defaults stand for those that are not given."""
        own = {name: str(values.get(name, parameter.default)) for name, parameter in self.parameters.items()}
        formula = Written(self.query, tuple(sorted(own.items())))
        return Metric(self.name, self.words, formula, self.unit, self.floor)

    @model_validator(mode="after")
    def _holds_together(self) -> Self:
        if self.name in METRICS:
            raise ValueError(f"name = {self.name!r} is a shipped metric; choose another")
        if clash := _TAKEN & set(self.parameters):
            raise ValueError(f"parameters: {sorted(clash)!r} is a name of our own; choose another")
        for name, parameter in self.parameters.items():
            if parameter.default is None:
                raise ValueError(f"parameters.{name}.default is missing: people leave parameters out")
        self._check_places()
        given = {**_GIVEN, **{name: str(each.default) for name, each in self.parameters.items()}}
        try:
            parse(filled(self.query, given))
        except BadArguments as error:
            raise ValueError(f"{error}") from error
        return self

    def _check_places(self) -> None:
        known = {*_GIVEN, *self.parameters}
        for name in PLACE.findall(self.query):
            if name not in known:
                raise ValueError(f"query: ${name} is no parameter; known: {', '.join(sorted(known))}")
        for name in PLACE.findall(_QUOTED.sub("", self.query)):
            if name in {"service", "environment"} or isinstance(
                self.parameters.get(name), StringArgument | ChoiceArgument
            ):
                raise ValueError(f'query: ${name} should stand inside a string: label="${name}"')


def declared(settings: Sequence[Mapping[str, object]]) -> tuple[DeclaredMetric, ...]:
    """The metrics of `tools.metrics.named`. Raises `MetricRefused` naming everything that is wrong."""
    metrics, problems = taken(DeclaredMetric, settings)
    problems += _shared(metrics)
    if problems:
        raise MetricRefused("\n".join(problems))
    return tuple(metrics)


def _shared(metrics: Sequence[DeclaredMetric]) -> list[str]:
    """Names given twice, and parameters of one name that are not the same: the tool has one argument for them."""
    problems = []
    names: set[str] = set()
    seen: dict[str, Parameter] = {}
    for metric in metrics:
        if metric.name in names:
            problems.append(f"{metric.name!r}: there are two metrics of this name")
        names.add(metric.name)
        for name, parameter in metric.parameters.items():
            if seen.setdefault(name, parameter) != parameter:
                problems.append(f"{metric.name!r}: parameters.{name}: another metric declares it differently")
    return problems
