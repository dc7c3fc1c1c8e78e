"""Tells that a cause was taken away already, by which change, and what logs and measures say since."""

from collections.abc import Callable, Iterator, Mapping

from agent.models.embedded.facts import amount, count, moment, text
from agent.models.embedded.wording import figure, measured, name_of
from agent.models.embedded.writing import Writer
from tools.contract import Json

_Facts = Mapping[str, Json]


def undone(one: _Facts, writer: Writer, cited: Callable[[_Facts, str], str]) -> Iterator[str]:
    """Nothing where the hypothesis is still in place; `cited` gives the numbers of evidence under a key."""
    done = one.get("undone")
    if not isinstance(done, Mapping):
        return
    at = writer.at(moment(done, "at"))
    yield writer.say(
        "why.undone_config" if text(one, "kind") == "config" else "why.undone_release",
        service=text(one, "service"),
        subject=text(one, "subject"),
        to=text(done, "to"),
        by=text(done, "by") or "?",
        at=at,
        cites=cited(done, "cites"),
    )
    if "errors" in done:
        errors = count(done, "errors")
        yield writer.say(
            "why.since_errors" if errors else "why.since_quiet",
            count=errors,
            count_text=figure(errors, writer.locale),
            last=writer.at(moment(done, "last_error")),
            cites=cited(done, "errors_cites"),
        )
    if (now := amount(done, "now")) is None:
        yield writer.say("why.since_unknown")
    else:
        yield writer.say(
            "why.since_rate",
            metric=name_of(text(done, "metric"), writer.locale),
            now=measured(now, text(done, "unit"), writer.locale),
            cites=cited(done, "rate_cites"),
        )
