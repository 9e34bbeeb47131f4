"""Accounts that were connected by logging in: what they are, their sealed tokens, logins under way,
and what Meta asked to be forgotten; and several inboxes, with folders that are named after them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _several_inboxes()
    for name in ("username", "login", "kind", "page_id", "page_name", "granted", "meta_user_id"):
        op.add_column("accounts", sa.Column(name, sa.Text))
    for name in ("connected_at", "disconnected_at"):
        op.add_column("accounts", sa.Column(name, sa.Float))
    op.create_table(
        "tokens",
        sa.Column(
            "account_id",
            sa.Text,
            sa.ForeignKey("accounts.id", ondelete="CASCADE"),
            primary_key=True,
        ),
        sa.Column("key_id", sa.Text, nullable=False),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sa.Column("sealed_user_token", sa.LargeBinary),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("issued_at", sa.Float, nullable=False),
        sa.Column("expires_at", sa.Float),
        sa.Column("data_access_expires_at", sa.Float),
        sa.Column("refreshed_at", sa.Float),
        sa.Column("verified_at", sa.Float),
        sa.Column("refresh_failed_at", sa.Float),
        sa.Column("refresh_problem", sa.Text),
    )
    op.create_table(
        "logins_under_way",
        sa.Column("state_digest", sa.Text, primary_key=True),
        sa.Column("session_digest", sa.Text, nullable=False),
        sa.Column("user_id", sa.Text),
        sa.Column("login", sa.Text, nullable=False),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sa.Column("key_id", sa.Text, nullable=False),
        sa.Column("redirect_uri", sa.Text, nullable=False),
        sa.Column("created_at", sa.Float, nullable=False),
        sa.Column("answered_at", sa.Float),
    )
    op.create_table(
        "deletions",
        sa.Column("code_digest", sa.Text, primary_key=True),
        sa.Column("asked_at", sa.Float, nullable=False),
        sa.Column("done_at", sa.Float, nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
    )


def _several_inboxes() -> None:
    op.add_column("posts", sa.Column("inbox", sa.LargeBinary))
    op.add_column("posts", sa.Column("awaits", sa.Text))
    op.rename_table("withheld", "withheld_in_one")
    op.create_table(
        "withheld",
        sa.Column("inbox", sa.LargeBinary, primary_key=True),
        sa.Column("name", sa.LargeBinary, primary_key=True),
        sa.Column("seal", sa.Text, nullable=False),
    )
    # Whose it is, the first start knows: the first of the settings.
    op.execute(
        "INSERT INTO withheld (inbox, name, seal) SELECT x'', name, seal FROM withheld_in_one"
    )
    op.drop_table("withheld_in_one")
    op.create_table(
        "account_names",
        sa.Column("name_key", sa.Text, primary_key=True),
        sa.Column("account_id", sa.Text, nullable=False),
        sa.Column("since", sa.Float, nullable=False),
    )
