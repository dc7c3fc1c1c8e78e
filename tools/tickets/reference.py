"""Which ticket a call is about: by its key, by its number beside a service, or by sayso's mark of it."""

from dataclasses import dataclass

from tools.contract import BadArguments
from tools.tickets.port import Place, Places, Ticket, TicketStore, place_of
from tools.tickets.wording import is_mark


@dataclass(frozen=True, slots=True)
class Aim:
    """A store with the places in it that may be used; no ticket elsewhere is read or changed."""

    store: TicketStore
    places: Places

    async def find(self, said: str, service: str | None) -> Ticket:
        """Raises `BadArguments` for a key that is none, stands for nothing, or is of a project that is not declared."""
        place = place_of(self.places, service) if service is not None else self._only()
        ticket = await self._marked(said, place) if is_mark(said) else await self._keyed(said, place)
        if ticket is None:
            raise BadArguments(f"ticket = {said!r}: there is none", field="ticket", value=said)
        return ticket

    async def _keyed(self, said: str, place: Place | None) -> Ticket | None:
        key = self.store.key(said, place)
        allowed = {each.project for each in self.places.values()} if place is None else {place.project}
        project = self.store.project(key)
        if project not in allowed:
            raise BadArguments(
                f"ticket = {said!r}: {project} is not among the projects that may be used here: "
                f"{', '.join(sorted(allowed)) or 'none is declared'}",
                field="ticket",
                value=said,
                nearest=tuple(sorted(allowed)),
            )
        found = await self.store.get(key)
        if found is not None and (moved := self.store.project(found.key)) not in allowed:
            raise BadArguments(
                f"ticket = {said!r} was moved to {moved}, which is not among the projects that may be used here",
                field="ticket",
                value=said,
            )
        return found

    async def _marked(self, mark: str, place: Place | None) -> Ticket | None:
        for each in [place] if place is not None else self.places.values():
            if (found := await self.store.marked(each, mark)) is not None:
                return found
        return None

    def _only(self) -> Place | None:
        """The place that is meant where there is but one project."""
        projects = {each.project: each for each in self.places.values()}
        return next(iter(projects.values())) if len(projects) == 1 else None
