"""Whether the indexes in a folder are those that the catalogue speaks of, when that is kept on a server.

The word index and the scan are files: they mean what the catalogue says only in the folder that the writer wrote, or
on a volume that is shared with it. So that folder has a note in it of the library and of the generation that is about
to be. A note that is missing, of another library or older than the catalogue is that of another folder, or of a copy.
"""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from knowledge.port import IndexDamaged

if TYPE_CHECKING:
    from knowledge.catalogue import Catalogue

NOTE = "belongs.json"
_OF_A_FILE = "catalogue.db"


@dataclass(frozen=True, slots=True)
class _Note:
    library: str
    generation: int


class Belonging:
    """One folder, and the catalogue it should belong to."""

    def __init__(self, folder: Path, catalogue: "Catalogue") -> None:
        self._folder, self._catalogue = folder, catalogue

    def check(self, generation: int) -> None:
        """Refuses a folder that a catalogue at this generation does not speak of. Raises `IndexDamaged`."""
        note = self._read()
        if not self._catalogue.elsewhere:
            if note is not None:
                self._refuse(
                    "holds the indexes of a library in PostgreSQL, and `knowledge.database` is not set"
                )
        elif not self._catalogue.claimed():
            if (self._folder / _OF_A_FILE).exists() or note not in (None, self._new()):
                self._refuse(f"holds the indexes of another library than {self._catalogue.name!r}")
        elif note is None or note.library != self._catalogue.library():
            self._refuse(f"is not the one that the library in {self._catalogue.name!r} was written with")
        elif note.generation < generation:
            self._refuse(f"is older than the library in {self._catalogue.name!r}: a copy of it, perhaps")

    def claim(self) -> None:
        """Makes this folder the one and only. The caller holds the right to write. Raises `IndexDamaged`."""
        generation = self._catalogue.generation()
        self.check(generation)
        if not self._catalogue.elsewhere:
            return
        if not self._catalogue.claimed():
            self._write(self._new())
            self._catalogue.claim()
        elif (note := self._read()) is not None and note.generation > generation:
            # A writer was killed in between: no copy of what it left may pass for what comes next.
            self._catalogue.turned_to(note.generation)

    def about_to_be(self, generation: int) -> None:
        """Notes the generation that the catalogue is about to turn to."""
        if self._catalogue.elsewhere:
            self._write(_Note(self._catalogue.library(), generation))

    def _new(self) -> _Note:
        return _Note(self._catalogue.library(), 0)

    def _read(self) -> _Note | None:
        try:
            held = json.loads((self._folder / NOTE).read_text(encoding="utf-8"))
            return _Note(str(held["library"]), int(held["generation"]))
        except FileNotFoundError:
            return None
        except (ValueError, KeyError, TypeError):
            return _Note("", 0)

    def _write(self, note: _Note) -> None:
        beside = self._folder / f"{NOTE}.new"
        with beside.open("w", encoding="utf-8") as file:
            json.dump({"library": note.library, "generation": note.generation}, file)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(self._folder / NOTE)
        # Else a power cut could bring the old note back, beside a catalogue that has gone on elsewhere.
        folder = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def _refuse(self, why: str) -> None:
        raise IndexDamaged(
            f"the folder {str(self._folder)!r} {why}; use the folder that its writer uses (on a shared volume), "
            "or rebuild the library with `sayso ingest --rebuild`",
            folder=str(self._folder),
        )
