"""The comments of a post: write one, list them, read one.

Source: Meta's "Comments" page. Its limits of a comment's text are stated by others only: 300
characters, 4 hashtags, 1 web address; they are kept here, the strict way.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from .containers import Comment, Kind, Media
from .fields import requested
from .paging import paged
from .reading import product_type
from .refusals import Refusal, invalid, missing
from .state import State

MAX_TEXT, MAX_HASHTAGS, MAX_ADDRESSES = 300, 4, 1
_PAGE = 50
_HASHTAG = re.compile(r"#\w")
_ADDRESS = re.compile(r"https?://|\bwww\.", re.IGNORECASE)


class Commenting:
    """The comment endpoints over one state."""

    def __init__(self, state: State) -> None:
        self._state = state

    def write(self, media: Media, params: Mapping[str, str]) -> dict[str, Any]:
        """``POST /{media}/comments``; a story takes none.

        As it was seen at Meta, ``fields`` make it fail with 20/1772107 *after* the comment was
        written.
        """
        _require_comments(media, "post")
        text = params.get("message", "")
        _judge(text)
        comment = self._state.comment(media, text)
        if "fields" in params:
            raise Refusal(20, 1772107)
        return {"id": comment.id}

    def listing(self, media: Media, params: Mapping[str, str], *, here: str) -> dict[str, Any]:
        """``GET /{media}/comments``: newest first, 50 to a page at most."""
        _require_comments(media, "get")
        fields = params.get("fields", "timestamp,text,id")
        return paged(
            media.comments[::-1],
            params,
            lambda comment: requested(fields, self._node(media, comment)),
            here=here,
            most=_PAGE,
        )

    def read(self, comment_id: str, params: Mapping[str, str]) -> dict[str, Any]:
        """``GET /{comment}``."""
        media, comment = self._state.comments[comment_id]
        return requested(params.get("fields", "timestamp,text,id"), self._node(media, comment))

    def _node(self, media: Media, comment: Comment) -> dict[str, Any]:
        name = self._state.username(comment.user)
        return {
            "id": comment.id,
            "text": comment.text,
            "timestamp": comment.timestamp,
            "username": name,
            "from": {"id": comment.user, "username": name},
            "user": {"id": comment.user},
            "hidden": False,
            "like_count": 0,
            "parent_id": None,
            "replies": None,
            "media": {"id": media.id, "media_product_type": product_type(media.container)},
        }


def _require_comments(media: Media, verb: str) -> None:
    if media.container.kind is Kind.STORY:
        raise missing(media.id, verb)


def _judge(text: str) -> None:
    if not text.strip():
        raise invalid("The parameter message is required.")
    if len(text.encode("utf-16-le", "surrogatepass")) // 2 > MAX_TEXT:
        raise invalid(f"A comment must be at most {MAX_TEXT} characters long")
    if len(_HASHTAG.findall(text)) > MAX_HASHTAGS:
        raise invalid(f"A comment must have at most {MAX_HASHTAGS} hashtags")
    if len(_ADDRESS.findall(text)) > MAX_ADDRESSES:
        raise invalid(f"A comment must have at most {MAX_ADDRESSES} web address")
