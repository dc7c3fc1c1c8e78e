"""The platform of one machine: a supervisor of processes that is spoken to over HTTP on loopback."""

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeVar

from pydantic import AliasChoices, AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from tools.contract import BadArguments, Progress, ToolFailed, ToolUnavailable
from tools.deploy.port import Deployment, Order, OrderKind, Release, Result, Running, Unanswered

if TYPE_CHECKING:
    from aiohttp import ClientResponse, ClientSession, ClientTimeout

READ_SECONDS = 5.0
SILENCE_SECONDS = 90.0  # a change that says nothing for this long is not heard from again


class _Payload(BaseModel):
    """What the supervisor says. Fields it may grow later are passed over."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class _Address(_Payload):
    port: int
    token: str


class _Running(_Payload):
    service: str
    environment: str
    version: str
    previous_version: str | None = None
    replicas: int
    healthy_replicas: int
    since: AwareDatetime


class _State(_Payload):
    services: tuple[_Running, ...]


class _Release(_Payload):
    version: str
    released_at: datetime | None = None
    notes: str = ""


class _Releases(_Payload):
    releases: tuple[_Release, ...]


class _Deployment(_Payload):
    id: str = Field(coerce_numbers_to_str=True)
    kind: OrderKind
    service: str
    environment: str
    before: str | None = Field(
        default=None, validation_alias=AliasChoices("from"), coerce_numbers_to_str=True
    )
    after: str | None = Field(default=None, validation_alias=AliasChoices("to"), coerce_numbers_to_str=True)
    at: AwareDatetime
    by: str
    ok: bool


class _History(_Payload):
    deployments: tuple[_Deployment, ...]


class _Ended(_Payload):
    done: Literal[True] = True
    ok: bool
    detail: str = ""


class _Refusal(_Payload):
    error: str = ""
    nearest: tuple[str, ...] = ()
    outcome: _Ended | None = None


P = TypeVar("P", bound=_Payload)


class Supervisor:
    """A client of the supervisor whose address and token stand in `file` (written anew each time it starts)."""

    def __init__(self, file: Path) -> None:
        self._file = file

    async def running(self) -> tuple[Running, ...]:
        state = await self._read("/v1/state", _State)
        return tuple(Running(**item.model_dump()) for item in state.services)

    async def releases(self, service: str) -> tuple[Release, ...]:
        listed = await self._read(f"/v1/releases/{service}", _Releases)
        return tuple(Release(**item.model_dump()) for item in listed.releases)

    async def history(
        self, service: str | None = None, environment: str | None = None, since: datetime | None = None
    ) -> tuple[Deployment, ...]:
        asked = {
            "service": service,
            "environment": environment,
            "since": since.isoformat() if since else None,
        }
        given = {name: value for name, value in asked.items() if value is not None}
        found = await self._read("/v1/history", _History, given)
        entries = (Deployment(**item.model_dump()) for item in found.deployments)
        return tuple(sorted(entries, key=lambda entry: entry.at, reverse=True))

    async def apply(self, order: Order, progress: Progress) -> Result:
        from aiohttp import ClientConnectorError, ClientError, ClientTimeout

        path, body = _request(order)
        sent = False
        try:
            async with self._session(ClientTimeout(total=None, connect=5.0, sock_read=SILENCE_SECONDS)) as (
                session,
                base,
            ):
                sent = True
                async with session.post(base + path, json=body) as response:
                    if response.status != 200:
                        return await _refused(response)
                    return await _follow(response, progress)
        except ClientConnectorError as error:
            raise ToolUnavailable("the supervisor does not answer; nothing was changed") from error
        except (ClientError, TimeoutError, ValueError) as error:
            if not sent:
                raise ToolUnavailable(f"the supervisor cannot be reached: {error}") from error
            raise Unanswered(f"the order was sent, and its end was not heard: {error}") from error

    async def _read(self, path: str, model: type[P], query: Mapping[str, str] | None = None) -> P:
        from aiohttp import ClientError, ClientTimeout

        try:
            async with (
                self._session(ClientTimeout(total=READ_SECONDS)) as (session, base),
                session.get(base + path, params=query) as response,
            ):
                if response.status != 200:
                    await _refused(response)
                return model.model_validate_json(await response.read())
        except TimeoutError as error:
            raise ToolUnavailable(f"the supervisor did not answer within {READ_SECONDS:g} s") from error
        except ClientError as error:
            raise ToolUnavailable(f"the supervisor does not answer: {error}") from error
        except ValidationError as error:
            raise ToolFailed(f"the supervisor's answer to {path} makes no sense: {error}") from error

    @asynccontextmanager
    async def _session(self, limits: "ClientTimeout") -> AsyncIterator[tuple["ClientSession", str]]:
        from aiohttp import ClientSession

        address = self._address()
        headers = {"Authorization": f"Bearer {address.token}"}
        async with ClientSession(headers=headers, timeout=limits) as session:
            yield session, f"http://127.0.0.1:{address.port}"

    def _address(self) -> _Address:
        try:
            return _Address.model_validate_json(self._file.read_bytes())
        except FileNotFoundError as error:
            raise ToolUnavailable(f"no supervisor runs: there is no {self._file}") from error
        except (OSError, ValidationError) as error:
            raise ToolUnavailable(f"the supervisor's address in {self._file} cannot be read") from error


def _request(order: Order) -> tuple[str, dict[str, str | int | None]]:
    body: dict[str, str | int | None] = {
        "service": order.service,
        "environment": order.environment,
        "key": order.key,
        "by": order.by,
    }
    match order.kind:
        case OrderKind.DEPLOY | OrderKind.ROLLBACK:
            return "/v1/deploy", {**body, "version": order.version, "kind": order.kind.value}
        case OrderKind.RESTART:
            return "/v1/restart", body
        case OrderKind.SCALE:
            return "/v1/scale", {**body, "replicas": order.replicas}


async def _follow(response: "ClientResponse", progress: Progress) -> Result:
    """Passes progress on until the last line. Raises `Unanswered` when there is none."""
    async for line in response.content:
        said: object = json.loads(line) if line.strip() else None
        match said:
            case {"done": True}:
                ended = _Ended.model_validate(said)
                return Result(ended.ok, ended.detail)
            case {"progress": str(text)}:
                await progress(text)
    raise Unanswered("the order was sent, and the supervisor stopped talking before its end")


async def _refused(response: "ClientResponse") -> Result:
    """The result of an order that was carried out before; every other refusal is raised as who should act."""
    said = _refusal(await response.read())
    reason = said.error or f"status {response.status}"
    match response.status:
        case 409 if said.outcome is not None:
            return Result(said.outcome.ok, f"already done: {said.outcome.detail}")
        case 404 | 422:
            near: Sequence[str] = said.nearest
            hint = f"; nearest: {', '.join(near)}" if near else ""
            raise BadArguments(f"{reason}{hint}", nearest=tuple(near))
        case 423:
            raise ToolUnavailable(f"the supervisor is busy with that service: {reason}; nothing was changed")
        case 401 | 403:
            raise ToolFailed("the supervisor does not accept our token; it was probably started anew")
        case _:
            raise ToolFailed(f"the supervisor refused: {reason}")


def _refusal(body: bytes) -> _Refusal:
    try:
        return _Refusal.model_validate_json(body)
    except ValidationError:
        return _Refusal(error=body[:200].decode(errors="replace"))
