"""Reports: the table, the CSV, the chart, and how it was computed."""

import csv
import io
from datetime import timedelta

import pytest

from tests.fakes.figures import ErrorsAt, Steady
from tests.fakes.shop import INES, MAYA, NOW, WORDS, Heard, now, shop_platform
from tools.contract import Asker, BadArguments, Outcome, ToolUnavailable
from tools.deploy.port import Order, OrderKind
from tools.report.chart import Chart, png, short
from tools.report.figures import Sources
from tools.report.report import Report

PNG = b"\x89PNG\r\n\x1a\n"


async def asked(sources: Sources, asker: Asker = MAYA, **values: object) -> Outcome:
    tool = Report(sources, WORDS, now)
    return await tool.run(tool.spec.validate(values), asker)


def rows(outcome: Outcome) -> list[list[object]]:
    found = outcome.findings[0].facts["rows"]
    assert isinstance(found, list)
    return found


async def test_failed_payments_by_day_last_week() -> None:
    outcome = await asked(Sources(Steady()), measure="failed_payments", by="day", period="last_week")
    facts = outcome.findings[0].facts
    assert facts["columns"] == ["day", "payments"]
    assert rows(outcome) == [[f"2026-11-{day}", 48] for day in range(16, 23)]
    assert facts["total"] == 7 * 48
    assert outcome.summary == "Failed payments per day: 336 payments"


async def test_how_it_was_computed_names_query_days_and_source() -> None:
    outcome = await asked(
        Sources(Steady(origins=frozenset({"rehearsal"}))), measure="payments", period="yesterday"
    )
    computed = outcome.findings[0].facts["computed"]
    assert isinstance(computed, str)
    assert computed.startswith('sum(increase(payments_total{environment="production"}[1h]))')
    assert "each hour in Europe/Paris" in computed
    assert "from steady" in computed
    assert "includes rehearsal data (origin=rehearsal)" in computed
    assert f"How this was computed: {computed}" in outcome.findings[0].text


async def test_the_table_comes_as_a_chart_and_as_csv() -> None:
    outcome = await asked(Sources(Steady()), measure="requests", period="last_week")
    chart, table = outcome.files
    assert (table.name, chart.name) == ("requests-by-day.csv", "requests-by-day.png")
    read = list(csv.reader(io.StringIO(table.content.decode())))
    assert read[:2] == [["day", "requests"], ["2026-11-16", "48"]]
    assert chart.content.startswith(PNG)


def not_installed(chart: Chart) -> bytes:
    raise ImportError("matplotlib")


async def test_without_matplotlib_table_and_csv_still_come_and_it_is_said() -> None:
    tool = Report(Sources(Steady()), WORDS, now, draw=not_installed)
    outcome = await tool.run(tool.spec.validate({"measure": "requests", "period": "last_week"}), MAYA)
    assert outcome.ok
    assert [file.name for file in outcome.files] == ["requests-by-day.csv"]
    assert "no chart: matplotlib is not installed" in outcome.findings[0].text


async def test_a_report_is_written_in_the_askers_language() -> None:
    outcome = await asked(Sources(Steady()), INES, measure="failed_payments", period="yesterday", by="hour")
    assert outcome.findings[0].title == "Paiements échoués par heure"
    assert outcome.findings[0].facts["columns"] == ["heure", "paiements"]
    assert "Mode de calcul: sum(increase(" in outcome.findings[0].text
    assert "pour chaque heure (Europe/Paris), 2026-11-22, d'après steady" in outcome.findings[0].text


async def test_a_row_for_each_service_says_where_there_are_no_data() -> None:
    outcome = await asked(Sources(Steady()), measure="errors", by="service", period="yesterday")
    assert rows(outcome) == [["payments", 48], ["checkout", 48], ["catalog", None]]
    assert "1 of 3 rows have no data" in outcome.findings[0].text
    assert "no data" in outcome.findings[0].text


async def test_levels_have_no_total_but_a_value_over_the_whole_time() -> None:
    outcome = await asked(Sources(Steady(0.001)), measure="latency_p95", period="today", service="payments")
    facts = outcome.findings[0].facts
    assert facts["total"] is None
    assert facts["overall"] == pytest.approx(7.0)
    assert "over the whole time: 7 ms" in outcome.findings[0].text


async def test_nothing_measured_is_no_success() -> None:
    outcome = await asked(Sources(Steady()), measure="requests", environment="staging")
    assert not outcome.ok
    assert outcome.files == ()


async def test_error_lines_are_counted_in_the_logs() -> None:
    store = ErrorsAt(NOW - timedelta(minutes=5), NOW - timedelta(minutes=6), NOW - timedelta(hours=2))
    outcome = await asked(Sources(logs=store), measure="log_errors", since="4h", by="hour")
    assert [value for _, value in rows(outcome)] == [0, 0, 1, 2]
    assert outcome.findings[0].facts["total"] == 3


async def test_rows_the_log_search_did_not_reach_have_no_data() -> None:
    store = ErrorsAt(NOW - timedelta(minutes=5), reached=NOW - timedelta(minutes=30))
    outcome = await asked(Sources(logs=store), measure="log_errors", since="2h", by="hour")
    assert rows(outcome)[0][1] is None
    assert "stopped because 2 lines were read" in outcome.findings[0].text


async def test_deployments_are_counted_in_the_platforms_history() -> None:
    platform = shop_platform()
    for key, kind in (("A-1", OrderKind.DEPLOY), ("A-2", OrderKind.ROLLBACK), ("A-3", OrderKind.RESTART)):
        version = None if kind is OrderKind.RESTART else "2.3.9"
        await platform.apply(Order(kind, "payments", "production", key, "raj", version), Heard())
    outcome = await asked(
        Sources(platform=platform), measure="deployments", by="service", since="2h", until=None
    )
    assert rows(outcome) == [["payments", 0], ["checkout", 0], ["catalog", 0]]
    later = Report(Sources(platform=platform), WORDS, lambda: NOW + timedelta(seconds=1))
    found = await later.run(
        later.spec.validate({"measure": "deployments", "by": "service", "since": "2h"}), MAYA
    )
    assert rows(found) == [["payments", 2], ["checkout", 0], ["catalog", 0]]


async def test_a_measure_whose_source_is_not_set_up_is_unavailable() -> None:
    with pytest.raises(ToolUnavailable, match="counted from logs"):
        await asked(Sources(Steady()), measure="log_errors")


async def test_an_unknown_measure_is_refused() -> None:
    with pytest.raises(BadArguments) as caught:
        await asked(Sources(Steady()), measure="happiness")
    assert caught.value.field == "measure"


def test_a_chart_of_gaps_zeros_and_many_rows_is_drawn() -> None:
    chart = Chart(
        "Title",
        "subtitle",
        tuple(map(str, range(40))),
        (None, 0.0, *[3.0] * 38),
        "day",
        "ms",
        "no data",
        line=True,
    )
    assert png(chart).startswith(PNG)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.25, "0.25"),
        (0.0, "0"),
        (3.0, "3"),
        (12.5, "12.5"),
        (1204.4, "1,204"),
        (3_400_000, "3.4M"),
        (-7.25, "-7.25"),
    ],
)
def test_figures_are_short(value: float, text: str) -> None:
    assert short(value) == text
