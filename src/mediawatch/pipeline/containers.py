"""Stage container: everything that Meta is to publish of a post, in one container.

The container of a carousel holds those of its items, each of which must be finished before the
whole is made: one that Meta cannot use keeps all of them back, and is named.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace

from mediawatch.config import PublishSettings
from mediawatch.graph import containers
from mediawatch.graph.errors import GraphError, of_container
from mediawatch.graph.publishing import Container, ContainerStatus, Publishing
from mediawatch.graph.verdicts import REBUILDS, Verdict
from mediawatch.model import schedule
from mediawatch.model.kinds import PostKind
from mediawatch.model.lifecycle import Event
from mediawatch.model.posts import Item, Post
from mediawatch.pipeline.direct import Direct, SendsVideos, no_videos
from mediawatch.pipeline.outcomes import Done, Hold, Outcome, Reason, WaitUntil
from mediawatch.pipeline.work import Work

Params = Callable[[Post, Item], containers.Params]
#: Meta's code for a container that it does not know (any more).
LOST_CONTAINER = 24


class Containers:
    """Makes the container of a post. An orphan left by a crash expires unpublished and harms
    nobody.

    ``upload`` gives an item its public address anew, when the upload was deleted meanwhile, or
    none was made because the item was to be sent ``direct``.
    """

    def __init__(
        self,
        settings: PublishSettings,
        upload: Callable[[Work, Item], Awaitable[Item]],
        direct: Direct | None = None,
        sends_videos: SendsVideos = no_videos,
    ) -> None:
        self._settings = settings
        self._upload = upload
        self._direct = direct
        self._sends_videos = sends_videos

    async def make(self, work: Work, api: Publishing) -> Outcome:
        """Raises GraphError, and what the upload raises."""
        for item in work.post.parts:
            if item.public_url is None and self._direct_for(work, item) is None:
                await work.write(items=[await self._upload(work, item)])
        sent: list[Item] = []
        if work.post.kind is PostKind.CAROUSEL:
            if missing := await self._children(work, api):
                return missing
            children = [item.container_id or "" for item in work.post.items]
            container_id = await api.create(containers.of_carousel(work.post, children))
        else:
            item = await self._filled(work, api, work.first, containers.of_post)
            container_id = item.container_id or ""
            # That it is the item's own, too, was only to know it before the bytes were there.
            sent = [replace(item, container_id=None)] if item.public_url is None else []
        work.log.info(f"{work.post.name} is in container {container_id}.", action="container")
        now = work.clock.now()
        await work.write(
            Event.ADVANCE,
            items=sent,
            container_id=container_id,
            container_at=now,
            container_reads=0,
            generation=work.post.generation + 1,
            absent_at=None,
        )
        if delay := self.poll_delay(0):
            return self.still_processing(work, now + delay)
        return Done()

    async def _filled(self, work: Work, api: Publishing, item: Item, of: Params) -> Item:
        """The item with a container that has it, or knows where to fetch it."""
        direct = self._direct_for(work, item)
        if direct is not None and item.public_url is None:
            made = await direct.deliver(work, api, item, of(work.post, item))
            if made is not None:
                return made
            item = next(each for each in work.post.items if each.position == item.position)
            item = await self._upload(work, replace(item, container_id=None))
            await work.write(items=[item])
        return replace(item, container_id=await api.create(of(work.post, item)))

    def _direct_for(self, work: Work, item: Item) -> Direct | None:
        return self._direct if item.is_video and self._sends_videos(work.post.account_id) else None

    def poll_delay(self, reads: int) -> float:
        """Seconds before a container that was read so often is read again."""
        delays = self._settings.poll_delays or (2.0,)
        delay = delays[min(reads, len(delays) - 1)]
        return max(delay, 0.5) if reads else delay

    def still_processing(self, work: Work, at: float) -> WaitUntil:
        """Nothing to do until ``at`` (seconds since the epoch)."""
        return WaitUntil(at, Reason("processing", f"Meta is still processing {work.post.name}."))

    # The items of a carousel.

    async def _children(self, work: Work, api: Publishing) -> Outcome | None:
        """None once each item has a container that is finished."""
        for item in work.post.items:
            if item.container_id is None or self._is_old(work, item):
                await self._make_child(work, api, item)
        processing = False
        for item in work.post.items:
            try:
                child = await api.container(item.container_id or "")
            except GraphError as error:
                if error.number != LOST_CONTAINER:
                    raise _named(error, item) from error
                return await self._child_anew(work, item, "Meta does not know its container")
            match child.status_code:
                case ContainerStatus.FINISHED:
                    continue
                case ContainerStatus.IN_PROGRESS:
                    processing = True
                case _:
                    return await self._child_failed(work, item, child)
        if not processing:
            return None
        reads = work.post.container_reads + 1
        await work.write(container_reads=reads)
        return self.still_processing(work, work.clock.now() + self.poll_delay(reads))

    def _is_old(self, work: Work, item: Item) -> bool:
        return schedule.container_is_stale(item.container_at or 0.0, work.clock.now())

    async def _make_child(self, work: Work, api: Publishing, item: Item) -> None:
        try:
            made = await self._filled(work, api, item, containers.of_child)
        except GraphError as error:
            raise _named(error, item) from error
        work.log.info(f"{item.name} is in container {made.container_id}.", action="container")
        await work.write(items=[replace(made, container_at=work.clock.now())])

    async def _child_failed(self, work: Work, item: Item, child: Container) -> Outcome:
        if child.status_code is ContainerStatus.EXPIRED:
            return await self._child_anew(work, item, "its container expired")
        return await self._child_anew(work, item, child.status, of_container(child.subcode))

    async def _child_anew(
        self, work: Work, item: Item, why: str, verdict: Verdict | None = None
    ) -> Outcome:
        """Another container for one item, unless that was tried often enough."""
        post = work.post
        if post.rebuilds >= (verdict.rebuilds if verdict else REBUILDS):
            remedy = verdict.remedy if verdict else "Look at that file."
            return Hold(
                Reason(
                    verdict.code if verdict else "container-failed",
                    f"Nothing of {post.name} is published: Meta cannot use {item.name}: {why}",
                    f"{remedy} Then `mediawatch posts retry {post.id}`.",
                )
            )
        work.log.info(f"A new container is made for {item.name}: {why}.", action="container")
        anew = replace(item, container_id=None, public_url=None)
        await work.write(items=[anew], rebuilds=post.rebuilds + 1)
        return Done()


def _named(error: GraphError, item: Item) -> GraphError:
    """The same, so that people know which of the files it is about."""
    error.message = f"{item.name}: {error.message}"
    return error
