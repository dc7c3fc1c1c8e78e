"""What was said in a thread before a turn, and which tools that took."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import (
    ColumnElement,
    Connection,
    Integer,
    Row,
    Select,
    Text,
    desc,
    literal_column,
    select,
    union_all,
)

from agent.conversation.answer import called
from agent.conversation.thread import Line, ThreadId, TurnId
from agent.store.sql.prepared import Value, number
from agent.store.sql.rows import Each, Values
from agent.store.sql.schema import notices, turns


def _before(values: Values) -> ColumnElement[bool]:
    return (turns.c.thread == values["thread"]) & (turns.c.id < values["before"])


def _lines(values: Values) -> Select[tuple[str, str, float]]:
    """The last lines of a thread, the latest first: questions, answers, and behind a turn what sayso said by itself."""
    none, one, two = (literal_column(text, type_=Integer) for text in "012")
    sayso = literal_column("'sayso'", type_=Text)
    asked = select(
        turns.c.id.label("turn"), none.label("part"), none.label("rank"),
        turns.c.speaker.label("speaker"), turns.c.question.label("text"), turns.c.asked_at.label("at"),
    ).where(_before(values))  # fmt: skip
    answers = select(turns.c.id, one, none, sayso, turns.c.answer, turns.c.finished_at).where(
        _before(values), turns.c.answer.is_not(None)
    )
    said = select(notices.c.after, two, notices.c.id, sayso, notices.c.text, notices.c.at).where(
        notices.c.thread == values["thread"], notices.c.after < values["before"]
    )
    lines = union_all(asked, answers, said).subquery()
    latest = desc(lines.c.turn), desc(lines.c.part), desc(lines.c.rank)
    return select(lines.c.speaker, lines.c.text, lines.c.at).order_by(*latest).limit(values["most"])


HISTORY = Each(_lines, thread=str, before=int, most=int)
CALLED = Each(
    lambda values: (
        select(turns.c.record)
        .where(_before(values), turns.c.record.is_not(None))
        .order_by(desc(turns.c.id))
        .limit(values["most"])
    ),
    thread=str,
    before=int,
    most=int,
)


@dataclass(frozen=True, slots=True)
class Past:
    """The end of a thread's past: at most so many entries before a turn."""

    thread: ThreadId
    before: TurnId
    most: int


def pasts_all(connection: Connection, pasts: Sequence[Past]) -> list[list[Line]]:
    """The lines of each, oldest first."""
    found = HISTORY.run(connection, [_past(past) for past in pasts])
    return [
        [Line(row.speaker, row.text, datetime.fromtimestamp(row.at, UTC)) for row in reversed(rows)]
        for rows in found
    ]


def _line(row: Row[tuple[object, ...]]) -> Line:
    return Line(row.speaker, row.text, datetime.fromtimestamp(row.at, UTC))


def called_in(connection: Connection, past: Past) -> tuple[str, ...]:
    """The tools that its answered turns called, the latest first, each once."""
    return called([json.loads(row.record) for row in CALLED.run(connection, [_past(past)])[0]])


def _past(past: Past) -> dict[str, Value]:
    return {"thread": past.thread, "before": number(past.before), "most": past.most}
