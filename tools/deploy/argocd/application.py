"""An application of Argo CD as its API tells it, by version 1 of the REST API."""

from collections.abc import Mapping
from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

from tools.contract import Json


class Payload(BaseModel):
    """What Argo CD says; newer versions say more."""

    model_config = ConfigDict(extra="ignore", frozen=True, populate_by_name=True)


class Parameter(Payload):
    name: str = ""
    value: str = ""
    forceString: bool | None = None  # noqa: N815 - the API's word


class Helm(Payload):
    parameters: tuple[Parameter, ...] = ()


class Kustomize(Payload):
    images: tuple[str, ...] = ()


class Source(Payload):
    repo: str = Field(default="", alias="repoURL")
    revision: str = Field(default="", alias="targetRevision")
    helm: Helm | None = None
    kustomize: Kustomize | None = None


class Automated(Payload):
    enabled: bool | None = None
    prune: bool = False
    heal: bool = Field(default=False, alias="selfHeal")


class SyncPolicy(Payload):
    automated: Automated | None = None


class Spec(Payload):
    source: Source | None = None
    sources: tuple[Source, ...] = ()
    policy: SyncPolicy | None = Field(default=None, alias="syncPolicy")


class Initiator(Payload):
    username: str = ""
    automated: bool = False


class Entry(Payload):
    """One entry of an application's history: a sync that succeeded."""

    id: int = 0
    revision: str = ""
    at: datetime = Field(alias="deployedAt")
    source: Source | None = None
    by: Initiator | None = Field(default=None, alias="initiatedBy")


class Info(Payload):
    name: str = ""
    value: str = ""


class Operation(Payload):
    info: tuple[Info, ...] = ()


class SyncedResource(Payload):
    kind: str = ""
    name: str = ""
    status: str = ""
    message: str = ""


class SyncResult(Payload):
    resources: tuple[SyncedResource, ...] = ()


class OperationState(Payload):
    phase: str = ""
    message: str = ""
    started: datetime | None = Field(default=None, alias="startedAt")
    finished: datetime | None = Field(default=None, alias="finishedAt")
    operation: Operation | None = None
    result: SyncResult | None = Field(default=None, alias="syncResult")


class Condition(Payload):
    type: str = ""
    message: str = ""


class Health(Payload):
    status: str = ""
    message: str = ""


class Resource(Payload):
    group: str = ""
    version: str = ""
    kind: str = ""
    name: str = ""
    namespace: str = ""
    status: str = ""
    health: Health | None = None


class Sync(Payload):
    status: str = ""
    revision: str = ""


class Status(Payload):
    sync: Sync = Field(default_factory=Sync)
    health: Health = Field(default_factory=Health)
    history: tuple[Entry, ...] = ()
    operation: OperationState | None = Field(default=None, alias="operationState")
    resources: tuple[Resource, ...] = ()
    conditions: tuple[Condition, ...] = ()


class Metadata(Payload):
    name: str
    annotations: Mapping[str, str] = Field(default_factory=dict)


class Application(Payload):
    metadata: Metadata
    spec: Spec = Field(default_factory=Spec)
    status: Status = Field(default_factory=Status)
    pending: Json = Field(
        default=None, alias="operation"
    )  # an operation that was asked for and has not begun

    @property
    def automatic(self) -> bool:
        """Whether Argo CD syncs by itself."""
        automated = self.spec.policy.automated if self.spec.policy else None
        return automated is not None and automated.enabled is not False

    @property
    def heals(self) -> bool:
        return self.automatic and bool(
            self.spec.policy and self.spec.policy.automated and self.spec.policy.automated.heal
        )

    @property
    def prunes(self) -> bool:
        """Whether what Argo CD syncs by itself deletes what Git does not have."""
        return self.automatic and bool(
            self.spec.policy and self.spec.policy.automated and self.spec.policy.automated.prune
        )

    @property
    def busy(self) -> bool:
        state = self.status.operation
        return self.pending is not None or (state is not None and state.phase in {"Running", "Terminating"})


class Difference(Payload):
    """One resource as Git wants it, and as it is in the cluster; both are JSON texts, secrets masked by Argo CD."""

    group: str = ""
    kind: str = ""
    namespace: str = ""
    name: str = ""
    live: str = Field(default="", alias="liveState")
    target: str = Field(default="", alias="targetState")
    predicted: str = Field(default="", alias="predictedLiveState")
    normal: str = Field(default="", alias="normalizedLiveState")
    hook: bool = False


class Differences(Payload):
    items: tuple[Difference, ...] = ()


class Manifests(Payload):
    manifests: tuple[str, ...] = ()


class Refs(Payload):
    tags: tuple[str, ...] = ()
    branches: tuple[str, ...] = ()
