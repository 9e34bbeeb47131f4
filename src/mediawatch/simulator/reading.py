"""The reading endpoints: a media node, the listings, the account."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from zlib import crc32

from .access import Holder
from .containers import Container, Item, Kind, Media, Video
from .fields import requested, split_fields
from .paging import number, paged
from .person import Person
from .state import State


class Reading:
    """The reading endpoints over one state. ``base`` is the address of pictures and pages."""

    def __init__(self, state: State) -> None:
        self._state = state

    def media(self, media: Media, params: Mapping[str, str], base: str) -> dict[str, Any]:
        """``GET /{media-id}``."""
        return requested(params.get("fields", "id"), self._node(media, base))

    def listing(
        self, user: str, params: Mapping[str, str], base: str, *, here: str, stories: bool = False
    ) -> dict[str, Any]:
        """``GET /{ig-user}/media`` and ``/stories``: newest first, with cursors.

        ``here`` is the address of the listing itself, without a query. Pages have 25 entries
        unless ``limit`` says otherwise, at most 100; ``since`` and ``until`` are Unix seconds.
        """
        fields = params.get("fields", "id")
        return paged(
            _between(self._state.listed(user, stories=stories), params),
            params,
            lambda media: requested(fields, self._node(media, base)),
            here=here,
        )

    def user(
        self, user: str, params: Mapping[str, str], person: Person, holder: Holder
    ) -> dict[str, Any]:
        """``GET /{ig-user}`` and ``/me``, as one flat object; wrapped if the app wants it so.

        The kind of account is the ``person``'s for a token that nobody granted. The Instagram
        login has another ``id`` for whoever logged in; ``user_id`` is the account.
        """
        name = self._state.username(user)
        account, grant = self._state.cast.accounts.get(user), holder.grant
        kind, own_id = person.account_type, user
        if account is not None and grant is not None:
            kind = account.kind
            own_id = account.app_scoped_id if grant.login == "instagram" else user
        known: dict[str, Any] = {
            "id": own_id,
            "user_id": user,
            "username": name,
            "name": name.replace("_", " ").title(),
            "account_type": kind,
            "biography": "",
            "website": "",
            "profile_picture_url": None,
            "followers_count": 0,
            "follows_count": 0,
            "media_count": 0,
        }
        if "media_count" in split_fields(params.get("fields", "")):
            known["media_count"] = len(self._state.listed(user, stories=False))
        told = requested(params.get("fields", "id"), known)
        app = self._state.cast.apps.get(grant.app_id) if grant else None
        wrapped = app is not None and app.login == "instagram" and app.wrapped
        return {"data": [told]} if wrapped else told

    def _node(self, media: Media, base: str) -> dict[str, Any]:
        container = media.container
        known: dict[str, Any] = {
            "id": media.id,
            "caption": container.caption or None,
            "alt_text": container.alt_text or None,
            "media_product_type": product_type(container),
            "permalink": f"{base}{path_of(media)}",
            "shortcode": media.shortcode,
            "timestamp": media.timestamp,
            "username": self._state.username(container.user),
            "owner": {"id": container.user},
            "like_count": 0,
            "comments_count": len(media.comments),
            "is_comment_enabled": True,
            "is_shared_to_feed": container.details.share_to_feed,
            "collaborators": _collaborators(container),
            "children": None,
        }
        known |= _media_fields(container.items[0], base)
        if container.kind is Kind.CAROUSEL:
            known |= {"media_type": "CAROUSEL_ALBUM", "thumbnail_url": None}
            known["children"] = {"data": [_child(*child, media, base) for child in media.children]}
        return known


def product_type(container: Container) -> str:
    """Where a post is shown, which alone tells a reel or a story from a post in the feed."""
    return {Kind.REEL: "REELS", Kind.STORY: "STORY"}.get(container.kind, "FEED")


def path_of(media: Media) -> str:
    """The path of a post's page; reels have another one."""
    kind = "reel" if media.container.kind is Kind.REEL else "p"
    return f"/{kind}/{media.shortcode}/"


def item_path(item: Item) -> str:
    """The path of an item's bytes."""
    if isinstance(item, Video):
        return f"/_simulator/videos/{item.sha256}.mp4"
    return f"/_simulator/pictures/{item.sha256}.jpg"


def _media_fields(item: Item, base: str) -> dict[str, Any]:
    return {
        "media_type": "VIDEO" if isinstance(item, Video) else "IMAGE",
        "media_url": f"{base}{item_path(item)}",
        "thumbnail_url": f"{base}{item_path(item.cover)}" if isinstance(item, Video) else None,
    }


def _child(child_id: str, child: Container, media: Media, base: str) -> dict[str, Any]:
    return {
        "id": child_id,
        "alt_text": child.alt_text or None,
        "timestamp": media.timestamp,
        **_media_fields(child.items[0], base),
    }


def _collaborators(container: Container) -> dict[str, Any] | None:
    names = container.details.collaborators
    if not names:
        return None
    return {"data": [{"id": f"17841{crc32(n.encode()):012d}", "username": n} for n in names]}


def _between(entries: list[Media], params: Mapping[str, str]) -> list[Media]:
    since = number(params, "since", 0)
    until = number(params, "until", 2**62)
    return [media for media in entries if since <= media.published_at <= until]
