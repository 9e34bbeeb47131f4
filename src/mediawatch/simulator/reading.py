"""The reading endpoints: a media node, the listings, the account."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from .fields import requested, split_fields
from .refusals import invalid
from .state import Kind, Media, Picture, State

_PAGE, _MAX_PAGE = 25, 100
#: Parameters that a link to the next page repeats; Graph puts the token there too.
_KEPT = ("access_token", "fields", "limit", "since", "until")


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
        entries = _between(self._state.listed(user, stories=stories), params)
        size = min(_number(params, "limit", _PAGE), _MAX_PAGE)
        start = 0
        if after := params.get("after"):
            start = _position(entries, after) + 1
        elif before := params.get("before"):
            start = max(0, _position(entries, before) - size)
        page = entries[start : start + size]
        fields = params.get("fields", "id")
        answer: dict[str, Any] = {
            "data": [requested(fields, self._node(media, base)) for media in page]
        }
        if page:
            cursors = {"before": _cursor(page[0]), "after": _cursor(page[-1])}
            answer["paging"] = {"cursors": cursors}
            if start + size < len(entries):
                kept = {k: params[k] for k in _KEPT if k in params}
                answer["paging"]["next"] = f"{here}?{urlencode(kept | {'after': cursors['after']})}"
        return answer

    def user(self, user: str, params: Mapping[str, str]) -> dict[str, Any]:
        """``GET /{ig-user}`` and ``/me``, as one flat object."""
        name = self._state.username(user)
        known: dict[str, Any] = {
            "id": user,
            "user_id": user,
            "username": name,
            "name": name.replace("_", " ").title(),
            "account_type": "BUSINESS",
            "biography": "",
            "website": "",
            "profile_picture_url": None,
            "followers_count": 0,
            "follows_count": 0,
            "media_count": 0,
        }
        if "media_count" in split_fields(params.get("fields", "")):
            known["media_count"] = len(self._state.listed(user, stories=False))
        return requested(params.get("fields", "id"), known)

    def _node(self, media: Media, base: str) -> dict[str, Any]:
        container = media.container
        carousel = container.kind is Kind.CAROUSEL
        known: dict[str, Any] = {
            "id": media.id,
            "caption": container.caption or None,
            "alt_text": container.alt_text or None,
            "media_type": "CAROUSEL_ALBUM" if carousel else "IMAGE",
            "media_product_type": "STORY" if container.kind is Kind.STORY else "FEED",
            "media_url": _picture_url(base, container.pictures[0]),
            "thumbnail_url": None,
            "permalink": f"{base}/p/{media.shortcode}/",
            "shortcode": media.shortcode,
            "timestamp": media.timestamp,
            "username": self._state.username(container.user),
            "owner": {"id": container.user},
            "like_count": 0,
            "comments_count": 0,
            "is_comment_enabled": True,
            "children": None,
        }
        if carousel:
            known["children"] = {
                "data": [
                    {
                        "id": child_id,
                        "media_type": "IMAGE",
                        "media_url": _picture_url(base, picture),
                        "timestamp": media.timestamp,
                    }
                    for child_id, picture in media.children
                ]
            }
        return known


def _picture_url(base: str, picture: Picture) -> str:
    return f"{base}/_simulator/pictures/{picture.sha256}.jpg"


def _number(params: Mapping[str, str], name: str, default: int) -> int:
    text = params.get(name, "")
    if not text:
        return default
    if not text.isascii() or not text.isdecimal() or (name == "limit" and int(text) < 1):
        raise invalid(f"Param {name} must be a positive number")
    return int(text)


def _between(entries: list[Media], params: Mapping[str, str]) -> list[Media]:
    since = _number(params, "since", 0)
    until = _number(params, "until", 2**62)
    return [media for media in entries if since <= media.published_at <= until]


def _cursor(media: Media) -> str:
    return base64.urlsafe_b64encode(media.id.encode()).decode()


def _position(entries: list[Media], cursor: str) -> int:
    for index, media in enumerate(entries):
        if _cursor(media) == cursor:
            return index
    raise invalid("Invalid cursors values for 'before' or 'after'")
