"""The one right to write a library, held by one process at a time and asked for wherever something is written."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from knowledge.port import WriterBusy

if TYPE_CHECKING:
    from filelock import BaseFileLock


class WriteLock:
    """Proof that this process may write below a folder. The operating system frees the lock of a dead one."""

    def __init__(self, folder: Path) -> None:
        from filelock import FileLock

        self._folder = folder.resolve()
        self._lock: BaseFileLock = FileLock(folder / "writer.lock", blocking=False, thread_local=False)

    def acquire(self) -> None:
        """Takes the lock. Raises `WriterBusy` at once when somebody has it."""
        from filelock import Timeout

        try:
            self._lock.acquire()
        except Timeout as error:
            raise WriterBusy(
                f"another process is writing the library in {str(self._folder)!r}; try again when it is done",
                folder=str(self._folder),
            ) from error

    def release(self) -> None:
        """Lets somebody else write."""
        self._lock.release()

    def check(self, folder: Path) -> None:
        """Refuses a folder that this lock does not cover, or that is not locked. Raises `WriterBusy`."""
        if not self._lock.is_locked or not folder.resolve().is_relative_to(self._folder):
            raise WriterBusy(
                f"{str(folder)!r} may be written only by the process that holds its library's lock",
                folder=str(folder),
            )


@asynccontextmanager
async def sole_writer(folder: Path) -> AsyncIterator[WriteLock]:
    """The right to write the library in a folder, for as long as the block lasts. Raises `WriterBusy` at once."""
    lock = WriteLock(folder)
    lock.acquire()
    try:
        yield lock
    finally:
        lock.release()
