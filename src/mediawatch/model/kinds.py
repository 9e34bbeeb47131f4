"""What a post becomes on Instagram, and what its files are when they are sent there."""

from __future__ import annotations

from enum import StrEnum

#: Media types of what is published.
PICTURE, VIDEO = "image/jpeg", "video/mp4"
#: How the names of such files end.
SUFFIXES = {PICTURE: ".jpg", VIDEO: ".mp4"}


class PostKind(StrEnum):
    """What becomes of the post on Instagram."""

    IMAGE = "image"
    REEL = "reel"
    STORY = "story"
    CAROUSEL = "carousel"
