"""What the library holds: places, documents and chunks, in a SQLite file or in PostgreSQL."""

from knowledge.catalogue.catalogue import Catalogue
from knowledge.catalogue.database import Database, SqliteFile
from knowledge.catalogue.packing import fingerprint
from knowledge.catalogue.values import Known, Scanned, Shelved

__all__ = ["Catalogue", "Database", "Known", "Scanned", "Shelved", "SqliteFile", "fingerprint"]
