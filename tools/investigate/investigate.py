"""The tool `investigate`: why a service is slow or failing, from everything that can be looked at, by rules."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated

from pydantic import Field

from tools.contract import Arguments, Asker, Clock, Effect, Finding, Outcome, Spec
from tools.investigate.ledger import Ledger
from tools.investigate.looking import PATIENCE, Look
from tools.investigate.phrases import INVESTIGATE
from tools.investigate.port import Backends
from tools.investigate.reasoning import conclude
from tools.investigate.recalling import notes
from tools.investigate.telling import digest, facts, headline
from tools.metrics.server import remarks
from tools.slots import Kind, Slot
from tools.times import Since, Until, spoken, window
from tools.vocabulary import Vocabulary

SHORTEST = timedelta(minutes=10)  # less is no time to compare with


class InvestigateArguments(Arguments):
    """What has trouble, and when."""

    service: str | None = Field(
        default=None, description="The service that is slow or failing; all when left out"
    )
    environment: str = Field(default="", description="Where")
    since: Annotated[Since, Slot(Kind.SINCE, role="since")] = Field(
        default="1h", description="How far back to look, the time before the trouble with it: 1h, 6h"
    )
    until: Annotated[Until | None, Slot(Kind.UNTIL, role="until")] = Field(
        default=None, description="An ISO 8601 instant; now when left out"
    )


class Investigate:
    """Looks at all backends at once, concludes by rules, and says what it could not look at."""

    def __init__(
        self, backends: Backends, vocabulary: Vocabulary, clock: Clock, patience: float = PATIENCE
    ) -> None:
        self._backends, self._clock, self._zone = backends, clock, vocabulary.zone
        self._patience = patience
        self._services = tuple(vocabulary.services)
        self.spec = Spec(
            name="investigate",
            description=(
                "Finds out why a service is slow or failing: symptoms and since when, new log patterns, changes, the "
                "services it calls, past incidents; hypotheses with evidence for and against, and what is ruled out."
            ),
            arguments=vocabulary.narrow(InvestigateArguments),
            effect=Effect.READ,
            timeout=30.0,
            examples=INVESTIGATE,
        )

    async def run(self, arguments: Arguments, asker: Asker) -> Outcome:
        asked = InvestigateArguments.of(arguments)
        span = window(asked.since, asked.until, self._clock(), self._zone)
        if span.length < SHORTEST:
            span = window("10m", span.end.isoformat(), span.end, self._zone)
        look = Look(self._backends, asked.environment, span, self._patience)
        with remarks() as said:
            scene = await look.scene(asked.service, self._known(asked.service))
        look.missing |= dict.fromkeys(said)
        ledger = Ledger(scene, self._backends.metrics, self._zone)
        conclusion = conclude(scene, ledger)
        incidents, runbooks = await notes(look, conclusion.ranked, asker)
        told = facts(scene, conclusion, ledger, incidents, runbooks, tuple(look.missing))
        report = Finding(
            kind="investigation",
            title=f"Why: {asked.service or 'all services'} in {asked.environment}",
            source="investigate",
            query=f"{asked.service or 'all services'} in {asked.environment}, {spoken(span, self._zone)}",
            text=digest(scene, conclusion, told, self._zone),
            facts=told,
            window=span,
        )
        found = any(view.courses or view.heard.scanned for view in scene.views.values())
        return Outcome(
            ok=found,
            summary=headline(scene, conclusion),
            findings=(report, *ledger.findings),
        )

    def _known(self, asked: str | None) -> Sequence[str]:
        """The services that are followed: those of the settings, and the one that was asked about."""
        return tuple(dict.fromkeys((*([asked] if asked else []), *self._services)))
