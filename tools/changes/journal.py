"""Changes that people, or scripts of theirs, note in a file of JSON lines: configuration, mostly."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from tools.changes.port import ChangeKind, Known, Occurrence, Scope
from tools.contract import ToolUnavailable

MOST = 16 * 1024 * 1024  # octets that are read, the newest


class _Note(BaseModel):
    """One line. Fields that a writer adds are passed over."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    at: AwareDatetime
    title: str
    kind: ChangeKind = ChangeKind.CONFIG
    by: str = ""
    service: str | None = None
    environment: str | None = None
    link: str | None = None


class Journal:
    """The lines of one file. One that is not there yet has none; a line that cannot be read is named as unchecked."""

    def __init__(self, file: Path) -> None:
        self._file = file

    @property
    def name(self) -> str:
        return f"journal {self._file.name}"

    async def changes(self, scope: Scope) -> Known:
        return await asyncio.to_thread(self._read, scope)

    def _read(self, scope: Scope) -> Known:
        found, unread = list[Occurrence](), 0
        for line in self._lines():
            try:
                note = _Note.model_validate_json(line)
            except ValidationError:
                unread += 1
                continue
            one = Occurrence(
                at=note.at, kind=note.kind, title=note.title, by=note.by, source=self.name, service=note.service,
                environment=note.environment, link=note.link,
            )  # fmt: skip
            if scope.holds(one):
                found.append(one)
        unchecked = (f"{self.name}: {unread} lines are no change with a time and a title",) if unread else ()
        return Known(tuple(found), unchecked=unchecked)

    def _lines(self) -> Iterator[bytes]:
        try:
            with self._file.open("rb") as file:
                size = file.seek(0, 2)
                file.seek(max(0, size - MOST))
                if size > MOST:
                    file.readline()  # the rest of a line that begins before
                yield from (line for line in file if line.strip())
        except FileNotFoundError:
            return
        except OSError as error:
            raise ToolUnavailable(f"{self._file} cannot be read: {error.strerror}") from error
