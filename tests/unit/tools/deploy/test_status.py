"""What runs where, and what changed."""

import pytest

from tests.fakes.shop import MAYA, WORDS, Heard, now, shop_platform
from tools.contract import BadArguments, Outcome, ToolUnavailable
from tools.deploy.memory import MemoryPlatform
from tools.deploy.port import Order, OrderKind, Running
from tools.deploy.status import Status


class HalfBroken:
    async def error_rate(self, service: str, environment: str) -> float | None:
        return 0.5 if service == "payments" else None


class Away(MemoryPlatform):
    async def running(self) -> tuple[Running, ...]:
        raise ToolUnavailable("no supervisor runs")


async def asked(platform: MemoryPlatform, **values: object) -> Outcome:
    tool = Status(platform, WORDS, now, HalfBroken())
    return await tool.run(tool.spec.validate(values), MAYA)


async def test_everything_that_runs_is_listed_with_its_error_rate() -> None:
    outcome = await asked(shop_platform())
    rows = outcome.findings[0].facts["running"]
    assert isinstance(rows, list)
    assert [(row["service"], row["version"], row["error_rate"]) for row in rows] == [
        ("payments", "2.4.0", 0.5),
        ("checkout", "1.8.2", None),
        ("payments", "2.3.9", 0.5),
    ]
    assert "payments 2.4.0 in production since 2026-11-23 06:00:00" in outcome.findings[0].text


async def test_one_service_in_one_environment() -> None:
    outcome = await asked(shop_platform(), service="paiement", environment="stg")
    assert outcome.summary.startswith("1 running, 0 unhealthy")


async def test_ill_replicas_are_counted() -> None:
    outcome = await asked(shop_platform(healthy_replicas=1), service="payments", environment="production")
    assert "1 unhealthy" in outcome.summary


async def test_what_changed_is_told_newest_first_with_who_did_it() -> None:
    platform = shop_platform()
    for key, version in (("A-1", "2.3.9"), ("A-2", "2.4.0")):
        await platform.apply(
            Order(OrderKind.DEPLOY, "payments", "production", key, f"raj ({key})", version), Heard()
        )
    outcome = await asked(platform, service="payments", since="1h")
    changes = outcome.findings[1].facts["deployments"]
    assert isinstance(changes, list)
    assert [(change["from"], change["to"], change["by"]) for change in changes] == [
        ("2.3.9", "2.4.0", "raj (A-2)"),
        ("2.4.0", "2.3.9", "raj (A-1)"),
    ]


async def test_many_changes_are_cut_and_it_is_said() -> None:
    platform = shop_platform()
    for number in range(25):
        order = Order(
            OrderKind.SCALE, "payments", "production", f"A-{number}", "raj", replicas=number % 3 + 1
        )
        await platform.apply(order, Heard())
    finding = (await asked(platform)).findings[1]
    assert finding.cut == "5 older changes are left out"


async def test_a_service_that_does_not_run_is_an_answer() -> None:
    outcome = await asked(shop_platform(), service="catalog")
    assert outcome.ok
    assert outcome.summary == "nothing runs as catalog"


async def test_a_platform_that_is_away_is_not_a_healthy_one() -> None:
    with pytest.raises(ToolUnavailable):
        await asked(Away([], [], now))


async def test_a_future_start_is_refused() -> None:
    with pytest.raises(BadArguments, match="has not come yet"):
        await asked(shop_platform(), since="2027-01-01")
