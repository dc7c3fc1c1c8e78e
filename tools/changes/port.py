"""What the changes tool needs: sources that each know some of what people changed."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from tools.contract import Window


class ChangeKind(StrEnum):
    """What somebody did, those first that act on what runs."""

    DEPLOYMENT = "deployment"
    ACTION = "action"  # a write that sayso carried out
    CONFIG = "config"
    RELEASE = "release"
    MERGE = "merge"


@dataclass(frozen=True, slots=True)
class Occurrence:
    """Something that was changed. `service` and `environment` are `None` where the source cannot tell."""

    at: datetime
    kind: ChangeKind
    title: str
    by: str
    source: str
    service: str | None = None
    environment: str | None = None
    link: str | None = None
    ok: bool = True


@dataclass(frozen=True, slots=True)
class Scope:
    """What is asked about."""

    window: Window
    service: str | None = None
    environment: str | None = None

    def holds(self, one: Occurrence) -> bool:
        """Whether a change is about that; what a source cannot tell leaves nothing out."""
        return (
            self.window.start <= one.at < self.window.end
            and (self.service is None or one.service in {None, self.service})
            and (self.environment is None or one.environment in {None, self.environment})
        )


@dataclass(frozen=True, slots=True)
class Known:
    """What one source knows; `cut` says what it did not look through, `unchecked` what it was refused."""

    occurrences: tuple[Occurrence, ...]
    cut: str | None = None
    unchecked: tuple[str, ...] = ()


class ChangeSource(Protocol):
    """One place where changes are known. Raises `ToolUnavailable`, `ToolFailed`."""

    @property
    def name(self) -> str: ...

    async def changes(self, scope: Scope) -> Known:
        """What was changed in the window, in any order."""
        ...


@dataclass(frozen=True, slots=True)
class Repository:
    """Where the source of a service is: `owner/name`, and the folders whose changes are configuration."""

    path: str
    config: tuple[str, ...] = ()


Repositories = Mapping[str, Repository]  # by service
