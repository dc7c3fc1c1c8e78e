"""The shop as the tools' tests know it: its names, its clock, its platform, a grant, an asker."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from tools.contract import Asker, GrantRefused, Json
from tools.deploy.memory import MemoryPlatform
from tools.deploy.port import Release, Running
from tools.vocabulary import Vocabulary

NOW = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)  # a Monday
MAYA = Asker("maya", frozenset({"engineer"}))
INES = Asker("ines", frozenset({"product"}), "fr")
WORDS = Vocabulary(
    services={"payments": ("pay", "paiement"), "checkout": ("caisse",), "catalog": ()},
    environments={"production": ("prod", "live"), "staging": ("stg",)},
    zone=ZoneInfo("Europe/Paris"),
)


def now() -> datetime:
    return NOW


def running(service: str = "payments", version: str = "2.4.0", **changes: object) -> Running:
    values: dict[str, object] = {
        "service": service,
        "environment": "production",
        "version": version,
        "previous_version": "2.3.9",
        "replicas": 2,
        "healthy_replicas": 2,
        "since": NOW - timedelta(hours=1),
        **changes,
    }
    return Running(**values)  # type: ignore[arg-type]  # the tests give what fits


RELEASES = (
    ("payments", Release("2.4.0", NOW - timedelta(days=1), "retries keep the customer's place in the queue")),
    ("payments", Release("2.3.9", NOW - timedelta(days=11), "clearer refund messages")),
    ("payments", Release("2.3.8", NOW - timedelta(days=30), "")),
    ("checkout", Release("1.9.0", NOW - timedelta(days=2), "a shorter form")),
    ("checkout", Release("1.8.2", NOW - timedelta(days=20), "")),
)


def shop_platform(*, broken: frozenset[str] = frozenset(), **changes: object) -> MemoryPlatform:
    """payments 2.4.0 and checkout 1.8.2 in production, payments 2.3.9 in staging."""
    return MemoryPlatform(
        (
            running(**changes),  # type: ignore[arg-type]  # the tests give what fits
            running("checkout", "1.8.2", previous_version=None),
            running(
                version="2.3.9",
                environment="staging",
                previous_version="2.3.8",
                replicas=1,
                healthy_replicas=1,
            ),
        ),
        RELEASES,
        now,
        broken,
    )


@dataclass
class OneGrant:
    """A grant that may be spent once, and remembers for what."""

    action: str = "A-17"
    approved_by: tuple[str, ...] = ("sam", "tom")
    spent: list[tuple[str, Mapping[str, Json]]] = field(default_factory=list)

    def spend(self, tool: str, arguments: Mapping[str, Json]) -> None:
        if self.spent:
            raise GrantRefused("spent already")
        self.spent.append((tool, arguments))


class NoGrant:
    """A grant that stands for something else."""

    action = "A-18"
    approved_by = ()

    def spend(self, tool: str, arguments: Mapping[str, Json]) -> None:
        raise GrantRefused(f"not for {tool} with {arguments}")


@dataclass
class Heard:
    """Progress that was told."""

    lines: list[str] = field(default_factory=list)

    async def __call__(self, text: str) -> None:
        self.lines.append(text)
