"""Videos, posts of several files, and wishes: what an item became and its own container, what is
wished for a post, and its first comment."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name, kind in (
        ("media_type", sa.Text),
        ("duration", sa.Float),
        ("container_id", sa.Text),
        ("container_at", sa.Float),
    ):
        op.add_column("items", sa.Column(name, kind))
    for name, kind in (
        ("wishes", sa.Text),
        ("refusal", sa.Text),
        ("moved_to", sa.Float),
        ("comment_asked_at", sa.Float),
        ("comment_id", sa.Text),
    ):
        op.add_column("posts", sa.Column(name, kind))
    op.add_column(
        "posts",
        sa.Column("comment_tries", sa.Integer, nullable=False, server_default=sa.text("0")),
    )
    # Until now everything that was prepared was a picture.
    op.execute("UPDATE items SET media_type = 'image/jpeg' WHERE prepared_sha256 IS NOT NULL")
