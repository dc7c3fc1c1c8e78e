"""Where versions that may be deployed are known from, beside what has run: a file that whoever builds them writes."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Protocol

import yaml
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from tools.contract import ToolUnavailable
from tools.deploy.port import Release
from tools.deploy.target import order_of


class ReleaseSource(Protocol):
    """Something that knows releases."""

    async def releases(self, service: str) -> tuple[Release, ...]:
        """The releases of a service, in any order; none for a service it does not know. Raises `ToolUnavailable`."""
        ...


class _Written(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)
    version: str
    released_at: datetime | None = None
    notes: str = ""


_FILE = TypeAdapter(Mapping[str, tuple[_Written, ...]])


class ReleasesFile:
    """A YAML file: `payments: [{version: 2.3.9, released_at: ..., notes: ...}]`, read each time."""

    def __init__(self, file: Path) -> None:
        self._file = file

    async def releases(self, service: str) -> tuple[Release, ...]:
        try:
            written = _FILE.validate_python(yaml.safe_load(self._file.read_text(encoding="utf-8")) or {})
        except (OSError, UnicodeDecodeError, yaml.YAMLError, ValidationError) as error:
            raise ToolUnavailable(f"the releases in {self._file} cannot be read: {error}") from error
        return tuple(Release(each.version, each.released_at, each.notes) for each in written.get(service, ()))


def together(seen: Mapping[str, datetime | None], written: Iterable[Release]) -> tuple[Release, ...]:
    """What ran and what is written down as one list, newest first; what is written says more."""
    known = {version: Release(version, at) for version, at in seen.items()}
    known |= {each.version: each for each in written}
    return tuple(sorted(known.values(), key=lambda each: order_of(each.version), reverse=True))
