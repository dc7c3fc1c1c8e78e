"""One fact of the audit trail, before and after it is chained."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from tools.contract import Json


class FactKind(StrEnum):
    """What can happen."""

    HEARD = "heard"  # a person said something, and it was accepted
    ANSWERED = "answered"  # a turn ended; data holds its receipt
    PROPOSED = "proposed"
    PROPOSAL_REFUSED = "proposal_refused"
    DECIDED = "decided"
    DECISION_REFUSED = "decision_refused"
    WITHDRAWN = "withdrawn"
    SUPERSEDED = "superseded"
    EXPIRED = "expired"
    CLAIMED = "claimed"
    RUN_REFUSED = "run_refused"
    STALE = "stale"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    UNKNOWN = "unknown"
    SETTLED = "settled"


@dataclass(frozen=True, slots=True)
class Fact:
    """Something that happened. `subject` is the action or turn it is about; secrets never enter `data`."""

    kind: FactKind
    actor: str  # a person's id, or "sayso"
    subject: str  # "A-17" or "T-12"
    at: datetime
    data: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Event:
    """A fact in its place in the chain. `hash` covers all other fields, `previous` among them."""

    seq: int
    fact: Fact
    previous: str
    hash: str
