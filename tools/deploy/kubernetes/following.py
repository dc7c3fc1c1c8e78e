"""Following a rollout to its end, and telling of it while it goes on."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from tools.contract import Progress, ToolError, ToolUnavailable
from tools.deploy.port import Unanswered
from tools.kubernetes.ailments import PodState, judged
from tools.kubernetes.objects import Pod, WorkloadObject
from tools.kubernetes.places import Place
from tools.kubernetes.resources import DEPLOYMENTS, PODS
from tools.kubernetes.rollout import Phase, Rollout, rollout

EVERY = 2.0  # seconds between two looks


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a rollout is followed, by which clock (seconds), and how a pause is made."""

    seconds: float
    clock: Callable[[], float]
    pause: Callable[[float], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Followed:
    """Where a rollout ended, and what is wrong with its pods if something is."""

    state: Rollout
    deployment: WorkloadObject
    why: str = ""


async def follow(
    place: Place, name: str, patience: Patience, progress: Progress, missed_before: datetime | None = None
) -> Followed:
    """Looks until the rollout is complete, stuck or paused. Raises `Unanswered` when that takes too long.

    A cluster that does not answer for a while is asked again. `missed_before` is when the rollout before this one
    missed its deadline, if it did.
    """
    began, told = patience.clock(), ""
    while True:
        try:
            deployment = await place.cluster.one(DEPLOYMENTS, place.namespace, name, WorkloadObject)
        except ToolUnavailable as error:
            if patience.clock() - began >= patience.seconds:
                raise Unanswered(f"its end was not heard: {error}") from error
            await patience.pause(EVERY)
            continue
        state = rollout(deployment, missed_before)
        if state.phase is Phase.COMPLETE:
            return Followed(state, deployment)
        why = await _why(place, deployment)
        if state.phase is not Phase.ROLLING:
            return Followed(state, deployment, why)
        news = f"{state.told}{f'; {why}' if why else ''}"
        if news != told:
            await progress(news)
            told = news
        if patience.clock() - began >= patience.seconds:
            raise Unanswered(f"it still rolls out after {patience.seconds:.0f} s: {news}")
        await patience.pause(EVERY)


async def _why(place: Place, deployment: WorkloadObject) -> str:
    """What is wrong with the pods that run the images that are wanted now; nothing where they cannot be listed."""
    spec = deployment.spec
    try:
        found = await place.cluster.listed(PODS, place.namespace, Pod, labels=spec.selector.text())
    except ToolError:
        return ""  # the Deployment itself tells the end
    wanted = {(each.name, each.image) for each in spec.template.spec.containers}
    return ailing(
        judged(pod)
        for pod in found.items
        if wanted <= {(each.name, each.image) for each in pod.spec.containers}  # others may be injected
    )


def ailing(states: Iterable[PodState]) -> str:
    """The troubles of pods, each once: `2 pods CrashLoopBackOff (exit code 1)`."""
    troubles: dict[str, list[PodState]] = {}
    for each in states:
        if each.reason not in {"", "NotReady"}:
            troubles.setdefault(each.reason, []).append(each)
    parts = []
    for reason, pods in troubles.items():
        said = f": {pods[0].message}" if pods[0].message else ""
        last = pods[0].last
        ended = f" (ended with {last.reason}, exit code {last.code})" if last else ""
        parts.append(f"{len(pods)} {'pod' if len(pods) == 1 else 'pods'} {reason}{ended}{said}")
    return "; ".join(parts)
