"""Kept sessions against a server that floods, hangs, dies, changes its words and answers with errors."""

import asyncio
import json
import logging
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.fakes.mcp_servers import heard, hostile, hostile_address, server
from tests.fakes.shop import MAYA, Heard, OneGrant
from tools.contract import Json, Tool, ToolFailed, ToolUnavailable, Verdict, WriteTool
from tools.mcp.declared import Server
from tools.mcp.kept import Kept
from tools.mcp.mcp import tools
from tools.mcp.pins import Pins
from tools.mcp.port import Changed, NoAnswer, Offered, TooMuch


async def calls(world: Path, name: str) -> int:
    """How often a tool was called."""
    said = await asyncio.to_thread(heard, world)
    return sum(one.get("method") == "tools/call" and one["params"]["name"] == name for one in said)  # type: ignore[index]  # JSON


@pytest.fixture
async def over_pipes(tmp_path: Path) -> AsyncIterator[tuple[Kept, dict[str, Offered]]]:
    async with connected(hostile(tmp_path / "world", answer_limit=1_000_000)) as made:
        yield made


class connected:  # noqa: N801 - a context manager
    """A connection, and what it offered at first; closed at the end."""

    def __init__(self, one: Server) -> None:
        self.kept = Kept(one)

    async def __aenter__(self) -> tuple[Kept, dict[str, Offered]]:
        return self.kept, {tool.name: tool for tool in await self.kept.offered()}

    async def __aexit__(self, *_: object) -> None:
        await self.kept.close()


async def said(kept: Kept, tool: Offered, arguments: dict[str, Json] | None = None) -> str:
    answer = await kept.call(tool, arguments or {}, once=False)
    return answer.blocks[0].text


async def test_one_session_serves_many_calls(
    over_pipes: tuple[Kept, dict[str, Offered]], tmp_path: Path
) -> None:
    kept, offered = over_pipes
    texts = await asyncio.gather(*(said(kept, offered["echo"], {"text": f"{n}"}) for n in range(20)))
    assert texts == [f"{number}" for number in range(20)]
    assert sum(one.get("method") == "initialize" for one in heard(tmp_path / "world")) == 1


async def test_a_program_gets_none_of_our_variables(over_pipes: tuple[Kept, dict[str, Offered]]) -> None:
    kept, offered = over_pipes
    environment = await said(kept, offered["environment"])
    assert "HOME" in os.environ
    assert "HOME" not in environment
    assert set(json.loads(environment)) <= {"PATH", "LANG", "LC_CTYPE"}


async def test_a_program_gets_what_was_declared_for_it(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("sesame\n")
    declared = hostile(
        tmp_path / "world", environment={"SITE": "north"}, environment_files={"TOKEN": str(secret)}
    )
    async with connected(declared) as (kept, offered):
        environment = json.loads(await said(kept, offered["environment"]))
    assert (environment["SITE"], environment["TOKEN"]) == ("north", "sesame")


async def test_a_flood_is_cut_off_said_so_and_the_next_call_works(
    over_pipes: tuple[Kept, dict[str, Offered]],
) -> None:
    kept, offered = over_pipes
    with pytest.raises(TooMuch, match="more than 1,000,000 bytes"):
        await kept.call(offered["flood"], {}, once=False)
    assert "10" in await said(kept, offered["look"])


async def test_a_call_that_hangs_is_given_up_and_the_server_told(tmp_path: Path) -> None:
    async with connected(hostile(tmp_path / "world", timeout=0.3)) as (kept, offered):
        with pytest.raises(NoAnswer, match=r"did not answer hang within 0.3 s"):
            await kept.call(offered["hang"], {}, once=False)
        assert "10" in await said(kept, offered["look"])
    told = heard(tmp_path / "world")
    hung = next(one for one in told if one.get("method") == "tools/call")
    cancelled = [one["params"] for one in told if one.get("method") == "notifications/cancelled"]
    assert [one["requestId"] for one in cancelled] == [hung["id"]]  # type: ignore[index]  # JSON


async def test_a_caller_that_goes_away_takes_the_call_with_it(
    over_pipes: tuple[Kept, dict[str, Offered]], tmp_path: Path
) -> None:
    kept, offered = over_pipes
    waiting = asyncio.ensure_future(kept.call(offered["hang"], {}, once=False))
    while await calls(tmp_path / "world", "hang") == 0:
        await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert "10" in await said(kept, offered["look"])
    assert any(one.get("method") == "notifications/cancelled" for one in heard(tmp_path / "world"))


async def test_a_server_that_dies_in_a_call_is_started_again_and_a_read_tried_twice(
    over_pipes: tuple[Kept, dict[str, Offered]], tmp_path: Path
) -> None:
    kept, offered = over_pipes
    with pytest.raises(NoAnswer, match=r"it ended with 3, twice"):
        await kept.call(offered["die"], {}, once=False)
    assert await calls(tmp_path / "world", "die") == 2
    assert "10" in await said(kept, offered["look"])


async def test_a_write_is_never_tried_twice(
    over_pipes: tuple[Kept, dict[str, Offered]], tmp_path: Path
) -> None:
    kept, offered = over_pipes
    with pytest.raises(NoAnswer, match="it ended with 3"):
        await kept.call(offered["die"], {}, once=True)
    assert await calls(tmp_path / "world", "die") == 1
    answer = await kept.call(offered["move"], {"value": 3}, once=True)
    assert answer.blocks[0].text == "moved"


async def test_words_that_change_while_it_runs_are_noticed_before_the_next_call(
    over_pipes: tuple[Kept, dict[str, Offered]], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    kept, offered = over_pipes
    await said(kept, offered["turn"])
    with (
        caplog.at_level(logging.WARNING, "sayso.mcp"),
        pytest.raises(Changed, match=r"look of .*its description changed"),
    ):
        await kept.call(offered["look"], {}, once=False)
    assert await calls(tmp_path / "world", "look") == 0
    assert "mcp_tool_changed" in [record.message for record in caplog.records]
    assert await said(kept, offered["echo"], {"text": "others are called"}) == "others are called"


async def test_words_that_changed_between_two_sessions_are_noticed_on_connect(tmp_path: Path) -> None:
    async with connected(hostile(tmp_path / "world")) as (kept, offered):
        await kept.close()
        (tmp_path / "world" / "schemas.json").write_text(
            '{"look": {"type": "object", "properties": {"x": {}}}}'
        )
        (tmp_path / "world" / "gone.json").write_text('["echo"]')
        with pytest.raises(Changed, match="its arguments changed"):
            await kept.call(offered["look"], {}, once=False)
        with pytest.raises(Changed, match="it is not offered any more"):
            await kept.call(offered["echo"], {"text": "x"}, once=False)
    assert await calls(tmp_path / "world", "look") == 0


@pytest.mark.parametrize(
    ("command", "why"),
    [
        (["no-such-server"], "there is no program 'no-such-server'"),
        (["false"], "it ended with 1"),
        (["sh", "-c", "echo module not found >&2; exit 4"], "it ended with 4: module not found"),
        (["sleep", "30"], "it is not ready after 0.5 s"),
    ],
)
async def test_a_program_that_is_no_server_says_why(command: list[str], why: str) -> None:
    kept = Kept(server(command=command, start_timeout=5 if command[0] != "sleep" else 0.5))
    with pytest.raises(ToolUnavailable, match=why):
        await kept.offered()
    await kept.close()


async def test_over_http_a_session_reads_writes_and_sends_its_secret(tmp_path: Path) -> None:
    world, key = tmp_path / "world", tmp_path / "key"
    key.write_text("Bearer sesame\n")
    async with (
        hostile_address(world) as url,
        connected(server(url=url, authorization_file=str(key))) as (kept, offered),
    ):
        assert await said(kept, offered["echo"], {"text": "hello"}) == "hello"
        with pytest.raises(ToolFailed, match="unknown tool"):
            await kept.call(await unknown(kept), {}, once=False)
    headers = (world / "headers.jsonl").read_text()
    assert headers.count("Bearer sesame") == len(headers.splitlines())


async def test_words_that_change_without_a_word_about_it_are_noticed_by_whoever_asks(tmp_path: Path) -> None:
    """Each plan asks, so a write meets the words of now, also where the server never says that they changed."""
    async with hostile_address(tmp_path / "world") as url, connected(server(url=url)) as (kept, offered):
        await said(kept, offered["turn"])
        now = {tool.name: tool for tool in await kept.offered()}
        assert now["look"].description != offered["look"].description
        with pytest.raises(Changed, match="its description changed"):
            await kept.call(offered["look"], {}, once=False)


async def unknown(kept: Kept) -> Offered:
    """A tool that the server lists and does not know."""
    return next(tool for tool in await kept.offered() if tool.name == "mystery")


async def test_over_http_a_flood_is_cut_off(tmp_path: Path) -> None:
    async with (
        hostile_address(tmp_path / "world") as url,
        connected(server(url=url, answer_limit=1_000_000)) as (kept, offered),
    ):
        with pytest.raises(TooMuch, match="more than 1,000,000 bytes"):
            await kept.call(offered["flood"], {}, once=False)
        assert "10" in await said(kept, offered["look"])


@pytest.mark.parametrize("status", [401, 404, 500, 503])
async def test_over_http_a_server_that_begins_to_refuse_is_not_checked(tmp_path: Path, status: int) -> None:
    async with hostile_address(tmp_path / "world") as url, connected(server(url=url)) as (kept, offered):
        (tmp_path / "world" / "status").write_text(str(status))
        with pytest.raises(ToolUnavailable, match=f"refuses with status {status}"):
            await kept.call(offered["look"], {}, once=False)
        (tmp_path / "world" / "status").unlink()
        assert "10" in await said(kept, offered["look"])


async def test_nobody_at_the_address_is_not_checked() -> None:
    kept = Kept(server(url="http://127.0.0.1:9/mcp", start_timeout=5))
    with pytest.raises(ToolUnavailable, match="it does not answer: ConnectError"):
        await kept.offered()


async def whole(world: Path, **changes: object) -> tuple[Kept, dict[str, Tool]]:
    """The tools as they are made from pins, on one connection."""
    declared = hostile(world, **changes)
    kept = Kept(declared)
    pins = Pins({"valves": {tool.name: tool for tool in await kept.offered()}})
    return kept, {tool.spec.name: tool for tool in tools([declared], pins, lambda _server: kept)}


async def test_a_write_is_planned_run_and_checked_through_the_server(tmp_path: Path) -> None:
    kept, made = await whole(tmp_path / "world")
    move = made["move"]
    assert isinstance(move, WriteTool)
    arguments = move.spec.validate({"value": 42})
    assert (await move.plan(arguments)).observed["plan"] == {"value": 10}
    assert (await move.verify(arguments)).verdict is Verdict.NOT_DONE
    done = await move.run(arguments, OneGrant(), Heard())
    assert done.ok
    assert (await move.verify(arguments)).verdict is Verdict.DONE
    await kept.close()


async def test_a_write_that_nobody_answers_moves_once_and_the_world_tells(tmp_path: Path) -> None:
    world = tmp_path / "world"
    kept, made = await whole(world, timeout=1)
    (world / "mute").touch()
    move = made["move"]
    assert isinstance(move, WriteTool)
    arguments = move.spec.validate({"value": 42})
    done = await move.run(arguments, OneGrant(), Heard())
    assert "only looking can tell" in done.summary
    assert (await move.verify(arguments)).verdict is Verdict.DONE
    assert [one for one in heard(world) if "moved" in one] == [{"moved": 42}]
    await kept.close()


async def test_reads_tell_trouble_failure_and_pictures_apart(tmp_path: Path) -> None:
    kept, made = await whole(tmp_path / "world")

    async def run(name: str) -> object:
        tool = made[name]
        assert not isinstance(tool, WriteTool)
        return await tool.run(tool.spec.validate({}), MAYA)

    with pytest.raises(ToolUnavailable, match="trouble of valves answered with an error"):
        await run("trouble")
    with pytest.raises(ToolFailed, match="refuse of valves failed: there is no such valve$"):
        await run("refuse")
    assert "picture-1.png" in str(await run("picture"))
    await kept.close()
