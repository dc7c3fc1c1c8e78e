"""Flags that live in memory: for tests and benchmarks, kept by the contract of the real ones."""

from collections.abc import Mapping

from tools.contract import BadArguments
from tools.flags.port import Flag

VALUES = ("on", "off")


class MemoryFlags:
    """Values by flag and environment."""

    def __init__(self, values: Mapping[tuple[str, str], str]) -> None:
        self._values = dict(values)

    @property
    def name(self) -> str:
        return "flags in memory"

    async def get(self, flag: str, environment: str) -> Flag | None:
        value = self._values.get((flag, environment))
        return None if value is None else Flag(flag, environment, value, VALUES)

    async def set(self, flag: str, environment: str, value: str) -> None:
        if value not in VALUES or (flag, environment) not in self._values:
            raise BadArguments(f"{flag} cannot be {value} in {environment}", field="value", value=value)
        self._values[flag, environment] = value
