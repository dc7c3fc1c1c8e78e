"""The shop's small parts: releases, addresses, log files, scraping, the made-up past, the flag script."""

import json
import logging
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import ValidationError

from demo.knowledge.releases import releases as told
from demo.past import LENGTH, ORIGIN, measurements, past_deployments, trouble_day
from demo.scripts import flag
from demo.shop import addresses
from demo.shop.addresses import Addresses, NobodyListens
from demo.shop.behaviour import Behaviour
from demo.shop.log import Appending, JsonLines
from demo.shop.releases import Release, UnknownRelease, release, releases
from demo.supervisor.scraper import samples_in

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


def test_only_payments_2_4_0_keeps_connections() -> None:
    keeping = [
        (service, one.version)
        for service, listed in releases().items()
        for one in listed
        if one.behaviour.retry_keeps_connection
    ]
    assert keeping == [("payments", "2.4.0")]


def test_releases_are_listed_newest_first() -> None:
    assert [one.version for one in releases()["payments"]] == ["2.4.0", "2.3.9", "2.3.8"]


def test_a_release_there_is_not() -> None:
    with pytest.raises(UnknownRelease):
        release("payments", "2.4.1")


def test_a_switch_there_is_not_is_refused_where_it_is_declared() -> None:
    declared = {"version": "1", "released_at": NOW, "commit": "c", "notes": "n", "behaviour": {"wings": True}}
    with pytest.raises(ValidationError, match="wings"):
        Release.model_validate(declared)


def test_switches_survive_the_command_line() -> None:
    behaviour = Behaviour(retry_keeps_connection=True, compact_totals=True)
    assert Behaviour.of(behaviour.switched_on()) == behaviour


def test_every_replica_gets_its_share_also_when_services_are_called_in_turn(tmp_path: Path) -> None:
    addresses.write(tmp_path, {"production": {"checkout": [1, 2], "catalog": [3]}})
    book, met = Addresses(tmp_path, "production"), Counter[str]()
    for _ in range(10):
        met[book.url("catalog")] += 1
        met[book.url("checkout")] += 1
    assert met == {"http://127.0.0.1:3": 10, "http://127.0.0.1:1": 5, "http://127.0.0.1:2": 5}


def test_callers_notice_a_new_list(tmp_path: Path) -> None:
    book = Addresses(tmp_path, "production")
    with pytest.raises(NobodyListens, match="catalog"):
        book.url("catalog")
    addresses.write(tmp_path, {"production": {"catalog": [3]}})
    assert book.url("catalog") == "http://127.0.0.1:3"


@contextmanager
def replica(file: Path, name: str, size: int) -> Iterator[Callable[[str], None]]:
    """The log of one replica: what it is told to say goes through its own handler."""
    handler = Appending(file, maxBytes=size, backupCount=50)
    handler.setFormatter(JsonLines({"service": "checkout", "instance": name}))
    log = logging.getLogger(f"test.{name}")
    log.setLevel(logging.INFO)
    log.addHandler(handler)
    try:
        yield lambda text: log.info("%s", text)
    finally:
        log.removeHandler(handler)
        handler.close()


def test_replicas_share_a_log_and_lose_no_line_when_it_rotates(tmp_path: Path) -> None:
    file = tmp_path / "checkout.log"
    with replica(file, "checkout-1", 2000) as one, replica(file, "checkout-2", 2000) as two:
        for number in range(100):
            one(f"one {number}")
            two(f"two {number}")
    kept = sorted(tmp_path.glob("checkout.log*"))
    said = [json.loads(line)["message"] for part in kept for line in part.read_text().splitlines()]
    assert sorted(said) == sorted(f"{who} {number}" for who in ("one", "two") for number in range(100))
    assert len(kept) > 3
    assert all(part.stat().st_size > 1500 for part in kept if part != file)


def test_a_scrape_becomes_samples_that_say_whose_they_are() -> None:
    text = (
        "# TYPE payments_total counter\n"
        'payments_total{outcome="failed"} 3.0\n'
        "# TYPE payments_created gauge\n"
        'payments_created{outcome="failed"} 1.7e9\n'
        "# TYPE python_gc counter\n"
        "python_gc 9.0\n"
    )
    labels = {"service": "payments", "instance": "payments-1"}
    assert list(samples_in(text, labels)) == [("payments_total", {"outcome": "failed", **labels}, 3.0)]


def failed_by_day() -> Counter[date]:
    """Failed payments of each day of the made-up past."""
    days, last = Counter[date](), 0.0
    for at, samples in measurements(NOW):
        total = next(value for name, labels, value in samples if labels.get("outcome") == "failed")
        days[datetime.fromtimestamp(at, UTC).date()] += round(1000 * (total - last))
        last = total
    return days


def test_the_past_is_two_weeks_of_growing_counters_that_say_where_they_come_from() -> None:
    seen: dict[str, float] = {}
    instants = []
    for at, samples in measurements(NOW):
        instants.append(at)
        for name, labels, value in samples:
            assert labels["origin"] == ORIGIN
            series = f"{name} {sorted(labels.items())}"
            assert value >= seen.get(series, 0.0)
            seen[series] = value
    assert instants == sorted(instants)
    assert NOW.timestamp() - instants[0] == LENGTH.total_seconds()
    assert instants[-1] < NOW.timestamp()


def test_one_day_of_last_week_has_many_failed_payments() -> None:
    days = failed_by_day()
    assert days.most_common(1)[0][0] == date(2026, 11, 18)


@pytest.mark.parametrize("days", range(7))
def test_the_day_of_trouble_is_last_week_whatever_day_it_is(days: int) -> None:
    now = NOW + timedelta(days=days)
    assert now.isocalendar().week - trouble_day(now).isocalendar().week == 1


def test_past_deployments_are_those_the_documents_and_the_chat_tell_of() -> None:
    assert [(one.service, one.after) for one in past_deployments()] == [
        (one.service, one.version) for one in sorted(told(), key=lambda one: one.at)
    ]


def test_a_flag_is_planned_set_and_checked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = str(tmp_path / "flags.json")
    assert flag.main(["plan", file, "new_search", "on"]) == 0
    assert json.loads(capsys.readouterr().out) == {"flag": "new_search", "now": "off", "wanted": "on"}
    assert flag.main(["check", file, "new_search", "on"]) == 1
    assert flag.main(["set", file, "new_search", "on"]) == 0
    assert flag.main(["check", file, "new_search", "on"]) == 0
