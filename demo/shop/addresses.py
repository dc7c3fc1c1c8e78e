"""Where the instances of each service listen: one small file that the supervisor writes and everybody reads."""

import itertools
import json
import os
from collections import defaultdict
from pathlib import Path

FILE = "addresses.json"


class NobodyListens(Exception):
    """No instance of the service is running."""


def write(home: Path, ports: dict[str, dict[str, list[int]]]) -> None:
    """Environment -> service -> ports; readers see the old list or the new one, never half."""
    aside = home / f"{FILE}.{os.getpid()}"
    aside.write_text(json.dumps(ports), encoding="utf-8")
    aside.replace(home / FILE)


class Addresses:
    """Deals out the instances of a service in turn; notices when the supervisor changed the list."""

    def __init__(self, home: Path, environment: str) -> None:
        self._file, self._environment = home / FILE, environment
        self._read_at = 0
        self._ports: dict[str, list[int]] = {}
        # A turn for each service: one for all would always meet the same instance when calls alternate.
        self._turns: defaultdict[str, itertools.count[int]] = defaultdict(itertools.count)

    def url(self, service: str) -> str:
        """The base URL of the next instance. Raises `NobodyListens`."""
        changed = self._file.stat().st_mtime_ns if self._file.exists() else 0
        if changed != self._read_at:
            self._ports = json.loads(self._file.read_text(encoding="utf-8")).get(self._environment, {})
            self._read_at = changed
        ports = self._ports.get(service, [])
        if not ports:
            raise NobodyListens(f"no instance of {service} in {self._environment}")
        return f"http://127.0.0.1:{ports[next(self._turns[service]) % len(ports)]}"
