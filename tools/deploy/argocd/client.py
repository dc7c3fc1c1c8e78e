"""The few requests that are made of Argo CD's REST API; a write is sent once."""

import json
from typing import TypeVar

from pydantic import TypeAdapter, ValidationError

from tools.contract import Json, ToolFailed
from tools.deploy.argocd.application import Application, Difference, Differences, Manifests, Refs, Resource
from tools.deploy.argocd.declared import Declared
from tools.jsonserver import JsonServer, segment

Shape = TypeVar("Shape")
_APPLICATION, _DIFFERENCES = TypeAdapter(Application), TypeAdapter(Differences)
_MANIFESTS, _REFS = TypeAdapter(Manifests), TypeAdapter(Refs)


class Client:
    """Asks the Argo CD behind `server`."""

    def __init__(self, server: JsonServer) -> None:
        self._server = server

    async def application(self, declared: Declared, name: str, *, refresh: bool = False) -> Application:
        """Argo CD answers 403 for an application that is not there, too."""
        asked = {**declared.query(), **({"refresh": "normal"} if refresh else {})}
        said = await self._server.ask("GET", _path(name), asked)
        return self._read(_APPLICATION, said, f"the application {name}")

    async def differences(self, declared: Declared, name: str) -> tuple[Difference, ...]:
        said = await self._server.ask("GET", f"{_path(name)}/managed-resources", declared.query())
        return self._read(_DIFFERENCES, said or {}, f"the resources of {name}").items

    async def manifests(self, declared: Declared, name: str, revision: str) -> tuple[str, ...]:
        asked = {**declared.query(), "revision": revision}
        said = await self._server.ask("GET", f"{_path(name)}/manifests", asked)
        return self._read(_MANIFESTS, said or {}, f"the manifests of {name}").manifests

    async def tags(self, repository: str) -> tuple[str, ...]:
        said = await self._server.ask("GET", f"/api/v1/repositories/{segment(repository)}/refs")
        return self._read(_REFS, said or {}, f"the tags of {repository}").tags

    async def patch(self, declared: Declared, name: str, patch: dict[str, Json]) -> None:
        body: Json = {"name": name, "patch": json.dumps(patch), "patchType": "merge", **declared.query()}
        await self._server.ask("PATCH", _path(name), body=body)

    async def sync(self, declared: Declared, name: str, key: str) -> None:
        infos: list[Json] = [{"name": "sayso", "value": key}]
        body: Json = {
            "name": name,
            "prune": declared.prune,
            "dryRun": False,
            "infos": infos,
            **declared.query(),
        }
        await self._server.ask("POST", f"{_path(name)}/sync", body=body)

    async def rollback(self, declared: Declared, name: str, id_: int) -> None:
        body: Json = {"name": name, "id": id_, "prune": declared.prune, "dryRun": False, **declared.query()}
        await self._server.ask("POST", f"{_path(name)}/rollback", body=body)

    async def restart(self, declared: Declared, name: str, resource: Resource) -> None:
        """By version 2 of resource actions (Argo CD 3.1 and newer)."""
        body: Json = {
            "name": name,
            "namespace": resource.namespace,
            "resourceName": resource.name,
            "group": resource.group,
            "version": resource.version,
            "kind": resource.kind,
            "action": "restart",
            **declared.query(),
        }
        await self._server.ask("POST", f"{_path(name)}/resource/actions/v2", body=body)

    def _read(self, adapter: TypeAdapter[Shape], said: Json, what: str) -> Shape:
        try:
            return adapter.validate_python(said)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"])
            raise ToolFailed(
                f"{self._server.name} told {what} in another form than its API: {where}: {first['msg']}"
            ) from error


def _path(name: str) -> str:
    return f"/api/v1/applications/{segment(name)}"
