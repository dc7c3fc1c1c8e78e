"""The objects of the Kubernetes API that are looked at, with no more of them than is used."""

from collections.abc import Mapping
from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel


class Part(BaseModel):
    """A part of an object. The API leaves out what is empty, or says `null`; newer versions say more."""

    model_config = ConfigDict(extra="ignore", frozen=True, alias_generator=to_camel, populate_by_name=True)

    @model_validator(mode="before")
    @classmethod
    def _without_nulls(cls, value: object) -> object:
        if isinstance(value, Mapping):
            return {name: each for name, each in value.items() if each is not None}
        return value


class Owner(Part):
    kind: str = ""
    name: str = ""
    uid: str = ""


class ManagedBy(Part):
    """Who last wrote fields of an object, and when; which ones is left out."""

    manager: str = ""
    time: AwareDatetime | None = None


class Meta(Part):
    name: str
    namespace: str = ""
    uid: str = ""
    resource_version: str = ""
    generation: int = 0
    creation_timestamp: AwareDatetime | None = None
    deletion_timestamp: AwareDatetime | None = None
    labels: Mapping[str, str] = Field(default_factory=dict)
    annotations: Mapping[str, str] = Field(default_factory=dict)
    owner_references: tuple[Owner, ...] = ()
    managed_fields: tuple[ManagedBy, ...] = ()


class Resources(Part):
    requests: Mapping[str, str | int | float] = Field(default_factory=dict)
    limits: Mapping[str, str | int | float] = Field(default_factory=dict)


class Reference(Part):
    name: str = ""


class EnvFrom(Part):
    config_map_ref: Reference | None = None


class ValueFrom(Part):
    config_map_key_ref: Reference | None = None


class Variable(Part):
    name: str = ""
    value_from: ValueFrom = ValueFrom()


class Container(Part):
    name: str
    image: str = ""
    resources: Resources = Resources()
    env: tuple[Variable, ...] = ()
    env_from: tuple[EnvFrom, ...] = ()


class Volume(Part):
    config_map: Reference | None = None


class PodSpec(Part):
    containers: tuple[Container, ...] = ()
    init_containers: tuple[Container, ...] = ()
    volumes: tuple[Volume, ...] = ()
    node_name: str = ""


class TemplateMeta(Part):
    annotations: Mapping[str, str] = Field(default_factory=dict)


class Template(Part):
    metadata: TemplateMeta = TemplateMeta()
    spec: PodSpec = PodSpec()


class Requirement(Part):
    key: str
    operator: Literal["In", "NotIn", "Exists", "DoesNotExist"]
    values: tuple[str, ...] = ()

    def fits(self, labels: Mapping[str, str]) -> bool:
        """Whether labels meet it; a label that is not there is not in any list, as Kubernetes has it."""
        inside = labels.get(self.key) in self.values
        met = {
            "In": inside,
            "NotIn": not inside,
            "Exists": self.key in labels,
            "DoesNotExist": self.key not in labels,
        }
        return met[self.operator]


class Selector(Part):
    match_labels: Mapping[str, str] = Field(default_factory=dict)
    match_expressions: tuple[Requirement, ...] = ()

    def fits(self, labels: Mapping[str, str]) -> bool:
        """Whether it selects an object with these labels; an empty one selects nothing that a workload owns."""
        if not self.match_labels and not self.match_expressions:
            return False
        return all(labels.get(name) == value for name, value in self.match_labels.items()) and all(
            each.fits(labels) for each in self.match_expressions
        )

    def text(self) -> str:
        """As the parameter `labelSelector` writes it."""
        parts = [f"{name}={value}" for name, value in self.match_labels.items()]
        for each in self.match_expressions:
            listed = ",".join(each.values)
            match each.operator:
                case "In":
                    parts.append(f"{each.key} in ({listed})")
                case "NotIn":
                    parts.append(f"{each.key} notin ({listed})")
                case "Exists":
                    parts.append(each.key)
                case "DoesNotExist":
                    parts.append(f"!{each.key}")
        return ",".join(parts)


class Condition(Part):
    type: str
    status: str = ""
    reason: str = ""
    message: str = ""
    last_update_time: AwareDatetime | None = None
    last_transition_time: AwareDatetime | None = None


class WorkloadSpec(Part):
    replicas: int = 1
    paused: bool = False
    selector: Selector = Selector()
    template: Template = Template()


class WorkloadStatus(Part):
    """Of a Deployment or StatefulSet; the last four are those of a DaemonSet."""

    observed_generation: int = 0
    replicas: int = 0
    updated_replicas: int = 0
    ready_replicas: int = 0
    available_replicas: int = 0
    conditions: tuple[Condition, ...] = ()
    desired_number_scheduled: int = 0
    updated_number_scheduled: int = 0
    number_ready: int = 0
    number_available: int = 0

    def condition(self, kind: str) -> Condition | None:
        return next((each for each in self.conditions if each.type == kind), None)


class WorkloadObject(Part):
    """A Deployment, StatefulSet, DaemonSet or ReplicaSet."""

    metadata: Meta
    spec: WorkloadSpec = WorkloadSpec()
    status: WorkloadStatus = WorkloadStatus()


class Waiting(Part):
    reason: str = ""
    message: str = ""


class Terminated(Part):
    reason: str = ""
    message: str = ""
    exit_code: int = 0
    signal: int = 0
    finished_at: AwareDatetime | None = None


class Running(Part):
    started_at: AwareDatetime | None = None


class ContainerState(Part):
    waiting: Waiting | None = None
    running: Running | None = None
    terminated: Terminated | None = None


class ContainerStatus(Part):
    name: str
    ready: bool = False
    restart_count: int = 0
    state: ContainerState = ContainerState()
    last_state: ContainerState = ContainerState()


class PodStatus(Part):
    phase: str = ""
    reason: str = ""
    message: str = ""
    start_time: AwareDatetime | None = None
    conditions: tuple[Condition, ...] = ()
    container_statuses: tuple[ContainerStatus, ...] = ()
    init_container_statuses: tuple[ContainerStatus, ...] = ()


class Pod(Part):
    metadata: Meta
    spec: PodSpec = PodSpec()
    status: PodStatus = PodStatus()
