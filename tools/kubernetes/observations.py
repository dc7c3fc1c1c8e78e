"""What a cluster tells beside its workloads and pods: events, measured use, autoscalers, and config maps by name."""

from collections.abc import Mapping
from datetime import datetime

from pydantic import AwareDatetime, Field

from tools.kubernetes.objects import Meta, Part


class Involved(Part):
    kind: str = ""
    name: str = ""


class Series(Part):
    count: int = 0
    last_observed_time: AwareDatetime | None = None


class Event(Part):
    metadata: Meta
    involved_object: Involved = Involved()
    type: str = ""
    reason: str = ""
    message: str = ""
    count: int = 0
    last_timestamp: AwareDatetime | None = None
    event_time: AwareDatetime | None = None
    series: Series | None = None

    @property
    def at(self) -> datetime | None:
        """When it was last seen: old and new writers of events fill different fields."""
        latest = self.series.last_observed_time if self.series else None
        return latest or self.last_timestamp or self.event_time or self.metadata.creation_timestamp

    @property
    def times(self) -> int:
        return max(self.count, self.series.count if self.series else 0, 1)


class Usage(Part):
    name: str
    usage: Mapping[str, str] = Field(default_factory=dict)


class PodMetrics(Part):
    metadata: Meta
    containers: tuple[Usage, ...] = ()


class ScaleTarget(Part):
    kind: str = ""
    name: str = ""


class AutoscalerSpec(Part):
    scale_target_ref: ScaleTarget = ScaleTarget()
    min_replicas: int = 1
    max_replicas: int = 0


class Autoscaler(Part):
    metadata: Meta
    spec: AutoscalerSpec = AutoscalerSpec()


class ConfigMap(Part):
    metadata: Meta
    data: Mapping[str, str] = Field(default_factory=dict)
