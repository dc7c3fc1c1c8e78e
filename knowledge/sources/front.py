"""What a file says of itself, as a document keeps it: owner, date, services, whether it still holds."""

from collections.abc import Mapping
from datetime import UTC, date, datetime

from knowledge.port import Standing

_OBSOLETE = frozenset({"obsolete", "deprecated", "archived", "retired"})


def owner_of(front: Mapping[str, object]) -> str | None:
    """Who answers for the document, or else who wrote it."""
    return text_of(front.get("owner") or front.get("author")) or None


def date_of(front: Mapping[str, object]) -> datetime | None:
    """The date of the document, in UTC where it names no zone; None when what it says is not a date."""
    value = front.get("date") or front.get("updated")
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=UTC)
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day, tzinfo=UTC)
    try:
        parsed = datetime.fromisoformat(text_of(value))
    except ValueError:
        return None
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def services_of(front: Mapping[str, object]) -> tuple[str, ...]:
    """The services it is about: a list, or names between commas."""
    value = front.get("service") or front.get("services")
    pieces = value if isinstance(value, list) else text_of(value).split(",")
    return tuple(text_of(piece) for piece in pieces if text_of(piece))


def standing_of(front: Mapping[str, object]) -> tuple[Standing, str | None]:
    """Whether it still holds, and what took its place."""
    status, superseded_by = text_of(front.get("status")).lower(), text_of(front.get("superseded_by")) or None
    if status in _OBSOLETE:
        return Standing.OBSOLETE, superseded_by
    if superseded_by or status == "superseded":
        return Standing.SUPERSEDED, superseded_by
    return Standing.CURRENT, None


def text_of(value: object) -> str:
    """A value of front matter in words; nothing for None."""
    return "" if value is None else str(value).strip()
