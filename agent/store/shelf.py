"""Whole raw results on disk, by the hash of their content."""

import asyncio
import gzip
import hashlib
import os
import re
import tempfile
from pathlib import Path

from agent.store.port import StoreError, StoreFull

HANDLE = re.compile(r"^[0-9a-f]{24}$")


class UnknownHandle(StoreError):
    """No raw result of this handle is kept here."""


class FolderShelf:
    """Implements `agent.conversation.ports.Shelf`: one compressed file a result, readable by its owner alone."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def keep(self, raw: str) -> str:
        """Stores the text (already redacted) and returns its handle. Raises `StoreFull`."""
        return await asyncio.to_thread(self._keep, raw.encode(errors="replace"))  # "?" for half a sign

    async def read(self, handle: str) -> str:
        """The text behind a handle. Raises `UnknownHandle`."""
        return await asyncio.to_thread(self._read, handle)

    def _keep(self, raw: bytes) -> str:
        handle = hashlib.sha256(raw).hexdigest()[:24]
        file = self._file(handle)
        try:
            if file.exists():
                return handle
            file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            # Written aside and renamed, so that a handle never names half a result.
            descriptor, aside = tempfile.mkstemp(dir=file.parent)
            with os.fdopen(descriptor, "wb") as out:
                out.write(gzip.compress(raw, 5, mtime=0))
            Path(aside).replace(file)
        except OSError as error:
            raise StoreFull(f"{file.parent}: a result cannot be kept: {error.strerror}") from error
        return handle

    def _read(self, handle: str) -> str:
        if not HANDLE.match(handle) or not self._file(handle).is_file():
            raise UnknownHandle(f"{handle!r} names no kept result")
        return gzip.decompress(self._file(handle).read_bytes()).decode()

    def _file(self, handle: str) -> Path:
        return self._folder / handle[:2] / f"{handle}.gz"
