"""A server that is a program of ours: started with an argument list and a minimal environment, no shell.

The transport of the `mcp` package hands our own variables to the program, prints its errors on our terminal and reads
lines of any length; this one does not.
"""

import asyncio
import shutil
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import anyio
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from mcp.shared.message import SessionMessage
from mcp.types import JSONRPCMessage
from pydantic import ValidationError

from tools.commands.process import SEARCH_PATH, end
from tools.contract import ToolUnavailable
from tools.mcp.declared import Server
from tools.mcp.fault import Fault
from tools.mcp.wording import shortened

Received = MemoryObjectReceiveStream[SessionMessage | Exception]
Sent = MemoryObjectSendStream[SessionMessage]
_KEPT = 2_000  # bytes of its complaints
_SAID = 300  # characters of them that are repeated
_FAREWELL = 2.0  # seconds in which it may end by itself


@asynccontextmanager
async def program(server: Server, fault: Fault) -> AsyncIterator[tuple[Received, Sent]]:
    """The two streams of a running server. Raises `ToolUnavailable` where it cannot start."""
    process = await _start(server)
    complaints = bytearray()
    heard, received = anyio.create_memory_object_stream[SessionMessage | Exception](16)
    sent, to_send = anyio.create_memory_object_stream[SessionMessage](16)
    tasks = [
        asyncio.ensure_future(_listen(process, heard, fault, complaints, server)),
        asyncio.ensure_future(_speak(process, to_send)),
        asyncio.ensure_future(_overhear(process, complaints)),
    ]
    try:
        yield received, sent
    finally:
        if process.stdin is not None:
            process.stdin.close()
        try:
            await asyncio.wait_for(process.wait(), _FAREWELL)
        except TimeoutError:
            await end(process)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            for stream in (heard, received, sent, to_send):
                stream.close()


async def _start(server: Server) -> asyncio.subprocess.Process:
    command = server.command or ()
    environment = {"PATH": SEARCH_PATH, "LANG": "C.UTF-8", **server.environment, **await _secrets(server)}
    found = shutil.which(command[0], path=environment["PATH"])
    if found is None:
        raise ToolUnavailable(f"there is no program {command[0]!r} on {environment['PATH']}")
    try:
        return await asyncio.create_subprocess_exec(
            found,
            *command[1:],
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            cwd=server.cwd,
            env=environment,
            limit=server.answer_limit,
            start_new_session=True,  # its own group, so that all of it can be ended
        )
    except OSError as error:
        raise ToolUnavailable(f"{command[0]!r} cannot be started: {error.strerror}") from error


async def _secrets(server: Server) -> Mapping[str, str]:
    """What the files of secrets hold, read for each start."""
    found = {}
    for name, file in server.environment_files.items():
        try:
            found[name] = (await asyncio.to_thread(file.read_text, encoding="utf-8")).strip()
        except OSError as error:
            raise ToolUnavailable(f"{file} cannot be read: {error.strerror}") from error
    return found


async def _listen(
    process: asyncio.subprocess.Process,
    heard: MemoryObjectSendStream[SessionMessage | Exception],
    fault: Fault,
    complaints: bytearray,
    server: Server,
) -> None:
    """Passes on its messages until it ends, then says so."""
    if process.stdout is None:
        return
    try:
        while line := await process.stdout.readline():
            message = _message(line)
            if message is not None:
                await heard.send(message)
    except ValueError:  # the line is longer than the limit
        fault.broke(f"it answered more than {server.answer_limit:,} bytes", too_much=True)
    except (anyio.BrokenResourceError, anyio.ClosedResourceError):
        return  # nobody listens any more
    else:
        await asyncio.wait({asyncio.ensure_future(process.wait())}, timeout=_FAREWELL)
        lines = [line for line in complaints.decode(errors="replace").splitlines() if line.strip()]
        said = shortened(lines[-1], _SAID) if lines else ""  # where programs say what it was
        fault.broke(f"it ended with {process.returncode}{f': {said}' if said else ''}")
    finally:
        heard.close()


def _message(line: bytes) -> SessionMessage | None:
    """A line as a message; programs that print something else between their messages are forgiven."""
    try:
        return SessionMessage(JSONRPCMessage.model_validate_json(line))
    except ValidationError:
        return None


async def _speak(
    process: asyncio.subprocess.Process, to_send: MemoryObjectReceiveStream[SessionMessage]
) -> None:
    async for message in to_send:
        if process.stdin is None or process.stdin.is_closing():
            return
        text = message.message.model_dump_json(by_alias=True, exclude_none=True)
        try:
            process.stdin.write(f"{text}\n".encode())
            await process.stdin.drain()
        except (BrokenPipeError, ConnectionResetError):
            return  # its end is told by whoever listens


async def _overhear(process: asyncio.subprocess.Process, complaints: bytearray) -> None:
    """Keeps the end of what it writes on its error output."""
    while process.stderr is not None and (chunk := await process.stderr.read(_KEPT)):
        complaints += chunk
        del complaints[:-_KEPT]
