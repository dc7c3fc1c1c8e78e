"""What changed before it broke: sources put together, suspects in order, and what was not checked."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from tests.fakes.shop import MAYA, NOW, WORDS, now
from tools.changes.changes import Changes, ranked
from tools.changes.port import ChangeKind, Known, Occurrence, Scope
from tools.contract import Outcome, ToolUnavailable, Window
from tools.metrics.named import Formula
from tools.metrics.named import Scope as MetricScope

BROKE = NOW - timedelta(minutes=20)


def change(minutes: float, kind: ChangeKind = ChangeKind.DEPLOYMENT, **more: object) -> Occurrence:
    """Something done so many minutes before it broke."""
    values: dict[str, object] = {
        "at": BROKE - timedelta(minutes=minutes),
        "kind": kind,
        "title": f"{kind.value} {minutes:g} minutes before",
        "by": "raj",
        "source": "listed",
        "service": "payments",
        "environment": "production",
        **more,
    }
    return Occurrence(**values)  # type: ignore[arg-type]  # the tests give what fits


class Listed:
    """A source that knows a list."""

    name = "listed"

    def __init__(self, *known: Occurrence, cut: str | None = None) -> None:
        self._known = Known(known, cut)

    async def changes(self, scope: Scope) -> Known:
        return self._known


class Down:
    """A source that does not answer."""

    name = "GitHub"

    async def changes(self, scope: Scope) -> Known:
        raise ToolUnavailable("GitHub did not answer within 10 s")


class Broken:
    """Metrics of a service that fails from `BROKE` on."""

    name = "curve"
    finest = timedelta(seconds=15)

    async def evaluate(
        self, formula: Formula, scope: MetricScope, windows: Sequence[Window]
    ) -> tuple[float | None, ...]:
        return tuple(0.3 if window.end > BROKE else 0.001 for window in windows)

    async def origins(self, formula: Formula, scope: MetricScope, window: Window) -> frozenset[str]:
        return frozenset()

    async def values(
        self, label: str, formula: Formula, scope: MetricScope, window: Window
    ) -> frozenset[str]:
        return frozenset()

    def link(self, query: str, window: Window) -> str | None:
        return None


async def asked(tool: Changes, **values: object) -> Outcome:
    return await tool.run(tool.spec.validate({"service": "payments", "since": "2h", **values}), MAYA)


def titles(facts: object) -> list[str]:
    assert isinstance(facts, list)
    return [row["title"] for row in facts]


def test_suspects_are_near_acting_and_of_the_same_service() -> None:
    deployed, merged = change(3), change(1, ChangeKind.MERGE)
    elsewhere, long_ago, after = change(2, service="catalog"), change(180), change(-5)
    found = ranked([after, elsewhere, merged, deployed, long_ago], BROKE, "payments")
    assert found == (deployed, merged, elsewhere)


def test_a_change_just_after_the_first_bad_point_is_a_suspect_still() -> None:
    assert ranked([change(-1.5)], BROKE, "payments") != ()


async def test_what_came_before_it_broke_is_named_first() -> None:
    tool = Changes([Listed(change(4), change(60, ChangeKind.RELEASE), change(-10))], WORDS, now, Broken())
    outcome = await asked(tool)
    facts = outcome.findings[0].facts
    broke = datetime.fromisoformat(str(facts["broke_at"]))
    assert abs(broke - BROKE) < timedelta(minutes=3)
    assert titles(facts["suspects"])[0] == "deployment 4 minutes before"
    assert "error rate rose at" in outcome.summary
    assert "first suspect: deployment 4 minutes before by raj" in outcome.summary


async def test_a_source_that_fails_is_not_checked_and_never_quiet() -> None:
    tool = Changes([Listed(change(4)), Down()], WORDS, now)
    outcome = await asked(tool)
    assert outcome.ok
    assert outcome.findings[0].facts["not_checked"] == ["GitHub: GitHub did not answer within 10 s"]
    assert "not checked: GitHub" in outcome.findings[0].text
    nothing = await asked(Changes([Down()], WORDS, now))
    assert not nothing.ok


async def test_other_times_and_services_are_left_out_and_what_cannot_be_told_stays() -> None:
    kept, unknown = change(4), change(5, ChangeKind.MERGE, service=None, environment=None)
    known = Listed(
        kept, unknown, change(4, service="catalog"), change(4, environment="staging"), change(600), cut="more"
    )
    outcome = await asked(Changes([known], WORDS, now))
    facts = outcome.findings[0].facts
    assert titles(facts["changes"]) == [kept.title, unknown.title]
    assert outcome.findings[0].cut == "more"


async def test_the_changes_are_put_on_a_chart_where_something_broke() -> None:
    tool = Changes([Listed(change(4))], WORDS, now, Broken())
    for given in ({}, {"chart": True}):
        outcome = await asked(tool, **given)
        assert outcome.files[0].content.startswith(b"\x89PNG")
    assert (await asked(tool, chart=False)).files == ()


class Better(Broken):
    """Metrics of a service that failed until `BROKE`."""

    async def evaluate(
        self, formula: Formula, scope: MetricScope, windows: Sequence[Window]
    ) -> tuple[float | None, ...]:
        return tuple(0.001 if window.end > BROKE else 0.3 for window in windows)


async def test_what_got_better_is_not_said_to_have_broken() -> None:
    outcome = await asked(Changes([Listed(change(4))], WORDS, now, Better()))
    assert "rose" not in outcome.summary
    assert outcome.findings[0].facts["broke_at"] is None
    assert outcome.files == ()


async def test_where_nothing_broke_there_is_a_chart_for_who_asks_only() -> None:
    without = Changes([Listed(change(4))], WORDS, now)
    assert (await asked(without)).files == ()
    outcome = await asked(without, chart=True)
    assert outcome.files == ()
    assert outcome.findings[0].cut == "no chart: nothing was measured in this time"


async def test_changes_that_are_not_on_the_chart_are_counted() -> None:
    many = [change(4 + number, title=f"release {number}") for number in range(12)]
    outcome = await asked(Changes([Listed(*many)], WORDS, now, Broken()))
    assert "the chart shows the first 8 of 12 changes" in (outcome.findings[0].cut or "")
