"""What is wrong with a pod, in one word and a sentence: the reason that people search for."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from tools.contract import Json
from tools.kubernetes.objects import ContainerStatus, Pod, Terminated
from tools.times import iso

_STARTING = frozenset({"ContainerCreating", "PodInitializing"})


@dataclass(frozen=True, slots=True)
class Ended:
    """How a container ended the last time."""

    reason: str
    code: int
    at: datetime | None


@dataclass(frozen=True, slots=True)
class PodState:
    """One pod, judged. `reason` is empty for a pod that is well."""

    name: str
    phase: str
    ready: bool
    restarts: int
    reason: str
    message: str
    container: str
    last: Ended | None
    since: datetime | None
    node: str

    @property
    def well(self) -> bool:
        return not self.reason

    def facts(self) -> dict[str, Json]:
        return {
            "pod": self.name,
            "phase": self.phase,
            "ready": self.ready,
            "restarts": self.restarts,
            "reason": self.reason or None,
            "message": self.message or None,
            "last_reason": self.last.reason if self.last else None,
            "last_exit_code": self.last.code if self.last else None,
            "last_at": iso(self.last.at) if self.last and self.last.at else None,
            "since": iso(self.since) if self.since else None,
            "node": self.node or None,
        }


def judged(pod: Pod) -> PodState:
    """The state of a pod; of several troubles, the first that keeps it from serving."""
    status = pod.status
    statuses = (*status.init_container_statuses, *status.container_statuses)
    reason, message, container = next(_troubles(pod), ("", "", ""))
    ended = [_ended(each.last_state.terminated) for each in statuses if each.last_state.terminated]
    return PodState(
        name=pod.metadata.name,
        phase="Terminating" if pod.metadata.deletion_timestamp else status.phase,
        ready=_is_ready(pod),
        restarts=sum(each.restart_count for each in statuses),
        reason=reason,
        message=message,
        container=container,
        last=max(ended, key=lambda each: each.at.timestamp() if each.at else 0.0, default=None),
        since=status.start_time or pod.metadata.creation_timestamp,
        node=pod.spec.node_name,
    )


def _is_ready(pod: Pod) -> bool:
    return any(each.type == "Ready" and each.status == "True" for each in pod.status.conditions)


def _troubles(pod: Pod) -> Iterator[tuple[str, str, str]]:
    """Reason, message and container of everything that is wrong, the gravest first."""
    status = pod.status
    if status.reason:  # Evicted, NodeLost, UnexpectedAdmissionError
        yield status.reason, status.message, ""
    for each in status.init_container_statuses:
        yield from _trouble(each, first=True)
    for each in status.container_statuses:
        yield from _trouble(each)
    if status.phase == "Pending":
        for condition in status.conditions:
            if condition.type == "PodScheduled" and condition.status == "False":
                yield condition.reason or "Unschedulable", condition.message, ""
    if status.phase == "Unknown":
        yield "Unknown", "its node does not answer", ""
    if status.phase == "Running" and not _is_ready(pod) and pod.metadata.deletion_timestamp is None:
        unready = [each.name for each in status.container_statuses if not each.ready]
        yield "NotReady", f"not ready: {', '.join(unready) or 'the pod'}", unready[0] if unready else ""


def _trouble(status: ContainerStatus, *, first: bool = False) -> Iterator[tuple[str, str, str]]:
    prefix = "Init:" if first else ""
    if (waiting := status.state.waiting) is not None and waiting.reason not in {"", *_STARTING}:
        yield f"{prefix}{waiting.reason}", waiting.message, status.name
    if (ended := status.state.terminated) is not None and not (ended.exit_code == 0 and ended.signal == 0):
        yield f"{prefix}{ended.reason or 'Error'}", _how(ended), status.name


def _how(ended: Terminated) -> str:
    signal = f", signal {ended.signal}" if ended.signal else ""
    return f"exit code {ended.exit_code}{signal}{f': {ended.message}' if ended.message else ''}"


def _ended(state: Terminated) -> Ended:
    return Ended(state.reason or "Error", state.exit_code, state.finished_at)
