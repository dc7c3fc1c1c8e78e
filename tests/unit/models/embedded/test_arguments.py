"""Arguments from words: unsure rather than wrong."""

from datetime import UTC, datetime
from typing import Annotated
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field

from agent.models.embedded.arguments import Context, Filled, fill
from agent.models.embedded.scan import Scanner
from agent.models.embedded.texts import question
from tools.contract import Arguments, Effect, Spec
from tools.slots import CHART, Kind, Slot, slots

PARIS = ZoneInfo("Europe/Paris")
NOW = datetime(2026, 11, 23, 15, 42, tzinfo=UTC)
SERVICE = Slot(
    Kind.CHOICE, role="service", choices=("ledger", "mailer", "search", "gateway"), aliases={"post": "mailer"}
)
PLACE = Slot(Kind.CHOICE, role="environment", choices=("production", "staging"))
METRIC = Slot(Kind.CHOICE, role="metric", choices=("error_rate", "latency_p95", "latency_p99", "memory"))
LEVEL = Slot(Kind.CHOICE, role="level", choices=("error", "warning"))


class Deploy(Arguments):
    service: Annotated[str, SERVICE]
    version: Annotated[str, Slot(Kind.VERSION, role="version")]
    environment: Annotated[str, PLACE] = "production"


class Rollback(Arguments):
    service: Annotated[str, SERVICE]
    version: Annotated[str | None, Slot(Kind.VERSION, role="version")] = None
    environment: Annotated[str, PLACE] = "production"


class Scale(Arguments):
    service: Annotated[str, SERVICE]
    replicas: Annotated[int, Slot(Kind.COUNT), Field(ge=1, le=50)]


class Logs(Arguments):
    service: Annotated[str | None, SERVICE] = None
    level: Annotated[str | None, LEVEL] = None
    contains: Annotated[str | None, Slot(Kind.QUOTED)] = None
    since: Annotated[str, Slot(Kind.SINCE)] = "1h"
    until: Annotated[str | None, Slot(Kind.UNTIL)] = None


class Metrics(Arguments):
    service: Annotated[str | None, SERVICE] = None
    metric: Annotated[str, METRIC]
    window: Annotated[str, Slot(Kind.DURATION)] = "1h"


DEPLOY, ROLLBACK, SCALE = (
    Spec(model.__name__.lower(), "", model, Effect.WRITE) for model in (Deploy, Rollback, Scale)
)
LOGS, METRICS = (Spec(model.__name__.lower(), "", model, Effect.READ) for model in (Logs, Metrics))
ALL = (DEPLOY, ROLLBACK, SCALE, LOGS, METRICS)
SCANNER = Scanner(
    [(slot.role or name, slot) for spec in ALL for name, slot in slots(spec.arguments).items()],
    known=(),
    zone=PARIS,
)


def filled(spec: Spec, text: str) -> Filled:
    return fill(spec, SCANNER.scan(text, NOW), Context(NOW, PARIS))


@pytest.mark.parametrize(
    ("text", "service"),
    [
        ("restart the mailer", "mailer"),
        ("restart the maielr thing", "mailer"),
        ("errors of the gatway", "gateway"),
        ("les logs du post", "mailer"),
        ("mailer's errors", "mailer"),
        ("search the logs for errors of ledger", "ledger"),
        ("the search thing is slow", "search"),
    ],
)
def test_a_service_is_known_by_its_names_and_forgiven_slips(text: str, service: str) -> None:
    assert filled(LOGS, text).values["service"] == service


@pytest.mark.parametrize("text", ["I researched this", "the malware", "the letter", "searching for words"])
def test_other_words_are_no_services(text: str) -> None:
    assert "service" not in filled(LOGS, text).values


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("deploy ledger 2.4.0", "2.4.0"),
        ("deploy ledger v2.4", "2.4"),
        ("deploy ledger@3.1.7", "3.1.7"),
        ("deploy ledger:3.1.7-rc2", "3.1.7-rc2"),
        ("passe ledger en version 7", "7"),
        ("upgrade ledger from 1.2.0 to 1.3.0", "1.3.0"),
        ("deploy ledger 1.2.0, no wait, 1.2.1", "1.2.1"),
        ("not 1.2.0 but 1.2.1 of ledger", "1.2.1"),
    ],
)
def test_a_version_is_the_one_that_is_meant(text: str, version: str) -> None:
    assert filled(DEPLOY, text).values["version"] == version


@pytest.mark.parametrize(
    "text", ["ledger at 10.0.0.12", "ledger on 12.11.2026", "ledger took 2.5 s", "3.5% of ledger"]
)
def test_addresses_dates_and_sizes_are_no_versions(text: str) -> None:
    assert "version" not in filled(DEPLOY, text).values


def test_a_rollback_does_not_go_to_the_version_it_leaves() -> None:
    assert "version" not in filled(ROLLBACK, "ledger 2.4.0 is bad, roll it back").values
    assert filled(ROLLBACK, "ledger 2.4.0 is bad, go back to 2.3.9").values["version"] == "2.3.9"


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("scale mailer to 7", 7),
        ("mailer x6", 6),
        ("a dozen mailers", 12),
        ("half a dozen mailer pods", 6),
        ("bring mailer down to two", 2),
        ("from 3 to six mailer instances", 6),
        ("mailer only needs a single replica", 1),
        ("une douzaine de mailer", 12),
        ("descends mailer à deux pods", 2),
        ("mailer sur un seul réplica", 1),
    ],
)
def test_a_count_is_read_in_digits_and_words(text: str, count: int) -> None:
    assert filled(SCALE, text).values["replicas"] == count


@pytest.mark.parametrize(
    "text",
    ["add two more mailer pods", "three mailers fewer", "ajoute 2 mailer de plus", "scale mailer by 3"],
)
def test_a_change_by_an_amount_says_no_total(text: str) -> None:
    found = filled(SCALE, text)
    assert found.relative
    assert not found.complete


def test_two_services_are_a_doubt() -> None:
    assert filled(SCALE, "scale mailer and gateway to 3").doubtful["service"] == ("mailer", "gateway")


def test_a_service_that_is_excluded_is_none() -> None:
    assert filled(SCALE, "scale mailer, not gateway, to 3").values["service"] == "mailer"


def test_a_count_beyond_the_schema_is_refused() -> None:
    assert filled(SCALE, "scale mailer to 900").refused is not None


def test_where_from_is_not_where_to() -> None:
    assert filled(DEPLOY, "promote ledger 1.2.0 from staging to prod").values["environment"] == "production"


@pytest.mark.parametrize(
    ("text", "since"),
    [
        ("mailer errors since noon", "2026-11-23T12:00:00+01:00"),
        ("erreurs de mailer depuis hier", "2026-11-22T00:00:00+01:00"),
        ("mailer errors, last 90 minutes", "90m"),
        ("mailer errors of the past 24h", "1d"),
    ],
)
def test_a_start_is_a_length_or_an_instant(text: str, since: str) -> None:
    assert filled(LOGS, text).values["since"] == since


def test_a_range_has_an_end() -> None:
    assert filled(LOGS, "mailer errors between 9 and 11:30").values["until"] == "2026-11-23T11:30:00+01:00"


@pytest.mark.parametrize(
    ("text", "contains"),
    [
        ("grep 'Quota exceeded' in mailer", "Quota exceeded"),
        ("look for broken pipe in the mailer logs", "broken pipe"),
        ("any deadlocks in mailer?", "deadlock"),
        ("cherche « délai dépassé » dans mailer", "délai dépassé"),
        ("any 502s on mailer", "502"),
    ],
)
def test_what_to_look_for_is_quoted_or_named(text: str, contains: str) -> None:
    assert filled(LOGS, text).values["contains"] == contains


@pytest.mark.parametrize(
    "text",
    ["any errors in mailer?", "show me the mailer logs", "les erreurs de mailer", "find warnings of mailer"],
)
def test_plain_errors_narrow_nothing(text: str) -> None:
    assert "contains" not in filled(LOGS, text).values


@pytest.mark.parametrize(
    ("text", "metric"),
    [
        ("p99 latency of mailer", "latency_p99"),
        ("is mailer slow", "latency_p95"),
        ("what share of mailer requests fails", "error_rate"),
        ("combien de mémoire consomme mailer", "memory"),
        ("temps de réponse de mailer", "latency_p95"),
    ],
)
def test_a_metric_has_many_names(text: str, metric: str) -> None:
    assert filled(METRICS, text).values["metric"] == metric


def test_every_argument_knows_the_words_it_came_from() -> None:
    assert filled(SCALE, "scale the mailer to a dozen").said == {"service": "mailer", "replicas": "a dozen"}


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("Hi, can you tell me who owns ledger? thanks", "who owns ledger"),
        ("Bonjour, dis-moi qui gère ledger stp", "qui gère ledger"),
        ("search the docs for failover", "failover"),
        ("please", "please"),
    ],
)
def test_a_question_is_what_remains_without_courtesy(text: str, asked: str) -> None:
    assert question(text) == asked


@given(st.text(max_size=300), st.sampled_from(ALL))
def test_any_text_fills_arguments_that_pass_the_schema_or_says_why_not(text: str, spec: Spec) -> None:
    found = filled(spec, text)
    if found.complete:
        spec.validate(found.values)


class Drawn(Arguments):
    service: Annotated[str | None, SERVICE] = None
    chart: Annotated[bool, CHART] = False


@pytest.mark.parametrize(
    ("words", "chart"),
    [
        ("plot the error rate of ledger", True),
        ("show me graphs of ledger", True),
        ("trace la courbe des erreurs de ledger", True),
        ("un graphique des erreurs de ledger", True),
        ("how is ledger", False),
        ("what is the plotter doing on ledger", False),
    ],
)
def test_a_chart_is_wanted_where_it_is_said(words: str, chart: bool) -> None:
    spec = Spec("metrics", "", Drawn, Effect.READ)
    scanner = Scanner(slots(Drawn).items(), ["plotter"], PARIS)
    filled = fill(spec, scanner.scan(words, NOW), Context(NOW, PARIS))
    assert filled.values.get("chart", False) is chart
    assert filled.values["service"] == "ledger"
