"""What every platform keeps to, whichever it is, as far as it can do things.

The one in memory, the supervisor over HTTP, Kubernetes, GitHub by deployments and by a workflow, and Argo CD.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from tests.fakes.forges import argo_platform, github_platform, shop_by_argo, shop_by_deployments, shop_by_runs
from tests.fakes.kubernetes import shop_cluster
from tests.fakes.kubernetes_access import platform_at
from tests.fakes.shop import NOW, Heard, now, shop_platform
from tests.fakes.supervisor import SupervisorStandIn
from tools.contract import BadArguments
from tools.deploy.port import Order, OrderKind, Platform, RehearsingPlatform
from tools.deploy.supervisor import Supervisor

LATELY = NOW - timedelta(minutes=5)
BROKEN = frozenset({"1.9.0"})


@asynccontextmanager
async def opened(kind: str, folder: Path) -> AsyncIterator[Platform]:
    memory = shop_platform(broken=BROKEN)
    match kind:
        case "memory":
            yield memory
        case "supervisor":
            async with SupervisorStandIn(memory).open(folder) as file:
                yield Supervisor(file)
        case "kubernetes":
            async with shop_cluster(now, broken={"1.9.0": "CrashLoopBackOff"}).open() as url:
                yield platform_at(url, folder)
        case "github":
            async with github_platform(shop_by_deployments(BROKEN)) as platform:
                yield platform
        case "github-workflow":
            async with github_platform(shop_by_runs(BROKEN)) as platform:
                yield platform
        case "argocd":
            async with argo_platform(shop_by_argo(BROKEN)) as argo:
                yield argo


@pytest.fixture(params=["memory", "supervisor", "kubernetes", "github", "github-workflow", "argocd"])
async def platform(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Platform]:
    async with opened(request.param, tmp_path) as made:
        yield made


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
    assert found.since == NOW - timedelta(hours=1)
    assert (found.replicas, found.healthy_replicas) in {(1, 1), (None, None)}
    assert found.healthy is not False


async def test_releases_come_newest_first_with_their_notes(platform: Platform) -> None:
    releases = await platform.releases("payments")
    assert [each.version for each in releases] == ["2.4.0", "2.3.9", "2.3.8"]
    assert releases[1].notes in {"clearer refund messages", ""}  # a tag has no notes


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
    entry = (await platform.history("payments", "production"))[0]
    assert (entry.kind, entry.before, entry.after, entry.ok) == (OrderKind.DEPLOY, "2.4.0", "2.3.9", True)
    assert "A-1)" in entry.by


async def can(platform: Platform, kind: OrderKind) -> bool:
    """Whether orders of this kind are possible; a platform that says no says so beforehand and when it is told to."""
    if not isinstance(platform, RehearsingPlatform):
        return True
    replicas = 3 if kind is OrderKind.SCALE else None
    try:
        await platform.rehearse(order(kind, key="", replicas=replicas))
    except BadArguments:
        with pytest.raises(BadArguments, match=kind.value):
            await platform.apply(order(kind, "A-9", replicas=replicas), Heard())
        return False
    return True


async def test_the_kind_of_a_change_is_kept(platform: Platform) -> None:
    await platform.apply(order(OrderKind.ROLLBACK, "A-1", version="2.3.9"), Heard())
    entries = await platform.history("payments", "production")
    assert (entries[0].kind, entries[0].after) == (OrderKind.ROLLBACK, "2.3.9")


async def test_a_restart_and_other_replicas_are_kept_or_refused(platform: Platform) -> None:
    wanted: set[OrderKind] = set()
    for number, kind in enumerate((OrderKind.RESTART, OrderKind.SCALE)):
        if await can(platform, kind):
            replicas = 3 if kind is OrderKind.SCALE else None
            assert (await platform.apply(order(kind, f"A-{number + 2}", replicas=replicas), Heard())).ok
            wanted.add(kind)
    kinds = {entry.kind for entry in await platform.history("payments", "production", LATELY)}
    if OrderKind.SCALE in wanted:
        assert kinds == wanted
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
    assert "1.8.2" in result.detail
    assert await version_of(platform, "checkout") == "1.8.2"
    assert next(entry.ok for entry in await platform.history("checkout")) is False


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
