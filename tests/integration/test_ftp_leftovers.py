"""What posts leave on the web host: removed by name, when nobody needs it any more; and uploads
that came in pieces. Real journal, FTP server and web server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from mediawatch.errors import Handling
from mediawatch.hosts.base import HostFull, HostRefused, PublicObject
from mediawatch.hosts.ftp import FtpHost
from mediawatch.hosts.reach import Reach
from mediawatch.journal import posts
from mediawatch.maintenance.cleaner import Cleaner
from mediawatch.model.lifecycle import Stage, State
from mediawatch.model.posts import Item
from mediawatch.pipeline.runner import Runner
from mediawatch.pipeline.upload import Upload
from mediawatch.pipeline.work import Work
from tests.support.ftp_servers import PublishedFolder, published_folder
from tests.support.publishing import Bench, bench

DAY = 86_400.0
LARGE = b"\xff\xd8" + bytes(range(256)) * (36 << 10)  # 9 MiB


class Rig:
    """A journal, and the host that its posts were uploaded to."""

    def __init__(self, river: Bench, web: PublishedFolder, session: aiohttp.ClientSession) -> None:
        self.river = river
        self.web = web
        self.host = FtpHost(web.settings(), clock=river.clock, sleep=asyncio.sleep)
        self.reach = Reach(session, delays=(0,), clock=river.clock)
        self.full = 0

    def cleaner(self, retention: float | None) -> Cleaner:
        return Cleaner(
            self.river.journal, self.host, self.river.clock, self.river.log, retention=retention
        )

    def lies(self, *names: str, content: bytes = b"\xff\xd8picture") -> None:
        """Files that lie in the upload folder."""
        for name in names:
            (self.web.ftp.folder / "upload" / name).write_bytes(content)

    async def post(self, key: str, state: State, *, done: bool = True, **facts: Any) -> str:
        """A post in that state, whose upload is (or is not) done."""
        post_id = f"{self.river.made + 1:012x}"
        item = Item(
            post_id,
            0,
            "a.jpg",
            Path("/nowhere/a.jpg"),
            "00",
            1,
            remote_key=key,
            public_url=f"http://example.org/{key}" if done else None,
        )
        stage = {State.DONE: Stage.ARCHIVE, State.WAITING: Stage.CONTAINER}.get(state, Stage.UPLOAD)
        return await self.river.post(state=state, stage=stage, items=(item,), **facts)

    def runner(self, host: Any, prepare: Callable[[Work, Item], Any]) -> Runner:
        """What takes a post through its upload, and no further."""

        async def stop(work: Work) -> Any:
            raise asyncio.CancelledError

        def noted() -> None:
            self.full += 1

        upload = Upload(host, self.reach, host_name="here", prepare=prepare, on_full=noted)
        return Runner(
            self.river.journal,
            self.river.engine,
            self.river.clock,
            self.river.log,
            steps={Stage.UPLOAD: upload, Stage.CONTAINER: stop},
            set_aside=self.river._set_aside,
            retry_delays=(60.0,),
        )

    async def upload(self, content: bytes, key: str, folder: Path, host: Any = None) -> Item:
        """The item after a worker has had the post in stage upload."""
        prepared = folder / "prepared.jpg"
        prepared.write_bytes(content)
        post_id = await self.post(key, State.READY, done=False)
        post = await self.river.find(post_id)

        async def as_it_is(_: Work, item: Item) -> Item:
            return Item(
                **{
                    name: getattr(item, name)
                    for name in Item.__dataclass_fields__
                    if name != "prepared"
                },
                prepared=prepared,
            )

        try:
            await self.runner(host or self.host, as_it_is).advance(post.id)
        except asyncio.CancelledError:
            pass  # it came as far as the container
        return (await self.river.find(post_id)).items[0]


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    async with open_rig(tmp_path) as made:
        yield made


@asynccontextmanager
async def open_rig(folder: Path) -> AsyncIterator[Rig]:
    async with (
        bench(folder) as river,
        published_folder(folder / "www") as web,
        aiohttp.ClientSession() as session,
    ):
        made = Rig(river, web, session)
        try:
            yield made
        finally:
            await made.host.close()


@pytest.mark.parametrize("state", [State.DONE, State.FAILED, State.CANCELLED])
async def test_an_upload_goes_when_its_retention_is_over(rig: Rig, state: State) -> None:
    """Not before, and with whatever broken tries left of it; other files are not touched."""
    rig.lies("a.jpg", "a.part", "a-2.part", "stranger.part", "stranger.jpg")
    post_id = await rig.post("a.jpg", state)
    rig.river.time.now += DAY - 1
    assert 0 == await rig.cleaner(DAY).run_once()
    rig.river.time.now += 1
    assert 1 == await rig.cleaner(DAY).run_once()
    assert {"stranger.part", "stranger.jpg"} == rig.web.ftp.names()
    item = (await rig.river.find(post_id)).items[0]
    assert (None, None) == (item.remote_key, item.public_url)
    assert 0 == await rig.cleaner(DAY).run_once()


async def test_retention_0_is_at_once(rig: Rig) -> None:
    """The upload of a post that is done goes with the next clean-up."""
    rig.lies("a.jpg")
    await rig.post("a.jpg", State.DONE)
    assert 1 == await rig.cleaner(0.0).run_once()
    assert set() == rig.web.ftp.names()


async def test_forever_keeps_what_was_uploaded(rig: Rig) -> None:
    """With retention = "forever" nothing with a public address goes; what a post that failed or
    was cancelled left half uploaded goes a day later."""
    rig.lies("done.jpg", "failed.jpg", "half.part", "cancelled-2.part")
    await rig.post("done.jpg", State.DONE)
    await rig.post("failed.jpg", State.FAILED)
    await rig.post("half.jpg", State.FAILED, done=False)
    await rig.post("cancelled.jpg", State.CANCELLED, done=False)
    rig.river.time.now += DAY - 1
    assert 0 == await rig.cleaner(None).run_once()
    rig.river.time.now += 9999 * DAY
    assert 2 == await rig.cleaner(None).run_once()
    assert {"done.jpg", "failed.jpg"} == rig.web.ftp.names()


async def test_a_post_that_is_held_for_a_month_loses_its_upload(rig: Rig) -> None:
    """It is made anew if it is released after all: the post itself stays as it is."""
    rig.lies("a.jpg", "b.jpg")
    held = await rig.post("a.jpg", State.HELD)
    await rig.post("b.jpg", State.WAITING)
    rig.river.time.now += 30 * DAY - 1
    assert 0 == await rig.cleaner(0.0).run_once()
    rig.river.time.now += 1
    assert 1 == await rig.cleaner(0.0).run_once()
    assert {"b.jpg"} == rig.web.ftp.names()
    post = await rig.river.find(held)
    assert (State.HELD, None) == (post.state, post.items[0].public_url)


async def test_many_go_in_one_run(rig: Rig) -> None:
    """However many there are: a run ends when all are gone."""
    names = [f"{n}.jpg" for n in range(230)]
    rig.lies(*names)
    for name in names:
        await rig.post(name, State.DONE)
    assert 230 == await rig.cleaner(0.0).run_once()
    assert set() == rig.web.ftp.names()


async def test_what_cannot_be_deleted_is_told_and_passed_over(rig: Rig) -> None:
    """One file that the host does not let go keeps no other from being deleted; it stays in the
    journal, and is tried again."""
    rig.lies("a.jpg", "b.jpg", "c.jpg")

    class Keeping(FtpHost):
        async def delete(self, key: str) -> None:
            if key == "a.jpg":
                raise HostRefused("It stays.")
            await super().delete(key)

    rig.host = Keeping(rig.web.settings(), clock=rig.river.clock)
    for key in ("a.jpg", "b.jpg", "c.jpg"):
        await rig.post(key, State.DONE)
    assert 2 == await rig.cleaner(0.0).run_once()
    assert {"a.jpg"} == rig.web.ftp.names()
    assert 1 == len([line for line in rig.river.log.said("clean") if line["level"] == "warning"])


async def test_a_host_that_is_away_is_asked_once_a_run(rig: Rig) -> None:
    """The run ends with the first answer that does not come, and says so."""
    rig.lies("a.jpg")
    for key in ("a.jpg", "b.jpg"):
        await rig.post(key, State.DONE)
    rig.host = FtpHost(rig.web.settings(port=1), clock=rig.river.clock, sleep=asyncio.sleep)
    assert 0 == await rig.cleaner(0.0).run_once()
    assert 1 == len(rig.river.log.said("clean"))


async def test_a_full_host_calls_the_cleaner(rig: Rig, tmp_path: Path) -> None:
    """The upload tells it; the cleaner then does not wait for its turn."""

    class Full:
        async def put(self, path: Path, key: str) -> PublicObject:
            raise HostFull("Full.")

    await rig.upload(b"\xff\xd8picture", "a.jpg", tmp_path, Full())
    assert 1 == rig.full
    cleaner = rig.cleaner(None)
    cleaner.hurry()
    await asyncio.wait_for(cleaner.rest(3600.0), 1)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(cleaner.rest(3600.0), 0.05)


async def test_pieces_that_do_not_fit_are_sent_again(rig: Rig, tmp_path: Path) -> None:
    """What lies on the host of a large file is gone on with; if it was of another file, its
    content tells: it is deleted, and sent whole under another name."""
    rig.lies("a.part", content=bytes(5_000_000))
    (rig.web.ftp.folder / "upload" / "a.part").write_bytes(LARGE[:70_000] + bytes(5_000_000))
    item = await rig.upload(LARGE, "a.jpg", tmp_path)
    assert "a.jpg" != item.remote_key
    assert {item.remote_key: LARGE} == rig.web.ftp.files()
    assert "do not fit" in rig.river.log.said("upload")[1]["event"]


async def test_pieces_that_fit_are_taken(rig: Rig, tmp_path: Path) -> None:
    """A large file that was gone on with, and is what it should be, keeps its name."""
    rig.lies("a.part", content=LARGE[:5_000_000])
    item = await rig.upload(LARGE, "a.jpg", tmp_path)
    assert "a.jpg" == item.remote_key
    assert {"a.jpg": LARGE} == rig.web.ftp.files()


async def test_a_host_that_is_away_spends_no_attempt(rig: Rig, tmp_path: Path) -> None:
    """The post waits, however often: that the host is away is not its fault."""
    away = FtpHost(rig.web.settings(port=1), clock=rig.river.clock, sleep=asyncio.sleep)
    await rig.upload(b"\xff\xd8picture", "a.jpg", tmp_path, away)
    post = (await posts.listed(rig.river.journal))[0]
    assert (State.WAITING, "ftp-unreachable", 0) == (post.state, post.reason, post.attempts)


async def test_a_full_host_is_waited_for(rig: Rig, tmp_path: Path) -> None:
    """That the host is full is no post's fault either: parked, told, and tried every quarter of
    an hour until there is room."""

    class Full:
        async def put(self, path: Path, key: str) -> PublicObject:
            raise HostFull("Full.")

    await rig.upload(b"\xff\xd8picture", "a.jpg", tmp_path, Full())
    post = (await posts.listed(rig.river.journal))[0]
    assert (State.WAITING, True, 0) == (post.state, post.parked, post.attempts)
    assert rig.river.time.now + 900 == post.wait_until
    assert Handling.PARK is HostFull.handling
