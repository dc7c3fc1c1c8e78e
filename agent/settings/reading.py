"""Reading `sayso.yaml` and `SAYSO_*` variables, with a line for everything that is wrong."""

import difflib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import get_args

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from agent.settings.section import SettingsError
from agent.settings.whole import Settings

# Read by the command line before there are settings, so they are not settings themselves.
RESERVED = frozenset({"SAYSO_HOME", "SAYSO_CONFIG", "SAYSO_AS"})


# Keys whose value is not shown, even when it is wrong.
_SECRETS = ("api_key", "database", "bot_token", "app_token", "signing_secret", "authorization")


def load(file: Path, environ: Mapping[str, str]) -> Settings:
    """Reads `file`, then the variables (`SAYSO_MODEL__NAME` is `model.name`). Raises `SettingsError`."""
    try:
        text = file.read_text(encoding="utf-8")
        tree = yaml.compose(text, Loader=yaml.SafeLoader)
        values = yaml.safe_load(text) or {}
    except FileNotFoundError as error:
        raise SettingsError(f"{file}: there is no such file; `sayso init` writes one") from error
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{file}: cannot be read: {error}") from error
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f"line {mark.line + 1}, column {mark.column + 1}" if mark else "somewhere"
        raise SettingsError(f"{file}: {where}: not valid YAML: {error.problem}") from error
    if not isinstance(values, dict):
        raise SettingsError(f"{file}: line 1: should be a mapping of settings, got {type(values).__name__}")
    if repeated := next(_repeated_keys(tree), None):
        raise SettingsError(f"{file}: line {repeated[1]}: {repeated[0]!r} is given twice; keep one")
    overridden = _override(values, environ)
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        lines = [_explain(problem, tree, file, overridden) for problem in error.errors()]
        raise SettingsError("\n".join(lines)) from error


def _override(values: dict[str, object], environ: Mapping[str, str]) -> dict[tuple[str, ...], str]:
    """Puts the variables into `values`; returns which path came from which variable."""
    origin = {}
    for variable, text in environ.items():
        if not variable.startswith("SAYSO_") or variable in RESERVED:
            continue
        *parents, last = path = tuple(variable.removeprefix("SAYSO_").lower().split("__"))
        section = values
        for parent in parents:
            inner = section.setdefault(parent, {})
            if not isinstance(inner, dict):
                raise SettingsError(f"{variable}: {parent!r} is not a section in the file")
            section = inner
        # A bare text stays a text: a key such as 0123 or a name such as `yes` is not YAML to its owner.
        section[last] = yaml.safe_load(text) if text[:1] in "[{" else text
        origin[path] = variable
    return origin


def _repeated_keys(node: yaml.Node | None) -> Iterator[tuple[str, int]]:
    if isinstance(node, yaml.MappingNode):
        seen = set()
        for key, value in node.value:
            if key.value in seen:
                yield key.value, key.start_mark.line + 1
            seen.add(key.value)
            yield from _repeated_keys(value)
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from _repeated_keys(item)


def _explain(
    problem: ErrorDetails, tree: yaml.Node | None, file: Path, overridden: Mapping[tuple[str, ...], str]
) -> str:
    """One problem as a line: where, which key, which value, what would be right."""
    path = tuple(part for part in problem["loc"] if part != "[key]")
    key = ".".join(str(part) for part in path)
    variable = overridden.get(tuple(str(part) for part in path))
    where = variable or f"{file}: line {_line(tree, path)}"
    if problem["type"] == "extra_forbidden":
        known = _known_keys(path[:-1])
        near = difflib.get_close_matches(str(path[-1]), known, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"known here: {', '.join(sorted(known))}"
        return f"{where}: {key}: there is no such setting; {hint}"
    if problem["type"] == "missing":
        return f"{where}: {key}: is missing"
    message = problem["msg"].removeprefix("Value error, ")
    if isinstance(problem["input"], Mapping):  # the message says which of its keys
        return f"{where}: {key}: {message}"
    hidden = (path[-1:] and path[-1] in _SECRETS) or path[-2:] == ("store", "url")
    shown = "(hidden)" if hidden else repr(problem["input"])
    return f"{where}: {key} = {shown}: {message[:1].lower()}{message[1:]}"


def _line(node: yaml.Node | None, path: tuple[str | int, ...]) -> int:
    """The line of the deepest node on `path` that the file has, counted from 1."""
    line = 1
    for part in path:
        if isinstance(node, yaml.MappingNode):
            pair = next((pair for pair in node.value if pair[0].value == str(part)), None)
            if pair is None:
                break
            line, node = pair[0].start_mark.line + 1, pair[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
            line = node.start_mark.line + 1
    return line


def _known_keys(path: tuple[str | int, ...]) -> list[str]:
    """The keys of the section at `path`, found by walking the models' annotations."""
    section: type[BaseModel] | None = Settings
    for part in path:
        if section is None or part not in section.model_fields:
            continue  # a name of the operator's choosing, or a place in a list
        section = _section_in(section.model_fields[str(part)].annotation)
    return [info.alias or name for name, info in section.model_fields.items()] if section else []


def _section_in(annotation: object) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for part in get_args(annotation) if (found := _section_in(part))), None)
