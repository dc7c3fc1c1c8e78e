"""The tool `kubernetes`: what is wrong with pods and workloads, with the rights that the asker has in the cluster."""

from collections import Counter
from dataclasses import replace
from typing import Annotated

from pydantic import Field

from tools.contract import Arguments, Asker, Clock, Effect, Outcome, Spec
from tools.kubernetes.access import Impersonation
from tools.kubernetes.phrases import KUBERNETES
from tools.kubernetes.places import Places
from tools.kubernetes.rollout import Phase
from tools.kubernetes.survey import Survey, surveyed
from tools.kubernetes.telling import Teller
from tools.patience import patience
from tools.slots import Kind, Slot
from tools.times import Since, window
from tools.vocabulary import Vocabulary


class KubernetesArguments(Arguments):
    """Which part of a cluster is looked at."""

    service: str | None = Field(default=None, description="One service; all when left out")
    environment: str = Field(default="", description="Where it runs")
    since: Annotated[Since, Slot(Kind.SINCE, role="since")] = Field(
        default="1h", description="How far back events are of interest: 30m, 2h, or an ISO 8601 instant"
    )


class Kubernetes:
    """Looks at workloads, pods, events and resource use. With `impersonation` it asks the cluster as the asker."""

    def __init__(
        self,
        places: Places,
        vocabulary: Vocabulary,
        clock: Clock,
        impersonation: Impersonation | None = None,
        console: str = "",
    ) -> None:
        self._places, self._clock, self._zone = places, clock, vocabulary.zone
        self._impersonation, self._console = impersonation, console
        self.spec = Spec(
            name="kubernetes",
            description=(
                "What Kubernetes says about services: rollout state of workloads, pods with the reason they fail "
                "(CrashLoopBackOff, OOMKilled, ImagePullBackOff), restarts, events, resource use against limits."
            ),
            arguments=vocabulary.narrow(KubernetesArguments),
            effect=Effect.READ,
            timeout=30.0,
            examples=KUBERNETES,
        )

    async def run(self, arguments: Arguments, asker: Asker) -> Outcome:
        asked = KubernetesArguments.of(arguments)
        span = window(asked.since, None, self._clock(), self._zone)
        place = self._places.place(asked.environment)
        if self._impersonation is not None:
            persona = self._impersonation.persona(asker.person, asker.roles)
            place = replace(place, cluster=place.cluster.acting_as(persona))
        async with patience(self.spec.timeout - 2, place.cluster.name):
            survey = await surveyed(self._places, place, asked.service, span.start)
        name = f"{asked.service or 'all services'} in {asked.environment}"
        target = self._places.target(asked.service).workload if asked.service else ""
        console = self._console.replace("{namespace}", place.namespace).replace("{workload}", target)
        teller = Teller(name, place, span, self._zone, console)
        return Outcome(ok=True, summary=f"{name}: {summary(survey)}", findings=teller.findings(survey))


def summary(survey: Survey) -> str:
    """The whole of it in a sentence; what was not checked is never told as well."""
    parts = []
    ill = [each.state for each in survey.pods if not each.state.well]
    if not any(each.startswith("not checked: pods") for each in survey.unchecked):
        ready = sum(each.state.ready for each in survey.pods)
        parts.append(f"{ready} of {len(survey.pods)} pods ready")
    reasons = Counter(each.reason for each in ill)
    parts += [f"{count} {reason}" for reason, count in reasons.most_common()]
    ended = Counter(each.state.last.reason for each in survey.pods if each.state.last)
    parts += [
        f"{count} ended before with {reason}"
        for reason, count in ended.most_common()
        if reason != "Completed"
    ]
    moving = [each for each in survey.workloads if each.state.phase is not Phase.COMPLETE]
    parts += [f"{each.name} {each.state.phase.value}: {each.state.told}" for each in moving]
    parts += survey.unchecked
    parts += ["the namespace holds more than was listed"] if survey.cut else []
    return "; ".join(parts) or "no workload"
