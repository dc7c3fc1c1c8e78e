"""One fact of the audit trail, before and after it is chained."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from tools.contract import Json

TRAIL = "trail"  # the subject of facts about the trail itself


class FactKind(StrEnum):
    """What can happen."""

    HEARD = "heard"  # a person said something, and it was accepted
    NOT_HEARD = "not_heard"  # somebody without rights spoke or clicked; the subject is their identity
    REFUSED = "refused"  # a request that did not come from the platform; the subject is where it came in
    ANSWERED = "answered"  # a turn ended; data holds its receipt
    RATED = "rated"  # somebody said whether an answer helped
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
    UNREADABLE = "unreadable"  # never written: what a row is taken for that somebody made unreadable
    FOLLOWED = "followed"  # a channel is read along from now on; the subject is the channel
    UNFOLLOWED = "unfollowed"  # it is not any more
    PRUNED = "pruned"  # bodies of old rows were taken away; about the trail itself


@dataclass(frozen=True, slots=True)
class Fact:
    """Something that happened. `subject` is the action or turn it is about; `data` is its body, free of secrets."""

    kind: FactKind
    actor: str  # a person's id, or "sayso"
    subject: str  # "A-17" or "T-12"
    at: datetime
    data: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Event:
    """A fact in its place in the chain.

    `hash` covers the fact, its place and `previous`; of the body it covers `body_hash` only, so that the body can be
    pruned and the chain stays. In a row of the first format there is no `body_hash`, and `hash` covers the body itself.
    """

    seq: int
    fact: Fact
    previous: str
    hash: str
    body_hash: str | None = None
    pruned: bool = False  # the body is gone: `fact.data` is empty


@dataclass(frozen=True, slots=True)
class Pruning:
    """What a pruning came to: the bodies it took away, up to row `last`. `kept` rows are too old in format to prune."""

    rows: int
    first: int
    last: int
    kept: int = 0
