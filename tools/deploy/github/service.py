"""How one service is deployed through GitHub, as an operator declares it."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum

from tools.deploy.port import Order, OrderKind

PLACEHOLDER = re.compile(r"\{([a-z]+)\}")
KNOWN = ("service", "version", "tag", "environment", "kind", "key")
Input = str | int | bool


class Failing(Enum):
    """What becomes of a deployment whose checks did not pass."""

    REFUSE = "refuse"
    MARK = "mark"


class Misdeclared(Exception):
    """A declaration that cannot work; the message names the field, the value and what would be right."""


@dataclass(frozen=True, slots=True)
class Workflow:
    """A workflow with `workflow_dispatch`, and how one of its runs is told from others: by the name it gives itself.

    `ref`, the texts of `inputs` and `run_name` hold placeholders; `run_name` is what `run-name:` in the workflow makes.
    """

    file: str
    ref: str = "{tag}"
    inputs: Mapping[str, Input] = field(
        default_factory=lambda: {
            "version": "{version}",
            "environment": "{environment}",
            "kind": "{kind}",
            "key": "{key}",
        }
    )
    run_name: str = "{kind} {version} to {environment} ({key})"
    answers_run: bool = True  # whether the server knows `return_run_details`

    def __post_init__(self) -> None:
        texts = {"ref": self.ref, "run_name": self.run_name}
        texts |= {f"inputs.{name}": text for name, text in self.inputs.items() if isinstance(text, str)}
        for name, text in texts.items():
            if strays := sorted(set(PLACEHOLDER.findall(text)) - set(KNOWN)):
                raise Misdeclared(
                    f"workflow.{name} = {text!r}: {{{strays[0]}}} should be among {', '.join(KNOWN)}"
                )
        told = set(PLACEHOLDER.findall(self.run_name))
        if missing := sorted({"version", "environment", "key"} - told):
            raise Misdeclared(
                f"workflow.run_name = {self.run_name!r} should have {{{missing[0]}}}: a run is found again by its name"
            )


@dataclass(frozen=True, slots=True)
class Service:
    """Where the source of a service is, and how a version of it gets into an environment."""

    name: str
    repository: str
    tag: str = "v{version}"
    environments: Mapping[str, str] = field(default_factory=dict)  # ours -> GitHub's
    workflow: Workflow | None = None
    checks: Sequence[str] | None = None  # None: those that the default branch requires
    failing: Failing = Failing.REFUSE
    task: str = "deploy"

    def __post_init__(self) -> None:
        if PLACEHOLDER.findall(self.tag) != ["version"]:
            raise Misdeclared(f"tag = {self.tag!r} should hold {{version}} once and nothing else in braces")

    def tag_of(self, version: str) -> str:
        return self.tag.replace("{version}", version)

    def version_of(self, tag: str) -> str | None:
        """The version a tag names; `None` for a tag or a branch of another kind."""
        before, _, after = self.tag.partition("{version}")
        found = re.fullmatch(f"{re.escape(before)}(\\d[0-9A-Za-z.+-]*){re.escape(after)}", tag)
        return found[1] if found else None


def filled(template: Input, values: Mapping[str, str]) -> Input:
    """A text with its placeholders; another value stays what it is."""
    if not isinstance(template, str):
        return template
    return PLACEHOLDER.sub(lambda found: values[found[1]], template)


def values(service: Service, order: Order, environment: str, key: str) -> dict[str, str]:
    """What the placeholders stand for in one order; `environment` is GitHub's name for it."""
    version = order.version or ""
    return {
        "service": order.service,
        "version": version,
        "tag": service.tag_of(version),
        "environment": environment,
        "kind": order.kind.value,
        "key": key,
    }


def in_words(service: Service, order: Order, place: str) -> str:
    """What GitHub would be told, in words."""
    known = values(service, order, place, "<action>")
    if service.workflow is None:
        return (
            f"a deployment of {known['tag']} of {service.repository} to {place}, for whoever carries it out"
        )
    workflow = service.workflow
    inputs = ", ".join(f"{name}={filled(text, known)}" for name, text in workflow.inputs.items())
    ref = filled(workflow.ref, known)
    return f"a run of {workflow.file} of {service.repository} at {ref} with {inputs}"


@dataclass(frozen=True, slots=True)
class RunName:
    """What the name of a run tells of it."""

    version: str
    environment: str
    key: str
    kind: OrderKind | None


def read_name(template: str, name: str, service: str) -> RunName | None:
    """The values in the name of a run; `None` for a name that the template did not make."""
    shapes = {
        "version": r"(?P<version>[0-9A-Za-z][0-9A-Za-z.+-]*)",
        "environment": r"(?P<environment>[0-9A-Za-z][0-9A-Za-z._ /-]*?)",
        "key": r"(?P<key>[0-9A-Za-z._:-]*)",
        "kind": r"(?P<kind>[a-z]*)",
        "service": re.escape(service),
        "tag": r"\S+",
    }
    pieces, seen = [], set[str]()
    for number, piece in enumerate(PLACEHOLDER.split(template)):
        if number % 2 == 0:
            pieces.append(re.escape(piece))
        else:
            pieces.append(shapes[piece] if piece not in seen else f"(?P={piece})")
            seen.add(piece)
    found = re.fullmatch("".join(pieces), name.strip())
    if found is None:
        return None
    told = found.groupdict()
    kinds = {each.value: each for each in OrderKind}
    return RunName(told["version"], told["environment"], told["key"], kinds.get(told.get("kind", "")))
