"""Stage upload: every prepared file gets a public address, proved reachable."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

from mediawatch.hosts.base import HostFull, HostUnavailable, MediaHost, PublicObject, new_key
from mediawatch.hosts.reach import Reach
from mediawatch.log import size
from mediawatch.metrics import Metrics
from mediawatch.model.kinds import PICTURE, SUFFIXES
from mediawatch.model.lifecycle import Event
from mediawatch.model.posts import Item
from mediawatch.pipeline.direct import SendsVideos, no_videos
from mediawatch.pipeline.intact import is_intact
from mediawatch.pipeline.outcomes import Done, Outcome
from mediawatch.pipeline.work import Work

_TRIES = 2  # of an upload whose pieces did not fit


class Upload:
    """Puts files on the host under the unguessable names that the journal holds already.

    ``prepare`` makes a prepared file anew that is gone from our own disk; ``on_full`` is called
    when the host has no space left. ``sends_videos``: where they go to Meta itself (direct.py),
    they come here only if that fails.
    """

    def __init__(
        self,
        host: MediaHost,
        reach: Reach,
        *,
        host_name: str,
        prepare: Callable[[Work, Item], Awaitable[Item]],
        sends_videos: SendsVideos = no_videos,
        metrics: Metrics | None = None,
        on_full: Callable[[], None] = lambda: None,
    ) -> None:
        self._host = host
        self._reach = reach
        self._host_name = host_name
        self._prepare = prepare
        self._sends_videos = sends_videos
        self._metrics = metrics or Metrics()
        self._on_full = on_full

    async def __call__(self, work: Work) -> Outcome:
        """Upload what goes by the host, fetch each as Meta would, and record the addresses."""
        sends_videos = self._sends_videos(work.post.account_id)
        uploaded = [
            await self.upload(work, item)
            for item in work.post.parts
            if not (sends_videos and item.is_video)
        ]
        await work.write(Event.ADVANCE, items=uploaded)
        return Done()

    async def upload(self, work: Work, item: Item) -> Item:
        """The item with its public address. Safe to repeat."""
        known = item
        if not await asyncio.to_thread(is_intact, item):
            item = await self._prepare(work, item)
            if known.remote_key and known.prepared_sha256 not in {None, item.prepared_sha256}:
                # Another cover, or a video that came out otherwise: the old one may be known.
                await self._host.delete(known.remote_key)
                item = replace(item, remote_key=_new_name(item))
        if item.remote_key is None:
            item = replace(item, remote_key=_new_name(item))
        if item is not known:
            # The name on the host is durable before anything is stored under it.
            await work.write(items=[item])
        for _ in range(_TRIES):
            public = await self._put(work, item)
            prepared, key = _known(item)
            await self._reach.prove(public.url, prepared, item.media_type or PICTURE)
            if not public.pieced or await self._reach.serves_whole(public.url, prepared):
                return replace(item, public_url=public.url)
            work.log.warning(
                f"{item.name} came to {self._host_name} in pieces that do not fit.",
                action="upload",
                remedy="mediawatch sends it again.",
            )
            await self._host.delete(key)
            # Another name: what was fetched under the old one may lie in a cache on the way.
            item = replace(item, remote_key=_new_name(item))
            await work.write(items=[item])
        raise HostUnavailable(
            f"{item.name} came to {self._host_name} in pieces that do not fit, again and again.",
            remedy="mediawatch sends it again. If this stays, ask the host about FTP uploads that "
            "are gone on with (REST).",
            code="ftp-not-whole",
        )

    async def _put(self, work: Work, item: Item) -> PublicObject:
        prepared, key = _known(item)
        started = time.perf_counter()
        try:
            public = await self._host.put(prepared, key)
        except HostFull:
            self._on_full()
            raise
        seconds = time.perf_counter() - started
        self._metrics.upload_bytes.inc(public.size)
        self._metrics.upload_seconds.inc(seconds)
        work.log.info(
            f"{item.name} is on {self._host_name} ({size(public.size)}, {seconds:.1f} s).",
            action="upload",
            file=item.name,
            bytes=public.size,
            seconds=round(seconds, 3),
        )
        work.tell("uploaded", f"{public.url} ({size(public.size)}, {seconds:.1f} s).")
        return public


def _new_name(item: Item) -> str:
    return new_key(SUFFIXES[item.media_type or PICTURE])


def _known(item: Item) -> tuple[Path, str]:
    if item.prepared is None or item.remote_key is None:
        raise AssertionError("an item that is uploaded was prepared before")
    return item.prepared, item.remote_key
