"""What may change while a service runs: its configuration, and what the world around it does; one small file each."""

import json
import os
from collections.abc import Mapping
from pathlib import Path

CONFIG = "config.json"  # environment -> service -> key -> value, as people set it
CONDITIONS = (
    "conditions.json"  # the same shape, as the world is: a slow provider, a wrong clock, a small disk
)

Values = Mapping[str, str | float]
Tree = Mapping[str, Mapping[str, Values]]


def write(home: Path, file: str, tree: Tree) -> None:
    """Readers see the old values or the new ones, never half."""
    aside = home / f"{file}.{os.getpid()}"
    aside.write_text(json.dumps(tree), encoding="utf-8")
    aside.replace(home / file)


class Live:
    """The values of one service, read again when the file changed. Without a file everything is as usual."""

    def __init__(self, home: Path, file: str, environment: str, service: str) -> None:
        self._file, self._environment, self._service = home / file, environment, service
        self._read_at = 0
        self._values: Values = {}

    def number(self, name: str, usual: float) -> float:
        return float(self._now().get(name, usual))

    def text(self, name: str, usual: str) -> str:
        return str(self._now().get(name, usual))

    def _now(self) -> Values:
        try:
            changed = self._file.stat().st_mtime_ns
        except FileNotFoundError:
            return {}
        if changed != self._read_at:
            tree: Tree = json.loads(self._file.read_text(encoding="utf-8"))
            self._values = tree.get(self._environment, {}).get(self._service, {})
            self._read_at = changed
        return self._values
