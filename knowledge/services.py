"""The services a question names: what is told of another one is no answer, however alike the two are told of."""

import re
from collections.abc import Iterable
from collections.abc import Set as AbstractSet

from knowledge.port import Document

_WORD = re.compile(r"[^\W_][\w-]*")


def services_in(question: str, documents: Iterable[Document]) -> frozenset[str]:
    """The services of these documents that a question names, in lower case."""
    known = {service.lower() for document in documents for service in document.services}
    return frozenset(known.intersection(_WORD.findall(question.lower())))


def is_elsewhere(asked: AbstractSet[str], document: Document, text: str) -> bool:
    """Whether services were asked about, and a passage neither names one of them nor is of a document about one."""
    if not asked or not asked.isdisjoint(service.lower() for service in document.services):
        return False
    said = f"{document.title}\n{text}".lower()
    return not any(service in said for service in asked)
