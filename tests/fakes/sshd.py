"""A real OpenSSH server for tests: on a free port of loopback, with keys made for it, in a folder that goes away."""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from pwd import getpwuid

from tests.fakes.prometheus import free_port
from tools.commands.ssh import Host

REQUIRED = "TESTS_REQUIRE_SSHD"  # set where a skipped test would be a hole in the check
_STARTED = 30.0  # seconds it may take to start
_CONFIG = """
ListenAddress 127.0.0.1
Port {port}
HostKey {folder}/host
PidFile none
AuthorizedKeysFile {folder}/authorized_keys
PasswordAuthentication no
KbdInteractiveAuthentication no
UsePAM no
StrictModes no
PermitRootLogin prohibit-password
LogLevel VERBOSE
"""


class NoSshd(Exception):
    """There is no OpenSSH server on this machine."""


def program() -> str:
    """Where the server is; it wants to be started by its whole path. Raises `NoSshd`."""
    found = shutil.which("sshd", path=f"{os.environ['PATH']}:/usr/sbin:/usr/local/sbin")
    if found is None or shutil.which("ssh-keygen") is None:
        raise NoSshd("no sshd here: install the package `openssh-server`")
    return found


@dataclass(frozen=True)
class Sshd:
    """One running server. `host` is how it is reached; `folder` holds its keys and its log."""

    folder: Path
    port: int

    @property
    def host(self) -> Host:
        who = getpwuid(os.getuid()).pw_name
        return Host("box", "127.0.0.1", who, self.folder / "id", self.folder / "known_hosts", self.port, 20.0)

    def lists(self, key: str) -> None:
        """Has the client know this key of `folder` as the server's; none for an empty name."""
        known = f"[127.0.0.1]:{self.port} {self._public(key)}\n" if key else ""
        (self.folder / "known_hosts").write_text(known)

    def accepts(self, key: str, options: str = "") -> None:
        """Has the server let in whoever holds this key of `folder`, and nobody else."""
        (self.folder / "authorized_keys").write_text(f"{options} {self._public(key)}\n".lstrip())

    def _public(self, key: str) -> str:
        return " ".join((self.folder / f"{key}.pub").read_text().split()[:2])


@contextmanager
def sshd() -> Iterator[Sshd]:
    """A server that knows its key and ours, for as long as the block lasts. Raises `NoSshd`."""
    server = program()
    with tempfile.TemporaryDirectory(prefix="sshd-") as name:
        folder = Path(name)
        for key in ("host", "id", "other"):
            subprocess.run(
                ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / key)], check=True
            )
        made = Sshd(folder, free_port())
        made.lists("host")
        made.accepts("id")
        (folder / "config").write_text(_CONFIG.format(port=made.port, folder=folder))
        if os.getuid() == 0:  # where its start script would make it
            Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
        with (folder / "log").open("wb") as log:
            running = subprocess.Popen(
                [server, "-D", "-e", "-f", str(folder / "config")], stdin=subprocess.DEVNULL, stderr=log
            )
            try:
                _wait(made, running)
                yield made
            finally:
                running.terminate()
                running.wait(10)


def _wait(made: Sshd, running: "subprocess.Popen[bytes]") -> None:
    until = time.monotonic() + _STARTED
    while time.monotonic() < until and running.poll() is None:
        try:
            with socket.create_connection(("127.0.0.1", made.port), 1):
                return
        except OSError:
            time.sleep(0.02)
    raise RuntimeError(f"sshd did not start: {(made.folder / 'log').read_text()}")
