"""What explains present trouble: the error, the version it comes from, when that went live, what was known before."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from agent.models.embedded import quoting
from agent.models.embedded.facts import Deployment, Found, Passage, Pattern, Running, Series
from agent.models.embedded.folding import as_words, stem

_INCIDENT = re.compile(r"\bINC-\d+\b", re.IGNORECASE)
_SLACK = timedelta(minutes=2)  # clocks of logs and of deployments may differ by this much
_BAD_LEVELS = {"error", "critical", "fatal"}
_FELT = ("error_rate", "failed_payments", "latency_p95", "latency_p99", "saturation")
_RISES = 0.5  # a measure that grew by half is a symptom
_NORMAL = {"ratio": 0.01, "%": 1.0}  # the error rate up to which, if it did not rise, nothing is failing
_PUTS_LIVE = {"deploy", "rollback", ""}  # kinds of changes after which another version runs


@dataclass(frozen=True, slots=True)
class Cause:
    """The findings that explain each other, for one service; what was not found is `None`."""

    service: str
    pattern: Pattern | None = None
    running: Running | None = None
    deployment: Deployment | None = None
    restart: Deployment | None = None  # the last one in the same place, when no other version came after it
    well: Series | None = None  # the error rate, when it is as it should be
    one_version: str = ""  # every line of the pattern comes from it
    fresh: bool = False  # the lines began with the version that runs
    over: bool = False  # no line comes from the version that runs
    symptoms: tuple[Series, ...] = ()
    upstream: Pattern | None = None  # the service asked about only reports another one's failure
    incident: Passage | None = None
    remedy: Passage | None = None  # where it is written how that incident was fixed

    @property
    def blames_version(self) -> bool:
        return self.running is not None and self.fresh and self.well is None

    @property
    def previous(self) -> str:
        """The version that ran before; "" when none is known, for a restart brings no other one."""
        running = self.running.version if self.running is not None else ""
        told = (
            self.running.previous if self.running is not None else "",
            self.deployment.before if self.deployment is not None else "",
        )
        return next((version for version in told if version not in {"", running}), "")


def explain(found: Found, asked: str, known: Iterable[str]) -> Cause:
    """Correlates findings about `asked` (everything when it is ""), and about the service its errors point to."""
    patterns = ranked(found)
    pattern = next((pattern for pattern in patterns if asked in {"", pattern.service}), None)
    upstream, service = None, asked or (pattern.service if pattern else "")
    if pattern is not None and (other := points_to(pattern.template, service, known)) is not None:
        deeper = next((candidate for candidate in patterns if candidate.service == other), None)
        if deeper is not None:
            pattern, upstream, service = deeper, pattern, other
    running = running_of(found, service)
    changes = changes_of(found, running)
    put_live = next((each for each in changes if each.kind in _PUTS_LIVE), None)
    last = changes[0] if changes else None
    incident = _incident(found.passages, pattern.template if pattern else "", service)
    return Cause(
        service=service,
        pattern=pattern,
        running=running,
        deployment=put_live if put_live and running and put_live.after == running.version else None,
        restart=last if last is not None and last.kind == "restart" else None,
        well=_well(found.series, service),
        one_version=pattern.versions[0] if pattern and len(pattern.versions) == 1 else "",
        fresh=pattern is not None and running is not None and began_with(pattern, running),
        over=bool(pattern and running and pattern.versions and running.version not in pattern.versions),
        symptoms=_symptoms(found.series, {asked, service}),
        upstream=upstream,
        incident=incident,
        remedy=_remedy(found.passages, incident),
    )


def ranked(found: Found) -> list[Pattern]:
    """The errors, those that began with the version that runs first, then by how often they were logged."""

    def rank(pattern: Pattern) -> tuple[bool, int]:
        running = running_of(found, pattern.service)
        return not (running is not None and began_with(pattern, running)), -pattern.count

    errors = [pattern for logs in found.logs for pattern in logs.patterns if pattern.level in _BAD_LEVELS]
    return sorted(errors, key=rank)


def points_to(template: str, asked: str, known: Iterable[str]) -> str | None:
    """The other service an error speaks of: "payments answered 503" in the log of checkout."""
    words = as_words(template).split()
    # "payment failed: payments answered 503" names payments; a service's own name in its log says nothing
    return next((name for name in known if name != asked and as_words(name) in words), None)


def searchable(template: str) -> str:
    """The words of a log template that a person might have written about: no numbers, no placeholders."""
    head = re.split(r"[:;(\[{]", template, maxsplit=1)[0] if len(template) > 40 else template
    words = [
        word for word in re.findall(r"[A-Za-z][A-Za-z'_-]+", re.sub(r"<[^>]*>", " ", head)) if len(word) > 1
    ]
    return " ".join(words) if len(words) > 1 else " ".join(re.findall(r"[A-Za-z][A-Za-z'_-]+", template)[:8])


def running_of(found: Found, service: str) -> Running | None:
    """How a service runs, in production where it runs in several places."""
    mine = [entry for entry in found.running if entry.service == service]
    running = next((entry for entry in mine if entry.environment.startswith("prod")), next(iter(mine), None))
    # A restart begins processes anew, not the version: that is as old as what put it live.
    put_live = next((each for each in changes_of(found, running) if each.kind in _PUTS_LIVE), None)
    if running is None or running.since is None or put_live is None or put_live.at is None:
        return running
    own = put_live.after == running.version and put_live.at < running.since
    return replace(running, since=put_live.at) if own else running


def changes_of(found: Found, running: Running | None) -> list[Deployment]:
    """What was changed where a service runs, and went well, the newest first: changes of other places are none."""
    place = (running.service, running.environment) if running is not None else None
    mine = [each for each in found.deployments if (each.service, each.environment) == place and each.ok]
    return sorted(mine, key=lambda each: each.at.timestamp() if each.at is not None else 0.0, reverse=True)


def _well(series: Sequence[Series], service: str) -> Series | None:
    """The error rate of a service, when it is low and no rise of it was seen."""
    for each in series:
        value = each.now if each.now is not None else each.mean
        if each.service == service and each.metric == "error_rate" and value is not None:
            # Hardly any errors are twice as many quickly: only a rise that the measurement itself calls one counts.
            low = value <= _NORMAL.get(each.unit, 0.0) and each.anomaly != "rose"
            return each if low else None
    return None


def began_with(pattern: Pattern, running: Running) -> bool:
    """Whether the lines began when the version that runs went live."""
    if pattern.versions and running.version not in pattern.versions:
        return False
    if running.since is not None and pattern.first is not None:
        return pattern.first >= running.since - _SLACK
    return pattern.versions == (running.version,)


def _symptoms(series: Sequence[Series], services: set[str]) -> tuple[Series, ...]:
    """The measures of these services: those that rose first, those that customers feel before the others."""
    mine = [
        each
        for each in series
        if each.service in services and (each.now is not None or each.mean is not None)
    ]
    felt = [measure for measure in _FELT if any(each.metric == measure for each in mine)]

    def rank(each: Series) -> tuple[bool, int]:
        return not rose(each), felt.index(each.metric) if each.metric in felt else len(felt)

    return tuple(sorted(mine, key=rank))


def is_felt(measure: Series) -> bool:
    """Whether customers feel a measure: more requests alone are no trouble."""
    return measure.metric in _FELT


def rose(measure: Series) -> bool:
    if measure.anomaly:
        return measure.anomaly == "rose"
    return measure.change is not None and measure.change >= _RISES


def _incident(passages: Sequence[Passage], template: str, service: str) -> Passage | None:
    """The past incident that is about the same error, or failing that, the best one about the service."""
    wanted = {stem(word) for word in as_words(searchable(template)).split() if len(word) > 3}

    def fit(passage: Passage) -> float:
        words = {stem(word) for word in as_words(f"{passage.title} {passage.heading} {passage.text}").split()}
        shared = len(wanted & words) / len(wanted) if wanted else 0.0
        about = 0.3 if service in words or stem(service) in words else 0.0
        return shared + 0.5 * passage.confidence + about + (0.5 if _is_incident(passage) else 0.0)

    incidents = [passage for passage in passages if incident_id(passage)]
    best = max(incidents, key=fit, default=None)
    return best if best is not None and fit(best) >= 0.6 else None


def _is_incident(passage: Passage) -> bool:
    return bool(_INCIDENT.search(f"{passage.document} {passage.title}"))


def _remedy(passages: Sequence[Passage], incident: Passage | None) -> Passage | None:
    """The passage about the same incident that says how it was fixed; the incident's own pages before others."""
    if incident is None:
        return None
    same = [incident, *(passage for passage in passages if incident_id(passage) == incident_id(incident))]
    said = [passage for passage in same if quoting.fix(passage.text)]
    return min(
        said,
        key=lambda passage: (not quoting.is_fix(passage.heading), not _is_incident(passage)),
        default=None,
    )


def incident_id(passage: Passage) -> str:
    """The incident's number, such as INC-112, from the document, its heading or its text."""
    for place in (passage.document, passage.title, passage.heading, passage.text):
        if match := _INCIDENT.search(place):
            return match[0].upper()
    return ""
