"""What is asked by itself, and named procedures."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, JsonValue

from agent.settings.section import Name, Section


def cron(value: str) -> str:
    """A cron expression. The package that knows them is loaded where there is one to check."""
    from agent.schedules import checked

    return checked(value)


class ScheduleSettings(Section):
    """A question that is asked by itself, again and again, for somebody."""

    when: Annotated[str, AfterValidator(cron)] = Field(
        description="Cron expression of five fields in `time_zone`: `0 9 * * mon` is every Monday at nine"
    )
    ask: str = Field(min_length=1, description="The question, as the person would ask it")
    person: Name = Field(description="Who asks: the answer has what this person may see")
    place: str = Field(
        pattern=r"^[a-z]+:[A-Za-z0-9]+$",
        description="Where it is answered: a surface and a channel, `slack:C012AB3CD`",
    )


class StepSettings(Section):
    """One step of a runbook: a call of a tool."""

    tool: Name = Field(description="A tool that is enabled")
    arguments: Mapping[str, JsonValue] = Field(
        default_factory=dict, alias="with", description="Its arguments; `{name}` stands for a parameter"
    )
    on_failure: Literal["stop", "continue"] = Field(
        default="stop",
        description="Whether the runbook goes on when the step fails; a rejected one always ends it",
    )


class RunbookSettings(Section):
    """A named procedure. Each write among its steps is an action like any other, with its own approval."""

    title: str = Field(min_length=3, max_length=100, description="What people call it")
    roles: tuple[Name, ...] = Field(min_length=1, description="Who may start it")
    parameters: Mapping[str, Mapping[str, object]] = Field(
        default_factory=dict, description="Typed like the arguments of a declared command"
    )
    steps: tuple[StepSettings, ...] = Field(min_length=1, max_length=30, description="In this order")
