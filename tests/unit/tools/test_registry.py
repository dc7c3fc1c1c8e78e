"""The whitelist."""

import pytest

from tests.fakes.shop import WORDS, now, shop_platform
from tools.contract import Arguments, Asker, BadArguments, Effect, Outcome, Spec
from tools.deploy.deploy import Deploy
from tools.deploy.restart import Restart
from tools.deploy.status import Status
from tools.registry import NotRegistered, Registry


class Pretender:
    """Says that it writes, and has nothing to plan or verify with."""

    def __init__(self, name: str = "pretender", effect: Effect = Effect.WRITE) -> None:
        self.spec = Spec(name, "", Arguments, effect)

    async def run(self, arguments: Arguments, asker: Asker) -> Outcome:
        return Outcome(ok=True, summary="")


def registry() -> Registry:
    platform = shop_platform()
    return Registry([Status(platform, WORDS, now), Deploy(platform, WORDS), Restart(platform, WORDS, now)])


def test_a_tool_is_found_by_its_name() -> None:
    assert registry().get("deploy").spec.name == "deploy"
    assert "deploy" in registry()
    assert len(registry()) == 3


def test_an_unknown_tool_is_refused_with_the_nearest() -> None:
    with pytest.raises(BadArguments, match="no tool 'deplyo'") as caught:
        registry().get("deplyo")
    assert caught.value.nearest == ("deploy",)


def test_a_tool_that_is_not_enabled_is_told_from_one_that_is_none() -> None:
    tools = Registry([Pretender("logs", Effect.READ)], off=["logs", "deploy"])
    assert tools.off == ("deploy",)
    with pytest.raises(BadArguments, match="'deploy' is a tool, but it is not enabled; `tools.enabled`"):
        tools.get("deploy")
    with pytest.raises(BadArguments, match=r"no tool 'deplyo'; nearest: deploy \(not enabled\)") as caught:
        tools.get("deplyo")
    assert caught.value.nearest == ("logs",)  # what may be called instead is what there is


def test_specs_are_listed_by_effect() -> None:
    assert [spec.name for spec in registry().specs(Effect.READ)] == ["status"]
    assert [spec.name for spec in registry().specs(Effect.WRITE)] == ["deploy", "restart"]


def test_a_write_is_not_reached_as_a_read_nor_the_other_way_round() -> None:
    assert registry().read("status").spec.effect is Effect.READ
    assert registry().write("deploy").spec.effect is Effect.WRITE
    with pytest.raises(BadArguments):
        registry().read("deploy")
    with pytest.raises(BadArguments):
        registry().write("status")


def test_two_tools_of_one_name_are_refused() -> None:
    with pytest.raises(NotRegistered, match="two tools named 'status'"):
        Registry([Status(shop_platform(), WORDS, now), Status(shop_platform(), WORDS, now)])


def test_a_tool_that_is_not_what_it_declares_is_refused() -> None:
    with pytest.raises(NotRegistered, match="made otherwise"):
        Registry([Pretender()])


def test_a_name_that_models_cannot_call_is_refused() -> None:
    with pytest.raises(NotRegistered, match="no name for a tool"):
        Registry([Pretender("look around", Effect.READ)])
