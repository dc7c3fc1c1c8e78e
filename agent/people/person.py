"""People: who may talk to sayso, what they are called elsewhere, and which roles they have.

Errors::

    UnknownPerson     nobody of this id or platform identity; names the nearest
"""

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field


class UnknownPerson(Exception):
    """Nobody of this id or identity is in the settings."""

    def __init__(self, named: str, known: Iterable[str]) -> None:
        self.named, self.nearest = named, tuple(difflib.get_close_matches(named, list(known), n=2))
        hint = f"; did you mean {' or '.join(self.nearest)}?" if self.nearest else ""
        super().__init__(f"{named!r} is not among the people in the settings{hint}")


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody in the settings. `identities` maps a platform to the person's id there (`slack` -> `U012`)."""

    id: str
    name: str
    roles: frozenset[str] = frozenset()
    email: str | None = None
    language: str | None = None
    identities: Mapping[str, str] = field(default_factory=dict)
    team: str = ""

    @property
    def keys(self) -> frozenset[str]:
        """The keys that memberships elsewhere know this person by: `slack:U012`, `email:a@b.example`."""
        keys = {f"{platform}:{identity}" for platform, identity in self.identities.items()}
        return frozenset(keys | ({f"email:{self.email}"} if self.email else set()))


class Directory:
    """All people, by id and by platform identity. Unknown means refused: nobody is a guest."""

    def __init__(self, people: Iterable[Person]) -> None:
        self._people = {person.id: person for person in people}
        self._identities = {
            (platform, identity): person
            for person in self._people.values()
            for platform, identity in person.identities.items()
        }

    def get(self, id_: str) -> Person:
        """The person of this id. Raises `UnknownPerson`."""
        try:
            return self._people[id_]
        except KeyError:
            raise UnknownPerson(id_, self._people) from None

    def by_identity(self, platform: str, identity: str) -> Person:
        """The person behind a platform's user id. Raises `UnknownPerson`."""
        try:
            return self._identities[platform, identity]
        except KeyError:
            raise UnknownPerson(f"{platform}:{identity}", ()) from None

    def roles(self, id_: str) -> frozenset[str]:
        """The roles this person has now; somebody who left the settings has none."""
        person = self._people.get(id_)
        return person.roles if person else frozenset()

    def team(self, id_: str) -> str:
        """The team of this person now; empty for somebody who has none, or left."""
        person = self._people.get(id_)
        return person.team if person else ""

    def everybody(self) -> tuple[Person, ...]:
        return tuple(self._people.values())
