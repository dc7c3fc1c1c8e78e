"""Runbooks made of the settings, and checked against the tools before anybody can start one."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pydantic import TypeAdapter, ValidationError, create_model

from agent.runbooks.procedure import TOOL, Procedure, Step
from agent.runbooks.starting import StartRunbook
from agent.settings import RunbookSettings, Settings
from tools.commands.arguments import CommandArguments, field_for
from tools.commands.declared import Argument
from tools.registry import Registry
from tools.vocabulary import Vocabulary

_ARGUMENT: TypeAdapter[Argument] = TypeAdapter(Argument)


class RunbookRefused(Exception):
    """A runbook cannot be offered; the message names it, the key, the value and what would be right."""


@dataclass(frozen=True, slots=True)
class Built:
    """The procedures, the registry with the tools that start them, and who may use these."""

    procedures: Mapping[str, Procedure]
    registry: Registry
    access: Mapping[str, tuple[str, ...]]


def built(settings: Settings, registry: Registry, vocabulary: Vocabulary) -> Built:
    """All runbooks of the settings. Raises `RunbookRefused` with a line for each thing that is wrong."""
    made = {
        name: Procedure(
            name,
            one.title,
            tuple(Step(step.tool, step.arguments, step.on_failure == "continue") for step in one.steps),
            frozenset(one.roles),
        )
        for name, one in settings.runbooks.items()
    }
    wrong = [line for name, one in made.items() for line in _wrong(one, settings.runbooks[name], registry)]
    starters = []
    for name, one in made.items():
        try:
            arguments = _arguments(settings.runbooks[name], name, vocabulary)
        except RunbookRefused as error:
            wrong.append(str(error))
        else:
            starters.append(StartRunbook(one, arguments, registry))
    if wrong:
        raise RunbookRefused("\n".join(wrong))
    access = {TOOL + name: tuple(sorted(one.roles)) for name, one in made.items()}
    return Built(made, Registry([*registry, *starters], registry.off), access)


def _wrong(procedure: Procedure, settings: RunbookSettings, registry: Registry) -> Iterator[str]:
    where = f"runbooks.{procedure.name}"
    known = {spec.name: spec for spec in registry.specs()}
    used = frozenset[str]().union(*(step.places for step in procedure.steps))
    for number, step in enumerate(procedure.steps, 1):
        at = f"{where}.steps[{number}]"
        if step.tool not in known:
            yield f"{at}.tool = {step.tool!r}: {registry.why_not(step.tool)}"
            continue
        fields = known[step.tool].arguments.model_fields
        for name in step.arguments.keys() - fields.keys():
            yield f"{at}.with.{name}: {step.tool} has no such argument; it takes {', '.join(fields) or 'none'}"
        for name, field in fields.items():
            if field.is_required() and name not in step.arguments:
                yield f"{at}.with: {name} is missing, which {step.tool} needs"
    for name in sorted(used - settings.parameters.keys()):
        yield f"{where}.parameters: {name} is missing, which a step names as {{{name}}}"
    for name in sorted(settings.parameters.keys() - used):
        yield f"{where}.parameters.{name}: no step uses it; leave it out, or name it as {{{name}}}"


def _arguments(settings: RunbookSettings, name: str, vocabulary: Vocabulary) -> type[CommandArguments]:
    fields: dict[str, object] = {}
    for parameter, declared in settings.parameters.items():
        try:
            argument = _ARGUMENT.validate_python(declared)
        except ValidationError as error:
            first = error.errors()[0]
            key = ".".join(str(part) for part in first["loc"][1:]) or "type"
            raise RunbookRefused(f"runbooks.{name}.parameters.{parameter}.{key}: {first['msg']}") from error
        fields[parameter] = field_for(parameter, argument, vocabulary)
    made: type[CommandArguments] = create_model(
        f"{name}_runbook", __base__=CommandArguments, __doc__=settings.title, **fields
    )  # type: ignore[call-overload]  # the overloads know no computed fields
    return made
