"""What the owner is told of; and what was published lately, found without reading all posts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "alerts",
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("at", sa.Float, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
        sa.Column("remedy", sa.Text, nullable=False),
        sa.Column("post_id", sa.Text),
    )
    op.create_index("alerts_by_post", "alerts", ["post_id"])
    op.create_table(
        "alerts_due",
        sa.Column(
            "key", sa.Text, sa.ForeignKey("alerts.key", ondelete="CASCADE"), primary_key=True
        ),
        sa.Column("address", sa.Text, primary_key=True),
    )
    there = sa.text("published_at IS NOT NULL")
    op.create_index(
        "posts_by_publication",
        "posts",
        ["published_at"],
        sqlite_where=there,
        postgresql_where=there,
    )
