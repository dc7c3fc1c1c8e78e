"""Why it is slow or failing: where it begins, which cause comes first, what is ruled out, what is not checked."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.fakes.shop import NOW, WORDS, now, shop_platform
from tests.fakes.trouble import (
    BROKE,
    CALLS,
    EXHAUSTED,
    FAILING,
    HEALTHY,
    PASSED_ON,
    Curves,
    Noted,
    Written,
    asked,
    climb,
    configured,
    deployed,
    flat,
    investigation,
    jump,
    lines,
)
from tools.alerts.memory import MemoryAlerts
from tools.alerts.port import Alert
from tools.contract import Outcome
from tools.investigate.investigate import Investigate
from tools.investigate.port import Backends
from tools.logs.port import Budget, Level, Line, Query, Scanned


def facts(outcome: Outcome) -> Any:
    return outcome.findings[0].facts


def ranked(outcome: Outcome) -> list[tuple[str, str]]:
    return [(each["kind"], each["subject"]) for each in facts(outcome)["hypotheses"]]


def out(outcome: Outcome) -> dict[str, str]:
    return {each["what"]: each["code"] for each in facts(outcome)["ruled_out"]}


POOL = [*lines("payments", EXHAUSTED), *lines("checkout", PASSED_ON, version="1.8.2")]
FULL = {**FAILING, ("payments", "saturation"): jump(10.0, 100.0)}


async def test_a_release_right_before_new_errors_of_its_version_is_the_cause() -> None:
    outcome = await asked(investigation(FULL, POOL, [deployed("payments", "2.4.0", 0.2)]))
    first = facts(outcome)["hypotheses"][0]
    assert (first["kind"], first["subject"], first["confidence"]) == ("release", "payments 2.4.0", "high")
    assert {point["code"] for point in first["for"]} >= {
        "change.before",
        "change.only_version",
        "pool.filled",
    }
    assert first["fields"]["before"] == "1.0.0"


async def test_the_trouble_of_a_caller_leads_to_the_service_that_it_blames() -> None:
    outcome = await asked(investigation(FULL, POOL, [deployed("payments", "2.4.0", 0.2)]), "checkout")
    assert facts(outcome)["troubles"] == ["payments"]
    assert ranked(outcome)[0] == ("release", "payments 2.4.0")


async def test_every_point_cites_findings_that_were_made() -> None:
    outcome = await asked(investigation(FULL, POOL, [deployed("payments", "2.4.0", 0.2)]), "checkout")
    told = facts(outcome)
    points = [point for each in told["hypotheses"] for point in (*each["for"], *each["against"])]
    points += [*told["ruled_out"], *told["symptoms"]]
    places = {place for point in points for place in point["cites"]}
    assert points
    assert all(point["cites"] for point in points)
    assert places <= set(range(2, len(outcome.findings) + 1))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (deployed("catalog", "3.2.3", 1), "as_usual"),
        (deployed("payments", "2.5.0", 1, environment="staging"), "elsewhere"),
        (deployed("payments", "2.5.0", 1, ok=False), "failed"),
        (deployed("payments", "2.5.0", -1), "after"),
        (deployed("checkout", "1.9.0", 1), "passes_on"),
    ],
)
async def test_a_change_that_only_looks_guilty_is_ruled_out_by_name(change: Any, reason: str) -> None:
    outcome = await asked(investigation(FULL, POOL, [deployed("payments", "2.4.0", 0.2), change]), "checkout")
    assert out(outcome)[change.title.split()[1] + " " + change.title.split()[-1]] == reason


async def test_a_change_of_a_service_that_is_not_called_has_nothing_to_do_with_it() -> None:
    changes = [deployed("payments", "2.4.0", 0.2), deployed("catalog", "3.2.3", 1)]
    assert out(await asked(investigation(FULL, POOL, changes)))["catalog 3.2.3"] == "unrelated"


async def test_a_configuration_that_the_new_error_names_beats_a_release_of_the_same_minute() -> None:
    log = list(lines("payments", "refused: unknown merchant account 'hl-mian'", version="2.4.0"))
    changes = [
        deployed("payments", "2.4.0", 0.5),
        configured("payments", "account: hl-main -> hl-mian", 0.05),
    ]
    outcome = await asked(investigation(FAILING, log, changes))
    assert ranked(outcome)[0] == ("config", "payments account")
    assert out(outcome)["payments 2.4.0"] == "weaker"


async def test_a_dependency_that_got_slow_beats_the_release_before_it() -> None:
    curves = {
        ("payments", "latency_p95"): jump(60.0, 2500.0),
        ("payments>corvid-pay", "call_duration"): jump(20.0, 2000.0),
    }
    log = list(lines("payments", "Corvid Pay answered after 2100 ms", level=Level.WARNING))
    outcome = await asked(investigation(curves, log, [deployed("payments", "2.4.0", 0.5)]))
    assert ranked(outcome)[0] == ("dependency", "corvid-pay")
    assert out(outcome)["payments 2.4.0"] == "weaker"


async def test_more_requests_without_more_errors_or_slower_answers_break_nothing() -> None:
    outcome = await asked(
        investigation(
            {("checkout", "request_rate"): jump(4.0, 16.0)}, (), [deployed("checkout", "1.9.0", 1)]
        ),
        "checkout",
    )
    assert facts(outcome)["broken"] is False
    assert ranked(outcome) == [("traffic", "checkout")]
    assert out(outcome) == {"checkout 1.9.0": "nothing_broke"}


async def test_two_troubles_have_two_causes_in_front() -> None:
    curves = {
        **FULL,
        ("catalog", "latency_p95"): jump(5.0, 500.0),
        ("checkout", "latency_p95"): jump(60.0, 900.0),
        ("checkout>catalog", "call_duration"): jump(3.0, 400.0),
    }
    changes = [deployed("payments", "2.4.0", 0.2), configured("catalog", "page_cache: on -> off", 0.1)]
    outcome = await asked(investigation(curves, POOL, changes), "checkout")
    assert set(ranked(outcome)[:2]) == {("release", "payments 2.4.0"), ("config", "catalog page_cache")}


async def test_errors_that_were_there_while_all_was_well_are_noise() -> None:
    noise = lines("payments", "visit could not be counted", since=BROKE - timedelta(minutes=10))
    outcome = await asked(investigation(FULL, [*POOL, *noise], [deployed("payments", "2.4.0", 0.2)]))
    assert out(outcome)["visit could not be counted"] == "noise.before"


async def test_loud_errors_of_a_service_that_nothing_fails_in_break_nothing() -> None:
    outcome = await asked(investigation({}, list(lines("payments", "mail was not sent"))))
    assert facts(outcome)["broken"] is False
    assert out(outcome) == {"mail was not sent": "noise.harmless"}


async def test_memory_that_climbs_and_is_spoken_of_is_the_cause_of_slow_answers() -> None:
    curves = {("catalog", "memory"): climb(50.0, 130.0), ("catalog", "latency_p95"): jump(5.0, 300.0)}
    log = list(lines("catalog", "memory at 130 of 150 MB, collecting", level=Level.WARNING))
    assert ranked(await asked(investigation(curves, log), "catalog"))[0] == ("memory", "catalog")


async def test_a_release_since_which_memory_climbs_is_the_cause_of_it() -> None:
    since = timedelta(minutes=52)
    curves = {("catalog", "memory"): climb(50.0, 130.0, since), ("catalog", "latency_p95"): jump(5.0, 300.0)}
    log = list(lines("catalog", "memory at 130 of 150 MB, collecting", level=Level.WARNING))
    released = deployed("catalog", "3.2.1", (BROKE - (NOW - since)) / timedelta(minutes=1))
    outcome = await asked(investigation(curves, log, [released]), "catalog")
    assert ranked(outcome)[:2] == [("release", "catalog 3.2.1"), ("memory", "catalog")]


async def test_a_full_disk_is_the_cause_of_errors_that_speak_of_it() -> None:
    curves = {**FAILING, ("payments", "disk_left"): jump(30.0, 0.0)}
    log = list(lines("payments", "cannot book: database or disk is full"))
    assert ranked(await asked(investigation(curves, log)))[0] == ("disk", "payments")


async def test_the_clock_of_the_caller_may_be_the_wrong_one() -> None:
    curves = {("payments", "refused_rate"): jump(0.0, 100.0), ("checkout", "clock_offset"): jump(0.0, 90.0)}
    log = list(lines("payments", "request refused: signed 90 s in the future"))
    assert ranked(await asked(investigation(curves, log)))[0] == ("clock", "checkout")


async def test_a_certificate_that_is_still_valid_breaks_nothing_and_is_told() -> None:
    ends = (NOW + timedelta(days=2)).timestamp()
    outcome = await asked(investigation({("payments", "certificate_end"): flat(ends)}))
    assert (facts(outcome)["broken"], ranked(outcome)) == (False, [("certificate", "payments")])
    assert facts(outcome)["hypotheses"][0]["for"][0]["fields"]["days"] == 2.0


async def test_a_certificate_that_ended_is_a_cause() -> None:
    curves = {**FAILING, ("payments", "certificate_end"): flat((NOW - timedelta(minutes=4)).timestamp())}
    log = list(lines("payments", "x509: certificate has expired"))
    assert ranked(await asked(investigation(curves, log)))[0] == ("certificate", "payments")


async def test_a_place_is_told_where_no_cause_is_found() -> None:
    outcome = await asked(investigation(FAILING, list(lines("payments", "unexpected error"))))
    assert ranked(outcome) == [("service", "payments")]
    assert facts(outcome)["hypotheses"][0]["confidence"] == "low"


async def test_what_fails_since_the_first_measurement_is_failing() -> None:
    store = Curves(
        {**HEALTHY, ("payments", "error_rate"): flat(60.0)}, CALLS, since=NOW - timedelta(seconds=40)
    )
    outcome = await asked(investigation(backends=Backends(metrics=store, logs=Written(POOL))))
    assert facts(outcome)["broken"] is True
    assert facts(outcome)["symptoms"][0]["before"] is None


async def test_without_any_backend_nothing_is_called_well() -> None:
    outcome = await asked(investigation(backends=Backends()))
    assert outcome.ok is False
    assert facts(outcome)["measured"] is False
    named = {each.split(":")[0] for each in facts(outcome)["not_checked"]}
    assert named == {"metrics", "logs", "changes", "status", "alerts", "knowledge", "who calls whom"}


async def test_a_source_that_fails_is_not_checked_and_the_others_count() -> None:
    backends = Backends(
        metrics=Curves({**HEALTHY, **FULL}, CALLS), logs=Written(POOL), changes=(Noted(down=True),)
    )
    outcome = await asked(investigation(backends=backends))
    assert "changes of noted: the list of changes does not answer" in facts(outcome)["not_checked"]
    assert ranked(outcome)[0] == ("pool", "payments")


async def test_metrics_that_do_not_answer_are_named_and_nothing_is_called_well() -> None:
    backends = Backends(metrics=Curves(HEALTHY, CALLS, down=True), logs=Written(POOL))
    outcome = await asked(investigation(backends=backends))
    assert facts(outcome)["measured"] is False
    assert any("the metrics do not answer" in each for each in facts(outcome)["not_checked"])


async def test_text_of_a_log_cannot_cite() -> None:
    log = list(lines("payments", "boom [#3] trust me"))
    outcome = await asked(investigation(FAILING, log))
    assert "boom (#3] trust me" in outcome.findings[0].text


async def test_everything_may_be_asked_about() -> None:
    outcome = await asked(investigation(FULL, POOL, [deployed("payments", "2.4.0", 0.2)]), None)
    assert facts(outcome)["troubles"] == ["payments"]
    assert ranked(outcome)[0] == ("release", "payments 2.4.0")


async def test_without_metrics_new_errors_tell_where_it_begins() -> None:
    changes = [configured("payments", "account: hl-main -> hl-mian", 0.05), deployed("catalog", "3.2.3", 1)]
    log = [*lines("payments", "refused: unknown merchant account 'hl-mian'"), *lines("checkout", PASSED_ON)]
    outcome = await asked(
        investigation(backends=Backends(logs=Written(log), changes=(Noted(changes),))), "checkout"
    )
    assert facts(outcome)["troubles"] == ["payments"]
    assert ranked(outcome)[0] == ("config", "payments account")
    assert any(each.startswith("who calls whom") for each in facts(outcome)["not_checked"])
    assert facts(outcome)["hypotheses"][0]["confidence"] == "medium"


async def test_without_metrics_no_change_is_said_to_have_broken_nothing() -> None:
    backends = Backends(logs=Written(), changes=(Noted([deployed("payments", "2.4.0", 1)]),))
    outcome = await asked(investigation(backends=backends))
    assert (facts(outcome)["broken"], facts(outcome)["measured"], out(outcome)) == (False, False, {})


async def test_without_logs_the_service_that_begins_to_fail_with_it_is_blamed() -> None:
    backends = Backends(
        metrics=Curves({**HEALTHY, **FULL}, CALLS), changes=(Noted([deployed("payments", "2.4.0", 0.2)]),)
    )
    outcome = await asked(investigation(backends=backends), "checkout")
    assert facts(outcome)["troubles"] == ["payments"]
    assert ranked(outcome)[0] == ("release", "payments 2.4.0")


async def test_half_an_hour_ago_is_told_apart_as_well() -> None:
    broke = NOW - timedelta(minutes=30)
    curves = {("payments", "error_rate"): jump(0.2, 60.0, broke)}
    log = list(lines("payments", EXHAUSTED, since=broke + timedelta(seconds=10)))
    minutes = (BROKE - broke) / timedelta(minutes=1)  # changes are counted from BROKE
    changes = [deployed("payments", "2.4.0", minutes + 0.2), deployed("payments", "2.4.1", minutes - 2)]
    outcome = await asked(investigation(curves, log, changes))
    assert ranked(outcome)[0] == ("release", "payments 2.4.0")
    assert out(outcome) == {"payments 2.4.1": "after"}


async def test_what_failed_and_does_so_no_more_is_told() -> None:
    ended = NOW - timedelta(minutes=2)
    begun = NOW - timedelta(minutes=12)

    def curve(at: datetime) -> float:
        return 60.0 if begun < at <= ended else 0.2

    outcome = await asked(investigation({("payments", "error_rate"): curve}))
    (over,) = facts(outcome)["over"]
    assert (facts(outcome)["broken"], over["service"]) == (False, "payments")
    assert over["after"] == 60.0


async def test_alerts_that_fire_here_are_told_with_their_evidence() -> None:
    fires = Alert(
        "PaymentsPoolFull", {}, {"summary": "7 of 8"}, BROKE, service="payments", environment="production"
    )
    others = [
        replace(fires, name="Else", service="catalog"),
        replace(fires, name="There", environment="staging"),
    ]
    backends = Backends(
        metrics=Curves({**HEALTHY, **FULL}, CALLS), alerts=MemoryAlerts([fires, *others], now)
    )
    outcome = await asked(investigation(backends=backends))
    (told,) = facts(outcome)["alerts"]
    assert told["name"] == "PaymentsPoolFull"
    assert outcome.findings[told["cites"][0] - 1].kind == "alerts"


async def test_instances_that_are_not_healthy_are_a_cause_of_failures() -> None:
    backends = Backends(
        metrics=Curves({**HEALTHY, **FAILING}, CALLS), platform=shop_platform(healthy_replicas=1)
    )
    outcome = await asked(investigation(backends=backends))
    first = facts(outcome)["hypotheses"][0]
    assert (first["kind"], first["subject"]) == ("instances", "payments")
    assert first["for"][0]["fields"]["healthy"] == 1


class Silent(Written):
    """A log store that never answers."""

    async def scan(self, query: Query, budget: Budget, take: Callable[[Line], None]) -> Scanned:
        await asyncio.Event().wait()
        raise AssertionError


async def test_a_backend_that_does_not_answer_is_given_up_and_named() -> None:
    backends = Backends(metrics=Curves({**HEALTHY, **FULL}, CALLS), logs=Silent(), changes=(Noted(),))
    outcome = await asked(Investigate(backends, WORDS, now, patience=0.05))
    assert ranked(outcome)[0] == ("pool", "payments")
    assert any(each.startswith("logs of payments: ") for each in facts(outcome)["not_checked"])
