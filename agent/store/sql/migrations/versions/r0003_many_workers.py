"""Turns that are answered together or stopped, what is still to be told, and who is at work."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.add_column("turns", sa.Column("answered_as", sa.Integer))
    op.add_column("turns", sa.Column("stopped_by", sa.String))
    op.add_column("turns", sa.Column("worker", sa.String))
    with op.batch_alter_table("notices") as notices:
        notices.add_column(sa.Column("key", sa.String))
        notices.create_unique_constraint("notices_key", ["key"])
    unfinished = sa.text("finished_at IS NULL")
    op.create_index(
        "turns_open", "turns", ["thread", "id"], sqlite_where=unfinished, postgresql_where=unfinished
    )
    op.create_table(
        "outbox",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("subject", sa.String, nullable=False),
        sa.Column("thread", sa.String, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("at", sa.Float, nullable=False),
        sa.Column("worker", sa.String),
        sa.UniqueConstraint("kind", "subject"),
    )
    op.create_index("outbox_by_thread", "outbox", ["thread", "id"])
    op.create_table(
        "posts",
        sa.Column("surface", sa.String, nullable=False),
        sa.Column("subject", sa.String, nullable=False),
        sa.Column("place", sa.String, nullable=False),
        sa.Column("name", sa.String, nullable=False),
        sa.PrimaryKeyConstraint("surface", "subject", "place"),
    )
    op.create_table(
        "workers",
        sa.Column("id", sa.String, primary_key=True),
        sa.Column("role", sa.String, nullable=False),
        sa.Column("beats", sa.Integer, nullable=False),
    )


def downgrade() -> None:
    op.drop_table("workers")
    op.drop_table("posts")
    op.drop_table("outbox")
    op.drop_index("turns_open", "turns")
    with op.batch_alter_table("notices") as notices:
        notices.drop_constraint("notices_key")
        notices.drop_column("key")
    with op.batch_alter_table("turns") as turns:
        turns.drop_column("worker")
        turns.drop_column("stopped_by")
        turns.drop_column("answered_as")
