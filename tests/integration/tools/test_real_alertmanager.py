"""A real Alertmanager, with an alert that a real Prometheus fires: told, silenced with an end, and lifted."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from tests.fakes.prometheus import Server, alertmanager_server, prometheus_server
from tests.fakes.shop import MAYA, WORDS, Heard, OneGrant
from tools.alerts.alertmanager import Alertmanager
from tools.alerts.alerts import Alerts
from tools.alerts.port import Alert
from tools.alerts.silence import SilenceAlert, Unsilence
from tools.contract import ToolFailed, ToolUnavailable, Verdict
from tools.jsonserver import JsonServer

RULES = """
groups:
  - name: shop
    rules:
      - alert: PaymentsPoolExhausted
        expr: vector(8) > 7
        labels: {severity: critical, service: payments, environment: production}
        annotations: {summary: "8 of 8 connections", runbook_url: "https://docs.example/payments-pool"}
"""
ASKED = {"alert": "PaymentsPoolExhausted", "service": "payments", "environment": "production"}


def clock() -> datetime:
    return datetime.now(UTC)


@pytest.fixture(scope="module")
def server(prometheus: None) -> Iterator[Server]:
    with (
        alertmanager_server() as running,
        prometheus_server(rules=RULES, alertmanager=running.url.removeprefix("http://")),
    ):
        yield running


@pytest.fixture
def store(server: Server) -> Alertmanager:
    return Alertmanager(JsonServer("Alertmanager", server.url))


async def firing(store: Alertmanager) -> Alert:
    """The alert, once Prometheus has sent it."""
    async with asyncio.timeout(60):
        while True:
            for alert in await store.alerts():
                return alert
            await asyncio.sleep(0.2)


async def test_what_prometheus_fires_is_told_with_its_runbook(store: Alertmanager) -> None:
    alert = await firing(store)
    assert (alert.name, alert.service, alert.environment) == (
        "PaymentsPoolExhausted",
        "payments",
        "production",
    )
    assert clock() - alert.since < timedelta(minutes=5)
    tool = Alerts(store, WORDS)
    outcome = await tool.run(tool.spec.validate({"service": "payments"}), MAYA)
    assert outcome.summary == "1 alerts fire for payments, 0 of them silenced"
    assert "runbook https://docs.example/payments-pool" in outcome.findings[0].text


async def test_a_silence_is_in_force_until_it_is_lifted(store: Alertmanager) -> None:
    await firing(store)
    silence, lift = SilenceAlert(store, WORDS, clock), Unsilence(store, WORDS, clock)
    arguments = silence.spec.validate({**ASKED, "duration": "30m"})
    plan = await silence.plan(arguments)
    assert plan.observed["silenced"] is False
    assert "1 alerts that fire now are covered" in plan.notes[0]
    assert (await silence.run(arguments, OneGrant(), Heard())).ok
    assert (await silence.verify(arguments)).verdict is Verdict.DONE
    (made,) = await store.silences()
    assert timedelta(minutes=29) < made.end - clock() <= timedelta(minutes=30)
    async with asyncio.timeout(30):
        while not (await firing(store)).silenced_by:
            await asyncio.sleep(0.2)
    assert plan.undo is not None
    back = lift.spec.validate(plan.undo.arguments)
    assert (await lift.plan(back)).observed["silences"] == [made.id]
    assert (await lift.run(back, OneGrant(), Heard())).ok
    assert (await lift.verify(back)).verdict is Verdict.DONE
    assert await store.silences() == ()


async def test_what_it_refuses_and_where_nobody_is_are_told_apart(
    store: Alertmanager, server: Server
) -> None:
    with pytest.raises(ToolFailed, match="refused with status 404"):
        await JsonServer("Alertmanager", f"{server.url}/nowhere").ask("GET", "/api/v2/alerts")
    with pytest.raises(ToolUnavailable, match="does not answer"):
        await Alertmanager(JsonServer("Alertmanager", "http://127.0.0.1:9")).alerts()
