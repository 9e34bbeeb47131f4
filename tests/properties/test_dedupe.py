"""Files come, and come again, while posts fail, are cancelled, are tried again and are published:
one live post a content, and every file in exactly one place."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path
from tempfile import mkdtemp

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mediawatch.actions import posts as actions
from mediawatch.errors import Conflict, MediawatchError
from mediawatch.journal import accounts, posts
from mediawatch.journal.sqlite import SqliteJournal
from mediawatch.model.lifecycle import Event, Stage, State
from mediawatch.model.posts import Post
from mediawatch.pipeline.outcomes import Reason
from mediawatch.pipeline.work import Work
from tests.integration.test_intake import House
from tests.support.actors import MACHINE
from tests.support.fuzzing import examples
from tests.support.pictures import jpeg
from tests.support.simulator import USER

PICTURES = [jpeg(8, 8, seed=seed) for seed in (1, 2)]
NAMES = ["a.jpg", "b.jpg", "a.png"]


class Shop:
    """A house, what was ever put into it, and the ways in which a post may end."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.dropped: Counter[bytes] = Counter()

    async def drop(self, name: int, picture: int) -> None:
        """A file settles in the inbox and is taken, unless one of its name still lies there."""
        path = self.house.watch.folder / NAMES[name % len(NAMES)]
        if not path.exists():
            self.dropped[PICTURES[picture % 2]] += 1
            await self.house.take(self.house.drop(path.name, PICTURES[picture % 2]))

    async def end(self, which: int, how: int) -> None:
        """A worker has the next post and ends it: held, failed or published."""
        found = await posts.workable(self.house.journal, now=self.house.clock.now(), limit=9)
        if not found:
            return
        work = await self.house.claimed(found[which % len(found)][0])
        reason = Reason("test", "It is tried.", "Nothing.")
        if how % 3 < 2 and work.post.stage is Stage.CONVERT:
            event, where = ((Event.HOLD, "held"), (Event.FAIL, "failed"))[how % 3]
            await work.write(event, reason="test", detail="It is tried.", remedy="Nothing.")
            await self.house.archive.set_aside(work, where, reason)
        elif how % 3 == 2:
            await self._publish(work)
        else:
            await work.write(Event.INTERRUPT)

    async def _publish(self, work: Work) -> None:
        await work.write(*[Event.ADVANCE] * 3)
        await work.write(Event.ASK, publish_asked_at=self.house.clock.now())
        await work.write(Event.CONFIRM, Event.ADVANCE, media_id=None)
        await self.house.archive.published(work, _no_api)

    async def cancel(self, which: int, _: int) -> None:
        """A person cancels a post; its file stays where it is."""
        post = await self._some(which)
        if post is not None and post.state in {State.READY, State.HELD, State.WAITING}:
            _, cancelled = posts.move(post, Event.CANCEL, now=self.house.clock.now())
            await self.house.journal.apply([cancelled])

    async def retry(self, which: int, _: int) -> None:
        """A person has a post tried again, if it can be."""
        post = await self._some(which)
        if post is not None:
            try:
                await actions.retry(self.house.journal, self.house.clock, MACHINE, post.id)
            except (Conflict, MediawatchError):
                pass

    async def put_back(self, which: int, where: int) -> None:
        """A person moves a file from where it was filed into the inbox; it is taken from there."""
        watch = self.house.watch
        folder = (watch.held_folder, watch.failed_folder, watch.duplicate_folder)[where % 3]
        filed = sorted(folder.glob("*.??g")) if folder.is_dir() else []
        if not filed:
            return
        chosen = filed[which % len(filed)]
        target = watch.folder / chosen.name
        if not target.exists():
            chosen.rename(target)
            await self.house.take(self.house.candidate(target))

    async def _some(self, which: int) -> Post | None:
        found = await posts.listed(self.house.journal, limit=100)
        return found[which % len(found)] if found else None

    async def check(self) -> None:
        """What must be so at every moment."""
        everything = await posts.listed(self.house.journal, limit=1000)
        live = [p.content_key for p in everything if p.state not in {State.FAILED, State.CANCELLED}]
        assert sorted(set(live)) == sorted(live)
        files = [path for path in self.house.watch.folder.parent.rglob("*.??g") if path.is_file()]
        assert self.dropped == Counter(path.read_bytes() for path in files)
        for post in everything:
            if post.state in {State.READY, State.DONE}:
                assert post.items[0].source.is_file()


async def _no_api(work: Work) -> object:
    raise AssertionError("a media without an id has no link to read")


HAPPENINGS: dict[str, Callable[[Shop, int, int], Awaitable[None]]] = {
    "drop": Shop.drop,
    "end": Shop.end,
    "cancel": Shop.cancel,
    "retry": Shop.retry,
    "put back": Shop.put_back,
}
STEPS = st.tuples(
    st.sampled_from([*["drop"] * 4, *["end"] * 3, "cancel", "retry", *["put back"] * 2]),
    st.integers(0, 8),
    st.integers(0, 8),
)


@examples(0.25)
@given(steps=st.lists(STEPS, min_size=5, max_size=25))
def test_no_content_is_ever_two_live_posts_and_no_file_is_lost(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, int, int]]
) -> None:
    """Whatever becomes of the posts in between: the same bytes of an account are one live post;
    and each file that was put there lies there still, once, with its bytes."""
    root = Path(mkdtemp(dir=tmp_path_factory.getbasetemp()))

    async def play() -> None:
        async with SqliteJournal(root / "journal.db") as journal:
            await journal.apply([accounts.ensure(USER)])
            shop = Shop(House(root, journal))
            for what, which, how in steps:
                await HAPPENINGS[what](shop, which, how)
                await shop.check()

    asyncio.run(play())
