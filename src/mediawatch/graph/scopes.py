"""The permissions that a person is asked for, and what each is for.

Source: Meta's "Permissions" and "Content Publishing", for both logins.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from mediawatch.model.accounts import Login


@dataclass(frozen=True, slots=True)
class Scope:
    """One permission. ``needed``: without it nothing can be published."""

    name: str
    purpose: str
    needed: bool


_FIRST_COMMENTS = "Write the first comment below a post, and read comments."
_INSIGHTS = "Read how posts and the account do."

NEEDED_SCOPES: dict[Login, tuple[Scope, ...]] = {
    "facebook": (
        Scope("instagram_basic", "See the account and its posts.", True),
        Scope("instagram_content_publish", "Publish posts.", True),
        Scope("pages_show_list", "Find the page that the account is linked to.", True),
        Scope("pages_read_engagement", "Read the link between page and account.", True),
        Scope("instagram_manage_comments", _FIRST_COMMENTS, False),
        Scope("instagram_manage_insights", _INSIGHTS, False),
        Scope("business_management", "Find pages that belong to a business portfolio.", False),
    ),
    "instagram": (
        Scope("instagram_business_basic", "See the account and its posts.", True),
        Scope("instagram_business_content_publish", "Publish posts.", True),
        Scope("instagram_business_manage_comments", _FIRST_COMMENTS, False),
        Scope("instagram_business_manage_insights", _INSIGHTS, False),
    ),
}


#: Only finds the accounts; one that is known is published to without it.
_TO_FIND = "pages_show_list"


def missing(login: Login, granted: Iterable[str]) -> list[Scope]:
    """What publishing to a known account needs and was not granted."""
    return [scope for scope in lacking(login, granted) if scope.needed and scope.name != _TO_FIND]


def lacking(login: Login, granted: Iterable[str]) -> list[Scope]:
    """What was asked for and not granted, the needed ones first."""
    held = set(granted)
    return [scope for scope in NEEDED_SCOPES[login] if scope.name not in held]
