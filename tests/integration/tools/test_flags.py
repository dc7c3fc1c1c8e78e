"""Flags in Unleash and in flagd's files: what the card says, and what else stays as it is."""

import json
from pathlib import Path

import pytest

from tests.contract.test_tools_flags import KNOWN, flagd_file
from tests.fakes.logservers import served
from tests.fakes.shop import WORDS
from tests.fakes.unleash import UnleashStandIn
from tools.contract import BadArguments, ToolFailed, ToolUnavailable
from tools.flags.flagd import FlagdFiles
from tools.flags.flags import SetFlag
from tools.flags.unleash import Unleash
from tools.jsonserver import JsonServer

STRATEGY = {
    "name": "flexibleRollout",
    "title": "a fifth of all",
    "disabled": False,
    "parameters": {"rollout": "20", "stickiness": "default", "groupId": ""},
    "constraints": [{"contextName": "country", "operator": "IN", "values": ["FR"]}],
    "segments": [3],
}


async def test_the_card_says_who_gets_the_flag_where_it_is_on() -> None:
    unleash = UnleashStandIn({"new-checkout": {"production": False}}, [STRATEGY])
    async with served(unleash.add) as url:
        store = Unleash(JsonServer("Unleash", url, headers={"Authorization": "user:secret"}))
        tool = SetFlag(store, WORDS, KNOWN)
        given = tool.spec.validate({"flag": "new-checkout", "value": "on"})
        plan = await tool.plan(given)
        unleash.strategies = []
        drifted = plan.drifted(await tool.plan(given))
    rule = "a fifth of all (rollout=20, stickiness=default) 1 constraints 1 segments"
    assert plan.notes == (f"who gets it: {rule}",)
    assert [each.what for each in drifted] == ["rules"]


async def test_an_archived_flag_is_not_set() -> None:
    unleash = UnleashStandIn({"new-checkout": {"production": False}}, archived=True)
    async with served(unleash.add) as url:
        store = Unleash(JsonServer("Unleash", url, headers={"Authorization": "user:secret"}))
        tool = SetFlag(store, WORDS, KNOWN)
        with pytest.raises(BadArguments, match="archived"):
            await tool.plan(tool.spec.validate({"flag": "new-checkout", "value": "on"}))
    assert unleash.sent == []


async def test_a_token_that_is_not_taken_is_told() -> None:
    async with served(UnleashStandIn({}).add) as url:
        with pytest.raises(ToolFailed, match="401"):
            await Unleash(JsonServer("Unleash", url)).get("new-checkout", "production")


async def test_setting_a_flag_in_a_file_changes_that_flag_and_nothing_else(tmp_path: Path) -> None:
    file = flagd_file(tmp_path, "off")
    file.chmod(0o640)
    before = json.loads(file.read_text())
    await FlagdFiles({"production": file}).set("new-checkout", "production", "on")
    after = json.loads(file.read_text())
    before["flags"]["new-checkout"]["defaultVariant"] = "on"
    assert after == before
    assert file.stat().st_mode & 0o777 == 0o640
    assert [each.name for each in tmp_path.iterdir()] == ["off.json"]


async def test_a_disabled_flag_is_told_so_and_enabled_when_it_is_set(tmp_path: Path) -> None:
    file = flagd_file(tmp_path, "off")
    store = FlagdFiles({"production": file})
    await store.set("new-checkout", "production", "disabled")
    found = await store.get("new-checkout", "production")
    assert found is not None
    assert found.value == "disabled"
    await store.set("new-checkout", "production", "on")
    assert json.loads(file.read_text())["flags"]["new-checkout"]["state"] == "ENABLED"


async def test_targeting_is_named_for_it_decides_first(tmp_path: Path) -> None:
    found = await FlagdFiles({"production": flagd_file(tmp_path, "off")}).get("gold", "production")
    assert found is not None
    assert found.rules == ("targeting decides first",)


@pytest.mark.parametrize("text", ["{", "[]", '{"flags": []}', '{"flags": {"new-checkout": {"state": 1}}}'])
async def test_a_file_that_is_none_of_flagds_is_told_and_left_alone(tmp_path: Path, text: str) -> None:
    file = tmp_path / "flags.json"
    file.write_text(text)
    store = FlagdFiles({"production": file})
    with pytest.raises(ToolFailed):
        await store.get("new-checkout", "production")
    with pytest.raises(ToolFailed):
        await store.set("new-checkout", "production", "on")
    assert file.read_text() == text


async def test_a_file_that_is_not_there_is_not_taken_for_off(tmp_path: Path) -> None:
    with pytest.raises(ToolUnavailable):
        await FlagdFiles({"production": tmp_path / "none.json"}).get("new-checkout", "production")
