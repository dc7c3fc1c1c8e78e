"""The facts of findings as typed values: the keys each kind has, read with care, for tools differ in what they know."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from agent.conversation.evidence import Evidence
from tools.contract import Json

_Facts = Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class Pattern:
    """One template of log lines."""

    template: str
    count: int
    first: datetime | None
    last: datetime | None
    level: str
    service: str
    versions: tuple[str, ...]
    sample: str
    number: int  # of the evidence


@dataclass(frozen=True, slots=True)
class Logs:
    """What a search in logs found."""

    service: str
    environment: str
    level: str
    contains: str
    total: int
    patterns: tuple[Pattern, ...]
    number: int
    stopped: bool = False  # before everything was read
    read_from: datetime | None = None  # how far back it was read then, where that is known


@dataclass(frozen=True, slots=True)
class Series:
    """One metric over a window, beside the window before."""

    metric: str
    service: str
    environment: str
    unit: str
    now: float | None
    mean: float | None
    highest: float | None
    before: float | None
    change: float | None
    anomaly: str
    since: datetime | None
    points: int
    number: int


@dataclass(frozen=True, slots=True)
class Running:
    """A service as it runs in one environment."""

    service: str
    environment: str
    version: str
    previous: str
    replicas: int | None
    healthy: int | None
    since: datetime | None
    error_rate: float | None
    number: int


@dataclass(frozen=True, slots=True)
class Deployment:
    """One change of what runs."""

    kind: str
    service: str
    environment: str
    before: str
    after: str
    at: datetime | None
    by: str
    ok: bool
    number: int


@dataclass(frozen=True, slots=True)
class Passage:
    """Something somebody wrote."""

    document: str
    heading: str
    place: str
    author: str
    date: str
    text: str
    confidence: float
    status: str
    kind: str
    title: str
    number: int
    sure: bool = True
    answer: str = ""
    shared: tuple[str, ...] = ()
    copies: tuple[str, ...] = ()
    superseded_by: str = ""
    past: "Past | None" = None
    marked: int = 0


@dataclass(frozen=True, slots=True)
class Past:
    """A past incident as its report or thread tells it: quotes, "" where nobody wrote it."""

    key: str
    title: str
    symptom: str
    cause: str
    fix: str
    services: tuple[str, ...]
    began: str
    severity: str


@dataclass(frozen=True, slots=True)
class Table:
    """An answer in rows."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str | float | None, ...], ...]
    total: float | None
    computed: str
    number: int


@dataclass(frozen=True, slots=True)
class Lines:
    """Single log lines."""

    service: str
    environment: str
    lines: tuple[tuple[str, str, str], ...]  # when, level, message
    total: int
    number: int


@dataclass(frozen=True, slots=True)
class Nothing:
    """A search in what is known that found nothing, and where it looked."""

    documents: int
    sources: tuple[str, ...]
    knows: tuple[str, ...]
    number: int


@dataclass(frozen=True, slots=True)
class Found:
    """All that the reads of a turn found, sorted by kind; `others` are kinds without a template."""

    logs: tuple[Logs, ...] = ()
    lines: tuple[Lines, ...] = ()
    series: tuple[Series, ...] = ()
    running: tuple[Running, ...] = ()
    deployments: tuple[Deployment, ...] = ()
    passages: tuple[Passage, ...] = ()
    tables: tuple[Table, ...] = ()
    nothing: tuple[Nothing, ...] = ()
    others: tuple[Evidence, ...] = ()

    @property
    def empty(self) -> bool:
        return self == Found()


def sort(evidence: Sequence[Evidence]) -> Found:
    """Sorts evidence by kind."""
    kinds: dict[str, list[tuple[_Facts, Evidence]]] = {}
    for piece in evidence:
        kinds.setdefault(piece.finding.kind, []).append((piece.finding.facts, piece))
    others = [piece for kind, pieces in kinds.items() if kind not in _KNOWN for _, piece in pieces]
    return Found(
        logs=tuple(_logs(facts, piece.number) for facts, piece in kinds.get("log_patterns", [])),
        lines=tuple(_lines(facts, piece.number) for facts, piece in kinds.get("log_lines", [])),
        series=tuple(_series(facts, piece.number) for facts, piece in kinds.get("series", [])),
        running=tuple(
            _running(row, piece.number)
            for facts, piece in kinds.get("status", [])
            for row in rows(facts, "running")
        ),
        deployments=tuple(
            _deployment(row, piece.number)
            for facts, piece in kinds.get("deployments", [])
            for row in rows(facts, "deployments")
        ),
        passages=tuple(_passage(facts, piece) for facts, piece in kinds.get("passage", [])),
        tables=tuple(_table(facts, piece) for facts, piece in kinds.get("table", [])),
        nothing=tuple(
            Nothing(count(facts, "documents"), texts(facts, "sources"), texts(facts, "knows"), piece.number)
            for facts, piece in kinds.get("nothing_found", [])
        ),
        others=tuple(others),
    )


_KNOWN = {"log_patterns", "log_lines", "series", "status", "deployments", "passage", "table", "nothing_found"}


# --- careful reading -------------------------------------------------------------------------------------------


def text(facts: _Facts, key: str) -> str:
    """A text, or "" where there is none."""
    value = facts.get(key)
    return value if isinstance(value, str) else ""


def amount(facts: _Facts, key: str) -> float | None:
    value = facts.get(key)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def count(facts: _Facts, key: str) -> int:
    value = amount(facts, key)
    return int(value) if value is not None else 0


def rows(facts: _Facts, key: str) -> Iterator[_Facts]:
    """The mappings in a list; anything else in it is passed over."""
    value = facts.get(key)
    if isinstance(value, Sequence) and not isinstance(value, str):
        yield from (row for row in value if isinstance(row, Mapping))


def texts(facts: _Facts, key: str) -> tuple[str, ...]:
    value = facts.get(key)
    if isinstance(value, Sequence) and not isinstance(value, str):
        return tuple(item for item in value if isinstance(item, str))
    return ()


def moment(facts: _Facts, key: str) -> datetime | None:
    """An aware instant from ISO 8601 text, or `None`."""
    try:
        value = datetime.fromisoformat(text(facts, key))
    except ValueError:
        return None
    return value if value.tzinfo is not None else None


# --- kinds -----------------------------------------------------------------------------------------------------


def _logs(facts: _Facts, number: int) -> Logs:
    patterns = tuple(
        Pattern(
            text(row, "template"), count(row, "count"), moment(row, "first"), moment(row, "last"), text(row, "level"),
            text(row, "service") or text(facts, "service"),
            texts(row, "versions") or tuple(filter(None, [text(row, "version")])), text(row, "sample"), number,
        )
        for row in rows(facts, "patterns")
    )  # fmt: skip
    return Logs(
        text(facts, "service"), text(facts, "environment"), text(facts, "level"), text(facts, "contains"),
        count(facts, "total"), patterns, number, bool(text(facts, "stopped")), moment(facts, "read_from"),
    )  # fmt: skip


def _lines(facts: _Facts, number: int) -> Lines:
    lines = tuple((text(row, "ts"), text(row, "level"), text(row, "message")) for row in rows(facts, "lines"))
    return Lines(text(facts, "service"), text(facts, "environment"), lines, count(facts, "total"), number)


def _series(facts: _Facts, number: int) -> Series:
    points = facts.get("points")
    return Series(
        text(facts, "metric"), text(facts, "service"), text(facts, "environment"), text(facts, "unit"),
        amount(facts, "now"), amount(facts, "mean"), amount(facts, "max"), amount(facts, "before_mean"),
        amount(facts, "change"), text(facts, "anomaly"), moment(facts, "since_change"),
        len(points) if isinstance(points, Sequence) and not isinstance(points, str) else 0, number,
    )  # fmt: skip


def _running(facts: _Facts, number: int) -> Running:
    replicas, healthy = amount(facts, "replicas"), amount(facts, "healthy_replicas")
    return Running(
        text(facts, "service"), text(facts, "environment"), text(facts, "version"), text(facts, "previous_version"),
        None if replicas is None else int(replicas), None if healthy is None else int(healthy),
        moment(facts, "since"), amount(facts, "error_rate"), number,
    )  # fmt: skip


def _deployment(facts: _Facts, number: int) -> Deployment:
    return Deployment(
        text(facts, "kind"), text(facts, "service"), text(facts, "environment"), text(facts, "from"),
        text(facts, "to"), moment(facts, "at"), text(facts, "by"), facts.get("ok") is not False, number,
    )  # fmt: skip


def _passage(facts: _Facts, piece: Evidence) -> Passage:
    return Passage(
        text(facts, "document"), text(facts, "heading"), text(facts, "place"), text(facts, "author"),
        text(facts, "date"), text(facts, "text"), amount(facts, "confidence") or 0.0, text(facts, "status"),
        text(facts, "kind"), piece.finding.title, piece.number, facts.get("sure") is not False, text(facts, "answer"),
        texts(facts, "shared"), texts(facts, "copies"), text(facts, "superseded_by"), _past(facts.get("past")),
        count(facts, "marked"),
    )  # fmt: skip


def _past(value: Json) -> Past | None:
    if not isinstance(value, Mapping):
        return None
    said = {key: str(value.get(key) or "") for key in ("key", "title", "symptom", "cause", "fix")}
    return Past(
        **said,
        services=texts(value, "services"),
        began=text(value, "began"),
        severity=text(value, "severity"),
    )


def _table(facts: _Facts, piece: Evidence) -> Table:
    value = facts.get("rows")
    listed = value if isinstance(value, Sequence) and not isinstance(value, str) else ()
    cells = tuple(
        tuple(cell if isinstance(cell, str | int | float) else None for cell in row)
        for row in listed
        if isinstance(row, Sequence) and not isinstance(row, str)
    )
    return Table(
        piece.finding.title,
        texts(facts, "columns"),
        cells,
        amount(facts, "total"),
        text(facts, "computed"),
        piece.number,
    )
