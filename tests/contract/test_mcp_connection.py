"""What every connection to an MCP server keeps: in memory, to a program and to an address."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.fakes.mcp_servers import MemoryServer, hostile, hostile_address, server, text
from tools.mcp.kept import Kept
from tools.mcp.port import Answered, Changed, Connection, Offered

KINDS = ("memory", "program", "address")


@pytest.fixture(params=KINDS)
async def connection(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Connection]:
    match request.param:
        case "memory":
            answers: dict[str, Answered | Exception] = {"look": text("10"), "move": text("moved")}
            yield MemoryServer(answers)
        case "program":
            kept = Kept(hostile(tmp_path / "world"))
            yield kept
            await kept.close()
        case _:
            async with hostile_address(tmp_path / "world") as url:
                kept = Kept(server(url=url))
                yield kept
                await kept.close()


async def tool(connection: Connection, name: str) -> Offered:
    return next(each for each in await connection.offered() if each.name == name)


async def test_a_tool_that_is_as_it_was_pinned_is_called(connection: Connection) -> None:
    answer = await connection.call(await tool(connection, "look"), {}, once=False)
    assert "10" in answer.blocks[0].text
    assert not answer.failed


async def test_a_write_is_called_the_same_way(connection: Connection) -> None:
    answer = await connection.call(await tool(connection, "move"), {"value": 3}, once=True)
    assert answer.blocks[0].text == "moved"


@pytest.mark.parametrize("once", [True, False])
async def test_a_tool_that_is_another_one_than_was_pinned_is_not_called(
    connection: Connection, once: bool
) -> None:
    look = await tool(connection, "look")
    for pinned, why in (
        (replace(look, description="Looks, as it did before"), "its description changed"),
        (replace(look, input={"type": "object"}), "its arguments changed"),
        (replace(look, output={"type": "object"}), "its results changed"),
        (replace(look, name="gone"), "it is not offered any more"),
    ):
        with pytest.raises(Changed, match=why):
            await connection.call(pinned, {}, once=once)


async def test_what_a_server_hints_changes_no_pin(connection: Connection) -> None:
    look = replace(await tool(connection, "look"), hints={"destructiveHint": True})
    assert (await connection.call(look, {}, once=False)).blocks


async def test_a_connection_says_where_it_leads_and_closes_twice(connection: Connection) -> None:
    assert connection.place
    await connection.offered()
    await connection.close()
    await connection.close()
