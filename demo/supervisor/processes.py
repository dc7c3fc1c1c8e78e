"""One process of the shop: started, found healthy, stopped; and a list on disk of what we own."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import psutil
from aiohttp import ClientError, ClientSession

from demo.shop.releases import Release

START_SECONDS = 15.0
STOP_SECONDS = 3.0
LIST = "processes.json"
Born = Callable[[asyncio.subprocess.Process], None]


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


async def start(
    home: Path, service: str, environment: str, release: Release, name: str, born: Born
) -> Instance:
    """Starts a process and waits until it listens; `born` hears of it at once. Raises `DidNotStart`."""
    identity = ("--version", release.version, "--environment", environment, "--instance", name)
    switches = [f"--switch={switch}" for switch in release.behaviour.switched_on()]
    process = await spawn("demo.shop", service, *identity, *switches, "--home", str(home))
    born(process)
    if process.stdout is None:
        raise DidNotStart(f"{name} has no output to read its port from")
    try:
        line = await asyncio.wait_for(process.stdout.readline(), START_SECONDS)
        return Instance(service, environment, release.version, name, int(line), process)
    except (TimeoutError, ValueError) as error:
        await end(process)
        raise DidNotStart(f"{name} ({release.version}) did not start") from error


async def spawn(module: str, *arguments: str) -> asyncio.subprocess.Process:
    """A Python module as a process of ours that ends with us; with no input, and signals of its own."""
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        module,
        *arguments,
        "--parent",
        str(os.getpid()),
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
        try:
            process.send_signal(signal.SIGTERM)
            await asyncio.wait_for(process.wait(), STOP_SECONDS)
        except ProcessLookupError:
            await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()


def remember(home: Path, pids: Iterable[int]) -> None:
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
    _signal(left, signal.SIGTERM)
    _, stubborn = psutil.wait_procs(left, timeout=STOP_SECONDS)
    _signal(stubborn, signal.SIGKILL)
    psutil.wait_procs(stubborn, timeout=STOP_SECONDS)
    return len(left)


def _signal(processes: list[psutil.Process], number: signal.Signals) -> None:
    for process in processes:
        try:
            process.send_signal(number)  # psutil looks at the start time again before it sends
        except psutil.NoSuchProcess:
            continue
