"""The tables, and the revision of their shape."""

from sqlalchemy import (
    Column,
    Float,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    UniqueConstraint,
)

HEAD = "0004"  # the newest migration; a store of a higher one is refused

metadata = MetaData()
bookkeeping = MetaData()  # Alembic's own table, which is no part of ours

revisions = Table("alembic_version", bookkeeping, Column("version_num", String(32), primary_key=True))

meta = Table(
    "meta", metadata, Column("name", String, primary_key=True), Column("value", String, nullable=False)
)

turns = Table(
    "turns",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("event_id", String, nullable=False, unique=True),
    Column("thread", String, nullable=False),
    Column("speaker", String, nullable=False),
    Column("question", Text, nullable=False),
    Column("asked_at", Float, nullable=False),  # unix seconds
    Column("answer", Text),
    Column("record", Text),
    Column("finished_at", Float),
    Column(
        "answered_as", Integer
    ),  # the last turn of those that are answered together; they share its answer
    Column("stopped_by", String),
    Column("worker", String),  # who answers it
    Index("turns_by_thread", "thread", "id"),
)
# Few turns are open at any time, however many there were.
_OPEN = turns.c.finished_at.is_(None)
Index("turns_open", turns.c.thread, turns.c.id, sqlite_where=_OPEN, postgresql_where=_OPEN)

# What has to be told to a surface whose people are not sitting in front of this process; gone once it was told.
outbox = Table(
    "outbox",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("kind", String, nullable=False),  # answer, notice, card
    Column("subject", String, nullable=False),
    Column("thread", String, nullable=False),
    Column("version", Integer, nullable=False),  # goes up when there is something newer to tell of the same
    Column("at", Float, nullable=False),
    Column("worker", String),  # who is telling it
    UniqueConstraint("kind", "subject"),
    Index("outbox_by_thread", "thread", "id"),
)

# Where surfaces put what they told.
posts = Table(
    "posts",
    metadata,
    Column("surface", String, nullable=False),
    Column("subject", String, nullable=False),
    Column("place", String, nullable=False),
    Column("name", String, nullable=False),  # empty where somebody was about to post
    PrimaryKeyConstraint("surface", "subject", "place"),
)

# Who is at work: a count that goes up while they live. No clock is compared with another machine's.
workers = Table(
    "workers",
    metadata,
    Column("id", String, primary_key=True),
    Column("role", String, nullable=False),
    Column("beats", Integer, nullable=False),
)

# What sayso says by itself, after the turn `after`: the outcome of an action.
notices = Table(
    "notices",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("thread", String, nullable=False),
    Column("after", Integer, nullable=False),
    Column("text", Text, nullable=False),
    Column("at", Float, nullable=False),
    Column("key", String),  # what is said once, however often its job starts over
    UniqueConstraint("key", name="notices_key"),
    Index("notices_by_thread", "thread", "after"),
)

replies = Table(
    "replies",
    metadata,
    Column("turn", Integer, nullable=False),
    Column("position", Integer, nullable=False),
    Column("body", Text, nullable=False),
    PrimaryKeyConstraint("turn", "position"),
)

actions = Table(
    "actions",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("key", String, nullable=False, unique=True),
    Column("state", String, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("thread", String, nullable=False),
    Column("expires_at", Float, nullable=False),
    Column("body", Text, nullable=False),
    Index("actions_by_state", "state", "id"),
    Index("actions_by_thread", "thread", "id"),
)

audit = Table(
    "audit",
    metadata,
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("at", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("actor", String, nullable=False),
    Column("subject", String, nullable=False),
    Column("data", Text, nullable=False),  # the body as JSON; empty when it was pruned
    Column("body_hash", String),  # none in rows of the first format, whose hash covers the body itself
    Column("previous", String, nullable=False),
    Column("hash", String, nullable=False),
    Index("audit_by_subject", "subject", "seq"),
)

# Signed checkpoints of the trail, as lines of JSON; the same lines go to a file outside the store.
checkpoints = Table(
    "checkpoints",
    metadata,
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("body", Text, nullable=False),
)

# Questions that found no clear answer, what they were looked up in since, and those that need none any more.
in_vain = Table(
    "in_vain",
    metadata,
    Column("turn", String, primary_key=True),
    Column("gist", String, nullable=False),
    Column("question", Text, nullable=False),
    Column("query", Text, nullable=False),
    Column("person", String, nullable=False),
    Column("at", Float, nullable=False),
    Column("public", Integer, nullable=False),
    Index("in_vain_by_gist", "gist"),
)

in_vain_again = Table(
    "in_vain_again",
    metadata,
    Column("turn", String, primary_key=True),
    Column("among", String, nullable=False),
)

in_vain_closed = Table(
    "in_vain_closed",
    metadata,
    Column("turn", String, primary_key=True),
    Column("by", String, nullable=False),
    Column("reason", Text, nullable=False),
    Column("at", Float, nullable=False),
)

# What people said of a document as the answer to a question.
marks = Table(
    "marks",
    metadata,
    Column("gist", String, nullable=False),
    Column("document", String, nullable=False),
    Column("person", String, nullable=False),
    Column("helpful", Integer, nullable=False),
    Column("question", Text, nullable=False),
    Column("at", Float, nullable=False),
    Column("reason", Text, nullable=False),
    PrimaryKeyConstraint("gist", "document", "person"),
)

# Channels that are followed, or were once. The body is the channel without its revision.
channels = Table(
    "channels",
    metadata,
    Column("id", String, primary_key=True),
    Column("heard", Integer, nullable=False),
    Column("revision", Integer, nullable=False),  # goes up with what is said
    Column("changes", Integer, nullable=False),  # goes up with everything else of it
    Column("body", Text, nullable=False),
)

# What is said in them. What does not stand any more has no body.
remarks = Table(
    "remarks",
    metadata,
    Column("channel", String, nullable=False),
    Column("ts", String, nullable=False),
    Column("thread", String, nullable=False),
    Column("edited", String, nullable=False),
    Column("standing", Integer, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("body", Text, nullable=False),
    PrimaryKeyConstraint("channel", "ts"),
)

# People of a platform, as it describes them.
accounts = Table(
    "accounts",
    metadata,
    Column("id", String, primary_key=True),
    Column("body", Text, nullable=False),
    Column("read_at", Float, nullable=False),
    Column("outsider", Integer, nullable=False),
)
