"""Channels that are followed, what is said in them, and people as their platform describes them."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "channels",
        sa.Column("id", sa.String, primary_key=True),
        sa.Column("heard", sa.Integer, nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("changes", sa.Integer, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
    )
    op.create_table(
        "remarks",
        sa.Column("channel", sa.String, nullable=False),
        sa.Column("ts", sa.String, nullable=False),
        sa.Column("thread", sa.String, nullable=False),
        sa.Column("edited", sa.String, nullable=False),
        sa.Column("standing", sa.Integer, nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("channel", "ts"),
    )
    op.create_table(
        "accounts",
        sa.Column("id", sa.String, primary_key=True),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("read_at", sa.Float, nullable=False),
        sa.Column("outsider", sa.Integer, nullable=False),
    )


def downgrade() -> None:
    op.drop_table("accounts")
    op.drop_table("remarks")
    op.drop_table("channels")
