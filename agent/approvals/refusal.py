"""Why something was refused: a code, and the sentence people read.

::

    ActionRefused     raised where no action comes of a proposal (no rule, no access, too many failures)
    Refusal           returned where an attempt on an action is answered with no
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Reason(StrEnum):
    """Every reason there is; `cards.<lang>.toml` has a sentence for each under `[refusal]`."""

    OWN_REQUEST = "own_request"
    NO_ROLE = "no_role"
    OTHER_DIGEST = "other_digest"
    EXPIRED = "expired"
    NOT_WAITING = "not_waiting"
    VOTED_ALREADY = "voted_already"
    REASON_MISSING = "reason_missing"
    OVERTAKEN = "overtaken"
    NOT_YOURS = "not_yours"
    NOT_APPROVED = "not_approved"
    BUSY = "busy"
    CROWDED = "crowded"
    AWAY = "away"
    STALE = "stale"
    UNAVAILABLE = "unavailable"
    POLICY_CHANGED = "policy_changed"
    NOT_UNKNOWN = "not_unknown"
    NO_ACCESS = "no_access"
    NO_RULE = "no_rule"
    TOO_MANY_FAILURES = "too_many_failures"
    UNTRUSTED_TARGET = "untrusted_target"
    NOTHING_TO_DO = "nothing_to_do"
    NOT_A_WRITE = "not_a_write"
    NOT_ASKER = "not_asker"
    SHUT = "shut"
    SHUT_SINCE = "shut_since"
    NOBODY = "nobody"
    NOT_ENOUGH = "not_enough"
    UNTRUSTED_AUTO = "untrusted_auto"
    NO_GLASS = "no_glass"
    NOTHING_OWED = "nothing_owed"
    OWN_GLASS = "own_glass"


@dataclass(frozen=True, slots=True)
class Refusal:
    reason: Reason
    fields: Mapping[str, str] = field(default_factory=dict)
    because: "Refusal | None" = None  # what is behind it: the policy of now, for one


class ActionRefused(Exception):
    """No action was made. `refusal` says why, in a form that can be put into any language."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(f"{refusal.reason.value}: {dict(refusal.fields)}")
        self.refusal = refusal
