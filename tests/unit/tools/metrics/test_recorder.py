"""The recorder: what is written is read again, computed as Prometheus would."""

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fakes.shop import NOW
from tools.contract import ToolFailed, ToolUnavailable, Window
from tools.metrics.named import ERRORS, METRICS, REQUESTS, Formula, Scope
from tools.metrics.recorder import RecorderStore, RecorderWriter, canonical

ONE = {"service": "payments", "environment": "production", "version": "2.4.0", "instance": "payments-1"}
TWO = {**ONE, "instance": "payments-2"}
PAYMENTS = Scope("production", "payments")
MINUTE = Window(NOW, NOW + timedelta(minutes=1))


def record(
    path: Path, name: str, labels: Mapping[str, str], values: list[float], every: float = 10.0
) -> None:
    writer = RecorderWriter(path)
    for number, value in enumerate(values):
        writer.append(NOW.timestamp() + number * every, [(name, labels, value)])
    writer.close()


async def value(
    path: Path, formula: Formula, scope: Scope = PAYMENTS, window: Window = MINUTE
) -> float | None:
    return (await RecorderStore(path).evaluate(formula, scope, (window,)))[0]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "metrics.db"


def test_labels_have_one_form() -> None:
    assert canonical({"b": "2", "a": "é"}) == '{"a":"é","b":"2"}'


def test_the_file_is_its_owners_alone(file: Path) -> None:
    RecorderWriter(file).close()
    assert file.stat().st_mode & 0o777 == 0o600


def test_old_samples_can_be_forgotten(file: Path) -> None:
    record(file, "up", ONE, [1.0] * 10)
    writer = RecorderWriter(file)
    assert writer.forget_before(NOW.timestamp() + 45) == 5
    writer.close()


async def test_a_rate_is_the_growth_of_all_instances_a_second(file: Path) -> None:
    for labels in (ONE, TWO):
        record(
            file,
            "http_requests_total",
            {**labels, "route": "/charge", "code": "200"},
            [0, 20, 40, 60, 80, 100, 120],
        )
    assert await value(file, METRICS["request_rate"].formula) == pytest.approx(4.0)
    assert await value(file, REQUESTS) == 240.0


async def test_a_rate_counts_the_time_that_samples_cover(file: Path) -> None:
    record(file, "http_requests_total", {**ONE, "route": "/charge", "code": "200"}, [0, 20, 40])
    assert await value(file, METRICS["request_rate"].formula) == pytest.approx(2.0)


async def test_an_error_rate_is_the_share_of_5xx_without_probes(file: Path) -> None:
    for route, code, values in (
        ("/charge", "200", [0, 90]),
        ("/charge", "503", [0, 10]),
        ("/charge", "404", [0, 100]),
        ("/healthz", "200", [0, 10_000]),
    ):
        record(
            file,
            "http_requests_total",
            {**ONE, "route": route, "code": code},
            [float(each) for each in values],
        )
    assert await value(file, METRICS["error_rate"].formula) == pytest.approx(0.05)
    assert await value(file, ERRORS) == 10.0


async def test_no_errors_are_zero_and_no_requests_are_unknown(file: Path) -> None:
    record(file, "http_requests_total", {**ONE, "route": "/charge", "code": "200"}, [0, 90, 90])
    assert await value(file, METRICS["error_rate"].formula) == 0.0
    quiet = Window(NOW + timedelta(seconds=10), NOW + timedelta(seconds=20))
    assert await value(file, METRICS["error_rate"].formula, window=quiet) is None
    assert await value(file, METRICS["error_rate"].formula, Scope("production", "catalog")) is None


async def test_errors_that_begin_late_count_from_zero(file: Path) -> None:
    record(file, "up", ONE, [1.0] * 7)
    writer = RecorderWriter(file)
    writer.append(NOW.timestamp() + 30, [("http_requests_total", {**ONE, "route": "/c", "code": "503"}, 4.0)])
    writer.close()
    assert await value(file, ERRORS) == 4.0


async def test_a_restart_is_no_negative_growth(file: Path) -> None:
    record(file, "http_requests_total", {**ONE, "route": "/c", "code": "200"}, [1000, 1010, 3, 8])
    assert await value(file, REQUESTS) == 18.0


async def test_quantiles_are_those_of_the_buckets_of_all_instances(file: Path) -> None:
    for labels in (ONE, TWO):
        for bound, count in (("0.1", 25), ("0.2", 50), ("+Inf", 50)):
            buckets = {**labels, "route": "/c", "le": bound}
            record(file, "http_request_duration_seconds_bucket", buckets, [0, float(count)])
    assert await value(file, METRICS["latency_p50"].formula) == pytest.approx(0.1)
    assert await value(file, METRICS["latency_p95"].formula) == pytest.approx(0.19)


async def test_saturation_is_what_is_used_of_what_there_is(file: Path) -> None:
    for labels, used in ((ONE, 8.0), (TWO, 2.0)):
        record(file, "db_pool_in_use", labels, [used] * 3)
        record(file, "db_pool_size", labels, [8.0] * 3)
    assert await value(file, METRICS["saturation"].formula) == pytest.approx(10 / 16)


async def test_memory_of_instances_adds_up_and_of_successors_does_not(file: Path) -> None:
    name = "process_resident_memory_bytes"
    record(file, name, ONE, [100.0, 100.0, 100.0])
    record(file, name, TWO, [50.0, 50.0])
    writer = RecorderWriter(file)
    writer.append(NOW.timestamp() + 20, [(name, {**TWO, "version": "2.3.9"}, 50.0)])
    writer.close()
    whole = Window(NOW - timedelta(seconds=1), NOW + timedelta(minutes=1))
    assert await value(file, METRICS["memory"].formula, window=whole) == pytest.approx(150.0)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40, deadline=None)
@given(values=st.lists(st.integers(0, 500), min_size=2, max_size=25), cut=st.integers(1, 249))
async def test_counts_of_adjacent_windows_add_up(
    tmp_path_factory: pytest.TempPathFactory, values: list[int], cut: int
) -> None:
    file = tmp_path_factory.mktemp("db") / "metrics.db"
    record(
        file, "http_requests_total", {**ONE, "route": "/c", "code": "200"}, [float(each) for each in values]
    )
    edge, end = NOW + timedelta(seconds=cut), NOW + timedelta(seconds=250)
    windows = (Window(NOW, edge), Window(edge, end), Window(NOW, end))
    left, right, whole = await RecorderStore(file).evaluate(REQUESTS, PAYMENTS, windows)
    assert (left or 0.0) + (right or 0.0) == pytest.approx(whole or 0.0)


async def test_made_up_data_are_known_by_their_origin(file: Path) -> None:
    record(file, "http_requests_total", {**ONE, "route": "/c", "code": "200", "origin": "rehearsal"}, [0, 1])
    store = RecorderStore(file)
    assert await store.origins(REQUESTS, PAYMENTS, MINUTE) == {"rehearsal"}
    assert await store.origins(REQUESTS, PAYMENTS, MINUTE.before().before()) == frozenset()


async def test_a_file_that_is_not_there_is_unavailable(file: Path) -> None:
    with pytest.raises(ToolUnavailable, match="nothing is recorded yet"):
        await value(file, REQUESTS)


@pytest.fixture
def damaged(file: Path) -> Path:
    file.write_bytes(b"this is no database at all" * 100)
    return file


async def test_a_damaged_file_is_a_failure(damaged: Path) -> None:
    with pytest.raises(ToolFailed, match="damaged"):
        await value(damaged, REQUESTS)


def test_a_refused_write_leaves_nothing_behind_and_the_next_one_works(file: Path) -> None:
    writer = RecorderWriter(file)
    bad = [("up", ONE, 1.0), ("up", TWO, None)]
    with pytest.raises(Exception, match="NOT NULL"):
        writer.append(1.0, bad)  # type: ignore[arg-type]  # what a careless caller might do
    writer.append(2.0, [("up", ONE, 1.0)])
    assert writer.forget_before(10.0) == 1
    writer.close()
