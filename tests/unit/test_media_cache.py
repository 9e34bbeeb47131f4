"""What was made once is not made again, and never passed on if it is not what it was."""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from mediawatch.errors import Rejected, StorageProblem
from mediawatch.media.cache import Cache
from mediawatch.media.order import ImageOptions, Prepared
from mediawatch.media.rules import Reason, reject

OPTIONS = ImageOptions()


class Kitchen:
    """Makes pictures of so many bytes, counts them, and can be held up."""

    def __init__(self, size: int = 100) -> None:
        self.size = size
        self.made = 0
        self.stopped = 0
        self.error: Exception | None = None
        self.open = asyncio.Event()
        self.open.set()
        self.begun = asyncio.Event()

    async def __call__(self, target: Path) -> Prepared:
        self.made += 1
        self.begun.set()
        try:
            await self.open.wait()
        except asyncio.CancelledError:
            self.stopped += 1
            raise
        if self.error:
            raise self.error
        data = bytes([self.made]) * self.size
        target.write_bytes(data)
        sha256 = hashlib.sha256(data).hexdigest()
        return Prepared(sha256, len(data), 320, 320, "image/jpeg", ("turned upright",))


@pytest.fixture
def shelf(tmp_path: Path) -> Path:
    return tmp_path / "prepared" / "cache"


Get = Callable[..., "asyncio.Task[Prepared]"]


@pytest.fixture
def get(shelf: Path, tmp_path: Path) -> Get:
    cache = Cache(shelf)

    def start(
        kitchen: Kitchen,
        name: str = "a.jpg",
        content: str = "00",
        purpose: str = "feed",
        options: ImageOptions = OPTIONS,
        of: Cache = cache,
    ) -> asyncio.Task[Prepared]:
        call = of.get_or_prepare(content, purpose, options, tmp_path / name, kitchen)
        return asyncio.ensure_future(call)

    return start


async def test_the_second_time_costs_nothing(get: Get, tmp_path: Path) -> None:
    """The same content for the same purpose: made once, told alike, a file for each."""
    kitchen = Kitchen()
    first, second = await get(kitchen, "a.jpg"), await get(kitchen, "b.jpg")
    assert 1 == kitchen.made
    assert first == second
    assert (tmp_path / "a.jpg").read_bytes() == (tmp_path / "b.jpg").read_bytes()
    (tmp_path / "a.jpg").unlink()
    await get(kitchen, "a.jpg")
    assert 1 == kitchen.made


async def test_it_outlives_a_restart_and_what_a_kill_left_goes(
    get: Get, shelf: Path, tmp_path: Path
) -> None:
    """A new cache on the same folder knows the pictures; half-made ones are swept."""
    kitchen = Kitchen()
    await get(kitchen)
    (shelf / "1-1.making").write_bytes(b"half")
    await get(kitchen, of=Cache(shelf))
    assert 1 == kitchen.made
    assert {".jpg", ".json"} == {file.suffix for file in shelf.iterdir()}


async def test_anything_that_changes_the_picture_makes_it_anew(get: Get, shelf: Path) -> None:
    """Other content, another purpose, another setting, another version of ours."""
    kitchen = Kitchen()
    await get(kitchen)
    await get(kitchen, content="11")
    await get(kitchen, purpose="story")
    await get(kitchen, options=replace(OPTIONS, fit="crop"))
    await get(kitchen, of=Cache(shelf, version=999))
    assert 5 == kitchen.made


async def test_many_who_want_it_at_once_wait_for_one(get: Get) -> None:
    """Ten accounts, one conversion."""
    kitchen = Kitchen()
    kitchen.open.clear()
    calls = [get(kitchen, f"{n}.jpg") for n in range(10)]
    await kitchen.begun.wait()
    kitchen.open.set()
    assert 1 == len(set(await asyncio.gather(*calls)))
    assert 1 == kitchen.made


async def test_one_who_leaves_does_not_stop_the_others(get: Get) -> None:
    """The work goes on while anybody waits, and stops with the last."""
    kitchen = Kitchen()
    kitchen.open.clear()
    first, second = get(kitchen, "a.jpg"), get(kitchen, "b.jpg")
    await kitchen.begun.wait()
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    assert 0 == kitchen.stopped
    kitchen.open.set()
    await second
    assert (1, 0) == (kitchen.made, kitchen.stopped)


async def test_the_last_who_leaves_stops_the_work(get: Get) -> None:
    """A cancelled call returns when its worker is gone, and the next one starts afresh."""
    kitchen = Kitchen()
    kitchen.open.clear()
    only = get(kitchen)
    await kitchen.begun.wait()
    only.cancel()
    with pytest.raises(asyncio.CancelledError):
        await only
    assert 1 == kitchen.stopped
    kitchen.open.set()
    await get(kitchen)
    assert 2 == kitchen.made


async def test_a_refusal_is_passed_on_and_not_kept(get: Get, shelf: Path, tmp_path: Path) -> None:
    """All who wait hear the reason; the next time it is tried again, and nothing lies around."""
    kitchen = Kitchen()
    kitchen.error = reject(Reason.CORRUPT)
    calls = [get(kitchen, f"{n}.jpg") for n in range(3)]
    for outcome in await asyncio.gather(*calls, return_exceptions=True):
        assert isinstance(outcome, Rejected)
    assert [] == list(shelf.iterdir())
    kitchen.error = None
    await get(kitchen)
    assert (tmp_path / "a.jpg").exists()


@pytest.mark.parametrize("spoil", ["picture", "known", "picture gone"])
async def test_what_was_garbled_is_made_anew(
    get: Get, shelf: Path, tmp_path: Path, spoil: str
) -> None:
    """A disk that lies must not reach Instagram: the hash is compared every time."""
    kitchen = Kitchen()
    await get(kitchen)
    (tmp_path / "a.jpg").unlink()
    (picture,) = shelf.glob("*.jpg")
    if spoil == "known":
        picture.with_suffix(".json").write_text("{", encoding="ascii")
    elif spoil == "picture":
        picture.write_bytes(b"x" * 100)
    else:
        picture.unlink()
    prepared = await get(kitchen)
    assert 2 == kitchen.made
    assert prepared.sha256 == hashlib.sha256((tmp_path / "a.jpg").read_bytes()).hexdigest()


async def test_the_least_wanted_leave_first(get: Get, shelf: Path) -> None:
    """At most so many bytes; what was asked for lately stays, also over a restart."""
    kitchen, cache = Kitchen(size=100), Cache(shelf, limit=250)
    await get(kitchen, content="00", of=cache)
    await get(kitchen, content="11", of=cache)
    await get(kitchen, content="00", of=cache)
    for number, file in enumerate(sorted(shelf.glob("*.jpg"), key=lambda f: f.stat().st_mtime_ns)):
        os.utime(file, (number, number))  # a coarse clock must not decide
    cache = Cache(shelf, limit=250)
    await get(kitchen, content="22", of=cache)
    assert 2 == len(list(shelf.glob("*.jpg")))
    assert 3 == kitchen.made
    await get(kitchen, content="00", of=cache)
    assert 3 == kitchen.made
    await get(kitchen, content="11", of=cache)
    assert 4 == kitchen.made


async def test_a_picture_larger_than_the_cache_is_still_delivered(
    get: Get, shelf: Path, tmp_path: Path
) -> None:
    """The limit bounds what is kept, not what is made."""
    kitchen, cache = Kitchen(size=1000), Cache(shelf, limit=10)
    await get(kitchen, "a.jpg", content="00", of=cache)
    await get(kitchen, "b.jpg", content="11", of=cache)
    assert (tmp_path / "a.jpg").stat().st_size == (tmp_path / "b.jpg").stat().st_size == 1000
    assert 1 == len(list(shelf.glob("*.jpg")))


async def test_a_changed_copy_does_not_change_the_next(get: Get, tmp_path: Path) -> None:
    """Where files share their bytes, a careless change is seen by the hash."""
    kitchen = Kitchen()
    await get(kitchen, "a.jpg")
    with (tmp_path / "a.jpg").open("r+b") as file:
        file.write(b"spoiled")
    prepared = await get(kitchen, "b.jpg")
    assert prepared.sha256 == hashlib.sha256((tmp_path / "b.jpg").read_bytes()).hexdigest()


async def test_a_folder_that_cannot_be_written_is_a_storage_problem(
    get: Get, tmp_path: Path
) -> None:
    """Our own disk is to blame, not the picture."""
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StorageProblem):
        await get(Kitchen(), of=Cache(tmp_path / "file" / "cache"))
    with pytest.raises(StorageProblem):
        await get(Kitchen(), name="no such folder/a.jpg")


async def test_a_disk_that_garbles_everything_is_not_asked_for_ever(get: Get) -> None:
    """Two tries, then an honest error."""
    kitchen = Kitchen()

    async def lying(target: Path) -> Prepared:
        return replace(await kitchen(target), sha256="00" * 32)

    with pytest.raises(StorageProblem, match="did not stay"):
        await get(lying)
    assert 2 == kitchen.made
