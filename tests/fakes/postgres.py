"""A real PostgreSQL for tests: Debian's own, on a free port of loopback, in a folder that goes away."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import psycopg

REQUIRED = "SAYSO_TEST_REQUIRE_POSTGRES"  # set where a skipped test would be a hole in the check
_STARTED = 60.0  # seconds it may take to start
_QUICK = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")  # nothing here outlives the tests


class NoPostgres(Exception):
    """There is no PostgreSQL on this machine."""


@dataclass
class PostgresServer:
    """One running server, of which each test takes a database of its own."""

    port: int
    user: str = "sayso"
    _numbers: Iterator[int] = field(default_factory=count)

    def url(self, database: str = "postgres") -> str:
        """Where one of its databases is, as the settings name it."""
        return f"postgresql+psycopg://{self.user}@127.0.0.1:{self.port}/{database}"

    def database(self) -> str:
        """The URL of a new, empty database."""
        name = f"test_{next(self._numbers)}"
        with self.connect() as connection:
            connection.execute(f'CREATE DATABASE "{name}"')
        return self.url(name)

    def connect(self, database: str = "postgres") -> psycopg.Connection:
        """A connection beside those that are tested."""
        return psycopg.connect(
            host="127.0.0.1", port=self.port, user=self.user, dbname=database, autocommit=True
        )


def binaries() -> Path:
    """Where `initdb` and `postgres` are. Raises `NoPostgres`."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda file: int(file.parts[4]))
    if found:
        return found[-1].parent
    if at := shutil.which("initdb"):
        return Path(at).parent
    raise NoPostgres("no PostgreSQL here: install the package `postgresql`")


@contextmanager
def postgres_server() -> Iterator[PostgresServer]:
    """A server for as long as the block lasts. Raises `NoPostgres`."""
    bin_ = binaries()
    owner = _owner()
    with tempfile.TemporaryDirectory(prefix="sayso-pg-") as folder:
        data = Path(folder) / "data"
        if owner is not None:
            os.chown(folder, owner, owner)
        made = [
            str(bin_ / "initdb"),
            "-D",
            str(data),
            "-U",
            "sayso",
            "--auth=trust",
            "-E",
            "UTF8",
            "--locale=C",
        ]
        subprocess.run(made, check=True, user=owner, cwd=folder, stdout=subprocess.DEVNULL)
        port = _free_port()
        # Its socket and its log stay in the folder too.
        options = [f"port={port}", "listen_addresses=127.0.0.1", f"unix_socket_directories={folder}", *_QUICK]
        settings = [part for option in options for part in ("-c", option)]
        command = [str(bin_ / "postgres"), "-D", str(data), *settings]
        log = (Path(folder) / "log").open("wb")
        process = subprocess.Popen(command, user=owner, cwd=folder, stdout=log, stderr=log)
        try:
            server = PostgresServer(port)
            _await(server, process, Path(folder) / "log")
            yield server
        finally:
            process.send_signal(signal.SIGINT)  # "fast": whoever is still connected is sent away
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            log.close()


def _owner() -> int | None:
    """Who runs it: PostgreSQL refuses root."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name).pw_uid
        except KeyError:
            continue
    raise NoPostgres("root cannot run PostgreSQL, and there is neither `postgres` nor `nobody` to run it")


def _free_port() -> int:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return int(held.getsockname()[1])


def _await(server: PostgresServer, process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + _STARTED
    while True:
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"PostgreSQL did not start: {log.read_text(errors='replace')[-2000:]}")
        try:
            server.connect().close()
        except psycopg.OperationalError:
            time.sleep(0.05)
        else:
            return
