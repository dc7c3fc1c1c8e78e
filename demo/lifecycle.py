"""Opening and closing the shop: its home folder, its supervisor, the release that breaks it, and no strays."""

import asyncio
import json
import os
import shutil
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path

import psutil
from aiohttp import ClientError, ClientSession, ClientTimeout
from filelock import FileLock, Timeout

from agent.home import make_private
from demo.shop.live import CONDITIONS, CONFIG
from demo.supervisor.processes import end_strays, remember

OPENING_SECONDS = 30.0
CLOSING_SECONDS = 12.0
LOCK_SECONDS = 120.0
QUIET_SECONDS = 5.0  # of healthy traffic before the bad release, so that there is a before
SYMPTOM_SECONDS = 30.0
CHANGES = "changes.jsonl"  # where people note what they configured
SYMPTOMS = 8  # lines that tell of the exhausted pool, before the shop counts as broken
FAULT = {"service": "payments", "environment": "production", "version": "2.4.0", "by": "raj"}
Say = Callable[[str], Awaitable[None]]


class ShopTrouble(Exception):
    """The shop could not be opened; the message says where to look."""


@dataclass(frozen=True, slots=True)
class Shop:
    """An open shop. `started` tells whether this call opened it."""

    home: Path
    pid: int
    started: bool


async def start(
    home: Path,
    say: Say,
    *,
    owner: int | None = None,
    fault: bool = True,
    prepare: Callable[[Path], None] | None = None,
) -> Shop:
    """Opens the shop in `home`, if it is not open, with payments 2.4.0 failing. Raises `ShopTrouble`.

    With an `owner` the shop closes when that process is gone, however it went. Without `fault` raj deploys nothing.
    `prepare` puts into the home what the services should find when they start.
    Whoever is interrupted in here (Ctrl-C) leaves nothing behind.
    """
    await asyncio.to_thread(make_private, home)
    async with _alone(home):
        if (running := address(home)) is not None:
            return Shop(home, int(running["pid"]), started=False)
        if left := await asyncio.to_thread(end_strays, home):
            await say(f"ended {left} processes that an earlier shop left behind")
        await asyncio.to_thread(furnish, home)
        if prepare is not None:
            await asyncio.to_thread(prepare, home)
        await say("opening the shop")
        try:
            pid = await _supervise(home, owner)
            if fault:
                await _break(home, pid, say)
        except BaseException:
            await stop(home)
            raise
        return Shop(home, pid, started=True)


async def _break(home: Path, pid: int, say: Say) -> None:
    """The bad release, as it happens: some healthy minutes, here seconds, a deployment, customers who notice."""
    await say(f"healthy traffic for {QUIET_SECONDS:.0f} seconds")
    await asyncio.sleep(QUIET_SECONDS)
    await say("raj deploys payments 2.4.0 to production")
    await order(home, "/v1/deploy", {**FAULT, "key": f"demo-{pid}", "kind": "deploy"})
    await say("waiting until customers notice")
    await _symptoms(home)


@asynccontextmanager
async def _alone(home: Path) -> AsyncIterator[None]:
    """Two starts at once make one shop: the second waits here, and then finds the first one's."""
    # Not thread-local: it is taken in a worker thread and given back in this one.
    lock = FileLock(home / "start.lock", thread_local=False)
    try:
        await asyncio.to_thread(lock.acquire, LOCK_SECONDS)
    except Timeout as error:
        raise ShopTrouble(f"somebody else has been opening the shop in {home} for too long") from error
    try:
        yield
    finally:
        lock.release()


async def stop(home: Path) -> bool:
    """Closes the shop and ends whatever is left of it; whether there was anything."""
    running = address(home)
    if running is not None:
        with suppress(psutil.NoSuchProcess):
            process = psutil.Process(int(running["pid"]))
            process.terminate()
            _, alive = await asyncio.to_thread(psutil.wait_procs, [process], CLOSING_SECONDS)
            for stubborn in alive:
                stubborn.kill()
    left = await asyncio.to_thread(end_strays, home)
    (home / "supervisor.json").unlink(missing_ok=True)
    return running is not None or left > 0


async def status(home: Path) -> list[dict[str, object]] | None:
    """What runs, or None when the shop is closed."""
    running = address(home)
    if running is None:
        return None
    try:
        async with (
            ClientSession(timeout=ClientTimeout(total=5)) as http,
            http.get(_url(running, "/v1/state"), headers=_token(running)) as answer,
        ):
            services: list[dict[str, object]] = (await answer.json())["services"]
            return services
    except (ClientError, TimeoutError, OSError) as error:
        raise ShopTrouble(f"the shop in {home} does not answer; `sayso demo stop` ends it") from error


def address(home: Path) -> dict[str, str | int] | None:
    """How to reach the supervisor that runs on this home; None when none does."""
    try:
        known: dict[str, str | int] = json.loads((home / "supervisor.json").read_text(encoding="utf-8"))
        process = psutil.Process(int(known["pid"]))
        started = datetime.fromisoformat(str(known["started_at"])).timestamp()
        # The number may be another process's by now; its start time and its home tell.
        same = abs(process.create_time() - started) < 0.05 and str(home.absolute()) in process.cmdline()
        ours = same and process.status() != psutil.STATUS_ZOMBIE
    except (OSError, ValueError, KeyError, psutil.Error):
        return None
    return known if ours else None


def furnish(home: Path) -> None:
    """Puts settings, documents, chat export, vectors and the made-up past into the home, where they are missing."""
    from demo.knowledge.history import write_export
    from demo.past import write_past

    package = Path(str(resources.files("demo")))
    if not (home / "sayso.yaml").exists():
        text = (package / "sayso.yaml").read_text(encoding="utf-8")
        (home / "sayso.yaml").touch(mode=0o600)
        filled = text.replace("@python@", sys.executable).replace("@home@", str(home))
        (home / "sayso.yaml").write_text(filled, encoding="utf-8")
    shutil.copytree(package / "knowledge" / "docs", home / "docs", dirs_exist_ok=True)
    vectors = package / "knowledge" / "vectors.npz"
    if vectors.exists():
        shutil.copyfile(vectors, home / "vectors.npz")
    if not (home / "slack-export.zip").exists():
        write_export(home / "slack-export.zip")
    # A past that ends with the last visit would have a hole; measurements are written anew for every opening.
    for old in home.glob("metrics.db*"):
        old.unlink()
    shutil.rmtree(home / "logs", ignore_errors=True)
    shutil.rmtree(home / "ledgers", ignore_errors=True)
    shutil.rmtree(home / "certificates", ignore_errors=True)
    for name in ("deployments.json", "versions.json", CONFIG, CONDITIONS, CHANGES):
        (home / name).unlink(missing_ok=True)
    write_past(home / "metrics.db", datetime.now(UTC))


async def order(home: Path, path: str, body: dict[str, str]) -> None:
    """Asks the supervisor for a change and waits for its outcome. Raises `ShopTrouble`."""
    running = address(home)
    if running is None:
        raise ShopTrouble(f"the shop in {home} has closed; its log is {home / 'supervisor.log'}")
    last = ""
    try:
        async with (
            ClientSession(timeout=ClientTimeout(total=60)) as http,
            http.post(_url(running, path), json=body, headers=_token(running)) as answer,
        ):
            async for line in answer.content:
                last = line.decode()
    except (ClientError, TimeoutError, OSError) as error:
        raise ShopTrouble(f"{path} was not carried out: {error!r}") from error
    if not json.loads(last or "{}").get("ok"):
        raise ShopTrouble(f"{path} was not carried out: {last.strip()}")


async def _supervise(home: Path, owner: int | None) -> int:
    """Starts the supervisor apart from this terminal and waits until it answers; its process id."""
    process = psutil.Process(_spawned(home, owner))
    remember(home, [process.pid])
    for _ in range(int(OPENING_SECONDS / 0.1)):
        if address(home) is not None:
            return process.pid
        if not process.is_running() or process.status() == psutil.STATUS_ZOMBIE:
            break
        await asyncio.sleep(0.1)
    raise ShopTrouble(f"the shop did not open; its log is {home / 'supervisor.log'}")


def _spawned(home: Path, owner: int | None) -> int:
    """The supervisor as a process that outlives us: a `subprocess` object would end it, or complain, when it goes."""
    command = [sys.executable, "-m", "demo.supervisor", "--home", str(home.absolute())]
    flags = os.O_CREAT | os.O_WRONLY | os.O_TRUNC
    return os.posix_spawn(
        sys.executable,
        [*command, "--owner", str(owner)] if owner else command,
        os.environ,
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, str(home / "supervisor.log"), flags, 0o600),
            (os.POSIX_SPAWN_DUP2, 1, 2),
        ],
        setsid=True,
    )


async def _symptoms(home: Path) -> None:
    """Waits until the log tells of the exhausted pool often enough."""
    log = home / "logs" / "production" / "payments.log"
    for _ in range(int(SYMPTOM_SECONDS / 0.5)):
        if log.exists() and log.read_text(encoding="utf-8").count("connection pool exhausted") >= SYMPTOMS:
            return
        await asyncio.sleep(0.5)
    raise ShopTrouble(f"payments 2.4.0 did not fail within {SYMPTOM_SECONDS:.0f} s; see {log}")


def _url(running: dict[str, str | int], path: str) -> str:
    return f"http://127.0.0.1:{running['port']}{path}"


def _token(running: dict[str, str | int]) -> dict[str, str]:
    return {"Authorization": f"Bearer {running['token']}"}
