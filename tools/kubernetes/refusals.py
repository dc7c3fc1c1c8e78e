"""What a cluster says no to, told as who should act.

Errors, all of them `ToolError`::

    ToolFailed
    ├── Forbidden   our account, or the asker's, lacks a right there: whoever runs the cluster adds a rule
    ├── Missing     there is no such object, or the cluster does not serve such objects
    ├── Conflict    the object is not as it was when we looked
    ├── Expired     a list went on too long: it has to start again
    └── Invalid     the object, or the rules of the cluster about it, do not allow that
    ToolUnavailable
    └── Unheard     a change may have been made; the cluster did not say
"""

from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, ValidationError

from tools.contract import ToolError, ToolFailed, ToolUnavailable

_SAID = 500  # characters of the cluster's own words that are repeated
HOW = "docs/how-to/connect-kubernetes.md"


class Forbidden(ToolFailed):
    """A right is missing."""


class Missing(ToolFailed):
    """There is no such thing."""


class Conflict(ToolFailed):
    """Somebody else changed it first."""


class Expired(ToolFailed):
    """The rest of a list is not to be had any more."""


class Invalid(ToolFailed):
    """The cluster does not take it."""


class Unheard(ToolUnavailable):
    """A change was sent, and nobody knows whether it was made."""


_REFUSED = "refused"
_KINDS: dict[int, tuple[type[ToolError], str]] = {
    404: (Missing, "has nothing"),
    409: (Conflict, _REFUSED),
    410: (Expired, "gave up"),
    **dict.fromkeys((400, 403, 405, 413, 415, 422), (Invalid, _REFUSED)),
}


class _Status(BaseModel):
    """The `Status` that Kubernetes answers a failed request with."""

    model_config = ConfigDict(extra="ignore", frozen=True)
    message: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Attempt:
    """What was tried: enough to say which right it takes."""

    cluster: str
    verb: str  # get, list, patch: as a rule of RBAC names it
    resource: str  # pods, pods/log, deployments
    group: str  # apps; "" for the core
    namespace: str
    name: str = ""
    user: str = ""  # whom it was tried for, if not for ourselves

    @property
    def told(self) -> str:
        what = f"{self.resource}.{self.group}" if self.group else self.resource
        return f"{self.verb} {what}{f' {self.name!r}' if self.name else ''} in namespace {self.namespace!r}"


def refusal(status: int, body: bytes, attempt: Attempt) -> ToolError:
    """The error for an answer that is none of 2xx, 401 and 429."""
    said = _said(body)
    message = said.message[:_SAID] or f"status {status}"
    if status == 403 and not _denied_by_rule(message):
        return Forbidden(_right_missing(message, attempt))
    kind, told = _KINDS.get(status, (ToolFailed, "answered"))
    if status >= 500:
        kind, told = ToolUnavailable, "failed"
    return kind(f"{attempt.cluster} {told} when asked to {attempt.told}: {message}")


def _said(body: bytes) -> _Status:
    try:
        return _Status.model_validate_json(body)
    except ValidationError:
        return _Status(message=body[:_SAID].decode(errors="replace").strip())


def _denied_by_rule(message: str) -> bool:
    """Whether a 403 is no missing right: quotas and admission answer with it too, and say so in words."""
    return "cannot" not in message and (
        "denied" in message
        or "exceeded quota" in message
        or "violates" in message
        or "is forbidden: " in message
    )


def _right_missing(message: str, attempt: Attempt) -> str:
    if "cannot impersonate" in message:
        return (
            f"{attempt.cluster} does not let sayso's account act as {attempt.user!r}: whoever runs the cluster allows "
            f"it the verb 'impersonate' for users and groups ({HOW}), or tools.kubernetes.impersonate is taken out"
        )
    who = f"{attempt.user!r}" if attempt.user else "sayso's account"
    rule = f'apiGroups: ["{attempt.group}"], resources: ["{attempt.resource}"], verbs: ["{attempt.verb}"]'
    return (
        f"{attempt.cluster} does not let {who} {attempt.told}: whoever runs the cluster adds the rule {rule} ({HOW}); "
        f"it said: {message}"
    )
