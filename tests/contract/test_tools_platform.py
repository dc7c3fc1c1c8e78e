"""What every platform keeps to: the one in memory, the supervisor over HTTP, and Kubernetes by its API."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from tests.fakes.kubernetes import shop_cluster
from tests.fakes.kubernetes_access import platform_at
from tests.fakes.shop import NOW, Heard, now, shop_platform
from tests.fakes.supervisor import SupervisorStandIn
from tools.contract import BadArguments
from tools.deploy.port import Order, OrderKind, Platform, RehearsingPlatform
from tools.deploy.supervisor import Supervisor

LATELY = NOW - timedelta(minutes=5)


@pytest.fixture(params=["memory", "supervisor", "kubernetes"])
async def platform(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Platform]:
    if request.param == "kubernetes":
        async with shop_cluster(now, broken={"1.9.0": "CrashLoopBackOff"}).open() as url:
            yield platform_at(url, tmp_path)
        return
    memory = shop_platform(broken=frozenset({"1.9.0"}))
    if request.param == "memory":
        yield memory
        return
    async with SupervisorStandIn(memory).open(tmp_path) as file:
        yield Supervisor(file)


def order(kind: OrderKind = OrderKind.DEPLOY, key: str = "A-1", **changes: object) -> Order:
    values: dict[str, object] = {
        "service": "payments",
        "environment": "production",
        "by": "sam (A-1)",
        **changes,
    }
    return Order(kind, key=key, **values)  # type: ignore[arg-type]  # the tests give what fits


async def version_of(platform: Platform, service: str = "payments") -> str:
    return next(
        each.version
        for each in await platform.running()
        if (each.service, each.environment) == (service, "production")
    )


async def test_what_runs_is_told_with_version_replicas_and_since(platform: Platform) -> None:
    found = next(each for each in await platform.running() if each.environment == "staging")
    assert (found.service, found.version, found.previous_version) == ("payments", "2.3.9", "2.3.8")
    assert (found.replicas, found.healthy_replicas, found.since) == (1, 1, NOW - timedelta(hours=1))


async def test_releases_come_newest_first_with_their_notes(platform: Platform) -> None:
    releases = await platform.releases("payments")
    assert [each.version for each in releases] == ["2.4.0", "2.3.9", "2.3.8"]
    assert releases[1].notes == "clearer refund messages"


async def test_an_unknown_service_is_refused(platform: Platform) -> None:
    with pytest.raises(BadArguments):
        await platform.releases("paymints")
    with pytest.raises(BadArguments) as caught:
        await platform.apply(order(service="paymints", version="2.3.9"), Heard())
    assert "payments" in caught.value.nearest


async def test_a_deployment_changes_what_runs_and_is_remembered(platform: Platform) -> None:
    heard = Heard()
    result = await platform.apply(order(version="2.3.9"), heard)
    assert result.ok
    assert heard.lines[0] == "deploy payments in production"
    assert await version_of(platform) == "2.3.9"
    (entry,) = await platform.history("payments", "production", LATELY)
    assert (entry.kind, entry.before, entry.after, entry.by, entry.ok) == (
        OrderKind.DEPLOY, "2.4.0", "2.3.9", "sam (A-1)", True,
    )  # fmt: skip


async def test_the_kind_of_a_change_is_kept(platform: Platform) -> None:
    await platform.apply(order(OrderKind.ROLLBACK, "A-1", version="2.3.9"), Heard())
    await platform.apply(order(OrderKind.RESTART, "A-2"), Heard())
    await platform.apply(order(OrderKind.SCALE, "A-3", replicas=3), Heard())
    kinds = {entry.kind for entry in await platform.history("payments", since=LATELY)}
    assert kinds == {OrderKind.ROLLBACK, OrderKind.RESTART, OrderKind.SCALE}
    assert {each.replicas for each in await platform.running() if each.service == "payments"} == {3, 1}


async def test_a_key_that_was_used_changes_nothing_more(platform: Platform) -> None:
    first = await platform.apply(order(version="2.3.9"), Heard())
    again = await platform.apply(order(version="2.3.8"), Heard())
    assert again.ok is first.ok
    assert again.detail == f"already done: {first.detail}"
    assert await version_of(platform) == "2.3.9"


async def test_a_release_that_does_not_get_well_leaves_the_old_one(platform: Platform) -> None:
    result = await platform.apply(order(service="checkout", version="1.9.0"), Heard())
    assert not result.ok
    assert "1.8.2 runs again" in result.detail
    assert await version_of(platform, "checkout") == "1.8.2"
    assert [entry.ok for entry in await platform.history("checkout", since=LATELY)] == [False]


async def test_a_rehearsal_changes_nothing_and_refuses_what_an_order_would_be_refused_for(
    platform: Platform,
) -> None:
    if not isinstance(platform, RehearsingPlatform):
        pytest.skip("it cannot rehearse")
    before = await platform.running()
    await platform.rehearse(order(version="2.3.9", key=""))
    with pytest.raises(BadArguments):
        await platform.rehearse(order(service="paymints", version="2.3.9", key=""))
    assert await platform.running() == before
