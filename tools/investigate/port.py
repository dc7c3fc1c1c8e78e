"""What an investigation looks through: the ports of other tools, any of which may be missing."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from tools.alerts.port import AlertStore
from tools.changes.port import ChangeSource
from tools.deploy.port import Platform
from tools.knowledge.port import Library
from tools.logs.port import LogStore
from tools.metrics.port import MetricStore


@dataclass(frozen=True, slots=True)
class Backends:
    """Where to look; what is `None` or empty is named as not checked. `calls` says which service calls which others."""

    metrics: MetricStore | None = None
    logs: LogStore | None = None
    changes: tuple[ChangeSource, ...] = ()
    platform: Platform | None = None
    alerts: AlertStore | None = None
    library: Library | None = None
    calls: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
