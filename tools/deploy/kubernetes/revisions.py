"""The revisions of a Deployment: the ReplicaSets that it keeps, and which version each of them ran."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from tools.deploy.kubernetes.record import CAUSE, Record
from tools.deploy.port import Deployment, OrderKind
from tools.kubernetes.images import Image
from tools.kubernetes.objects import Container, Template, WorkloadObject

_NUMBER = "deployment.kubernetes.io/revision"
_NEAR = timedelta(minutes=2)  # between our clock and the cluster's, for one and the same change


@dataclass(frozen=True, slots=True)
class Revision:
    """One ReplicaSet of a Deployment."""

    name: str
    number: int
    version: str
    at: datetime | None
    cause: str


def container_of(template: Template, wanted: str, service: str) -> Container | None:
    """The container that is the service: the one named in the settings, else of its name, else the first."""
    containers = template.spec.containers
    for name in filter(None, (wanted, service)):
        for each in containers:
            if each.name == name:
                return each
    return None if wanted or not containers else containers[0]


def revisions(
    deployment: WorkloadObject, sets: Iterable[WorkloadObject], wanted: str, service: str
) -> tuple[Revision, ...]:
    """The Deployment's own revisions, newest first."""
    found = []
    for each in sets:
        owned = any(owner.uid == deployment.metadata.uid for owner in each.metadata.owner_references)
        container = container_of(each.spec.template, wanted, service)
        if owned and container is not None:
            number = each.metadata.annotations.get(_NUMBER, "")
            found.append(
                Revision(
                    each.metadata.name,
                    int(number) if number.isdigit() else 0,
                    Image.of(container.image).version,
                    each.metadata.creation_timestamp,
                    each.metadata.annotations.get(CAUSE, ""),
                )
            )
    return tuple(sorted(found, key=lambda each: each.number, reverse=True))


def previous(found: Sequence[Revision], version: str, record: Record) -> str | None:
    """The version that ran before this one, as far as it is known and did not fail."""
    others = (each.version for each in found if each.version != version and each.version not in record.failed)
    return next(others, None)


def _first_ran(revision: Revision) -> float:
    return revision.at.timestamp() if revision.at else 0.0


def changes(
    service: str, environment: str, found: Sequence[Revision], record: Record
) -> tuple[Deployment, ...]:
    """What was done to it, by sayso and by others, in any order.

    Of what others did there is what the ReplicaSets tell: when a template first ran, and the note of its change.
    """
    ours = [
        Deployment(
            each.key,
            each.kind,
            service,
            environment,
            each.before,
            each.after,
            each.at,
            each.by,
            each.ok is not False,
        )
        for each in record.entries
    ]
    made = sorted((each for each in found if each.at is not None), key=_first_ran)
    theirs = []
    for before, after in zip([None, *made], made, strict=False):
        if after.at is None or any(abs(each.at - after.at) <= _NEAR for each in record.entries):
            continue
        earlier = before.version if before else None
        kind = OrderKind.RESTART if earlier == after.version else OrderKind.DEPLOY
        by = (
            after.cause
            if after.cause and "through sayso" not in after.cause
            else "somebody, not through sayso"
        )
        theirs.append(
            Deployment(after.name, kind, service, environment, earlier, after.version, after.at, by, ok=True)
        )
    return (*ours, *theirs)
