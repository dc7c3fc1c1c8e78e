"""Documents and incidents as bytes: JSON without what is as usual, deflated with the words they all share."""

import hashlib
import zlib
from functools import cache
from typing import TYPE_CHECKING

from knowledge.port import Document, Incident

if TYPE_CHECKING:
    from pydantic import TypeAdapter

# What nearly every value has, the most frequent last (RFC 1950, 2.2): a short page is a third smaller for it.
_SHARED = (
    b'"standing":"superseded","superseded_by":"standing":"obsolete","reactions":"solves":"pinned":true,"people":["'
    b'"services":["severity":"began":"ended":"symptom":["cause":["fix":["headings":["https://.slack.com/archives/'
    b'"kind":"chat","kind":"page","title":"","text":"","place":"","parts":[{"start":0,"end":'
    b',"headings":[],"author":"","date":"2026-01-01T00:00:00Z","link":"https://"},{"start":'
)
_RAW = -15  # deflate without a header: https://docs.python.org/3/library/zlib.html#zlib.compressobj


def pack(document: Document) -> bytes:
    """A document as it is kept."""
    return _deflated(_document_json(document))


def unpack(kept: bytes) -> Document:
    """The document that was packed."""
    return _documents().validate_json(_inflated(kept))


def pack_incident(incident: Incident) -> bytes:
    """What is known of an incident, as it is kept."""
    return _deflated(_incidents().dump_json(incident, exclude_defaults=True))


def unpack_incident(kept: bytes) -> Incident:
    """The incident that was packed."""
    return _incidents().validate_json(_inflated(kept))


def fingerprint(document: Document) -> str:
    """The hash of all that is kept of a document: the same hash, the same chunks."""
    return hashlib.blake2b(_document_json(document), digest_size=16).hexdigest()


def tags_of(document: Document) -> list[str]:
    """What a question may narrow by: services and people, in lower case, each once."""
    services = [f"service={service.lower()}" for service in document.services]
    return sorted({*services, *(f"person={person.lower()}" for person in document.people)})


def _document_json(document: Document) -> bytes:
    return _documents().dump_json(document, exclude_defaults=True)


def _deflated(value: bytes) -> bytes:
    packer = zlib.compressobj(wbits=_RAW, zdict=_SHARED)
    return packer.compress(value) + packer.flush()


def _inflated(kept: bytes) -> bytes:
    unpacker = zlib.decompressobj(wbits=_RAW, zdict=_SHARED)
    return unpacker.decompress(kept) + unpacker.flush()


@cache
def _documents() -> "TypeAdapter[Document]":
    from pydantic import TypeAdapter

    return TypeAdapter(Document)


@cache
def _incidents() -> "TypeAdapter[Incident]":
    from pydantic import TypeAdapter

    return TypeAdapter(Incident)
