"""Posts, their items, the publishing log, accounts and quota slots."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "accounts",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("publishing", sa.Text),
        sa.Column("last_published_at", sa.Float),
        sa.Column("quota_total", sa.Integer),
        sa.Column("quota_window", sa.Integer),
        sa.Column("quota_read_at", sa.Float),
    )
    op.create_table(
        "posts",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("account_id", sa.Text, sa.ForeignKey("accounts.id"), nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("caption", sa.Text, nullable=False),
        sa.Column("content_key", sa.Text, nullable=False),
        sa.Column("stage", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("created_at", sa.Float, nullable=False),
        sa.Column("updated_at", sa.Float, nullable=False),
        sa.Column("fence", sa.Integer, nullable=False),
        sa.Column("lease_until", sa.Float),
        sa.Column("wait_until", sa.Float),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("parked", sa.Boolean, nullable=False),
        sa.Column("reason", sa.Text),
        sa.Column("detail", sa.Text),
        sa.Column("remedy", sa.Text),
        sa.Column("container_id", sa.Text),
        sa.Column("container_at", sa.Float),
        sa.Column("container_reads", sa.Integer, nullable=False),
        sa.Column("generation", sa.Integer, nullable=False),
        sa.Column("rebuilds", sa.Integer, nullable=False),
        sa.Column("publish_asked_at", sa.Float),
        sa.Column("absent_at", sa.Float),
        sa.Column("published_at", sa.Float),
        sa.Column("media_id", sa.Text),
        sa.Column("permalink", sa.Text),
    )
    op.create_index("posts_by_state", "posts", ["state", "wait_until"])
    op.create_index("posts_by_age", "posts", ["created_at"])
    op.create_index("posts_by_media", "posts", ["account_id", "media_id"])
    op.create_index(
        "posts_once",
        "posts",
        ["account_id", "content_key"],
        unique=True,
        sqlite_where=sa.text("state NOT IN ('failed', 'cancelled')"),
        postgresql_where=sa.text("state NOT IN ('failed', 'cancelled')"),
    )
    op.create_table(
        "items",
        sa.Column(
            "post_id", sa.Text, sa.ForeignKey("posts.id", ondelete="CASCADE"), primary_key=True
        ),
        sa.Column("position", sa.Integer, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("source", sa.LargeBinary, nullable=False),
        sa.Column("moving_to", sa.LargeBinary),
        sa.Column("sha256", sa.Text, nullable=False),
        sa.Column("size", sa.Integer, nullable=False),
        sa.Column("prepared", sa.LargeBinary),
        sa.Column("prepared_sha256", sa.Text),
        sa.Column("prepared_size", sa.Integer),
        sa.Column("width", sa.Integer),
        sa.Column("height", sa.Integer),
        sa.Column("changes", sa.Text, nullable=False),
        sa.Column("remote_key", sa.Text),
        sa.Column("public_url", sa.Text),
    )
    op.create_index("items_by_remote_key", "items", ["remote_key"])
    op.create_table(
        "attempts",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column(
            "post_id", sa.Text, sa.ForeignKey("posts.id", ondelete="CASCADE"), nullable=False
        ),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("at", sa.Float, nullable=False),
        sa.Column("stage", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("endpoint", sa.Text, nullable=False),
        sa.Column("request", sa.Text),
        sa.Column("response", sa.Text),
        sa.Column("error", sa.Text),
        sa.Column("duration_ms", sa.Integer),
    )
    op.create_index("attempts_by_post", "attempts", ["post_id", "id"])
    op.create_table(
        "quota_slots",
        sa.Column(
            "post_id", sa.Text, sa.ForeignKey("posts.id", ondelete="CASCADE"), primary_key=True
        ),
        sa.Column("generation", sa.Integer, primary_key=True),
        sa.Column("account_id", sa.Text, sa.ForeignKey("accounts.id"), nullable=False),
        sa.Column("at", sa.Float, nullable=False),
    )
    op.create_index("quota_slots_by_account", "quota_slots", ["account_id", "at"])


def downgrade() -> None:
    for table in ("quota_slots", "attempts", "items", "posts", "accounts"):
        op.drop_table(table)
