"""An HTTP API and its operations as an operator declares them in `sayso.yaml`, checked before anything is made of them.

Errors::

    ApiRefused        the operator: a declaration is wrong; the message names API, operation, key and what is right
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from tools.commands.declared import PLACEHOLDER, RESERVED, Argument, ArgumentName
from tools.contract import Effect, Json
from tools.declared import Declared, Expression, Name, SpokenExample, taken
from tools.http.addresses import Refused, permitted

_PATH = re.compile(r"/[A-Za-z0-9._~!$&'()*+,;=:@%/{}-]*")
_FORBIDDEN = frozenset({"host", "content-length", "transfer-encoding", "connection", "idempotency-key"})


class ApiRefused(Exception):
    """A declared API cannot be offered; the message says what is wrong with it."""


class Request(Declared):
    """One request. A placeholder `{argument}` stands for its value in one piece of the path, a query value or a text.

    `project` (JMESPath) picks from the body what is shown. `holds` (JMESPath over `status`, `body` and `arguments`) is
    a condition; only a `verify` has one.
    """

    method: Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"] = "GET"
    path: str
    query: Mapping[str, str] = Field(default_factory=dict)
    body: Json = None
    project: Expression = None
    holds: Expression = None

    @field_validator("path")
    @classmethod
    def _plain(cls, path: str) -> str:
        if not _PATH.fullmatch(path) or any(part in {".", ".."} for part in path.split("/")):
            raise ValueError(f"{path!r} should begin with / and hold no query, no `..` and no spaces")
        return path

    @property
    def safe(self) -> bool:
        return self.method in {"GET", "HEAD"}

    def names(self) -> set[str]:
        """The arguments that it needs."""
        texts = [self.path, *self.query.values(), *_texts(self.body)]
        return {name for text in texts for name in PLACEHOLDER.findall(text)}


class Operation(Declared):
    """One thing an API can do for people: a read, or a write with its plan, its check and its way back."""

    name: Name
    description: str = Field(min_length=10)
    effect: Effect = Effect.WRITE
    arguments: Mapping[ArgumentName, Argument] = Field(default_factory=dict)
    run: Request
    plan: Request | None = None
    verify: Request | None = None
    undo: Request | None = None
    examples: tuple[SpokenExample | str, ...] = ()

    @model_validator(mode="after")
    def _holds_together(self) -> Self:
        requests = {"run": self.run, "plan": self.plan, "verify": self.verify, "undo": self.undo}
        for key, request in requests.items():
            if request is None:
                continue
            if strays := request.names() - set(self.arguments):
                raise ValueError(
                    f"{key}: {sorted(strays)!r} names no argument; declared: {', '.join(self.arguments)}"
                )
            if key in {"plan", "verify"} and not request.safe:
                raise ValueError(f"{key}: method = {request.method!r} should be GET or HEAD: it only looks")
            if (request.holds is not None) != (key == "verify"):
                raise ValueError(f"{key}: `holds` belongs to verify, and verify needs one")
        if self.effect is Effect.READ and (self.plan or self.verify or self.undo):
            raise ValueError(
                "an operation with the effect 'read' has only run: there is nothing to plan or undo"
            )
        if clash := RESERVED & set(self.arguments):
            raise ValueError(f"arguments: {sorted(clash)!r} is a name of our own; choose another")
        return self


class Api(Declared):
    """One API: its address, who may be behind that, what every request carries, and what may be asked of it."""

    name: Name
    base: str
    headers: Mapping[str, str] = Field(default_factory=dict)
    authorization_file: Path | None = None
    networks: tuple[IPv4Network | IPv6Network, ...] = ()
    timeout: float = Field(default=15.0, gt=0, le=120)  # seconds
    response_limit: int = Field(default=1024 * 1024, ge=1_024, le=16 * 1024 * 1024)  # bytes
    operations: Annotated[tuple[Operation, ...], Field(min_length=1)]

    @property
    def host(self) -> str:
        return urlsplit(self.base).hostname or ""

    @model_validator(mode="after")
    def _reachable(self) -> Self:
        parts = urlsplit(self.base)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError(f"base = {self.base!r} should be an address such as https://api.example.com/v1")
        if parts.username or parts.password or parts.query or parts.fragment:
            raise ValueError(
                f"base = {self.base!r} should have no user, query or fragment; use authorization_file"
            )
        if clash := _FORBIDDEN & {name.casefold() for name in self.headers}:
            raise ValueError(f"headers: {sorted(clash)!r} is set by sayso")
        if any(not each.isprintable() for pair in self.headers.items() for each in pair):
            raise ValueError("headers: names and values should be printable text")
        try:
            permitted(ip_address(parts.hostname), self.networks)
        except Refused as error:
            raise ValueError(f"base: {error}") from error
        except ValueError:
            pass  # a name: it is looked up for each request
        return self


def _texts(value: Json) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for name, each in value.items():
            yield from (name, *_texts(each))
    elif isinstance(value, Sequence):
        for each in value:
            yield from _texts(each)


def declared(settings: Sequence[Mapping[str, object]]) -> tuple[Api, ...]:
    """The APIs of `tools.http`. Raises `ApiRefused` naming everything that is wrong."""
    apis, problems = taken(Api, settings)
    if problems:
        raise ApiRefused("\n".join(problems))
    return tuple(apis)
