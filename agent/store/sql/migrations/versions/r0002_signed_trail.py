"""Bodies of the trail that can be pruned, its signed checkpoints, and what was asked in vain."""

from collections.abc import Callable

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column("audit", sa.Column("body_hash", sa.String))
    there = sa.inspect(op.get_bind())
    for name, columns in TABLES.items():
        if not there.has_table(
            name
        ):  # sayso of the time before migrations made new tables in any store it opened
            op.create_table(name, *columns())
            if name == "in_vain":
                op.create_index("in_vain_by_gist", "in_vain", ["gist"])


def downgrade() -> None:
    for name in reversed(TABLES):
        op.drop_table(name)
    op.execute("DELETE FROM meta WHERE name = 'store'")
    with op.batch_alter_table("audit") as audit:
        audit.drop_column("body_hash")


TABLES: dict[str, Callable[[], tuple[sa.schema.SchemaItem, ...]]] = {
    "checkpoints": lambda: (
        sa.Column("seq", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("body", sa.Text, nullable=False),
    ),
    "in_vain": lambda: (
        sa.Column("turn", sa.String, primary_key=True),
        sa.Column("gist", sa.String, nullable=False),
        sa.Column("question", sa.Text, nullable=False),
        sa.Column("query", sa.Text, nullable=False),
        sa.Column("person", sa.String, nullable=False),
        sa.Column("at", sa.Float, nullable=False),
        sa.Column("public", sa.Integer, nullable=False),
    ),
    "in_vain_again": lambda: (
        sa.Column("turn", sa.String, primary_key=True),
        sa.Column("among", sa.String, nullable=False),
    ),
    "in_vain_closed": lambda: (
        sa.Column("turn", sa.String, primary_key=True),
        sa.Column("by", sa.String, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("at", sa.Float, nullable=False),
    ),
    "marks": lambda: (
        sa.Column("gist", sa.String, nullable=False),
        sa.Column("document", sa.String, nullable=False),
        sa.Column("person", sa.String, nullable=False),
        sa.Column("helpful", sa.Integer, nullable=False),
        sa.Column("question", sa.Text, nullable=False),
        sa.Column("at", sa.Float, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("gist", "document", "person"),
    ),
}
