"""MCP servers for tests: the hostile one over both transports, real ones where they are installed, one in memory."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from aiohttp import web

from tests.fakes.logservers import served
from tests.fakes.mcp_hostile import NOTHING, VALUE, Hostile
from tests.fakes.prometheus import free_port
from tools.contract import Json, Progress, ToolUnavailable
from tools.mcp.declared import Server, declared
from tools.mcp.port import Answered, Block, Changed, Offered, differences

REQUIRED = "TESTS_REQUIRE_MCP"  # set where a skipped test would be a hole in the check
ROOT = Path(__file__).parents[2]
PROGRAM = Path(__file__).with_name("mcp_hostile.py")
LOOPBACK = Path(__file__).with_name("loopback.cjs")
LOOK = Offered("look", "Looks at the valve", NOTHING)
MOVE = Offered("move", "Moves the valve", VALUE)


def _reads(*names: str) -> list[dict[str, object]]:
    return [{"tool": name, "effect": "read"} for name in names]


TOOLS: list[dict[str, object]] = [
    {"tool": "look", "effect": "read", "examples": ["look at the valve"]},
    {
        "tool": "move",
        "plan": {"tool": "look"},
        "verify": {"tool": "look", "holds": "value.value == arguments.value"},
    },
    *_reads("echo", "flood", "hang", "die", "trouble", "refuse", "long", "picture", "environment", "turn"),
]


class NoServer(Exception):
    """A real MCP server is not installed on this machine."""


def server(**changes: object) -> Server:
    """One declared server."""
    (made,) = declared([{"name": "valves", "tools": TOOLS, **changes}])
    return made


def hostile(world: Path, **changes: object) -> Server:
    """The hostile server as a program, with an empty world."""
    world.mkdir(exist_ok=True)
    return server(command=[sys.executable, str(PROGRAM), str(world)], **{"timeout": 20, **changes})


def heard(world: Path) -> list[dict[str, object]]:
    """Every message the hostile server got, and what it moved."""
    return [json.loads(line) for line in (world / "heard.jsonl").read_text().splitlines()]


@asynccontextmanager
async def hostile_address(world: Path) -> AsyncIterator[str]:
    """The hostile server at an address, answering each message with JSON; `status` in its world makes it refuse."""
    world.mkdir(exist_ok=True)
    inner = Hostile(world)

    async def post(request: web.Request) -> web.StreamResponse:
        if (world / "status").exists():
            return web.Response(status=int((world / "status").read_text()))
        with (world / "headers.jsonl").open("a") as headers:
            headers.write(json.dumps(dict(request.headers)) + "\n")
        answers = inner.answer(await request.json())
        if not answers:
            return web.Response(status=202)
        return web.json_response(answers[-1])

    async def get(_request: web.Request) -> web.StreamResponse:
        return web.Response(status=405)

    def add(app: web.Application) -> None:
        app.router.add_post("/mcp", post)
        app.router.add_get("/mcp", get)
        app.router.add_delete("/mcp", get)

    async with served(add) as url:
        yield f"{url}/mcp"


def program(name: str) -> str:
    """Where the program of a real server is. Raises `NoServer`."""
    folders = (ROOT / ".venv" / "mcp" / "bin", ROOT / ".venv" / "mcp-npm" / "node_modules" / ".bin")
    found = shutil.which(name, path=os.pathsep.join(map(str, folders)))
    if found is None:
        raise NoServer(f"no {name} in {folders[0]} or {folders[1]}; .ci/run installs it")
    return found


@contextmanager
def everything() -> Iterator[str]:
    """The reference server over streamable HTTP, bound to loopback. Raises `NoServer`."""
    port = free_port()
    running = subprocess.Popen(
        ["node", "--require", str(LOOPBACK), program("mcp-server-everything"), "streamableHttp"],
        env={"PATH": os.environ["PATH"], "PORT": str(port)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        if running.stderr is None:
            raise NoServer("it has no error output")
        for line in running.stderr:
            if "listening" in line:
                break
        yield f"http://127.0.0.1:{port}/mcp"
    finally:
        running.send_signal(signal.SIGKILL)
        running.wait()
        if running.stderr is not None:
            running.stderr.close()


@dataclass
class MemoryServer:
    """Implements `Connection`: answers by tool, and remembers what it was asked."""

    answers: Mapping[str, Answered | Exception] = field(default_factory=dict)
    tools: Sequence[Offered] = (LOOK, MOVE)
    place: str = "memory"
    asked: list[tuple[str, Mapping[str, Json], bool]] = field(default_factory=list)
    closed: bool = False

    async def offered(self) -> Sequence[Offered]:
        return self.tools

    async def call(
        self, pinned: Offered, arguments: Mapping[str, Json], *, once: bool, progress: Progress | None = None
    ) -> Answered:
        now = {tool.name: tool for tool in self.tools}.get(pinned.name)
        if now is None or now.hash != pinned.hash:
            raise Changed(", ".join(differences(pinned, now)))
        self.asked.append((pinned.name, arguments, once))
        answer = self.answers.get(pinned.name, ToolUnavailable(f"not checked: nobody answers {pinned.name}"))
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def close(self) -> None:
        self.closed = True


def text(said: str, *, failed: bool = False, structured: Json = None) -> Answered:
    return Answered((Block("text", said),), structured, failed)
