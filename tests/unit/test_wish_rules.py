"""What a post of each kind can have, as Meta's reference has it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from mediawatch.errors import Handling, Rejected
from mediawatch.model.posts import PostKind
from mediawatch.model.wish_rules import check
from mediawatch.model.wishes import Cover, UserTag, Wishes

EACH = {
    "caption": Wishes(caption="a"),
    "title": Wishes(title="a"),
    "alt_text": Wishes(alt_text="a"),
    "alt_texts": Wishes(alt_texts=(("a.jpg", "a"),)),
    "publish_at": Wishes(publish_at=datetime(2026, 12, 24, tzinfo=UTC), publish_note="a"),
    "kind": Wishes(kind=PostKind.IMAGE),
    "location_id": Wishes(location_id="1"),
    "placed tag": Wishes(user_tags=(UserTag("a", 0.5, 0.5),)),
    "tag": Wishes(user_tags=(UserTag("a"),)),
    "collaborators": Wishes(collaborators=("a",)),
    "share_to_feed": Wishes(share_to_feed=False),
    "first_comment": Wishes(first_comment="a"),
    "cover": Wishes(cover=Cover(offset_ms=0)),
    "again": Wishes(again="a"),
}
REFUSED = {
    PostKind.IMAGE: {"alt_texts", "share_to_feed", "cover", "tag"},
    PostKind.REEL: {"alt_texts", "placed tag"},
    PostKind.STORY: set(EACH)
    - {"caption", "title", "publish_at", "kind", "again", "tag", "placed tag"},
    PostKind.CAROUSEL: {"share_to_feed", "cover", "tag", "placed tag"},
}


@pytest.mark.parametrize("kind", PostKind)
def test_what_a_post_of_the_kind_cannot_have_is_held(kind: PostKind) -> None:
    """Nothing that the owner wished for is left out in silence; the rest passes."""
    refused = set()
    for name, wishes in EACH.items():
        try:
            check(wishes, kind)
        except Rejected as error:
            refused.add((name, error.handling, bool(error.remedy)))

    assert {(name, Handling.HOLD, True) for name in REFUSED[kind]} == refused


def test_all_that_is_too_much_is_told_at_once() -> None:
    """By the names of the keys."""
    with pytest.raises(Rejected, match=r"kind story cannot have: alt_text, cover\."):
        check(Wishes(alt_text="a", cover=Cover(offset_ms=1)), PostKind.STORY)


def test_every_field_is_in_the_rules() -> None:
    """A wish that is added one day must be placed by somebody."""
    tried = {key for wishes in EACH.values() for key in wishes.said()}

    assert set(Wishes.__dataclass_fields__) == tried
