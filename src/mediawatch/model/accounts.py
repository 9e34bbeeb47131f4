"""Accounts: the two ways to log in to Meta, and how an account stands. Pure."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

Login = Literal["facebook", "instagram"]
LOGINS: tuple[Login, ...] = ("facebook", "instagram")
#: What Meta calls professional accounts, in small letters: the two logins spell it differently.
PROFESSIONAL = {"business", "media_creator", "creator"}
#: Why the posts of an account wait whose token was forgotten, or cannot be read any more.
DISCONNECTED, TOKEN_UNREADABLE = "disconnected", "token-unreadable"


class AccountState(StrEnum):
    """How an account stands, in the word that people are shown. Derived, never stored."""

    CONNECTED = "connected"
    DISCONNECTED = "disconnected"
    TOKEN_EXPIRED = "token_expired"
    ERROR = "error"


def is_professional(kind: str) -> bool:
    """Whether it may be published to by the API. The Facebook login tells no kind: it knows
    professional accounts only."""
    return not kind or kind.lower() in PROFESSIONAL


def state_of(
    *, disconnected: bool, stopped_code: str | None, ends_at: float | None, now: float
) -> AccountState:
    """``stopped_code``: why nothing is done for it, if it is so. ``ends_at``: of its token, in
    seconds since the epoch; None: it does not end, or that is not known."""
    if disconnected:
        return AccountState.DISCONNECTED
    if stopped_code == "token" or (ends_at is not None and ends_at <= now):
        return AccountState.TOKEN_EXPIRED
    return AccountState.CONNECTED if stopped_code is None else AccountState.ERROR
