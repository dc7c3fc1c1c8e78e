"""Writes what explains a trouble: a plain first sentence, the evidence as points, and the obvious next step."""

from collections.abc import Iterator

from agent.models.embedded import quoting
from agent.models.embedded.cause import Cause, incident_id, is_felt, rose
from agent.models.embedded.facts import Deployment, Passage, Pattern, Running, Series
from agent.models.embedded.recounting import cite
from agent.models.embedded.wording import measured, name_of, quoted, span
from agent.models.embedded.writing import Writer, capital, listed

_MOST_SYMPTOMS = 4


def explained(cause: Cause, writer: Writer, *, about_speed: bool = False) -> str:
    """The answer to "why is it failing?", or with `about_speed` to "why is it slow?"."""
    well = None if about_speed else cause.well
    head = _not_failing(cause, well, writer) if well is not None else _headline(cause, writer)
    answer = listed(head, list(_points(cause, writer)))
    if cause.blames_version and cause.previous:
        answer += "\n" + writer.say("next_rollback", service=cause.service, version=cause.previous)
    return answer


def _not_failing(cause: Cause, rate: Series, writer: Writer) -> str:
    """That nothing is failing now; what failed under a version that is gone, after that."""
    value = rate.now if rate.now is not None else rate.mean or 0.0
    place = writer.say("cause.place", environment=rate.environment) if rate.environment else ""
    now = measured(value, rate.unit, writer.locale)
    head = writer.say("cause.not_failing", service=cause.service, place=place, now=now, cites=cite(rate))
    return f"{head} {_headline(cause, writer)}" if cause.over else head


def _headline(cause: Cause, writer: Writer) -> str:
    pattern, running = cause.pattern, cause.running
    if pattern is None:
        return _symptom_only(cause, writer)
    fields: dict[str, object] = {"service": cause.service, "template": pattern.sample or pattern.template}
    if running is not None and (cause.blames_version or cause.over):
        fields |= {
            "version": running.version, "environment": running.environment, "since": writer.at(running.since),
            "old": ", ".join(pattern.versions), "last": writer.at(pattern.last), "cites": cite(pattern, running),
        }  # fmt: skip
        dated = "version_error" if running.since is not None else "version_error_undated"
        return writer.say("cause.over" if cause.over else f"cause.{dated}", fields)
    if cause.upstream is not None:
        fields |= {"service": cause.upstream.service, "other": cause.service}
        return writer.say("cause.dependency", fields, cites=cite(cause.upstream, pattern))
    return writer.say("cause.error", fields, cites=cite(pattern))


def _symptom_only(cause: Cause, writer: Writer) -> str:
    """What is left to say where no error was logged."""
    risen = next((series for series in cause.symptoms if rose(series) and is_felt(series)), None)
    value = None if risen is None else risen.now if risen.now is not None else risen.mean
    if risen is None or value is None:
        return writer.say("cause.nothing", service=cause.service or "–")
    metric, now = name_of(risen.metric, writer.locale), measured(value, risen.unit, writer.locale)
    return capital(
        writer.say("cause.symptom", metric=metric, service=risen.service, now=now, cites=cite(risen))
    )


def _points(cause: Cause, writer: Writer) -> Iterator[str]:
    if cause.upstream is not None:
        yield writer.pattern(cause.upstream)
    if cause.pattern is not None:
        yield from _error(cause, cause.pattern, writer)
    yield from (_symptom(series, writer) for series in cause.symptoms[:_MOST_SYMPTOMS])
    if cause.running is not None:
        yield _deployed(cause, cause.running, writer)
    if cause.restart is not None:
        yield _restarted(cause.restart, writer)
    if cause.incident is not None:
        yield _incident(cause.incident, cause.remedy, writer)


def _error(cause: Cause, pattern: Pattern, writer: Writer) -> Iterator[str]:
    yield writer.pattern(pattern)
    if cause.one_version:
        version = f"{cause.service} {cause.one_version}"
        yield writer.say("cause.only_version", version=version, cites=cite(pattern))
    running = cause.running
    if cause.fresh and running is not None and running.since is not None and pattern.first is not None:
        later = max(pattern.first, running.since) - running.since
        fields = {"after": span(later, writer.locale), "version": running.version}
        yield writer.say("cause.started_after", fields, cites=cite(pattern, running))


def _symptom(series: Series, writer: Writer) -> str:
    value = series.now if series.now is not None else series.mean or 0.0
    fields: dict[str, object] = {
        "metric": ", ".join(filter(None, (series.service, name_of(series.metric, writer.locale)))),
        "now": measured(value, series.unit, writer.locale), "cites": cite(series), "since": writer.at(series.since),
    }  # fmt: skip
    if series.before is None:
        return writer.say("series.evidence", fields)
    fields["before"] = measured(series.before, series.unit, writer.locale)
    return writer.say(
        f"series.{'evidence_rose' if rose(series) and series.since is not None else 'evidence_before'}",
        fields,
    )


def _deployed(cause: Cause, running: Running, writer: Writer) -> str:
    fields: dict[str, object] = {
        "version": f"{cause.service} {running.version}", "previous": cause.previous, "environment": running.environment,
    }  # fmt: skip
    if cause.deployment is not None and cause.previous:
        at, by = writer.at(cause.deployment.at), cause.deployment.by
        return writer.say("cause.deployed", fields, at=at, by=by, cites=cite(cause.deployment, running))
    if cause.previous:
        return writer.say("cause.replaced", fields, cites=cite(running))
    return writer.running(running)


def _restarted(change: Deployment, writer: Writer) -> str:
    fields = {"service": change.service, "environment": change.environment, "by": change.by}
    return writer.say("cause.restarted", fields, at=writer.at(change.at), cites=cite(change))


def _incident(passage: Passage, remedy: Passage | None, writer: Writer) -> str:
    number, title = incident_id(passage), passage.title or passage.document
    name = title if number in title.upper() else f"{number}, {title}"
    quote = quoting.fix(remedy.text) if remedy is not None else quoting.best(passage.text, title)
    cites = cite(passage, remedy) if remedy is not None else cite(passage)
    return writer.say("passage.seen", title=name, quote=quoted(quote, writer.locale), cites=cites)
