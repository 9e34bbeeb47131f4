"""Which wishes Meta can fulfil for which kind of post. The others are told before any call.

Source: IG User Media reference, parameters of ``/media``, read 2026-11-20.
"""

from __future__ import annotations

from mediawatch.errors import Handling, Rejected
from mediawatch.model.kinds import PostKind
from mediawatch.model.wishes import Wishes

#: The fields of Wishes that a container, or the post after it, can carry.
_TAKES = {
    PostKind.IMAGE: {
        *("caption", "alt_text", "location_id", "user_tags", "collaborators", "first_comment"),
    },
    PostKind.REEL: {
        *("caption", "location_id", "user_tags", "collaborators", "first_comment"),
        *("share_to_feed", "cover"),
    },
    PostKind.STORY: {"user_tags"},
    PostKind.CAROUSEL: {
        *("caption", "alt_text", "alt_texts", "location_id", "collaborators", "first_comment"),
    },
}
#: What mediawatch itself fulfils, for a post of any kind.
_OURS = {"title", "publish_at", "publish_note", "kind", "again"}
#: What may be said for other posts as well: a caption file of a folder, the picture's own words.
_PASSED_OVER = {PostKind.STORY: {"caption"}, PostKind.REEL: {"alt_text"}}


def check(wishes: Wishes, kind: PostKind) -> None:
    """Raises Rejected, to be held, if the owner wishes for what a post of that kind cannot have.

    A story shows no caption, and a reel has no alternative text: these two are not sent and not
    refused, since templates and pictures bring them unasked.
    """
    fit = _TAKES[kind] | _OURS | _PASSED_OVER.get(kind, set())
    if unfit := sorted(wishes.said().keys() - fit):
        names = ", ".join("alt_text" if name == "alt_texts" else name for name in unfit)
        raise _refused(
            f"A post of the kind {kind} cannot have: {names}.",
            "Leave that out of the file beside it, or choose another kind, and put all back.",
        )
    for tag in wishes.user_tags or ():
        if kind is PostKind.IMAGE and tag.x is None:
            raise _refused(
                f"In a picture a tag needs a place, and the one of {tag.username} has none.",
                "Write x and y, from 0 to 1, beside username, and put both files back.",
            )
        if kind is PostKind.REEL and tag.x is not None:
            raise _refused(
                f"In a reel a tag has no place, but the one of {tag.username} has.",
                "Leave x and y out, and put both files back.",
            )


def _refused(message: str, remedy: str) -> Rejected:
    return Rejected(message, remedy=remedy, code="sidecar", handling=Handling.HOLD)
