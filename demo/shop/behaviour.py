"""What differs in how releases behave: switches of real code paths, set in `releases.yaml`."""

from collections.abc import Iterable
from dataclasses import dataclass, fields


@dataclass(frozen=True, slots=True)
class Behaviour:
    """Switches that a release is built with. Plain, because every process of the shop loads it as it starts."""

    __pydantic_config__ = {"extra": "forbid"}  # noqa: RUF012 - pydantic reads it so, from `releases.yaml`

    retry_keeps_connection: bool = False  # the retry path returns without giving its first connection back
    wants_cdn: bool = False  # is not healthy before a CDN address is configured
    compact_totals: bool = False  # harmless: another shape of the total
    keeps_pictures: bool = False  # every picture that was made stays in memory
    slow_prices: bool = False  # reads the prices of all variants one by one

    @classmethod
    def of(cls, switched_on: Iterable[str]) -> "Behaviour":
        """The behaviour with these switches on. Raises `TypeError` for a switch there is not."""
        return cls(**dict.fromkeys(switched_on, True))

    def switched_on(self) -> tuple[str, ...]:
        return tuple(field.name for field in fields(self) if getattr(self, field.name))
