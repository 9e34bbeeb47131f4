"""Which media of the account's listing may be a post of ours, when Meta's answer was lost."""

from __future__ import annotations

from dataclasses import dataclass

from mediawatch.graph.publishing import PublishedMedia, Publishing
from mediawatch.journal import posts
from mediawatch.model.captions import words_of
from mediawatch.model.kinds import PostKind
from mediawatch.model.posts import Post
from mediawatch.pipeline.work import Work

#: Seconds that Meta's clock may be behind ours.
CLOCK_MARGIN = 60.0
#: The same before a new container is made: there a clock that is wrong could cost a second post.
WIDE_MARGIN = 86400.0
#: What the listing calls each kind (Meta: IG Media, ``media_type``).
_LISTED_AS = {
    PostKind.IMAGE: {"IMAGE"},
    PostKind.REEL: {"VIDEO"},
    PostKind.CAROUSEL: {"CAROUSEL_ALBUM"},
    PostKind.STORY: {"IMAGE", "VIDEO"},
}


@dataclass(frozen=True, slots=True)
class Listed:
    """Media that may be ours, and whether the listing reaches back to when we asked."""

    fitting: tuple[PublishedMedia, ...]
    complete: bool


async def candidates(work: Work, api: Publishing, *, margin: float = CLOCK_MARGIN) -> Listed:
    """Media that look like the post, are not in the journal, and not older than the asking by
    more than ``margin`` seconds."""
    post = work.post
    since = (post.publish_asked_at or post.container_at or 0.0) - margin
    recent = await api.recent(since=since, stories=post.kind is PostKind.STORY)
    listed = [
        media
        for media in recent.media
        if media.timestamp is not None
        and media.timestamp.timestamp() >= since
        and looks_like(media, post)
    ]
    known = await posts.known_media(work.journal, post.account_id, [media.id for media in listed])
    fitting = tuple(media for media in listed if media.id not in known)
    return Listed(fitting, recent.complete)


def looks_like(media: PublishedMedia, post: Post) -> bool:
    """Whether a listed media is of the post's kind and has its caption; stories have none."""
    kind = media.media_type in {"", *_LISTED_AS[post.kind]}
    said = post.kind is PostKind.STORY or words_of(media.caption) == words_of(post.caption)
    return kind and said
