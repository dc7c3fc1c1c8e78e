"""The certificate a service shows to others: when it runs out, and a warning in time."""

import asyncio
import logging
from datetime import UTC, datetime, timedelta
from pathlib import Path

WARN = timedelta(hours=48)
EVERY_SECONDS = 4.0


def file_of(home: Path, environment: str, service: str) -> Path:
    return home / "certificates" / environment / f"{service}.pem"


def expiry(file: Path) -> datetime:
    """The end of a PEM certificate's validity."""
    from cryptography import x509

    return x509.load_pem_x509_certificate(file.read_bytes()).not_valid_after_utc


def issue(file: Path, name: str, until: datetime) -> None:
    """Writes a self-signed certificate that is valid until then. Its key is thrown away: nobody connects with it."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import Encoding
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(until - timedelta(days=90))
        .not_valid_after(until)
        .sign(key, hashes.SHA256())
    )
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    file.write_bytes(made.public_bytes(Encoding.PEM))


async def watch(log: logging.Logger, name: str, ends: datetime) -> None:
    """Warns now and again while the certificate is about to run out."""
    while True:
        left = ends - datetime.now(UTC)
        if left < WARN:
            hours = left / timedelta(hours=1)
            log.warning("certificate of %s expires in %.0f hours, and was not renewed", name, hours)
        await asyncio.sleep(EVERY_SECONDS)
