"""The supervisor's client when things go wrong: nobody there, no right, busy, hung up, nonsense."""

import json
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from tests.fakes.shop import Heard, shop_platform
from tests.fakes.supervisor import SupervisorStandIn
from tools.contract import BadArguments, ToolFailed, ToolUnavailable
from tools.deploy.port import Order, OrderKind, Unanswered
from tools.deploy.supervisor import Supervisor

ORDER = Order(OrderKind.DEPLOY, "payments", "production", "A-1", "sam (A-1)", "2.3.9")


async def look(supervisor: Supervisor) -> object:
    return await supervisor.running()


async def change(supervisor: Supervisor) -> object:
    return await supervisor.apply(ORDER, Heard())


BOTH = pytest.mark.parametrize("call", [look, change])
Call = Callable[[Supervisor], Awaitable[object]]


@BOTH
async def test_without_an_address_nothing_runs(call: Call, tmp_path: Path) -> None:
    with pytest.raises(ToolUnavailable, match="no supervisor runs"):
        await call(Supervisor(tmp_path / "supervisor.json"))


@BOTH
async def test_an_address_nobody_can_read(call: Call, tmp_path: Path) -> None:
    file = tmp_path / "supervisor.json"
    file.write_text("{")
    with pytest.raises(ToolUnavailable, match="cannot be read"):
        await call(Supervisor(file))


@BOTH
async def test_an_address_nobody_listens_at(call: Call, tmp_path: Path) -> None:
    async with SupervisorStandIn(shop_platform()).open(tmp_path) as file:
        pass
    with pytest.raises(ToolUnavailable, match="does not answer"):
        await call(Supervisor(file))


@BOTH
async def test_a_token_of_yesterday(call: Call, tmp_path: Path) -> None:
    async with SupervisorStandIn(shop_platform()).open(tmp_path) as file:
        file.write_text(json.dumps({**json.loads(file.read_text()), "token": "old"}))
        with pytest.raises(ToolFailed, match="does not accept our token"):
            await call(Supervisor(file))


@BOTH
@pytest.mark.parametrize(
    ("status", "error"), [(404, BadArguments), (422, BadArguments), (423, ToolUnavailable), (500, ToolFailed)]
)
async def test_refusals_say_who_should_act(
    call: Call, status: int, error: type[Exception], tmp_path: Path
) -> None:
    platform = shop_platform()
    async with SupervisorStandIn(platform, status=status).open(tmp_path) as file:
        with pytest.raises(error, match="as the test wants it"):
            await call(Supervisor(file))
    assert platform.orders == []


async def test_a_line_that_goes_dead_is_neither_success_nor_failure(tmp_path: Path) -> None:
    platform = shop_platform()
    async with SupervisorStandIn(platform, cut=True).open(tmp_path) as file:
        with pytest.raises(Unanswered, match="stopped talking"):
            await Supervisor(file).apply(ORDER, Heard())
    assert len(platform.orders) == 1


async def test_nonsense_is_a_failure(tmp_path: Path) -> None:
    async with SupervisorStandIn(shop_platform(), garbage=True).open(tmp_path) as file:
        with pytest.raises(ToolFailed, match="makes no sense"):
            await Supervisor(file).running()
        with pytest.raises(Unanswered):
            await Supervisor(file).apply(ORDER, Heard())
