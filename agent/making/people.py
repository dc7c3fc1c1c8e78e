"""The people of the settings, and who of them may read what."""

from collections.abc import Sequence

from agent.people.person import Person
from agent.settings import Settings


def people_of(settings: Settings) -> tuple[Person, ...]:
    """Everybody in the settings."""
    return tuple(_person(id_, settings) for id_ in settings.people)


def _person(id_: str, settings: Settings) -> Person:
    person = settings.people[id_]
    return Person(
        id_,
        person.name,
        frozenset(person.roles),
        person.email.lower() if person.email else None,
        person.language,
        {"slack": person.slack} if person.slack else {},
        person.team or "",
    )


def keys_of(members: Sequence[str]) -> frozenset[str]:
    """The identity keys of people (`maya`) and roles (`role:sre`) that may read something."""
    return frozenset(name if name.startswith("role:") else f"person:{name}" for name in members)
