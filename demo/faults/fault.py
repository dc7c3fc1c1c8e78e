"""What a fault drill is made of: what is done to the shop and when, what is true about it, and what only looks so."""

from collections.abc import Mapping
from dataclasses import dataclass, field

PRODUCTION, STAGING = "production", "staging"


@dataclass(frozen=True, slots=True)
class Deploy:
    """Somebody deploys a version."""

    service: str
    version: str
    by: str
    environment: str = PRODUCTION


@dataclass(frozen=True, slots=True)
class Restart:
    """Somebody restarts a service."""

    service: str
    by: str
    environment: str = PRODUCTION


@dataclass(frozen=True, slots=True)
class Configure:
    """Somebody sets a key of a service's configuration, and the change is noted."""

    service: str
    key: str
    before: str
    after: str
    by: str
    environment: str = PRODUCTION


@dataclass(frozen=True, slots=True)
class World:
    """Something happens to a service that nobody did, and nobody notes."""

    service: str
    values: Mapping[str, str | float]
    environment: str = PRODUCTION


Step = Deploy | Restart | Configure | World


@dataclass(frozen=True, slots=True)
class Cause:
    """What is true: the kind of cause and whose it is, as the investigation names them."""

    kind: str
    subject: str


@dataclass(frozen=True, slots=True)
class Herring:
    """Something that only looks guilty. `named` is what an answer that rules it out has to say.

    `earliest` and `latest` are seconds from the strike of the fault; negative ones come before it.
    """

    named: str
    steps: tuple[Step, ...]
    earliest: float
    latest: float


@dataclass(frozen=True, slots=True)
class Begin:
    """How the shop is when it opens: versions that have run for a while, and how the world is."""

    versions: Mapping[str, str] = field(default_factory=dict)
    world: tuple[World, ...] = ()
    certificate: str | None = None  # the service whose certificate is about to run out when the fault strikes
    fills: str | None = None  # the service whose volume is full when the fault strikes


@dataclass(frozen=True, slots=True)
class Fault:
    """One drill. `questions` are what people ask about it, in either language."""

    name: str
    causes: tuple[Cause, ...]
    questions: tuple[str, ...]
    herrings: tuple[Herring, ...]  # of which some are played
    always: tuple[Herring, ...] = ()
    strike: tuple[Step, ...] = ()
    begin: Begin = Begin()
    harmless: bool = False  # nothing is broken, and the answer has to say so
