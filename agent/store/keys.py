"""Ed25519 keys in PEM files, and the file of checkpoints: what vouches for the trail from outside the store.

Errors::

    KeyMissing        the file is not there although something was signed with it, or it holds no such key
"""

import contextlib
import hashlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from agent.audit.checkpoint import Checkpoint, NoCheckpoint
from agent.home import make_private

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

TAIL = 4096  # bytes at the end of the file of checkpoints in which the last line lies
HEADER = "-----BEGIN PUBLIC KEY-----"


class KeyMissing(Exception):
    """There is no key where one should be; the message says what to do."""


class PrivateKey:
    """Implements `agent.audit.ports.Signer`."""

    def __init__(self, key: "Ed25519PrivateKey") -> None:
        self._key = key
        self.fingerprint = fingerprint(key.public_key())

    @classmethod
    def load(cls, file: Path, *, make: bool = False) -> "PrivateKey":
        """The key in a file; with `make`, one is made where there is none. Raises `KeyMissing`, `OSError`."""
        from cryptography.exceptions import UnsupportedAlgorithm
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
        from cryptography.hazmat.primitives.serialization import load_pem_private_key

        if make and not file.exists():
            _make(file)
        try:
            key = load_pem_private_key(file.read_bytes(), password=None)
        except FileNotFoundError as error:
            raise KeyMissing(
                f"{file}: the key of the audit trail is not there, and the trail was signed with it before; bring it "
                "back, or say where it is as `audit.key`"
            ) from error
        except (ValueError, TypeError, UnsupportedAlgorithm) as error:
            raise KeyMissing(f"{file} holds no private key that can be read: {error}") from error
        if not isinstance(key, Ed25519PrivateKey):
            raise KeyMissing(f"{file} holds a key of another kind; it should be an Ed25519 private key")
        return cls(key)

    def sign(self, message: bytes) -> bytes:
        return self._key.sign(message)

    def public(self) -> str:
        """The public key as PEM text."""
        from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

        return self._key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


class PublicKeys:
    """Implements `agent.audit.ports.Keys`, with the keys of PEM texts."""

    def __init__(self, *texts: str) -> None:
        """Each text may hold several public keys, one after the other. Raises `KeyMissing`."""
        found = [_public(HEADER + part) for text in texts for part in text.split(HEADER)[1:]]
        if len(found) < len(texts):
            raise KeyMissing(
                "there is no public key in it; `sayso audit key` prints one, which starts with " + HEADER
            )
        self._keys = {fingerprint(key): key for key in found}

    def signed(self, fingerprint: str, message: bytes, signature: bytes) -> bool | None:
        from cryptography.exceptions import InvalidSignature

        key = self._keys.get(fingerprint)
        if key is None:
            return None
        try:
            key.verify(signature, message)
        except InvalidSignature:
            return False
        return True


class Seal:
    """Where a home's key and its file of checkpoints are."""

    def __init__(self, key: Path, checkpoints: Path) -> None:
        self.key, self.book = key, CheckpointFile(checkpoints)

    def signer(self, fresh: bool) -> PrivateKey:
        """The private key; made for a `fresh` trail that was never signed. Raises `KeyMissing`, `OSError`."""
        return PrivateKey.load(self.key, make=fresh)

    def public(self) -> tuple[str, ...]:
        """The public key as PEM text; none where there is no private key to derive it from. Raises `KeyMissing`."""
        return (PrivateKey.load(self.key).public(),) if self.key.exists() else ()


class CheckpointFile:
    """Implements `agent.audit.ports.Book`: a file of lines, private, that is only ever added to."""

    def __init__(self, file: Path) -> None:
        self._file = file

    @property
    def name(self) -> str:
        return str(self._file)

    def append(self, line: str) -> None:
        """Adds a line, unless one of the same store and a row as late is there. Raises `OSError`."""
        from filelock import FileLock

        _private_parent(self._file)
        # Two processes may have signed at the same time: the lines stay in the order of their rows.
        with FileLock(f"{self._file}.lock", mode=0o600):
            if self._is_behind(line):
                return
            self._drop_torn_end()
            descriptor = os.open(self._file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            with os.fdopen(descriptor, "ab") as out:
                out.write(f"{line}\n".encode())
                out.flush()
                os.fsync(out.fileno())

    def _is_behind(self, line: str) -> bool:
        """Whether a checkpoint of the same store and a row as late is there already."""
        try:
            new, last = Checkpoint.of(line), Checkpoint.of(self.last() or "")
        except NoCheckpoint:
            return False
        return new.store == last.store and new.seq <= last.seq

    def _drop_torn_end(self) -> None:
        """Takes away what stands behind the last whole line: it was being written when the power went."""
        if not self._file.exists():
            return
        with self._file.open("rb") as file:
            start = max(0, file.seek(0, os.SEEK_END) - TAIL)
            file.seek(start)
            rest = file.read()
        if not rest.endswith(b"\n"):
            os.truncate(self._file, start + rest.rfind(b"\n") + 1)

    def last(self) -> str | None:
        """The last whole line. Raises `OSError`."""
        try:
            with self._file.open("rb") as file:
                file.seek(max(0, file.seek(0, os.SEEK_END) - TAIL))
                lines = file.read().decode(errors="replace").splitlines(keepends=True)
        except FileNotFoundError:
            return None
        return next((line.strip() for line in reversed(lines) if line.endswith("\n")), None)

    def lines(self) -> Iterator[str]:
        """Every whole line; none where there is no file yet. Raises `OSError`."""
        if self._file.exists():
            with self._file.open(encoding="utf-8", errors="replace") as file:
                yield from (line for line in file if line.endswith("\n"))


def fingerprint(key: "Ed25519PublicKey") -> str:
    """The start of the SHA-256 of the raw public key: enough to tell keys apart."""
    return hashlib.sha256(key.public_bytes_raw()).hexdigest()[:16]


def _public(text: str) -> "Ed25519PublicKey":
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    try:
        key = load_pem_public_key(text.encode())
    except (ValueError, UnsupportedAlgorithm) as error:
        raise KeyMissing(f"a public key cannot be read: {error}") from error
    if not isinstance(key, Ed25519PublicKey):
        raise KeyMissing("a public key is of another kind; it should be Ed25519")
    return key


def _make(file: Path) -> None:
    """A new key, whole from its first moment; the one that is there when another process was faster."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    text = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    _private_parent(file)
    descriptor, aside = tempfile.mkstemp(dir=file.parent)  # readable by its owner alone
    try:
        with os.fdopen(descriptor, "wb") as out:
            out.write(text)
            out.flush()
            os.fsync(out.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(aside, file)
    finally:
        Path(aside).unlink()


def _private_parent(file: Path) -> None:
    """The folder is made private where it is made; one that is there is its owner's business."""
    if not file.parent.exists():
        make_private(file.parent)
