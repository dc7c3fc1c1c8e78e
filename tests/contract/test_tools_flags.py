"""What every flag store keeps to: the one in memory, Unleash's admin API, files as flagd reads them."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.fakes.logservers import served
from tests.fakes.shop import MAYA, WORDS, Heard, OneGrant
from tests.fakes.unleash import UnleashStandIn
from tools.contract import BadArguments, Verdict
from tools.flags.flagd import FlagdFiles
from tools.flags.flags import SetFlag, ShowFlag
from tools.flags.memory import MemoryFlags
from tools.flags.port import FlagStore
from tools.flags.unleash import Unleash
from tools.jsonserver import JsonServer

KNOWN = {"new-checkout": ("nouvelle caisse",), "fast-search": ()}


def flagd_file(folder: Path, value: str) -> Path:
    flag = {"state": "ENABLED", "variants": {"on": True, "off": False}, "defaultVariant": value}
    file = folder / f"{value}.json"
    other = {**flag, "targeting": {"if": [{"==": [{"var": "plan"}, "gold"]}, "on"]}}
    file.write_text(
        json.dumps(
            {
                "$schema": "https://flagd.dev/schema/v0/flags.json",
                "flags": {"new-checkout": flag, "gold": other},
            }
        )
    )
    return file


@pytest.fixture(params=["memory", "unleash", "flagd"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[FlagStore]:
    match request.param:
        case "memory":
            yield MemoryFlags({("new-checkout", "production"): "off", ("new-checkout", "staging"): "on"})
        case "flagd":
            yield FlagdFiles(
                {"production": flagd_file(tmp_path, "off"), "staging": flagd_file(tmp_path, "on")}
            )
        case _:
            unleash = UnleashStandIn({"new-checkout": {"prod": False, "staging": True}})
            async with served(unleash.add) as url:
                server = JsonServer("Unleash", url, headers={"Authorization": "user:secret"})
                yield Unleash(server, "default", {"production": "prod"})


async def test_a_flag_has_its_own_value_in_each_environment(store: FlagStore) -> None:
    found = [await store.get("new-checkout", place) for place in ("production", "staging")]
    assert [each.value for each in found if each] == ["off", "on"]
    assert all({"on", "off"} <= set(each.values) for each in found if each)


async def test_a_flag_that_was_set_is_so_there_and_nowhere_else(store: FlagStore) -> None:
    await store.set("new-checkout", "production", "on")
    await store.set("new-checkout", "staging", "on")
    await store.set("new-checkout", "staging", "off")
    found = [await store.get("new-checkout", place) for place in ("production", "staging")]
    assert [each.value for each in found if each] == ["on", "off"]


async def test_a_flag_and_a_place_that_are_not_known_are_none(store: FlagStore) -> None:
    assert await store.get("no-such-flag", "production") is None
    assert await store.get("new-checkout", "nowhere") is None


async def test_a_value_that_a_flag_cannot_have_is_refused(store: FlagStore) -> None:
    with pytest.raises(BadArguments):
        await store.set("new-checkout", "production", "purple")


async def test_a_flag_is_shown_set_checked_and_set_back_by_the_tools(store: FlagStore) -> None:
    show, change = ShowFlag(store, WORDS, KNOWN), SetFlag(store, WORDS, KNOWN)
    before = await show.run(show.spec.validate({"flag": "new-checkout"}), MAYA)
    assert before.summary == "new-checkout is off in production, on in staging"
    given = change.spec.validate({"flag": "nouvelle caisse", "value": "enabled", "environment": "prod"})
    plan = await change.plan(given)
    assert (plan.changes[0].before, plan.changes[0].after) == ("off", "on")
    assert (await change.verify(given)).verdict is Verdict.NOT_DONE
    assert (await change.run(given, OneGrant(), Heard())).ok
    assert (await change.verify(given)).verdict is Verdict.DONE
    assert (await change.plan(given)).changes_nothing
    assert plan.undo is not None
    back = change.spec.validate(plan.undo.arguments)
    await change.run(back, OneGrant(), Heard())
    after = await show.run(show.spec.validate({"flag": "new-checkout", "environment": "production"}), MAYA)
    assert after.summary == "new-checkout is off in production"


async def test_only_declared_flags_are_touched(store: FlagStore) -> None:
    change = SetFlag(store, WORDS, KNOWN)
    with pytest.raises(BadArguments, match="nearest: new-checkout"):
        change.spec.validate({"flag": "new-chekout", "value": "on"})
    given = change.spec.validate({"flag": "fast-search", "value": "on"})
    with pytest.raises(BadArguments, match="has no flag 'fast-search' in production"):
        await change.plan(given)


async def test_a_value_that_may_not_be_set_here_is_no_way_back(tmp_path: Path) -> None:
    file = flagd_file(tmp_path, "off")
    file.write_text(
        file.read_text()
        .replace('"defaultVariant": "off"', '"defaultVariant": "beta"')
        .replace('"on": true', '"on": true, "beta": 1')
    )
    change = SetFlag(FlagdFiles({"production": file}), WORDS, KNOWN)
    given = change.spec.validate({"flag": "new-checkout", "value": "on", "environment": "production"})
    plan = await change.plan(given)
    assert plan.changes[0].before == "beta"
    assert plan.undo is None
    assert "by hand" in plan.undo_text
