"""Videos come after the answer: fetched or uploaded, then judged, then the container tells."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Coroutine
from contextlib import suppress
from pathlib import Path

from .containers import Container, Picture, Upload, Video
from .fetch import Fetcher
from .judge_video import LIMITS, Seen, judge_video
from .options import SimulatorOptions
from .refusals import Unusable
from .state import State


class Videos:
    """Works on the videos of one state, in tasks that end with ``close``."""

    def __init__(self, options: SimulatorOptions, state: State, fetcher: Fetcher) -> None:
        self._options = options
        self._state = state
        self._fetcher = fetcher
        self._tasks: set[asyncio.Task[None]] = set()

    def fetch(self, container: Container, uri: str) -> None:
        """Begin to fetch a container's video."""
        self._begin(container, self._fetch(container, upload_of(container), uri))

    def take(self, container: Container) -> None:
        """Begin to judge a container's video, which was uploaded to its place."""
        self._begin(container, self._take(container, upload_of(container), "", ""))

    async def settled(self) -> None:
        """Wait until no video is on its way any more."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def close(self) -> None:
        """End what is under way; its containers stay as they are."""
        for task in self._tasks:
            task.cancel()
        await self.settled()
        self._state.shelf.clear()

    def _begin(self, container: Container, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(self._guarded(container, work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _guarded(self, container: Container, work: Coroutine[None, None, None]) -> None:
        try:
            await work
        except Unusable as bad:
            self._state.note_failure(container, bad.subcode, str(bad))
        except Exception as error:  # our own disk or mistake; no container may wait for ever
            self._state.note_failure(container, 2207053, repr(error))
        finally:
            with suppress(OSError):  # Windows: a thread may still read it; the folder goes later
                self._state.shelf.place(container.id).unlink(missing_ok=True)

    async def _fetch(self, container: Container, upload: Upload, uri: str) -> None:
        path = self._state.shelf.place(container.id)

        def note(size: int) -> None:
            upload.received = size

        content_type = await self._fetcher.to_file(
            uri,
            path,
            limit=LIMITS[container.kind].bytes,
            seconds=self._options.video_fetch_seconds,
            note=note,
        )
        upload.size = upload.received
        await self._take(container, upload, uri, content_type)

    async def _take(
        self, container: Container, upload: Upload, uri: str, content_type: str
    ) -> None:
        upload.complete = True
        path = self._state.shelf.place(container.id)
        details = container.details
        seen, digest = await asyncio.to_thread(
            _examined,
            path,
            container,
            0 if details.cover else details.thumb_offset,
            tolerate_edit_lists=self._options.tolerate_edit_lists,
        )
        self._state.shelf.keep_video(path, digest)
        cover = details.cover or self._cover(seen)
        video = Video(
            uri=uri,
            sha256=digest,
            size=upload.received,
            width=seen.width,
            height=seen.height,
            content_type=content_type,
            seconds=seen.seconds,
            frame_rate=seen.frame_rate,
            codec=seen.codec,
            audio=seen.audio,
            cover=cover,
            warnings=seen.warnings,
        )
        self._state.note_video(container, video)

    def _cover(self, seen: Seen) -> Picture:
        width, height = seen.cover_size
        return Picture(
            uri="",
            sha256=self._state.keep(seen.cover),
            size=len(seen.cover),
            width=width,
            height=height,
            content_type="image/jpeg",
        )


def upload_of(container: Container) -> Upload:
    """The way of a container's video. Raises ValueError for a container without one."""
    if container.upload is None:
        raise ValueError(f"{container.id} holds no video")
    return container.upload


def _examined(
    path: Path, container: Container, thumb_offset: int, *, tolerate_edit_lists: bool
) -> tuple[Seen, str]:
    """The judgement and the sha256 of a file. Raises Unusable."""
    seen = judge_video(
        path,
        LIMITS[container.kind],
        thumb_offset=thumb_offset,
        tolerate_edit_lists=tolerate_edit_lists,
    )
    with path.open("rb") as file:
        return seen, hashlib.file_digest(file, "sha256").hexdigest()
