"""What goes wrong in the knowledge room.

Errors of this room, by who should act::

    KnowledgeError
    ├── SourceFailed        the person who configured the source: the folder or archive cannot be read at all
    ├── EmbedderUnavailable whoever runs it: no embedding model on this machine, or the endpoint refuses
    ├── EmbedderMismatch    whoever runs it: the index was made with another model, and must be made again
    ├── WriterBusy          nobody: another process is writing this library now
    ├── RecordUnavailable   whoever runs it: the Chroma server of the settings does not answer
    ├── DatabaseUnavailable whoever runs it: the PostgreSQL of the settings does not answer, or its driver is missing
    └── IndexDamaged        whoever runs it: the files of the index are unreadable, and must be made again
        ├── LibraryOutdated an ingestion: it was made by another version of sayso, and is made again
        └── RecordDamaged   the next ingestion: a kill left Chroma's folder unreadable, and it is filled again
"""

from collections.abc import Mapping


class KnowledgeError(Exception):
    """Something in the knowledge room went wrong; the message says what would be right."""

    code = "knowledge"

    def __init__(self, message: str, **fields: str) -> None:
        super().__init__(message)
        self.fields: Mapping[str, str] = fields


class SourceFailed(KnowledgeError):
    """A source cannot be read at all."""

    code = "source_failed"


class EmbedderUnavailable(KnowledgeError):
    """There is no embedding model here, or it does not answer."""

    code = "embedder_unavailable"


class EmbedderMismatch(KnowledgeError):
    """The index was made with another embedding model than the one in use."""

    code = "embedder_mismatch"


class WriterBusy(KnowledgeError):
    """Another process holds the one right to write this library."""

    code = "writer_busy"


class RecordUnavailable(KnowledgeError):
    """The Chroma server does not answer."""

    code = "record_unavailable"


class DatabaseUnavailable(KnowledgeError):
    """The PostgreSQL server does not answer, or there is no driver for it."""

    code = "database_unavailable"


class IndexDamaged(KnowledgeError):
    """The files of an index cannot be read."""

    code = "index_damaged"


class LibraryOutdated(IndexDamaged):
    """The library was made by another version."""

    code = "library_outdated"


class RecordDamaged(IndexDamaged):
    """Chroma cannot read its own folder any more."""

    code = "record_damaged"
