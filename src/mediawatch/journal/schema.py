"""The tables. Times are seconds since the epoch, UTC; ids are text, as Meta's are."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    text,
)
from sqlalchemy.types import TypeDecorator

from mediawatch.model.wishes import Wishes


class FilePath(TypeDecorator[Path]):
    """A path, kept as the bytes that the system uses: names need not be valid text."""

    impl = LargeBinary
    cache_ok = True

    def process_bind_param(self, value: Path | None, dialect: Dialect) -> bytes | None:
        return None if value is None else os.fsencode(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> Path | None:
        return None if value is None else Path(os.fsdecode(value))


class Name(TypeDecorator[str]):
    """A file's name for people: what is not valid text is shown as a replacement character."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else value.encode("utf-8", "replace").decode()


class Prose(TypeDecorator[str]):
    """Sentences, and what others said: half a character in it must not stop a transaction."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else value.encode("utf-8", "backslashreplace").decode()


class Json(TypeDecorator[Any]):
    """JSON in a text column, the same in every database. Plain ASCII, whatever is in it."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        return None if value is None else json.dumps(value, default=str)

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:
        return None if value is None else json.loads(value)


class Wished(TypeDecorator[Wishes]):
    """What the owner wishes for a post; nothing where nothing is wished for."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Wishes | None, dialect: Dialect) -> str | None:
        return value.to_json() if value else None

    def process_result_value(self, value: Any, dialect: Dialect) -> Wishes:
        return Wishes.from_json(value) if value else Wishes()


metadata = MetaData()

posts = Table(
    "posts",
    metadata,
    Column("id", Text, primary_key=True),
    Column("account_id", Text, ForeignKey("accounts.id"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("name", Name, nullable=False),
    Column("caption", Prose, nullable=False),
    Column("content_key", Text, nullable=False),
    Column("stage", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("created_at", Float, nullable=False),
    Column("updated_at", Float, nullable=False),
    Column("fence", Integer, nullable=False, default=0),
    Column("lease_until", Float),
    Column("wait_until", Float),
    Column("attempts", Integer, nullable=False, default=0),
    Column("parked", Boolean, nullable=False, default=False),
    Column("reason", Text),
    Column("detail", Prose),
    Column("remedy", Prose),
    Column("container_id", Text),
    Column("container_at", Float),
    Column("container_reads", Integer, nullable=False, default=0),
    Column("generation", Integer, nullable=False, default=0),
    Column("rebuilds", Integer, nullable=False, default=0),
    Column("publish_asked_at", Float),
    Column("absent_at", Float),
    Column("published_at", Float),
    Column("media_id", Text),
    Column("permalink", Text),
    Column("wishes", Wished),
    Column("refusal", Json),
    # Where it came from, and what a person must say yes to first.
    Column("inbox", FilePath),
    Column("awaits", Json),
    Column("moved_to", Float),
    Column("comment_asked_at", Float),
    Column("comment_id", Text),
    Column("comment_tries", Integer, nullable=False, server_default=text("0")),
    Index("posts_by_state", "state", "wait_until"),
    Index("posts_by_age", "created_at"),
    # Housekeepers ask every few seconds for what was published lately, of years of posts.
    Index(
        "posts_by_publication",
        "published_at",
        sqlite_where=text("published_at IS NOT NULL"),
        postgresql_where=text("published_at IS NOT NULL"),
    ),
    # What few rows have is indexed for those: an index over nothing costs as much to keep.
    Index(
        "posts_by_media",
        "account_id",
        "media_id",
        sqlite_where=text("media_id IS NOT NULL"),
        postgresql_where=text("media_id IS NOT NULL"),
    ),
)

#: The same content is one post of an account. What failed or was cancelled may be tried again.
Index(
    "posts_once",
    posts.c.account_id,
    posts.c.content_key,
    unique=True,
    sqlite_where=text("state NOT IN ('failed', 'cancelled')"),
    postgresql_where=text("state NOT IN ('failed', 'cancelled')"),
)

items = Table(
    "items",
    metadata,
    Column("post_id", Text, ForeignKey("posts.id", ondelete="CASCADE"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("name", Name, nullable=False),
    Column("source", FilePath, nullable=False),
    Column("moving_to", FilePath),
    Column("sha256", Text, nullable=False),
    Column("size", Integer, nullable=False),
    Column("prepared", FilePath),
    Column("prepared_sha256", Text),
    Column("prepared_size", Integer),
    Column("width", Integer),
    Column("height", Integer),
    Column("media_type", Text),
    Column("duration", Float),
    Column("changes", Json, nullable=False, default=list),
    Column("remote_key", Text),
    Column("public_url", Text),
    Column("container_id", Text),
    Column("container_at", Float),
    Index(
        "items_by_remote_key",
        "remote_key",
        sqlite_where=text("remote_key IS NOT NULL"),
        postgresql_where=text("remote_key IS NOT NULL"),
    ),
)

attempts = Table(
    "attempts",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("post_id", Text, ForeignKey("posts.id", ondelete="CASCADE"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("at", Float, nullable=False),
    Column("stage", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("endpoint", Text, nullable=False),
    Column("request", Json),
    Column("response", Json),
    Column("error", Prose),
    Column("duration_ms", Integer),
    Column("detail", Prose),
    Index("attempts_by_post", "post_id", "id"),
)

accounts = Table(
    "accounts",
    metadata,
    Column("id", Text, primary_key=True),
    Column("publishing", Text),
    Column("last_published_at", Float),
    Column("quota_total", Integer),
    Column("quota_window", Integer),
    Column("quota_read_at", Float),
    Column("asks", Integer, nullable=False, server_default=text("0")),
    Column("quota_elsewhere", Integer, nullable=False, server_default=text("0")),
    Column("token_digest", Text),
    Column("stopped_at", Float),
    Column("stopped_until", Float),
    Column("stopped_code", Text),
    Column("stopped_detail", Prose),
    Column("stopped_remedy", Prose),
    Column("released_at", Float),
    # Of a user, if it belongs to one; added later, so without a constraint.
    Column("owner_id", Text),
    # As Meta tells it. ``login``: facebook or instagram. ``granted``: names of permissions.
    # ``meta_user_id``: the person who connected it, as the app knows them.
    Column("username", Text),
    Column("login", Text),
    Column("kind", Text),
    Column("page_id", Text),
    Column("page_name", Prose),
    Column("granted", Json),
    Column("meta_user_id", Text),
    Column("connected_at", Float),
    Column("disconnected_at", Float),
    Index("accounts_by_owner", "owner_id"),
)

#: Every name that an account has had, casefolded, and since when it is its own: a folder in an
#: inbox that is called so is never taken for anything else again.
account_names = Table(
    "account_names",
    metadata,
    Column("name_key", Text, primary_key=True),
    Column("account_id", Text, nullable=False),
    Column("since", Float, nullable=False),
)

#: Access tokens, sealed (crypto/vault.py). ``sealed_user_token``: of the person behind a page's
#: token, to read that anew. ``kind``: user, page or instagram. Without an end: no ``expires_at``.
tokens = Table(
    "tokens",
    metadata,
    Column("account_id", Text, ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True),
    Column("key_id", Text, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("sealed_user_token", LargeBinary),
    Column("kind", Text, nullable=False),
    Column("issued_at", Float, nullable=False),
    Column("expires_at", Float),
    Column("data_access_expires_at", Float),
    Column("refreshed_at", Float),
    Column("verified_at", Float),
    Column("refresh_failed_at", Float),
    Column("refresh_problem", Prose),
)

#: Logins at Meta that somebody has begun. ``sealed``: what must stay secret of it meanwhile.
logins_under_way = Table(
    "logins_under_way",
    metadata,
    Column("state_digest", Text, primary_key=True),
    Column("session_digest", Text, nullable=False),
    Column("user_id", Text),
    Column("login", Text, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("key_id", Text, nullable=False),
    Column("redirect_uri", Text, nullable=False),
    Column("created_at", Float, nullable=False),
    Column("answered_at", Float),
)

#: What Meta asked to be forgotten, and that it was.
deletions = Table(
    "deletions",
    metadata,
    Column("code_digest", Text, primary_key=True),
    Column("asked_at", Float, nullable=False),
    Column("done_at", Float, nullable=False),
    Column("detail", Prose, nullable=False),
)

#: ``name_key``: the name casefolded, so that Ana and ana are one.
users = Table(
    "users",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Name, nullable=False),
    Column("name_key", Name, nullable=False, unique=True),
    Column("role", Text, nullable=False),
    Column("password_hash", Text, nullable=False),
    Column("language", Text),
    Column("created_at", Float, nullable=False),
)

#: Cookies and keys are known by their digest alone. Rows of a user go with it.
sessions = Table(
    "sessions",
    metadata,
    Column("digest", Text, primary_key=True),
    Column("user_id", Text, ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
    Column("created_at", Float, nullable=False),
    Column("seen_at", Float, nullable=False),
    Column("ends_at", Float, nullable=False),
    Column("address", Text, nullable=False),
    Column("agent", Prose, nullable=False),
    Index("sessions_by_user", "user_id"),
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", Text, primary_key=True),
    Column("user_id", Text, ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
    Column("name", Name, nullable=False),
    Column("digest", Text, nullable=False, unique=True),
    Column("scope", Text, nullable=False),
    Column("created_at", Float, nullable=False),
    Column("used_at", Float),
    Column("ends_at", Float),
    Column("revoked_at", Float),
    Index("api_keys_by_user", "user_id"),
)

#: With whom an account is shared, and as what at the most.
account_shares = Table(
    "account_shares",
    metadata,
    Column("account_id", Text, ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True),
    Column("user_id", Text, ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
    Column("role", Text, nullable=False),
    Index("account_shares_by_user", "user_id"),
)

#: Who changed what, on which, from where. Outlives the user and the subject.
audit = Table(
    "audit",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at", Float, nullable=False),
    Column("user_id", Text),
    Column("who", Name, nullable=False),
    Column("door", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("account_id", Text),
    Column("detail", Prose, nullable=False),
    Index("audit_by_subject", "subject"),
)

quota_slots = Table(
    "quota_slots",
    metadata,
    Column("post_id", Text, ForeignKey("posts.id", ondelete="CASCADE"), primary_key=True),
    Column("generation", Integer, primary_key=True),
    Column("account_id", Text, ForeignKey("accounts.id"), nullable=False),
    Column("at", Float, nullable=False),
    Index("quota_slots_by_account", "account_id", "at"),
)

#: Names that lay in an inbox at its first start and wait for their release.
withheld = Table(
    "withheld",
    metadata,
    Column("inbox", FilePath, primary_key=True),
    Column("name", FilePath, primary_key=True),
    Column("seal", Text, nullable=False),
)

#: What the owner is told of, each once. ``key`` names the occasion.
alerts = Table(
    "alerts",
    metadata,
    Column("key", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("at", Float, nullable=False),
    Column("subject", Prose, nullable=False),
    Column("detail", Prose, nullable=False),
    Column("remedy", Prose, nullable=False),
    Column("post_id", Text),
    Index("alerts_by_post", "post_id"),
)

#: Whom an alert has not reached yet: digests of addresses.
alerts_due = Table(
    "alerts_due",
    metadata,
    Column("key", Text, ForeignKey("alerts.key", ondelete="CASCADE"), primary_key=True),
    Column("address", Text, primary_key=True),
)

#: What happens once in the life of a journal, and when it did.
milestones = Table(
    "milestones",
    metadata,
    Column("name", Text, primary_key=True),
    Column("at", Float, nullable=False),
)
