"""What the simulator knows: containers, publications, comments, counters. The oracle of tests."""

from __future__ import annotations

import secrets
from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .containers import DAY, Comment, Container, Details, Item, Kind, Media, Upload, Video
from .faults import Endpoint, StatusCode
from .grants import Grants
from .options import Republish, SimulatorOptions
from .people import Cast
from .refusals import Refusal
from .shelf import Shelf
from .snapshot import describe_container, describe_media


class State:
    """All containers and publications of one simulator. Used from one event loop only."""

    def __init__(self, options: SimulatorOptions) -> None:
        self._options = options
        self.containers: dict[str, Container] = {}
        self.publications: list[Media] = []
        self.media: dict[str, Media] = {}
        self.shortcodes: dict[str, Media] = {}
        self.comments: dict[str, tuple[Media, Comment]] = {}
        self.calls = 0
        self.asked: Counter[Endpoint] = Counter()
        self.on_published: list[Callable[[Media], None]] = []
        self._published_at: defaultdict[str, list[float]] = defaultdict(list)
        self.shelf = Shelf(options.keep_bytes)
        self.grants = Grants(options.clock)
        self.cast = Cast(options.users, options.scenario.persons, options.scenario.apps)
        # Ids never come back after a restart, and a media id tells nothing about its container.
        self._next_container = 17_800_000_000_000_000 + secrets.randbelow(10**8) * 10**6
        self._next_media = 17_900_000_000_000_000 + secrets.randbelow(10**8) * 10**6

    def username(self, user: str) -> str:
        """The name of an account; the first one is called ``mediawatch``."""
        if name := self.cast.username(user):
            return name
        if user not in self._options.users:
            return user  # of a scenario that was replaced
        index = self._options.users.index(user)
        return "mediawatch" if index == 0 else f"mediawatch_{index + 1}"

    def keep(self, body: bytes) -> str:
        """Hold a picture for the page and give its sha256; the oldest make room."""
        return self.shelf.keep_picture(body)

    def picture(self, sha256: str) -> bytes | None:
        """The bytes of a picture, unless they had to make room."""
        return self.shelf.picture(sha256)

    def video(self, sha256: str) -> Path | None:
        """The file of a video, unless it had to make room."""
        return self.shelf.video(sha256)

    def create(
        self,
        user: str,
        kind: Kind,
        details: Details,
        *,
        uris: tuple[str, ...] = (),
        items: tuple[Item, ...] = (),
        children: tuple[Container, ...] = (),
        upload: Upload | None = None,
    ) -> Container:
        """Add a container. It is ready after the chosen processing time; one with an ``upload``
        not before its video has arrived."""
        self._next_container += 1
        now = self._options.clock()
        container = Container(
            id=str(self._next_container),
            user=user,
            kind=kind,
            details=details,
            items=items,
            children=children,
            uris=uris,
            created_at=now,
            ready_at=now + self._options.processing_seconds if upload is None else None,
            upload=upload,
        )
        self.containers[container.id] = container
        return container

    def note_video(self, container: Container, video: Video) -> None:
        """A container's video has arrived and was taken; it is ready after its processing time."""
        container.items = (video,)
        self._note_arrival(container)

    def note_failure(self, container: Container, subcode: int, why: str) -> None:
        """A container's video cannot be had or used: once it is processed, it tells ``subcode``."""
        container.failure, container.why = subcode, why
        if container.forced is None:
            container.subcode = subcode
        self._note_arrival(container)

    def _note_arrival(self, container: Container) -> None:
        wait = self._options.video_processing_seconds
        if wait is None:
            wait = self._options.processing_seconds
        container.ready_at = self._options.clock() + wait

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
        media = Media(
            id=self._media_id(),
            shortcode=secrets.token_urlsafe(8),
            number=len(self.publications) + 1,
            container=container,
            published_at=now,
            republished=republished,
            children=tuple((self._media_id(), child) for child in container.children),
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

    def comment(self, media: Media, text: str) -> Comment:
        """Put a comment of the post's own account below it."""
        comment = Comment(
            id=self._media_id(),
            user=media.container.user,
            text=text,
            created_at=self._options.clock(),
        )
        media.comments.append(comment)
        self.comments[comment.id] = (media, comment)
        return comment

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
