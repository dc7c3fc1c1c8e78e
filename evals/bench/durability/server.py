"""A PostgreSQL for benches, with the durability it comes with: nothing is switched off to make it quick."""

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
from pathlib import Path

STARTS = 60.0  # seconds it may take


@contextmanager
def server() -> Iterator[str]:
    """The URL of an empty database, for as long as the block lasts. Raises `FileNotFoundError` without a PostgreSQL."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda file: int(file.parts[4]))
    initdb = str(found[-1]) if found else shutil.which("initdb")
    if initdb is None:
        raise FileNotFoundError("no PostgreSQL here: install the package `postgresql`")
    binaries = Path(initdb).parent
    owner = pwd.getpwnam("postgres").pw_uid if os.geteuid() == 0 else None  # it refuses root
    with tempfile.TemporaryDirectory(prefix="sayso-bench-") as folder, socket.socket() as held:
        if owner is not None:
            os.chown(folder, owner, owner)
        held.bind(("127.0.0.1", 0))
        port = held.getsockname()[1]
        held.close()
        data = f"{folder}/data"
        make = [initdb, "-D", data, "-U", "sayso", "--auth=trust", "-E", "UTF8", "--locale=C"]
        subprocess.run(make, check=True, user=owner, cwd=folder, stdout=subprocess.DEVNULL)
        options = (f"port={port}", "listen_addresses=127.0.0.1", f"unix_socket_directories={folder}")
        command = [str(binaries / "postgres"), "-D", data, *(part for one in options for part in ("-c", one))]
        with (Path(folder) / "log").open("wb") as log:
            process = subprocess.Popen(command, user=owner, cwd=folder, stdout=log, stderr=log)
            try:
                _await(binaries, port)
                yield f"postgresql+psycopg://sayso@127.0.0.1:{port}/postgres"
            finally:
                process.send_signal(signal.SIGINT)
                process.wait(20)


def _await(binaries: Path, port: int) -> None:
    until = time.monotonic() + STARTS
    ready = [str(binaries / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(port)]
    while subprocess.run(ready, check=False).returncode:
        if time.monotonic() > until:
            raise TimeoutError(f"PostgreSQL did not start on port {port}")
        time.sleep(0.05)
