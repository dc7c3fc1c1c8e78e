"""What sayso ordered of an application, kept in an annotation of it: Argo CD's own history names no order."""

import json
from collections.abc import Sequence
from datetime import datetime, timedelta

from pydantic import AwareDatetime, TypeAdapter, ValidationError

from tools.contract import Json
from tools.deploy.argocd.application import Application, Entry, Payload
from tools.deploy.argocd.declared import Declared
from tools.deploy.argocd.versions import version_in
from tools.deploy.port import Deployment, Order, OrderKind
from tools.times import iso

ANNOTATION = "sayso/orders"
KEPT = 10  # orders
KEY_LIFE = timedelta(days=1)  # a key is looked for this far back; older ones are of another store
_SKEW = timedelta(seconds=30)  # between this clock and the cluster's


class Ordered(Payload):
    """One order as it was given."""

    key: str
    by: str
    kind: OrderKind
    version: str
    at: AwareDatetime


_ORDERS = TypeAdapter(tuple[Ordered, ...])


def orders(application: Application) -> tuple[Ordered, ...]:
    """Oldest first; an annotation that others spoiled tells nothing."""
    try:
        return _ORDERS.validate_json(application.metadata.annotations.get(ANNOTATION, "[]"))
    except ValidationError:
        return ()


def known(application: Application, key: str, now: datetime) -> Ordered | None:
    """The order with this key, if it was given lately."""
    return next((each for each in orders(application) if each.key == key and now - each.at < KEY_LIFE), None)


def with_order(
    application: Application, order: Order, key: str, version: str, now: datetime
) -> dict[str, Json]:
    """The part of a merge patch that notes an order."""
    made = {"key": key, "by": order.by, "kind": order.kind.value, "version": version, "at": iso(now)}
    before = [json.loads(each.model_dump_json()) for each in orders(application)]
    text = json.dumps([*before[1 - KEPT :], made], separators=(",", ":"))
    return {"annotations": {ANNOTATION: text}}


def history(declared: Declared, environment: str, application: Application) -> list[Deployment]:
    """Argo CD's history with what was ordered beside it: who and what for, failures, restarts."""
    ordered, used = orders(application), set[str]()
    entries: list[Deployment] = []
    before: str | None = None
    for entry in application.status.history:
        version = version_in(declared, entry.source)
        cause = _cause(ordered, entry, version, used)
        entries.append(
            Deployment(
                id=str(entry.id),
                kind=cause.kind if cause else OrderKind.DEPLOY,
                service=declared.name,
                environment=environment,
                before=before,
                after=version,
                at=entry.at,
                by=cause.by if cause else _by(entry),
                ok=True,
            )
        )
        before = version
    entries += [
        _unseen(declared, environment, entries, each)
        for each in ordered
        if each.key not in used and not (application.busy and each is ordered[-1])
    ]
    return sorted(entries, key=lambda each: each.at, reverse=True)


def _cause(ordered: Sequence[Ordered], entry: Entry, version: str, used: set[str]) -> Ordered | None:
    """The latest order of this version before it was there."""
    for each in reversed(ordered):
        fits = each.kind in {OrderKind.DEPLOY, OrderKind.ROLLBACK} and each.version == version
        if fits and each.key not in used and each.at <= entry.at + _SKEW:
            used.add(each.key)
            return each
    return None


def _unseen(
    declared: Declared, environment: str, entries: Sequence[Deployment], order: Ordered
) -> Deployment:
    """An order that Argo CD's history does not have: a restart, or a sync that failed."""
    before = next((each.after for each in reversed(entries) if each.at <= order.at), None)
    return Deployment(
        id=order.key,
        kind=order.kind,
        service=declared.name,
        environment=environment,
        before=before,
        after=order.version,
        at=order.at,
        by=order.by,
        ok=order.kind is OrderKind.RESTART,
    )


def _by(entry: Entry) -> str:
    if entry.by is None:
        return "Argo CD"
    return "Argo CD by itself" if entry.by.automated else entry.by.username or "Argo CD"
