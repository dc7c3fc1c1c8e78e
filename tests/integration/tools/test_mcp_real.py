"""Real MCP servers, over pipes and over streamable HTTP: pinned, asked, and changed by approved calls."""

import asyncio
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.mcp_servers import REQUIRED, NoServer, everything, program, server
from tests.fakes.shop import MAYA, Heard, OneGrant
from tools.contract import Outcome, Tool, ToolFailed, Verdict, WriteTool
from tools.mcp.declared import Server
from tools.mcp.kept import Kept
from tools.mcp.mcp import tools
from tools.mcp.pins import Pins, refused

GIT = [
    {"tool": "git_log", "effect": "read", "arguments": {"max_count": {"fixed": 5}}},
    {"tool": "git_branch", "effect": "read"},
    {
        "tool": "git_create_branch",
        "plan": {"tool": "git_branch", "arguments": {"repo_path": "{repo_path}", "branch_type": "local"}},
        "verify": {
            "tool": "git_branch",
            "arguments": {"repo_path": "{repo_path}", "branch_type": "local"},
            "holds": "contains(text, arguments.branch_name)",
        },
    },
]
TIME = [{"tool": "get_current_time", "effect": "read"}, {"tool": "convert_time", "effect": "read"}]
FILES = [{"tool": "read_text_file", "effect": "read"}, {"tool": "write_file"}]
EVERYTHING = [
    {"tool": "echo", "effect": "read"},
    {"tool": "get-tiny-image", "effect": "read"},
    {"tool": "get-structured-content", "effect": "read"},
    {"tool": "get-resource-links", "effect": "read"},
]


def installed(name: str) -> str:
    """Where a real server is; the test is skipped where there is none, unless it is required."""
    try:
        return program(name)
    except NoServer as why:
        if os.environ.get(REQUIRED) and name in {"mcp-server-git", "mcp-server-time"}:
            pytest.fail(f"{REQUIRED} is set, and there is {why}")
        pytest.skip(str(why))


class pinned:  # noqa: N801 - a context manager
    """The tools of a real server, pinned as it offers them now."""

    def __init__(self, one: Server) -> None:
        self._server, self.kept = one, Kept(one)

    async def __aenter__(self) -> dict[str, Tool]:
        offered = await self.kept.offered()
        for listed in self._server.tools:
            assert refused(next(tool for tool in offered if tool.name == listed.tool), listed) is None
        pins = Pins({self._server.name: {tool.name: tool for tool in offered}})
        return {tool.spec.name: tool for tool in tools([self._server], pins, lambda _server: self.kept)}

    async def __aexit__(self, *_: object) -> None:
        await self.kept.close()


async def run(tool: Tool, **given: object) -> Outcome:
    assert not isinstance(tool, WriteTool)
    return await tool.run(tool.spec.validate(given), MAYA)


@pytest.fixture
def repository(tmp_path: Path) -> str:
    folder = tmp_path / "shop"
    folder.mkdir()
    for command in (["init", "-q", "-b", "main"], ["commit", "-q", "--allow-empty", "-m", "first release"]):
        subprocess.run(
            ["git", "-c", "user.name=Maya", "-c", "user.email=maya@shop.example", *command],
            cwd=folder,
            check=True,
        )
    return str(folder)


async def test_git_is_read_and_a_branch_is_planned_made_and_verified(repository: str) -> None:
    command = [installed("mcp-server-git"), "--repository", repository]
    async with pinned(server(command=command, tools=GIT)) as made:
        log = await run(made["git_log"], repo_path=repository)
        assert "first release" in log.findings[0].text
        branch = made["git_create_branch"]
        assert isinstance(branch, WriteTool)
        arguments = branch.spec.validate({"repo_path": repository, "branch_name": "hotfix"})
        plan = await branch.plan(arguments)
        assert "main" in str(plan.observed["plan"])
        assert (await branch.verify(arguments)).verdict is Verdict.NOT_DONE
        assert (await branch.run(arguments, OneGrant(), Heard())).ok
        assert (await branch.verify(arguments)).verdict is Verdict.DONE


async def test_git_outside_its_folder_is_a_failure_with_the_servers_words(repository: str) -> None:
    command = [installed("mcp-server-git"), "--repository", repository]
    async with pinned(server(command=command, tools=GIT)) as made:
        with pytest.raises(ToolFailed, match="outside the allowed"):
            await run(made["git_log"], repo_path="/etc")


async def test_the_time_is_told_and_a_zone_that_is_none_fails() -> None:
    async with pinned(server(command=[installed("mcp-server-time")], tools=TIME)) as made:
        told = await run(
            made["convert_time"], source_timezone="UTC", time="10:00", target_timezone="Asia/Tokyo"
        )
        assert "19:00" in told.findings[0].text
        with pytest.raises(ToolFailed, match="Invalid timezone"):
            await run(made["get_current_time"], timezone="Mars/Olympus")


async def test_files_are_written_by_an_approved_call_only_below_their_folder(tmp_path: Path) -> None:
    command = [installed("mcp-server-filesystem"), str(tmp_path)]
    async with pinned(server(command=command, tools=FILES)) as made:
        write = made["write_file"]
        assert isinstance(write, WriteTool)
        arguments = write.spec.validate({"path": str(tmp_path / "note.txt"), "content": "closed"})
        await write.plan(arguments)
        assert not await asyncio.to_thread((tmp_path / "note.txt").exists)
        assert (await write.run(arguments, OneGrant(), Heard())).ok
        assert await asyncio.to_thread((tmp_path / "note.txt").read_text) == "closed"
        with pytest.raises(ToolFailed, match="outside allowed directories"):
            await run(made["read_text_file"], path="/etc/passwd")


@pytest.fixture
def address() -> Iterator[str]:
    installed("mcp-server-everything")
    with everything() as url:
        yield url


async def test_the_reference_server_answers_over_streamable_http(address: str) -> None:
    async with pinned(server(url=address, tools=EVERYTHING)) as made:
        assert (await run(made["echo"], message="hello")).findings[0].text == "Echo: hello"
        assert [file.media_type for file in (await run(made["get-tiny-image"])).files] == ["image/png"]
        weather = (await run(made["get-structured-content"], location="Chicago")).findings[0].facts["value"]
        assert isinstance(weather, dict)
        assert "temperature" in weather


async def test_the_reference_server_answers_over_its_input_and_output() -> None:
    command = [installed("mcp-server-everything"), "stdio"]
    async with pinned(server(command=command, tools=EVERYTHING)) as made:
        assert (await run(made["echo"], message="hello")).findings[0].text == "Echo: hello"
        links = await run(made["get-resource-links"], count=2)
        assert "demo://resource" in links.findings[0].text
