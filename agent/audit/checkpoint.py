"""A signed checkpoint: this store had this row with this hash at this time, and a key outside the store says so.

Errors::

    NoCheckpoint      a line that should be a checkpoint and is none
"""

import base64
import binascii
import json
from dataclasses import dataclass
from datetime import UTC, datetime

from tools.contract import Json


class NoCheckpoint(ValueError):
    """The line is no checkpoint; the message says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What is signed, and the signature over it. `key` is the fingerprint of the key it was made with."""

    store: str
    seq: int
    hash: str
    at: datetime
    key: str
    signature: bytes = b""

    @property
    def message(self) -> bytes:
        """The bytes that are signed: canonical JSON, with a word that no other use of the key has."""
        said = {**self._plain(), "purpose": "sayso audit checkpoint"}
        return json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()

    def line(self) -> str:
        """One line of JSON, for the store and for the file."""
        signature = base64.b64encode(self.signature).decode()
        return json.dumps({**self._plain(), "signature": signature}, ensure_ascii=False)

    def _plain(self) -> dict[str, Json]:
        at = self.at.astimezone(UTC).isoformat(timespec="microseconds")
        return {
            "format": 1,
            "store": self.store,
            "seq": self.seq,
            "hash": self.hash,
            "at": at,
            "key": self.key,
        }

    @classmethod
    def of(cls, line: str) -> "Checkpoint":
        """The checkpoint in a line. Raises `NoCheckpoint`."""
        try:
            said = json.loads(line)
            seq = int(said["seq"])
            signature = base64.b64decode(str(said["signature"]), validate=True)
            at = datetime.fromisoformat(str(said["at"]))
            return cls(str(said["store"]), seq, str(said["hash"]), at, str(said["key"]), signature)
        except (ValueError, KeyError, TypeError, RecursionError, binascii.Error) as error:
            raise NoCheckpoint(f"it cannot be read ({type(error).__name__})") from error
