"""Videos, and posts of several files: what an item became, and its own container."""

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
    # Until now everything that was prepared was a picture.
    op.execute("UPDATE items SET media_type = 'image/jpeg' WHERE prepared_sha256 IS NOT NULL")
