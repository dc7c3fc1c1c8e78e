"""The record of orders that a Deployment carries in an annotation: what was done by whom, and that it was done once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from pydantic import AwareDatetime, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass as checked

from tools.contract import ToolFailed
from tools.deploy.port import Order, OrderKind, Result

ORDERS = "sayso/orders"
CAUSE = "kubernetes.io/change-cause"  # what `kubectl rollout history` shows
KEPT = 20  # orders; annotations of an object may hold 256 KiB in all
_DETAIL = 300  # characters


@checked(frozen=True, slots=True)
class Entry:
    """One order. `ok` is None as long as its end is not on record."""

    key: str
    kind: OrderKind
    before: str | None
    after: str | None
    at: AwareDatetime
    by: str
    ok: bool | None = None
    detail: str = ""


_ENTRIES = TypeAdapter(tuple[Entry, ...])


@dataclass(frozen=True, slots=True)
class Record:
    """All orders that a Deployment remembers, newest first."""

    entries: tuple[Entry, ...] = ()

    @classmethod
    def of(cls, annotations: Mapping[str, str], name: str) -> "Record":
        """Raises `ToolFailed` for a record that somebody edited: what was done already could not be told."""
        try:
            return cls(_ENTRIES.validate_json(annotations.get(ORDERS, "[]")))
        except ValidationError as error:
            raise ToolFailed(
                f"the annotation {ORDERS} of the Deployment {name!r} is not as sayso wrote it: remove it, and its "
                "history is forgotten"
            ) from error

    def find(self, key: str) -> Entry | None:
        return next((each for each in self.entries if each.key == key), None)

    def begun(self, entry: Entry) -> "Record":
        return Record((entry, *self.entries)[:KEPT])

    def ended(self, key: str, result: Result) -> "Record":
        """With the end of an order."""
        return Record(
            tuple(
                replace(each, ok=result.ok, detail=result.detail[:_DETAIL]) if each.key == key else each
                for each in self.entries
            )
        )

    @property
    def failed(self) -> frozenset[str]:
        """The versions whose last order did not end well."""
        latest: dict[str, bool | None] = {}
        for each in self.entries:
            if each.kind in {OrderKind.DEPLOY, OrderKind.ROLLBACK} and each.after is not None:
                latest.setdefault(each.after, each.ok)
        return frozenset(version for version, ok in latest.items() if ok is False)

    def written(self) -> dict[str, str]:
        """The annotations."""
        return {ORDERS: _ENTRIES.dump_json(self.entries, exclude_none=True).decode(), **_cause(self.entries)}


def _cause(entries: Sequence[Entry]) -> dict[str, str]:
    """The newest order that changed what runs, for those who ask with kubectl."""
    for each in entries:
        if each.kind is not OrderKind.SCALE:
            return {
                CAUSE: f"{each.kind.value} {each.before or '-'} -> {each.after or '-'} by {each.by}, through sayso"
            }
    return {}


def entry(order: Order, before: str | None, after: str | None, at: AwareDatetime) -> Entry:
    return Entry(order.key, order.kind, before, after, at, order.by)
