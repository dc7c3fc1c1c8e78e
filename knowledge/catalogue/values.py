"""What the catalogue answers with: light values, so that the scan may name them without loading a database."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Known:
    """What the catalogue knows of a document without reading it."""

    fingerprint: str
    embedder: str  # "" when its chunks have no vectors


@dataclass(frozen=True, slots=True)
class Shelved:
    """Where a chunk stands: enough to judge and group a hit. `row` is its vector's in the scan, if it has one."""

    chunk: str
    document: str
    place: str
    row: int | None
    start: int
    end: int
    context: str
    language: str


@dataclass(frozen=True, slots=True)
class Scanned:
    """Which files hold the vectors to scan, and how many of their rows count."""

    epoch: int
    rows: int
