"""What the simulator knows: containers, publications, pictures, counters. The oracle of tests."""

from __future__ import annotations

import hashlib
import secrets
from bisect import bisect_left, bisect_right
from collections import Counter, OrderedDict, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from .faults import Endpoint, StatusCode
from .options import Republish, SimulatorOptions
from .refusals import Refusal

DAY = 86_400.0


class Kind(StrEnum):
    """What a container becomes."""

    IMAGE = "IMAGE"
    CAROUSEL = "CAROUSEL"
    STORY = "STORY"
    VIDEO = "VIDEO"
    CHILD = "CHILD"  # one picture of a carousel; never published alone


@dataclass(frozen=True, slots=True)
class Picture:
    """A downloaded picture: where from, what it was. Size in bytes, width and height in pixels."""

    uri: str
    sha256: str
    size: int
    width: int
    height: int
    content_type: str


@dataclass(slots=True)
class Container:
    """One container. Times are seconds since the epoch; ``forced`` is a scripted end."""

    id: str
    user: str
    kind: Kind
    caption: str
    alt_text: str
    pictures: tuple[Picture, ...]
    children: tuple[Container, ...]
    created_at: float
    ready_at: float
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
        if now < self.ready_at:
            return StatusCode.IN_PROGRESS
        return self.forced or StatusCode.FINISHED

    @property
    def subject(self) -> str:
        """The text that a rule's ``match`` is looked for in."""
        return "\n".join([self.caption, *(picture.uri for picture in self.pictures)])


@dataclass(slots=True)
class Media:
    """One publication. ``number`` counts all publications from 1."""

    id: str
    shortcode: str
    number: int
    container: Container
    published_at: float
    republished: bool
    children: tuple[tuple[str, Picture], ...] = field(default=())

    @property
    def timestamp(self) -> str:
        """The time of publication as Graph writes it."""
        return datetime.fromtimestamp(self.published_at, UTC).strftime("%Y-%m-%dT%H:%M:%S+0000")


class State:
    """All containers and publications of one simulator. Used from one event loop only."""

    def __init__(self, options: SimulatorOptions) -> None:
        self._options = options
        self.containers: dict[str, Container] = {}
        self.publications: list[Media] = []
        self.media: dict[str, Media] = {}
        self.shortcodes: dict[str, Media] = {}
        self.calls = 0
        self.asked: Counter[Endpoint] = Counter()
        self.on_published: list[Callable[[Media], None]] = []
        self._published_at: defaultdict[str, list[float]] = defaultdict(list)
        self._pictures: OrderedDict[str, bytes] = OrderedDict()
        self._kept = 0
        # Ids never come back after a restart, and a media id tells nothing about its container.
        self._next_container = 17_800_000_000_000_000 + secrets.randbelow(10**8) * 10**6
        self._next_media = 17_900_000_000_000_000 + secrets.randbelow(10**8) * 10**6

    def username(self, user: str) -> str:
        """The name of an account; the first one is called ``mediawatch``."""
        index = self._options.users.index(user)
        return "mediawatch" if index == 0 else f"mediawatch_{index + 1}"

    def keep(self, body: bytes) -> str:
        """Hold a picture for the page and give its sha256; the oldest make room."""
        digest = hashlib.sha256(body).hexdigest()
        if digest not in self._pictures:
            self._pictures[digest] = body
            self._kept += len(body)
        while self._kept > self._options.keep_bytes:
            self._kept -= len(self._pictures.popitem(last=False)[1])
        return digest

    def picture(self, sha256: str) -> bytes | None:
        """The bytes of a picture, unless they had to make room."""
        return self._pictures.get(sha256)

    def create(
        self,
        user: str,
        kind: Kind,
        *,
        caption: str = "",
        alt_text: str = "",
        pictures: tuple[Picture, ...] = (),
        children: tuple[Container, ...] = (),
    ) -> Container:
        """Add a container; it is ready after the chosen processing time."""
        self._next_container += 1
        now = self._options.clock()
        container = Container(
            id=str(self._next_container),
            user=user,
            kind=kind,
            caption=caption,
            alt_text=alt_text,
            pictures=pictures,
            children=children,
            created_at=now,
            ready_at=now + self._options.processing_seconds,
        )
        self.containers[container.id] = container
        return container

    def container_of(self, user: str, container_id: str) -> Container | None:
        """The account's own container of that id."""
        container = self.containers.get(container_id)
        return container if container is not None and container.user == user else None

    def note_publish_call(self, container: Container) -> None:
        """Count a ``media_publish`` for the container as it arrives, whatever becomes of it."""
        container.publish_calls += 1
        if container.media is not None:
            container.republish_calls += 1

    def publish(self, container: Container) -> Media:
        """Publish a container, once or as the republish mode says. Raises Refusal."""
        before = container.media
        if before is not None and self._options.republish is Republish.LENIENT:
            return before
        if before is None or self._options.republish is Republish.STRICT:
            self._check_publishable(container)
        if self.usage(container.user) >= self._options.quota_total:
            raise Refusal(9, 2207042)
        return self._add(container, republished=before is not None)

    def _check_publishable(self, container: Container) -> None:
        if container.kind is Kind.CHILD:
            raise Refusal(24, 2207008, id=container.id)
        match container.status(self._options.clock()):
            case StatusCode.IN_PROGRESS:
                raise Refusal(9007, 2207027)
            case StatusCode.EXPIRED:
                raise Refusal(-2, 2207020)
            case StatusCode.ERROR:
                raise Refusal(-1, 2207032)
            case StatusCode.PUBLISHED:
                raise Refusal(24, 2207008, id=container.id)

    def _add(self, container: Container, *, republished: bool) -> Media:
        now = self._options.clock()
        children = container.pictures if container.kind is Kind.CAROUSEL else ()
        media = Media(
            id=self._media_id(),
            shortcode=secrets.token_urlsafe(8),
            number=len(self.publications) + 1,
            container=container,
            published_at=now,
            republished=republished,
            children=tuple((self._media_id(), picture) for picture in children),
        )
        container.media = container.media or media
        self.publications.append(media)
        self.media[media.id] = media
        self.shortcodes[media.shortcode] = media
        self._published_at[container.user].append(now)
        for listener in self.on_published:
            listener(media)
        return media

    def _media_id(self) -> str:
        self._next_media += 1
        return str(self._next_media)

    def usage(self, user: str, since: float | None = None) -> int:
        """How many posts the account published since then, or in the last 24 hours."""
        times = self._published_at[user]
        if since is not None:
            return len(times) - bisect_left(times, since)
        return len(times) - bisect_right(times, self._options.clock() - DAY)

    def listed(self, user: str, *, stories: bool) -> list[Media]:
        """The account's publications as a listing shows them, newest first.

        Stories have a listing of their own and leave it after 24 hours.
        """
        now = self._options.clock()
        seen_until = now - self._options.listing_lag
        return [
            media
            for media in reversed(self.publications)
            if media.container.user == user
            and media.published_at <= seen_until
            and (media.container.kind is Kind.STORY) is stories
            and not (stories and media.published_at <= now - DAY)
        ]

    def snapshot(self) -> dict[str, Any]:
        """Everything a test may ask, JSON-safe; publications in the order they happened."""
        now = self._options.clock()
        containers = self.containers.values()
        return {
            "containers": [describe_container(container, now) for container in containers],
            "publications": [describe_media(media) for media in self.publications],
            "calls": self.calls,
            "asked": {str(name): count for name, count in self.asked.items()},
            "publish_calls": {c.id: c.publish_calls for c in containers if c.publish_calls},
            "republish_calls": sum(container.republish_calls for container in containers),
        }


def describe_container(container: Container, now: float) -> dict[str, Any]:
    """A container for the state that tests read."""
    return {
        "id": container.id,
        "user": container.user,
        "kind": str(container.kind),
        "status": str(container.status(now)),
        "caption": container.caption,
        "created_at": container.created_at,
        "children": [child.id for child in container.children],
        "media": container.media.id if container.media else None,
        "publish_calls": container.publish_calls,
        "republish_calls": container.republish_calls,
    }


def describe_media(media: Media) -> dict[str, Any]:
    """A publication for the state that tests read and for the log file."""
    return {
        "number": media.number,
        "time": media.published_at,
        "user": media.container.user,
        "container": media.container.id,
        "media": media.id,
        "kind": str(media.container.kind),
        "caption": media.container.caption,
        "republished": media.republished,
        "sha256": [picture.sha256 for picture in media.container.pictures],
        "pictures": [
            {
                "uri": picture.uri,
                "bytes": picture.size,
                "width": picture.width,
                "height": picture.height,
                "content_type": picture.content_type,
            }
            for picture in media.container.pictures
        ],
    }
