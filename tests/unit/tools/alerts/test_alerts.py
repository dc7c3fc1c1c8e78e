"""Alerts and silences over the store in memory: what is told, what a plan shows, what ends."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from tests.fakes.shop import MAYA, NOW, WORDS, Heard, NoGrant, OneGrant, now
from tools.alerts.alerts import Alerts, AlertsArguments
from tools.alerts.memory import MemoryAlerts
from tools.alerts.port import Alert, Silence
from tools.alerts.runbooks import KnownRunbooks
from tools.alerts.silence import SilenceAlert, Unsilence
from tools.contract import Asker, BadArguments, GrantRefused, Verdict
from tools.jsonserver import Unheard
from tools.knowledge.port import Filters, Passage, PassageKind, Searched

POOL = Alert(
    name="PaymentsPoolExhausted",
    labels={
        "alertname": "PaymentsPoolExhausted",
        "severity": "critical",
        "service": "payments",
        "environment": "production",
    },
    annotations={"summary": "8 of 8 connections in use", "runbook_url": "https://docs.example/payments-pool"},
    since=NOW - timedelta(minutes=9),
    service="payments",
    environment="production",
)
SLOW = replace(
    POOL,
    name="CheckoutSlow",
    labels={
        "alertname": "CheckoutSlow",
        "severity": "warning",
        "service": "checkout",
        "environment": "production",
    },
    annotations={},
    service="checkout",
)
DISK = replace(
    POOL, name="DiskFull", labels={"alertname": "DiskFull"}, annotations={}, service=None, environment=None
)
ASKED = {"alert": "PaymentsPoolExhausted", "service": "payments", "environment": "production"}


class OneRunbook:
    """A library that knows one page, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def search(self, query: str, asker: Asker, filters: Filters) -> Searched:
        self.asked.append(query)
        page = Passage(
            "1",
            "runbooks/checkout-latency.md",
            "Checkout is slow",
            "docs",
            "text",
            PassageKind.DOCUMENT,
            0.9,
            sure=True,
        )
        return Searched((page,))


class Hands:
    """A clock that a test turns."""

    def __init__(self) -> None:
        self.at = NOW

    def __call__(self) -> datetime:
        return self.at


def store(clock: object = now) -> MemoryAlerts:
    return MemoryAlerts((SLOW, POOL, DISK), clock)  # type: ignore[arg-type]  # a clock of either kind


async def test_the_worst_comes_first_with_since_when_and_its_runbook() -> None:
    tool = Alerts(store(), WORDS)
    outcome = await tool.run(tool.spec.validate({}), MAYA)
    first = outcome.findings[0].text.splitlines()[0]
    assert first.startswith("critical PaymentsPoolExhausted payments production; since 2026-11-23 06:51:00")
    assert first.endswith("runbook https://docs.example/payments-pool")
    assert "3 alerts fire for all services, 0 of them silenced" in outcome.summary


async def test_an_alert_of_no_service_may_be_about_any() -> None:
    tool = Alerts(store(), WORDS)
    outcome = await tool.run(tool.spec.validate({"service": "checkout"}), MAYA)
    rows = outcome.findings[0].facts["alerts"]
    assert isinstance(rows, list)
    assert [row["name"] for row in rows] == ["CheckoutSlow", "DiskFull"]


async def test_a_runbook_nobody_named_is_looked_for_in_what_is_known() -> None:
    library = OneRunbook()
    tool = Alerts(store(), WORDS, KnownRunbooks(library))
    outcome = await tool.run(tool.spec.validate({"service": "checkout", "alert": "slow"}), MAYA)
    assert library.asked == ["runbook Checkout Slow checkout"]
    assert "found in what is known: Checkout is slow runbooks/checkout-latency.md" in outcome.findings[0].text


async def test_that_nothing_fires_is_not_called_healthy() -> None:
    tool = Alerts(MemoryAlerts((), now), WORDS)
    outcome = await tool.run(tool.spec.validate({"service": "catalog"}), MAYA)
    assert "does not say that all is well" in outcome.findings[0].text


async def test_a_silence_is_planned_made_seen_and_lifted() -> None:
    kept = store()
    silence, lift = SilenceAlert(kept, WORDS, now), Unsilence(kept, WORDS, now)
    arguments = silence.spec.validate({**ASKED, "duration": "2h"})
    plan = await silence.plan(arguments)
    assert plan.changes[0].after == "notify nobody for 2h from the start"
    assert plan.notes == ("1 alerts that fire now are covered: PaymentsPoolExhausted payments production",)
    assert (await silence.verify(arguments)).verdict is Verdict.NOT_DONE
    outcome = await silence.run(arguments, OneGrant(), Heard())
    assert "until 2026-11-23 09:00:00" in outcome.summary
    (made,) = await kept.silences()
    assert (made.comment, made.end) == ("A-17, approved by sam, tom", NOW + timedelta(hours=2))
    assert (await silence.verify(arguments)).verdict is Verdict.DONE
    told = Alerts(kept, WORDS)
    seen = await told.run(told.spec.validate({"service": "payments", "alert": "Pool"}), MAYA)
    assert "silenced until 2026-11-23 09:00:00 by sayso" in seen.findings[0].text
    assert plan.undo is not None
    back = lift.spec.validate(plan.undo.arguments)
    undone = await lift.plan(back)
    assert undone.undo is not None
    assert undone.undo.arguments["duration"] == "120m"
    await lift.run(back, OneGrant(), Heard())
    assert (await lift.verify(back)).verdict is Verdict.DONE
    assert (await silence.verify(arguments)).verdict is Verdict.NOT_DONE


async def test_a_silence_ends_by_itself() -> None:
    hands = Hands()
    kept = store(hands)
    silence = SilenceAlert(kept, WORDS, hands)
    arguments = silence.spec.validate({**ASKED, "duration": "30m"})
    await silence.run(arguments, OneGrant(), Heard())
    hands.at += timedelta(minutes=31)
    assert await kept.silences() == ()


async def test_a_longer_silence_than_allowed_is_refused() -> None:
    silence = SilenceAlert(store(), WORDS, now, longest=timedelta(hours=4))
    with pytest.raises(BadArguments, match="longer than 4h"):
        await silence.plan(silence.spec.validate({**ASKED, "duration": "5h"}))


async def test_a_silence_that_would_cover_nothing_says_so() -> None:
    silence = SilenceAlert(store(), WORDS, now)
    misspelt = await silence.plan(silence.spec.validate({**ASKED, "alert": "PaymentPoolExhausted"}))
    elsewhere = await silence.plan(silence.spec.validate({**ASKED, "environment": "staging"}))
    assert (
        "no alert named 'PaymentPoolExhausted' fires now; of those that do, nearest: Payments"
        in misspelt.notes[0]
    )
    assert "have other labels" in elsewhere.notes[0]


async def test_without_the_right_grant_nothing_is_silenced() -> None:
    kept = store()
    silence = SilenceAlert(kept, WORDS, now)
    with pytest.raises(GrantRefused):
        await silence.run(silence.spec.validate(ASKED), NoGrant(), Heard())
    assert await kept.silences() == ()


@pytest.mark.parametrize("name", ['a"} or {b="', "--all", "a\nb", ".*", ""])
async def test_a_name_that_is_no_name_is_refused(name: str) -> None:
    silence = SilenceAlert(store(), WORDS, now)
    with pytest.raises(BadArguments):
        silence.spec.validate({**ASKED, "alert": name})


async def test_what_is_not_silenced_cannot_be_unsilenced() -> None:
    lift = Unsilence(store(), WORDS, now)
    with pytest.raises(BadArguments, match="no silence with just"):
        await lift.plan(lift.spec.validate(ASKED))


async def test_a_long_summary_is_shortened_says_so_and_is_kept_whole() -> None:
    long = Alert("Wordy", {"severity": "page"}, {"summary": "word " * 100 + "the end"}, NOW)

    outcome = await Alerts(MemoryAlerts((long,), now), WORDS).run(AlertsArguments(), MAYA)

    (found,) = outcome.findings
    assert "…" in found.text
    assert "the end" not in found.text
    assert found.cut == "1 summaries shortened"
    assert found.raw is not None
    assert "the end" in found.raw


class Muffled(MemoryAlerts):
    """Does what it is told, and nobody hears its answer."""

    async def silence(self, silence: Silence) -> str:
        await super().silence(silence)
        raise Unheard("it did not answer within 10 s")

    async def lift(self, id_: str) -> None:
        await super().lift(id_)
        raise Unheard("it did not answer within 10 s")


async def test_a_silence_whose_answer_is_lost_is_settled_by_looking() -> None:
    kept = Muffled((POOL,), now)
    silence, lift = SilenceAlert(kept, WORDS, now), Unsilence(kept, WORDS, now)
    given, back = silence.spec.validate({**ASKED, "duration": "30m"}), lift.spec.validate(ASKED)
    for tool, arguments in ((silence, given), (lift, back)):
        outcome = await tool.run(arguments, OneGrant(), Heard())
        assert (outcome.ok, "was not heard" in outcome.summary) == (True, True)
        assert (await tool.verify(arguments)).verdict is Verdict.DONE
