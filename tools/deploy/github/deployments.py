"""Deploying by the Deployments API: sayso creates a deployment, whoever listens carries it out."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from datetime import datetime

from pydantic import TypeAdapter, ValidationError

from tools.contract import ToolFailed
from tools.deploy.github.gates import GateKeeper
from tools.deploy.github.rollout import Payload, Reach, Rollout, Stage, Started, base, understood
from tools.deploy.github.service import Failing, Service
from tools.deploy.port import Order, OrderKind
from tools.forgeserver import GitHubServer

_AT_ONCE = 3  # deployments whose status is asked for side by side, one request each
STAGES = {
    "success": Stage.GOOD,
    "inactive": Stage.REPLACED,
    "failure": Stage.BAD,
    "error": Stage.BAD,
}  # every other state is pending


class _User(Payload):
    login: str = ""


class _Deployment(Payload):
    id: int
    sha: str = ""
    ref: str
    environment: str
    created_at: datetime
    creator: _User | None = None
    payload: Mapping[str, object] | str | None = None


class _Status(Payload):
    id: int = 0
    state: str
    description: str | None = None
    log_url: str | None = None
    target_url: str | None = None


class _Ours(Payload):
    """What sayso puts into the payload of a deployment."""

    service: str
    version: str
    key: str
    by: str
    kind: OrderKind


_DEPLOYMENTS = TypeAdapter(tuple[_Deployment, ...])
_DEPLOYMENT = TypeAdapter(_Deployment)
_STATUSES = TypeAdapter(tuple[_Status, ...])


class Deployments:
    """Creates deployments and follows their statuses."""

    def __init__(self, server: GitHubServer, gates: GateKeeper) -> None:
        self._server, self._gates = server, gates

    async def rollouts(self, service: Service, environment: str, reach: Reach) -> Sequence[Rollout]:
        asked = {"environment": environment, "task": service.task, "per_page": str(reach.most)}
        said = await self._server.ask("GET", f"{base(service)}/deployments", asked)
        found = [each for each in understood(_DEPLOYMENTS, said, "deployments") if _is_of(each, service.name)]
        told: list[Rollout] = []
        for start in range(0, len(found), _AT_ONCE):
            part = found[start : start + _AT_ONCE]
            statuses = await asyncio.gather(*(self._statuses(service, each.id, 1) for each in part))
            told += [_rollout(service, each, of) for each, of in zip(part, statuses, strict=True)]
            if reach.ends(told):
                break
        return told

    async def start(self, service: Service, environment: str, order: Order, key: str) -> Started:
        version = order.version or ""
        body: dict[str, object] = {
            "ref": service.tag_of(version),
            "task": service.task,
            "auto_merge": False,
            "environment": environment,
            "description": f"{order.kind.value} {service.name} {version}, {order.by}"[:140],
            "payload": {
                "service": service.name,
                "version": version,
                "key": key,
                "by": order.by,
                "kind": order.kind.value,
            },
        }
        if service.failing is Failing.MARK or order.kind is OrderKind.ROLLBACK:
            body["required_contexts"] = []
        elif required := await self._gates.required(service):
            body["required_contexts"] = list(required)  # without them GitHub asks for every check there is
        path = f"{base(service)}/deployments"
        said = await self._server.ask("POST", path, body=json.loads(json.dumps(body)))
        try:
            return Started(understood(_DEPLOYMENT, said, "a deployment").id)
        except ToolFailed:
            return Started(None)  # it was taken: its key finds it

    async def look(self, service: Service, id_: int) -> tuple[Rollout, Sequence[str]]:
        said = await self._server.ask("GET", f"{base(service)}/deployments/{id_}")
        statuses = await self._statuses(service, id_, 100)
        found = _rollout(service, understood(_DEPLOYMENT, said, "a deployment"), statuses)
        return found, [_line(each) for each in reversed(statuses)]

    async def _statuses(self, service: Service, id_: int, most: int) -> Sequence[_Status]:
        """Newest first."""
        asked = {"per_page": str(most)}
        said = await self._server.ask(
            "GET", f"{base(service)}/deployments/{id_}/statuses", asked, missing=(404,)
        )
        return understood(_STATUSES, said or [], "the statuses of a deployment")


def _ours(deployment: _Deployment) -> _Ours | None:
    """What sayso wrote into the payload, which GitHub gives back as an object or as its text."""
    payload: object = deployment.payload
    if isinstance(payload, str):
        try:
            payload = json.loads(payload)
        except (ValueError, RecursionError):
            return None
    try:
        return _Ours.model_validate(payload)
    except ValidationError:
        return None


def _is_of(deployment: _Deployment, name: str) -> bool:
    """Whether it is about this service; what others deployed does not say, and counts for every service there."""
    ours = _ours(deployment)
    return ours is None or ours.service == name


def _rollout(service: Service, deployment: _Deployment, statuses: Sequence[_Status]) -> Rollout:
    ours, last = _ours(deployment), statuses[0] if statuses else None
    version = ours.version if ours else service.version_of(deployment.ref)
    return Rollout(
        id=deployment.id,
        version=version or f"{deployment.ref}@{deployment.sha[:7]}",
        environment=deployment.environment,
        at=deployment.created_at,
        by=ours.by if ours else (deployment.creator.login if deployment.creator else ""),
        stage=STAGES.get(last.state, Stage.PENDING) if last else Stage.PENDING,
        key=ours.key if ours else "",
        kind=ours.kind if ours else None,
        link=(last.log_url or last.target_url or "") if last else "",
        note=(last.description or last.state) if last else "no status yet",
    )


def _line(status: _Status) -> str:
    return f"{status.state}: {status.description}" if status.description else status.state
