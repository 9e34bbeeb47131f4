"""What a person was told of each step, how often publication was asked, and what was withheld at
the first start."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("attempts", sa.Column("detail", sa.Text))
    op.add_column(
        "accounts", sa.Column("asks", sa.Integer, nullable=False, server_default=sa.text("0"))
    )
    op.add_column(
        "accounts",
        sa.Column("quota_elsewhere", sa.Integer, nullable=False, server_default=sa.text("0")),
    )
    for name in ("token_digest", "stopped_code", "stopped_detail", "stopped_remedy"):
        op.add_column("accounts", sa.Column(name, sa.Text))
    for name in ("stopped_at", "stopped_until", "released_at"):
        op.add_column("accounts", sa.Column(name, sa.Float))
    op.create_table(
        "withheld",
        sa.Column("name", sa.LargeBinary, primary_key=True),
        sa.Column("seal", sa.Text, nullable=False),
    )
    op.create_table(
        "milestones",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("at", sa.Float, nullable=False),
    )
    for name, table, columns in (
        ("posts_by_media", "posts", ["account_id", "media_id"]),
        ("items_by_remote_key", "items", ["remote_key"]),
    ):
        there = sa.text(f"{columns[-1]} IS NOT NULL")
        op.drop_index(name, table)
        op.create_index(name, table, columns, sqlite_where=there, postgresql_where=there)
    # Who has posts already has started before.
    op.execute(
        "INSERT INTO milestones (name, at) SELECT 'first-look', first.at FROM "
        "(SELECT min(created_at) AS at FROM posts) AS first WHERE first.at IS NOT NULL"
    )
