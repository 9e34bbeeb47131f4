"""What is made and published: containers, what they hold, what is said about it, comments."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from .faults import StatusCode

DAY = 86_400.0


class Kind(StrEnum):
    """What a container becomes."""

    IMAGE = "IMAGE"
    REEL = "REEL"
    STORY = "STORY"
    CAROUSEL = "CAROUSEL"
    CHILD = "CHILD"  # one picture or video of a carousel; never published alone


@dataclass(frozen=True, slots=True)
class Picture:
    """A downloaded picture: where from, what it was. Size in bytes, width and height in pixels."""

    uri: str
    sha256: str
    size: int
    width: int
    height: int
    content_type: str


@dataclass(frozen=True, slots=True)
class Video:
    """A video as it arrived. Size in bytes, width and height as shown, in pixels.

    ``uri`` is empty for one that was uploaded. ``audio`` is the codec, None for a silent one.
    ``cover`` is the picture that stands for it. ``warnings`` tell what was tolerated.
    """

    uri: str
    sha256: str
    size: int
    width: int
    height: int
    content_type: str
    seconds: float
    frame_rate: float
    codec: str
    audio: str | None
    cover: Picture
    warnings: tuple[str, ...] = ()


Item = Picture | Video


@dataclass(frozen=True, slots=True)
class Details:
    """What a client says about its media, as far as Meta keeps it.

    ``user_tags`` are ``{"username", "x", "y"}``, the last two from 0 to 1, or absent.
    ``thumb_offset`` is in milliseconds. ``share_to_feed`` is None for what is no reel.
    """

    caption: str = ""
    alt_text: str = ""
    location_id: str = ""
    user_tags: tuple[dict[str, Any], ...] = ()
    collaborators: tuple[str, ...] = ()
    share_to_feed: bool | None = None
    thumb_offset: int = 0
    cover: Picture | None = None
    audio_name: str = ""


@dataclass(slots=True)
class Upload:
    """A video on its way: bytes that have come, and how many there are, None until told.

    ``resumable`` is one that its owner sends. ``turn`` counts the requests that send it; only
    the last one may write. ``complete`` once nothing more is to come.
    """

    resumable: bool = False
    received: int = 0
    size: int | None = None
    turn: int = 0
    complete: bool = False


@dataclass(slots=True)
class Container:
    """One container. Times are seconds since the epoch; ``forced`` is a scripted end.

    ``uris`` is where its media came from. ``ready_at`` is None while a video has not arrived.
    ``failure`` is the subcode of what was wrong with a video, ``why`` says so in words, for
    people only. ``upload`` is there for every video.
    """

    id: str
    user: str
    kind: Kind
    details: Details
    items: tuple[Item, ...]
    children: tuple[Container, ...]
    uris: tuple[str, ...]
    created_at: float
    ready_at: float | None
    upload: Upload | None = None
    failure: int | None = None
    why: str = ""
    forced: StatusCode | None = None
    subcode: int = 2207032
    media: Media | None = None
    publish_calls: int = 0
    republish_calls: int = 0

    def status(self, now: float) -> StatusCode:
        """The container's state at ``now``."""
        if self.media is not None:
            return StatusCode.PUBLISHED
        if now >= self.created_at + DAY:
            return StatusCode.EXPIRED
        if self.ready_at is None or now < self.ready_at:
            return StatusCode.IN_PROGRESS
        if self.forced is not None and self.forced is not StatusCode.FINISHED:
            return self.forced
        # A rule for FINISHED makes no video out of nothing.
        return StatusCode.FINISHED if self.failure is None else StatusCode.ERROR

    @property
    def is_video(self) -> bool:
        """Whether it holds a video, or will."""
        return self.upload is not None

    @property
    def caption(self) -> str:
        """The words of the post."""
        return self.details.caption

    @property
    def alt_text(self) -> str:
        """The words for people who cannot see the picture."""
        return self.details.alt_text

    @property
    def pictures(self) -> tuple[Picture, ...]:
        """The pictures it holds; of a video, its cover is none of them."""
        return tuple(item for item in self.items if isinstance(item, Picture))

    @property
    def videos(self) -> tuple[Video, ...]:
        """The videos it holds, once they have arrived."""
        return tuple(item for item in self.items if isinstance(item, Video))

    @property
    def subject(self) -> str:
        """The text that a rule's ``match`` is looked for in."""
        return "\n".join(
            [self.caption, *self.uris, *(uri for c in self.children for uri in c.uris)]
        )


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment below a post. ``created_at`` is in seconds since the epoch."""

    id: str
    user: str
    text: str
    created_at: float

    @property
    def timestamp(self) -> str:
        """The time of the comment as Graph writes it."""
        return graph_time(self.created_at)


@dataclass(slots=True)
class Media:
    """One publication. ``number`` counts all publications from 1; ``children`` have ids too."""

    id: str
    shortcode: str
    number: int
    container: Container
    published_at: float
    republished: bool
    children: tuple[tuple[str, Container], ...] = ()
    comments: list[Comment] = field(default_factory=list)

    @property
    def timestamp(self) -> str:
        """The time of publication as Graph writes it."""
        return graph_time(self.published_at)


def graph_time(moment: float) -> str:
    """Seconds since the epoch as Graph writes them: ``2026-11-20T08:15:00+0000``."""
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%S+0000")
