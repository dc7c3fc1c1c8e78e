"""A small client of the Kubernetes API: typed answers, pages, patches and logs, and no way to a secret."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tools.contract import Json, ToolFailed, ToolUnavailable
from tools.kubernetes.access import Persona
from tools.kubernetes.refusals import Attempt, Expired, Forbidden, Unheard
from tools.kubernetes.resources import CONFIG_MAPS, PODS, Resource
from tools.kubernetes.scrubbing import scrubbed
from tools.kubernetes.wire import AGENT, Wire

PAGE = 250  # objects asked for at once
MOST = 2_000  # objects of one list; what is beyond is left out, and the answer says so

M = TypeVar("M", bound=BaseModel)


class _ListMeta(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)
    rest: str = Field(default="", alias="continue")


class _List(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)
    metadata: _ListMeta = _ListMeta()
    items: list[dict[str, Json]] | None = None


@dataclass(frozen=True, slots=True)
class Listed(Generic[M]):
    """A list: its objects, the same as the cluster wrote them (scrubbed), and whether there are more."""

    items: tuple[M, ...]
    raw: tuple[Json, ...] = ()
    cut: bool = False


@dataclass(frozen=True, slots=True)
class Whole(Generic[M]):
    """An object and everything it holds: `raw` may be written back into the cluster, never shown, kept or logged."""

    object: M
    raw: Mapping[str, Json] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Patched(Generic[M]):
    """An object as it is after a patch, and what the cluster warned of."""

    object: M
    warnings: tuple[str, ...] = ()


class Cluster:
    """One cluster, asked as ourselves or for somebody. Config maps are refused unless they are allowed."""

    def __init__(self, wire: Wire, *, config_maps: bool = False) -> None:
        self._wire, self.reads_config_maps = wire, config_maps

    @property
    def name(self) -> str:
        return self._wire.access.name

    def acting_as(self, persona: Persona) -> "Cluster":
        """The same cluster, asked for somebody: their rights count."""
        return Cluster(self._wire.acting_as(persona), config_maps=self.reads_config_maps)

    def link(self, path: str) -> str:
        return self._wire.access.server + path

    async def listed(
        self,
        resource: Resource,
        namespace: str,
        model: type[M],
        *,
        labels: str = "",
        fields: str = "",
        most: int = MOST,
    ) -> Listed[M]:
        """The objects of a namespace, page by page; a list that the cluster gave up on is begun again, once."""
        asked = {"labelSelector": labels, "fieldSelector": fields}
        query = {name: value for name, value in asked.items() if value}
        try:
            return await self._pages(resource, namespace, model, query, most)
        except Expired:
            pass
        try:
            return await self._pages(resource, namespace, model, query, most)
        except Expired as error:
            raise ToolUnavailable(
                f"{self.name}: {resource.name} change faster than they can be listed"
            ) from error

    async def _pages(
        self, resource: Resource, namespace: str, model: type[M], query: Mapping[str, str], most: int
    ) -> Listed[M]:
        attempt = self._attempt("list", resource, namespace)
        raw: list[Json] = []
        rest = ""
        while True:
            page = {**query, "limit": str(min(PAGE, most)), **({"continue": rest} if rest else {})}
            answer = await self._wire.get(resource.path(namespace), attempt, page)
            found = _understood(_List, answer.body, attempt)
            raw += [scrubbed(one) for one in found.items or ()]
            rest = found.metadata.rest
            if not rest or len(raw) >= most:
                kept = tuple(raw[:most])
                items = tuple(_typed(model, one, attempt) for one in kept)
                return Listed(items, kept, cut=bool(rest) or len(raw) > most)

    async def one(self, resource: Resource, namespace: str, name: str, model: type[M]) -> M:
        """One object. Raises `Missing` where there is none."""
        attempt = self._attempt("get", resource, namespace, name)
        answer = await self._wire.get(resource.path(namespace, name), attempt, {})
        return _typed(model, scrubbed(_object(answer.body, attempt)), attempt)

    async def whole(self, resource: Resource, namespace: str, name: str, model: type[M]) -> Whole[M]:
        """One object with all its values, to be written back. Raises `Missing` where there is none."""
        attempt = self._attempt("get", resource, namespace, name)
        raw = _object((await self._wire.get(resource.path(namespace, name), attempt, {})).body, attempt)
        return Whole(_typed(model, scrubbed(raw), attempt), raw)

    async def patch(
        self,
        resource: Resource,
        namespace: str,
        name: str,
        body: Mapping[str, Json],
        model: type[M],
        *,
        dry_run: bool,
    ) -> Patched[M]:
        """Merges `body` into an object, or has the cluster try it with everything but the last step.

        Raises `Conflict` where `metadata.resourceVersion` is not the current one, `Invalid` and `Forbidden` where the
        cluster does not take it, and `Unheard` where a change was sent and its end was not heard.
        """
        attempt = self._attempt("patch", resource, namespace, name)
        query = {"fieldManager": AGENT, "fieldValidation": "Strict", **({"dryRun": "All"} if dry_run else {})}
        answer = await self._wire.patch(
            resource.path(namespace, name), attempt, query, body, changes=not dry_run
        )
        try:
            done = _typed(model, scrubbed(_object(answer.body, attempt)), attempt)
        except ToolFailed as error:
            if dry_run:
                raise
            raise Unheard(f"{error}; whether it was done is not known") from error
        return Patched(done, answer.warnings)

    def log(
        self, namespace: str, pod: str, query: Mapping[str, str]
    ) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """The lines of a pod's log as they come, oldest first."""
        attempt = Attempt(self.name, "get", "pods/log", "", namespace, pod, self._user)
        return self._wire.lines(PODS.path(namespace, pod, "log"), attempt, query)

    @property
    def _user(self) -> str:
        return self._wire.persona.user if self._wire.persona else ""

    def _attempt(self, verb: str, resource: Resource, namespace: str, name: str = "") -> Attempt:
        """What is tried. Raises `Forbidden` for config maps that the settings leave out."""
        if resource.name == CONFIG_MAPS.name and not self.reads_config_maps:
            raise Forbidden("config maps are not read: tools.kubernetes.config_maps is off")
        return Attempt(self.name, verb, resource.name, resource.group, namespace, name, self._user)


def _object(body: bytes, attempt: Attempt) -> dict[str, Json]:
    try:
        said: object = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise ToolFailed(f"{attempt.cluster} answered no JSON to {attempt.told}") from error
    if not isinstance(said, dict):
        raise ToolFailed(f"{attempt.cluster} answered no object to {attempt.told}")
    return said


def _understood(model: type[M], body: bytes, attempt: Attempt) -> M:
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        raise ToolFailed(
            f"{attempt.cluster} answered in another form than its API to {attempt.told}"
        ) from error


def _typed(model: type[M], value: Json, attempt: Attempt) -> M:
    try:
        return model.model_validate(value)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ToolFailed(
            f"{attempt.cluster} answered in another form than its API to {attempt.told}: {where}: {first['msg']}"
        ) from error
