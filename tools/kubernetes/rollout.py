"""How far a workload has got with what its spec asks for: the rules that `kubectl rollout status` goes by."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from tools.kubernetes.objects import WorkloadObject

DEADLINE = "ProgressDeadlineExceeded"


class Phase(StrEnum):
    """Where a rollout is."""

    COMPLETE = "complete"
    ROLLING = "rolling"
    STUCK = "stuck"  # its progress deadline has passed
    PAUSED = "paused"


@dataclass(frozen=True, slots=True)
class Rollout:
    """The state of a rollout. `well` is how many replicas run what the spec says, and serve."""

    phase: Phase
    wanted: int
    updated: int
    well: int
    told: str

    @property
    def healthy(self) -> int:
        """Replicas that count as healthy: as long as it is not complete, one at least is not."""
        return self.wanted if self.phase is Phase.COMPLETE else max(0, min(self.well, self.wanted - 1))


def missed_at(workload: WorkloadObject) -> datetime | None:
    """When a Deployment was found to have missed its progress deadline; `None` where it has not."""
    progressing = workload.status.condition("Progressing")
    return (
        progressing.last_update_time if progressing is not None and progressing.reason == DEADLINE else None
    )


def rollout(workload: WorkloadObject, missed_before: datetime | None = None) -> Rollout:
    """The rollout of a Deployment.

    A deadline that was missed at `missed_before` is that of an earlier rollout: the controller lets the condition stand
    until the next one gets on.
    """
    status, wanted = workload.status, workload.spec.replicas
    current = status.observed_generation >= workload.metadata.generation
    updated = status.updated_replicas if current else 0
    well = min(updated, status.available_replicas) if current else 0

    def at(phase: Phase, told: str) -> Rollout:
        return Rollout(phase, wanted, updated, well, told)

    if not current:
        return at(Phase.ROLLING, "the cluster has not begun yet")
    missed = missed_at(workload)
    if missed is not None and missed != missed_before:
        return at(Phase.STUCK, "its progress deadline has passed")
    waits = _waits_for(wanted, updated, status.replicas, status.available_replicas)
    if workload.spec.paused and waits:
        return at(Phase.PAUSED, f"paused; {waits}")
    if waits:
        return at(Phase.ROLLING, waits)
    return at(Phase.COMPLETE, f"{wanted} of {wanted} replicas updated and available")


def _waits_for(wanted: int, updated: int, replicas: int, available: int) -> str:
    """What a rollout waits for; empty when for nothing any more."""
    if updated < wanted:
        return f"{updated} of {wanted} replicas updated"
    if replicas > updated:
        return f"{replicas - updated} old replicas end"
    if available < updated:
        return f"{available} of {updated} updated replicas available"
    return ""


def stateful(workload: WorkloadObject) -> Rollout:
    """The rollout of a StatefulSet."""
    status, wanted = workload.status, workload.spec.replicas
    well = min(status.updated_replicas, status.ready_replicas)
    current = status.observed_generation >= workload.metadata.generation
    if current and well >= wanted:
        return Rollout(
            Phase.COMPLETE, wanted, status.updated_replicas, well, f"{wanted} of {wanted} replicas ready"
        )
    told = f"{status.updated_replicas} of {wanted} replicas updated, {status.ready_replicas} ready"
    return Rollout(Phase.ROLLING, wanted, status.updated_replicas, well if current else 0, told)


def on_every_node(workload: WorkloadObject) -> Rollout:
    """The rollout of a DaemonSet."""
    status, wanted = workload.status, workload.status.desired_number_scheduled
    well = min(status.updated_number_scheduled, status.number_available)
    current = status.observed_generation >= workload.metadata.generation
    if current and well >= wanted:
        return Rollout(Phase.COMPLETE, wanted, wanted, well, f"runs on {wanted} of {wanted} nodes")
    told = f"{status.updated_number_scheduled} of {wanted} nodes updated, {status.number_available} available"
    return Rollout(Phase.ROLLING, wanted, status.updated_number_scheduled, well if current else 0, told)
