"""What a person was told of each step, and how often publication was asked."""

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
