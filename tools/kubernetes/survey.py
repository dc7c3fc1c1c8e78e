"""A look at a place in a cluster: workloads, pods, events, measured use, config maps, and the last words of pods."""

import asyncio
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from tools.contract import Json, ToolError
from tools.kubernetes.ailments import PodState, judged
from tools.kubernetes.objects import Pod
from tools.kubernetes.observations import ConfigMap, Event, PodMetrics
from tools.kubernetes.places import Place, Places
from tools.kubernetes.refusals import Missing
from tools.kubernetes.resources import CONFIG_MAPS, EVENTS, POD_METRICS, PODS
from tools.kubernetes.workloads import Workload, workloads

LAST_WORDS = 10  # lines of a container that ended
MOST_DEAD = 2  # pods whose last words are read

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class OnePod:
    """A pod, judged, with the service that it is of."""

    service: str
    state: PodState
    pod: Pod
    raw: Json


@dataclass(frozen=True, slots=True)
class LastWords:
    """The end of the log of a container that ended."""

    pod: str
    container: str
    lines: tuple[str, ...]


@dataclass(slots=True)
class Survey:
    """Everything that was seen, and what was not, by name."""

    workloads: tuple[Workload, ...] = ()
    pods: list[OnePod] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    metrics: tuple[PodMetrics, ...] | None = None
    config_maps: tuple[ConfigMap, ...] | None = None
    words: list[LastWords] = field(default_factory=list)
    unchecked: list[str] = field(default_factory=list)
    cut: bool = False

    async def or_unchecked(self, what: str, look: Awaitable[T]) -> T | None:
        """What a look brings; `None` and a note where the cluster does not let us, or does not answer."""
        try:
            return await look
        except Missing as error:
            why = "the cluster has no metrics server" if what == "resource use" else str(error)
        except ToolError as error:
            why = str(error)
        self.unchecked.append(f"not checked: {what}: {why}")
        return None


async def surveyed(places: Places, place: Place, service: str | None, since: datetime) -> Survey:
    """Looks at the workloads, and then side by side at all that belongs to them.

    Raises where the workloads themselves cannot be seen; what else cannot be is named in `unchecked`.
    """
    found = await workloads(places, place, service)
    survey = Survey(found.found, unchecked=[f"not checked: {each}" for each in found.unchecked])
    await asyncio.gather(
        _pods(survey, place), _events(survey, place, since), _use(survey, place), _settings(survey, place)
    )
    await _last_words(survey, place)
    return survey


def _labels(survey: Survey) -> str:
    """A selector where there is one workload; of several, what is listed is told apart here."""
    return survey.workloads[0].object.spec.selector.text() if len(survey.workloads) == 1 else ""


async def _pods(survey: Survey, place: Place) -> None:
    look = place.cluster.listed(PODS, place.namespace, Pod, labels=_labels(survey))
    if (listed := await survey.or_unchecked("pods", look)) is None:
        return
    survey.cut = survey.cut or listed.cut  # the looks go on side by side
    for pod, raw in zip(listed.items, listed.raw, strict=True):
        owner = _owner(survey.workloads, pod)
        if owner is not None:
            survey.pods.append(OnePod(owner.service, judged(pod), pod, raw))
    survey.pods.sort(key=lambda each: (each.state.well, -each.state.restarts, each.state.name))


def _owner(known: Sequence[Workload], pod: Pod) -> Workload | None:
    return next((each for each in known if each.object.spec.selector.fits(pod.metadata.labels)), None)


async def _events(survey: Survey, place: Place, since: datetime) -> None:
    look = place.cluster.listed(EVENTS, place.namespace, Event)
    if (listed := await survey.or_unchecked("events", look)) is None:
        return
    survey.cut = survey.cut or listed.cut
    for event in listed.items:
        about = event.involved_object.name
        if (
            event.at is not None
            and event.at >= since
            and any(each.is_about(about) for each in survey.workloads)
        ):
            survey.events.append(event)
    survey.events.sort(key=lambda each: each.at or since, reverse=True)


async def _use(survey: Survey, place: Place) -> None:
    look = place.cluster.listed(POD_METRICS, place.namespace, PodMetrics, labels=_labels(survey))
    listed = await survey.or_unchecked("resource use", look)
    survey.metrics = listed.items if listed is not None else None


async def _settings(survey: Survey, place: Place) -> None:
    """The config maps that the workloads refer to, where the settings let us."""
    wanted = set(referred_to(survey.workloads))
    if not place.cluster.reads_config_maps or not wanted:
        return
    look = place.cluster.listed(CONFIG_MAPS, place.namespace, ConfigMap)
    listed = await survey.or_unchecked("config maps", look)
    if listed is not None:
        survey.config_maps = tuple(each for each in listed.items if each.metadata.name in wanted)


def referred_to(found: Sequence[Workload]) -> tuple[str, ...]:
    """The names of config maps that workloads take settings from."""
    names: list[str] = []
    for each in found:
        spec = each.object.spec.template.spec
        names += [volume.config_map.name for volume in spec.volumes if volume.config_map]
        for container in (*spec.init_containers, *spec.containers):
            names += [one.config_map_ref.name for one in container.env_from if one.config_map_ref]
            names += [
                one.value_from.config_map_key_ref.name
                for one in container.env
                if one.value_from.config_map_key_ref
            ]
    return tuple(dict.fromkeys(name for name in names if name))


async def _last_words(survey: Survey, place: Place) -> None:
    """What the containers said before they ended, for the first pods that crashed."""
    dead = [each for each in survey.pods if not each.state.well and each.state.last and each.state.container]
    for each in dead[:MOST_DEAD]:
        state = each.state
        look = _previous(place, state.name, state.container)
        lines = await survey.or_unchecked(f"the log of {state.name} before it ended", look)
        if lines:
            survey.words.append(LastWords(state.name, state.container, lines))


async def _previous(place: Place, pod: str, container: str) -> tuple[str, ...]:
    query = {"container": container, "previous": "true", "tailLines": str(LAST_WORDS)}
    async with place.cluster.log(place.namespace, pod, query) as lines:
        return tuple([line.decode(errors="replace") async for line in lines])
