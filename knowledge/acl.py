"""Who may read which place, as membership stands at the moment of the question."""

from collections.abc import Iterable

from knowledge.port import Place, Reader


def may_read(place: Place, reader: Reader) -> bool:
    """A public place is everybody's; a private one is its members', by any of the reader's identity keys."""
    if place.closed:
        return False
    if place.public and not place.barred.isdisjoint(reader.identities):
        return False
    return place.public or not place.members.isdisjoint(reader.identities)


def readable(places: Iterable[Place], reader: Reader) -> frozenset[str]:
    """The ids of the places this reader may read now."""
    return frozenset(place.id for place in places if may_read(place, reader))


def named(places: Iterable[Place], channel: str) -> frozenset[str]:
    """The ids of places called so: `payments`, `#payments`, or the id itself."""
    wanted = channel.removeprefix("#").lower()
    return frozenset(
        place.id for place in places if channel == place.id or wanted == place.name.removeprefix("#").lower()
    )
