"""A recording as the backends of an investigation: the shop as it was when the question was asked."""

import json
from datetime import datetime
from pathlib import Path

from evals.bench.faults.recording import Recording
from tools.changes.journal import Journal
from tools.changes.platform import PlatformChanges
from tools.contract import Progress, ToolFailed
from tools.deploy.port import Deployment, Order, OrderKind, Release, Result, Running
from tools.investigate.port import Backends
from tools.knowledge.port import Library
from tools.logs.files import LogFiles
from tools.metrics.recorder import RecorderStore

CHANGES = "changes.jsonl"  # where the demo's people note what they configured


class RecordedPlatform:
    """What ran and what was deployed, as the supervisor kept it. Nothing can be ordered any more."""

    def __init__(self, recording: Recording) -> None:
        self._recording = recording

    async def running(self) -> tuple[Running, ...]:
        return tuple(
            Running(
                service=str(one["service"]),
                environment=str(one["environment"]),
                version=str(one["version"]),
                previous_version=str(one["previous_version"]) if one["previous_version"] else None,
                replicas=int(str(one["replicas"])),
                healthy_replicas=int(str(one["healthy_replicas"])),
                since=datetime.fromisoformat(str(one["since"])),
            )
            for one in self._recording.state
        )

    async def releases(self, service: str) -> tuple[Release, ...]:
        raise ToolFailed(f"the recording does not know the releases of {service}")

    async def history(
        self, service: str | None = None, environment: str | None = None, since: datetime | None = None
    ) -> tuple[Deployment, ...]:
        file = self._recording.folder / "deployments.json"
        entries = json.loads(file.read_text(encoding="utf-8")) if file.exists() else []
        made = (
            Deployment(
                id=one["id"], kind=OrderKind(one["kind"]), service=one["service"], environment=one["environment"],
                before=one["before"], after=one["after"], at=datetime.fromisoformat(one["at"]), by=one["by"],
                ok=one["ok"],
            )
            for one in entries
        )  # fmt: skip
        return tuple(
            one
            for one in sorted(made, key=lambda each: each.at, reverse=True)
            if service in {None, one.service}
            and environment in {None, one.environment}
            and (since is None or one.at >= since)
        )

    async def apply(self, order: Order, progress: Progress) -> Result:
        raise ToolFailed(f"{order.kind.value}: a recording cannot be changed")


def backends(recording: Recording, library: Library | None) -> Backends:
    """Everything the live demo has, over the files that were kept."""
    folder: Path = recording.folder
    platform = RecordedPlatform(recording)
    return Backends(
        metrics=RecorderStore(folder / "metrics.db"),
        logs=LogFiles(folder / "logs"),
        changes=(PlatformChanges(platform), Journal(folder / CHANGES)),
        platform=platform,
        library=library,
    )
