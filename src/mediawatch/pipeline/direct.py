"""A video sent to Meta itself: its container is made first, then gets the bytes.

The container is written down before the first byte leaves, without a time (``container_at``): that
is set when all has arrived. Whoever finds a container without one asks Meta how much came, and goes
on from there; what Meta does not want to go on with gets a container anew, and the old one expires.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from mediawatch.errors import GraphProblem
from mediawatch.graph.errors import GraphError, GraphUnreachable
from mediawatch.graph.publishing import Arrival, ContainerStatus, Publishing
from mediawatch.graph.rupload import Rupload
from mediawatch.graph.verdicts import Remedy
from mediawatch.log import size as in_words
from mediawatch.model.posts import Item
from mediawatch.pipeline.intact import is_intact
from mediawatch.pipeline.progress import Progress
from mediawatch.pipeline.work import Work

#: Seconds before the line is taken up again. Their number is that of the tries in a row that
#: brought less than ``WORTH`` bytes.
PAUSES = (0.5, 2.0, 5.0, 15.0)
WORTH = 1 << 20
#: Meta's codes for a container that it does not know (any more), and for one that it knows but
#: does not tell of how much came.
_LOST = {24, 100, 803}


#: Whether videos of an account (by its id) are sent to Meta itself: not every login has that.
SendsVideos = Callable[[str], bool]


def no_videos(_: str) -> bool:
    """All go by the web host."""
    return False


class _NotSent(Exception):
    """The video does not come to Meta in this way."""

    def __init__(self, problem: GraphProblem) -> None:
        self.problem = problem


class Direct:
    """Gives videos to their containers.

    ``prepare`` makes a prepared file anew that is gone from our own disk. ``falls_back``: what
    cannot be sent goes by the web host; otherwise it is tried again.
    """

    def __init__(
        self,
        rupload: Rupload,
        *,
        prepare: Callable[[Work, Item], Awaitable[Item]],
        falls_back: bool,
        pauses: Sequence[float] = PAUSES,
    ) -> None:
        self._rupload = rupload
        self._prepare = prepare
        self._falls_back = falls_back
        self._pauses = pauses

    async def deliver(
        self, work: Work, api: Publishing, item: Item, params: Mapping[str, str]
    ) -> Item | None:
        """The item with a container that has its video; None if it must go by the web host.

        ``params`` are those of a container that is made. That the video is whole there is for the
        caller to write down. Raises GraphError, GraphUnreachable, and what the preparing raises.
        """
        try:
            return await self._deliver(work, api, item, params)
        except _NotSent as failed:
            if not self._falls_back:
                raise failed.problem from None
            told = f"{item.name} cannot be sent to Meta directly: {failed.problem.message}"
            work.log.warning(
                f"{told} It goes by the web host.",
                action="upload",
                file=item.name,
                reason=failed.problem.code,
                remedy='Nothing to do. If it happens often: instagram.video_upload = "host".',
            )
            work.tell("by-host", f"{told} It goes by the web host.")
            return None

    async def _deliver(
        self, work: Work, api: Publishing, item: Item, params: Mapping[str, str]
    ) -> Item:
        path, item = await self._at_hand(work, item)
        whole = item.prepared_size or 0
        address, offset = None, 0
        if item.container_id is not None and item.container_at is None:
            found = await _arrival(api, item.container_id)
            if found is not None and found.is_whole:
                return item
            if found is None or found.arrived is None or found.arrived > whole:
                item = replace(item, container_id=None)
            else:
                offset = found.arrived
                _say_goes_on(work, item, offset / whole)
        if item.container_id is None or item.container_at is not None:
            item, address = await self._make(work, api, item, params)
        await self._send(work, api, item, path, whole, address, offset)
        return item

    async def _at_hand(self, work: Work, item: Item) -> tuple[Path, Item]:
        if not await asyncio.to_thread(is_intact, item):
            # Other bytes: nothing may be added to what was sent of the old ones.
            item = replace(await self._prepare(work, item), container_id=None)
            await work.write(items=[item])
        path = item.prepared
        if path is None:
            raise AssertionError("an item that is sent was prepared before")
        return path, item

    async def _make(
        self, work: Work, api: Publishing, item: Item, params: Mapping[str, str]
    ) -> tuple[Item, str | None]:
        try:
            created = await api.create_for_upload(params)
        except GraphError as error:
            if error.verdict.kind is Remedy.HOLD or error.code == "permission":
                raise _NotSent(error) from error
            raise
        item = replace(item, container_id=created.id, container_at=None)
        await work.write(items=[item])
        return item, created.uri

    async def _send(
        self,
        work: Work,
        api: Publishing,
        item: Item,
        path: Path,
        whole: int,
        told: str | None,
        offset: int,
    ) -> None:
        container_id = item.container_id or ""
        started, fruitless = work.clock.monotonic(), 0
        try:
            address = self._rupload.address(container_id, told)
        except GraphProblem as error:
            raise _NotSent(error) from error
        while True:
            try:
                await self._rupload.send(
                    api.caller,
                    container_id,
                    address,
                    path,
                    offset=offset,
                    size=whole,
                    on_progress=Progress(work, item.name, "sent to Meta", action="upload"),
                )
                break
            except GraphProblem as error:
                found = await self._after(api, container_id, error)
                if found.is_whole:
                    break
                arrived = found.arrived or 0
                fruitless = 0 if arrived - offset >= WORTH else fruitless + 1
                if fruitless > len(self._pauses) or not (arrived > offset or _passes(error)):
                    raise _NotSent(error) from error
                offset = arrived
            _say_goes_on(work, item, offset / whole)
            await asyncio.sleep(self._pauses[max(0, fruitless - 1)])
        seconds = work.clock.monotonic() - started
        words = f"({in_words(whole)}, {seconds:.1f} s)"
        work.log.info(
            f"{item.name} is sent to Meta {words}.",
            action="upload",
            file=item.name,
            bytes=whole,
            seconds=round(seconds, 3),
        )
        work.tell("sent", f"To Meta itself {words}.")

    async def _after(self, api: Publishing, container_id: str, error: GraphProblem) -> Arrival:
        """How much came, for all that: an answer may be lost, and a line may lag behind."""
        if isinstance(error, GraphError) and error.verdict.kind is Remedy.WAIT:
            raise _NotSent(error) from error
        found = await _arrival(api, container_id)
        if found is None or (found.arrived is None and not found.is_whole):
            raise _NotSent(error) from error
        return found


async def _arrival(api: Publishing, container_id: str) -> Arrival | None:
    """How the container stands; None if it is of no use any more."""
    try:
        found = await api.arrival(container_id)
    except GraphError as error:
        if error.number in _LOST:
            return None
        raise
    spoiled = {ContainerStatus.ERROR, ContainerStatus.EXPIRED}
    return None if found.status_code in spoiled and not found.is_whole else found


def _passes(error: GraphProblem) -> bool:
    if isinstance(error, GraphUnreachable):
        return True
    return isinstance(error, GraphError) and error.verdict.kind is Remedy.RETRY


def _say_goes_on(work: Work, item: Item, share: float) -> None:
    work.log.warning(
        f"The upload of {item.name} broke off; it goes on at {share:.0%}.",
        action="upload",
        file=item.name,
        percent=round(share * 100),
        remedy="Nothing to do.",
    )
