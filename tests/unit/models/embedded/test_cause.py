"""What explains a trouble: the error, the version it began with, the service behind it, the incident before."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from agent.models.embedded.cause import explain, searchable
from agent.models.embedded.facts import Deployment, Found, Logs, Passage, Pattern, Running, Series

LIVE = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
KNOWN = ("checkout", "payments")
RUNNING = Running("payments", "production", "2.4.0", "2.3.9", 2, 2, LIVE, None, 1)
POOL = Pattern(
    "pool exhausted: <*> of <*>", 40, LIVE + timedelta(minutes=1), LIVE + timedelta(minutes=9), "error", "payments",
    ("2.4.0",), "pool exhausted: 8 of 8", 2,
)  # fmt: skip
OLD = replace(
    POOL, template="cache miss storm", count=900, first=LIVE - timedelta(days=3), versions=("2.3.9", "2.4.0")
)
PAGE = Passage(
    "Pool", "Pool", "docs", "", "2026-10-16", "As in INC-112 the pool ran dry.", 0.9, "", "doc", "Pool", 5
)
REPORT = replace(PAGE, document="INC-112: pool exhausted", title="INC-112: pool exhausted > Fix", heading="Fix",
                 text="Rolled back to 2.1.7.", confidence=0.5, kind="incident", number=6)  # fmt: skip


def logs(*patterns: Pattern) -> tuple[Logs, ...]:
    return (Logs("payments", "production", "error", "", 1_000, patterns, 2),)


def test_the_error_that_began_with_the_running_version_is_named_before_a_more_frequent_old_one() -> None:
    cause = explain(Found(logs=logs(OLD, POOL), running=(RUNNING,)), "payments", KNOWN)
    assert cause.pattern == POOL
    assert cause.blames_version


def test_an_error_that_was_there_before_blames_no_version() -> None:
    assert not explain(Found(logs=logs(OLD), running=(RUNNING,)), "payments", KNOWN).blames_version


def test_an_error_of_a_version_that_no_longer_runs_is_over() -> None:
    back = replace(RUNNING, version="2.3.9", since=LIVE + timedelta(minutes=20))
    cause = explain(Found(logs=logs(POOL), running=(back,)), "payments", KNOWN)
    assert cause.over
    assert not cause.blames_version


def test_a_service_that_only_reports_another_ones_failure_points_to_it() -> None:
    reported = replace(
        POOL, template="payment failed: payments answered 503", service="checkout", versions=("1.8.2",)
    )
    found = Found(
        logs=(*logs(POOL), Logs("checkout", "production", "error", "", 9, (reported,), 3)), running=(RUNNING,)
    )
    cause = explain(found, "checkout", KNOWN)
    assert (cause.service, cause.pattern, cause.upstream) == ("payments", POOL, reported)


def test_the_incidents_own_page_is_named_before_one_that_mentions_it() -> None:
    cause = explain(Found(logs=logs(POOL), running=(RUNNING,), passages=(PAGE, REPORT)), "payments", KNOWN)
    assert cause.incident == REPORT
    assert cause.remedy == REPORT


def test_a_passage_about_something_else_is_no_past_incident() -> None:
    other = replace(
        PAGE, title="Printer", heading="Printer", text="INC-99: the printer was on fire.", confidence=0.2
    )
    assert explain(Found(logs=logs(POOL), passages=(other,)), "payments", KNOWN).incident is None


def test_a_template_is_searched_for_by_its_words() -> None:
    assert (
        searchable("connection pool exhausted: 8 of 8 connections in use, waited 750 ms")
        == "connection pool exhausted"
    )


DEPLOYED = Deployment("deploy", "payments", "production", "2.3.9", "2.4.0", LIVE, "raj", True, 7)
RATE = Series("error_rate", "payments", "production", "%", 0.2, 0.2, 0.3, 0.2, 0.0, "", None, 60, 8)


def test_a_change_of_another_environment_explains_nothing() -> None:
    elsewhere = replace(DEPLOYED, environment="staging", at=LIVE + timedelta(minutes=5))
    cause = explain(Found(running=(RUNNING,), deployments=(elsewhere, DEPLOYED)), "payments", KNOWN)
    assert cause.deployment == DEPLOYED


def test_a_restart_puts_no_version_live_and_keeps_the_age_of_the_one_that_runs() -> None:
    restarted = replace(
        DEPLOYED, kind="restart", before="2.4.0", at=LIVE + timedelta(minutes=30), by="sam (A-2)"
    )
    running = replace(RUNNING, previous="2.4.0", since=LIVE + timedelta(minutes=30))
    found = Found(logs=logs(POOL), running=(running,), deployments=(restarted, DEPLOYED))
    cause = explain(found, "payments", KNOWN)
    assert (cause.deployment, cause.restart, cause.previous) == (DEPLOYED, restarted, "2.3.9")
    assert cause.running is not None
    assert cause.running.since == LIVE
    assert cause.blames_version


def test_a_service_with_a_normal_error_rate_blames_nobody() -> None:
    cause = explain(Found(logs=logs(POOL), running=(RUNNING,), series=(RATE,)), "payments", KNOWN)
    assert cause.well == RATE
    assert not cause.blames_version


def test_a_high_or_risen_error_rate_is_not_normal() -> None:
    for rate in (replace(RATE, now=20.0), replace(RATE, anomaly="rose")):
        assert explain(Found(running=(RUNNING,), series=(rate,)), "payments", KNOWN).well is None
