"""Expectations of a policy, written as YAML: what should become of which call."""

from datetime import date, datetime
from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from agent.approvals.forecast import Difference, Forecast
from tools.contract import Json


class WrongExpectations(Exception):
    """The file cannot be read as expectations; the message names what and where."""


class Case(BaseModel):
    """One call, and what should become of it; what is left out is not looked at."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    person: str
    tool: str
    arguments: dict[str, str | int | float | bool] = Field(default_factory=dict)
    untrusted: tuple[str, ...] = ()
    at: datetime | date | str | None = None
    expect: Literal["allowed", "refused", "auto"]
    name: str = ""
    rule: str | None = None
    reason: str | None = None
    approvers: tuple[str, ...] | None = None
    quorum: int | None = None
    distinct_teams: int | None = None
    override: str | None = None
    break_glass: tuple[str, ...] | None = None

    @property
    def title(self) -> str:
        values = ", ".join(f"{key}={value}" for key, value in self.arguments.items())
        return self.name or f"{self.person}: {self.tool} {values}".strip()

    def unmet(self, found: Forecast) -> tuple[Difference, ...]:
        """In which respects it came otherwise."""
        need = found.need
        expected: tuple[tuple[str, object, object], ...] = (
            ("outcome", self.expect, found.outlook.value),
            ("rule", self.rule, found.rule or "-"),
            ("reason", self.reason, found.refusal.reason.value if found.refusal else "-"),
            ("approvers", _listed(self.approvers), _listed(found.approvers)),
            ("quorum", self.quorum, found.quorum),
            ("teams", self.distinct_teams, need.distinct_teams if need else 1),
            ("override", self.override, found.override),
            ("break_glass", _listed(self.break_glass), _listed(found.glass)),
        )
        return tuple(
            Difference(what, str(wanted) or "-", str(got) or "-")
            for what, wanted, got in expected
            if wanted is not None and wanted != got
        )


class Expectations(BaseModel):
    """The whole file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    cases: tuple[Case, ...] = Field(min_length=1)


def read(file: Path) -> tuple[Case, ...]:
    """The cases of a file. Raises `WrongExpectations`."""
    try:
        return Expectations.model_validate(yaml.safe_load(file.read_text(encoding="utf-8")) or {}).cases
    except (OSError, UnicodeDecodeError) as error:
        raise WrongExpectations(
            f"{file}: cannot be read: {error.strerror if isinstance(error, OSError) else error}"
        ) from error
    except yaml.YAMLError as error:
        raise WrongExpectations(f"{file}: not valid YAML: {error}") from error
    except ValidationError as error:
        lines = [
            f"{file}: {'.'.join(map(str, problem['loc']))}: {problem['msg']}" for problem in error.errors()
        ]
        raise WrongExpectations("\n".join(lines)) from error


def as_json(case: Case, found: Forecast, unmet: tuple[Difference, ...]) -> dict[str, Json]:
    return {
        "case": case.title,
        "met": not unmet,
        "differences": [{"what": one.what, "expected": one.was, "found": one.now} for one in unmet],
        "found": found.as_json(),
    }


def _listed(names: tuple[str, ...] | None) -> str | None:
    return None if names is None else ", ".join(sorted(names))
