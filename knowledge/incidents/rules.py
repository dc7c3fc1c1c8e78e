"""Finds the past incident in a document by rules alone: quotes of what is written, and nothing where it is not."""

import re
from collections.abc import Collection
from dataclasses import replace

from knowledge.incidents.pages import page_incident
from knowledge.incidents.threads import thread_incident
from knowledge.port import Document, Incident, Kind

_LONGEST = 200_000  # characters; nobody writes a report that long


class Rules:
    """A `Structurer` that needs no model. `services` are the names that count as services where they are mentioned."""

    def __init__(self, services: Collection[str] = ()) -> None:
        self._services = tuple(services)

    async def structure(self, document: Document) -> Incident | None:
        """The incident the document tells of, as `incident_of` finds it."""
        return incident_of(document, self._services)

    def with_services(self, document: Document, found: Incident) -> Incident:
        """The incident with the document's own services, else those that its title or what is quoted of it names."""
        return _with_services(document, found, self._services)


def incident_of(document: Document, services: Collection[str] = ()) -> Incident | None:
    """The incident a report or a thread tells of, or None when it tells of none.

    Its services are the document's own, else those of `services` that its title or what is quoted of it names.
    """
    if len(document.text) > _LONGEST:
        return None
    found = page_incident(document) if document.kind is Kind.PAGE else thread_incident(document)
    if found is None:
        return None
    return _with_services(document, found, services)


def _with_services(document: Document, found: Incident, services: Collection[str]) -> Incident:
    return replace(found, services=document.services or _named(document, found, services))


def _named(document: Document, found: Incident, services: Collection[str]) -> tuple[str, ...]:
    quoted = (document.text[at[0] : at[1]] for at in (found.symptom, found.cause, found.fix) if at)
    told = " ".join((document.title, *quoted)).lower()
    return tuple(one for one in services if re.search(rf"(?<![\w-]){re.escape(one.lower())}(?![\w-])", told))
