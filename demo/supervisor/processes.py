"""One process of the shop: started, found healthy, stopped; and a list on disk of what we own."""

import asyncio
import json
import os
import signal
import sys
from dataclasses import dataclass
from pathlib import Path

import psutil
from aiohttp import ClientError, ClientSession

START_SECONDS = 15.0
STOP_SECONDS = 3.0
LIST = "processes.json"


class DidNotStart(Exception):
    """A process ended, or did not become healthy in time."""


@dataclass(frozen=True, slots=True)
class Instance:
    """A running process of a service."""

    service: str
    environment: str
    version: str
    name: str
    port: int
    process: asyncio.subprocess.Process

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


async def start(home: Path, service: str, environment: str, version: str, name: str) -> Instance:
    """Starts a process and waits until it listens. Raises `DidNotStart`."""
    arguments = ("--version", version, "--environment", environment, "--instance", name)
    process = await spawn("demo.shop", service, *arguments, "--home", str(home), "--parent", str(os.getpid()))
    if process.stdout is None:
        raise DidNotStart(f"{name} has no output to read its port from")
    try:
        line = await asyncio.wait_for(process.stdout.readline(), START_SECONDS)
        return Instance(service, environment, version, name, int(line), process)
    except (TimeoutError, ValueError) as error:
        await end(process)
        raise DidNotStart(f"{name} ({version}) did not start") from error


async def spawn(module: str, *arguments: str) -> asyncio.subprocess.Process:
    """A Python module as a process of ours, with nothing of our input and its own signals."""
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        module,
        *arguments,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        # A session of its own: Ctrl-C in the terminal reaches us alone, and we stop it in order.
        start_new_session=True,
    )


async def health(http: ClientSession, instance: Instance) -> str:
    """The empty text when it is healthy, else why not."""
    try:
        async with http.get(f"{instance.url}/healthz") as answer:
            body = await answer.json()
            return "" if answer.status == 200 else str(body.get("problem") or f"answers {answer.status}")
    except (ClientError, TimeoutError, OSError) as error:
        return f"does not answer ({type(error).__name__})"


async def end(process: asyncio.subprocess.Process) -> None:
    """Asks it to stop, and insists after a while."""
    if process.returncode is None:
        process.send_signal(signal.SIGTERM)
        try:
            await asyncio.wait_for(process.wait(), STOP_SECONDS)
        except TimeoutError:
            process.kill()
            await process.wait()


def remember(home: Path, pids: list[int]) -> None:
    """Writes which processes are ours, with their start times: a number alone may be somebody else's later."""
    known = {}
    for pid in pids:
        try:
            known[str(pid)] = psutil.Process(pid).create_time()
        except psutil.Error:
            continue
    aside = home / f"{LIST}.{os.getpid()}"
    aside.write_text(json.dumps(known), encoding="utf-8")
    aside.replace(home / LIST)


def strays(home: Path) -> list[psutil.Process]:
    """Processes of an earlier supervisor that still run."""
    try:
        known = json.loads((home / LIST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return []
    found = []
    for pid, started in known.items():
        try:
            process = psutil.Process(int(pid))
            if abs(process.create_time() - started) < 0.05 and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except psutil.Error:
            continue
    return found


def end_strays(home: Path) -> int:
    """Ends what an earlier supervisor left behind; returns how many there were."""
    left = strays(home)
    for process in left:
        process.terminate()
    _, stubborn = psutil.wait_procs(left, timeout=STOP_SECONDS)
    for process in stubborn:
        process.kill()
    psutil.wait_procs(stubborn, timeout=STOP_SECONDS)
    return len(left)
