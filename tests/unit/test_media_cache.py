"""What was prepared once is not prepared again, and never passed on if it is not what it was."""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mediawatch.errors import Rejected, StorageProblem
from mediawatch.media.cache import Cache, Original
from mediawatch.media.order import ImageOptions, Prepared, Purpose, VideoOptions
from mediawatch.media.pool import Preparer
from mediawatch.media.rules import REEL_VIDEO, Reason, reject

LIMIT = 2 << 30
SEEN = 1_800_000_000.0


class Kitchen:
    """Prepares files of so many bytes, counts them, and can be held up."""

    def __init__(self, size: int = 100, media_type: str = "image/jpeg") -> None:
        self.size = size
        self.media_type = media_type
        self.made = 0
        self.stopped = 0
        self.errors: list[Exception] = []
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
        if self.errors:
            raise self.errors.pop(0)
        data = bytes([self.made]) * self.size
        part = target.with_suffix(".part")
        part.write_bytes(data)
        part.replace(target)
        sha256 = hashlib.sha256(data).hexdigest()
        return Prepared(sha256, len(data), 320, 320, self.media_type, ("turned upright",))


@pytest.fixture
def shelf(tmp_path: Path) -> Path:
    return tmp_path / "data" / "cache"


@pytest.fixture
def original(tmp_path: Path) -> Path:
    """An original that nobody wrote to after it was seen."""
    path = tmp_path / "original.jpg"
    path.write_bytes(b"original")
    os.utime(path, (SEEN - 1, SEEN - 1))
    return path


Get = Callable[..., "asyncio.Task[tuple[Prepared, bool]]"]


@pytest.fixture
def get(shelf: Path, tmp_path: Path, original: Path) -> Get:
    cache = Cache(shelf, limit=LIMIT)

    def start(
        kitchen: Kitchen,
        name: str = "a.jpg",
        content: str = "00",
        how: Mapping[str, Any] | None = None,
        of: Cache = cache,
    ) -> asyncio.Task[tuple[Prepared, bool]]:
        seen = Original(original, content, SEEN)
        call = of.get_or_prepare(seen, how or {}, tmp_path / name, kitchen)
        return asyncio.ensure_future(call)

    return start


def kept(shelf: Path) -> list[Path]:
    return sorted(file for file in shelf.glob("*") if file.suffix != ".json")


@pytest.mark.parametrize(("kind", "suffix"), [("image/jpeg", ".jpg"), ("video/mp4", ".mp4")])
async def test_the_second_time_costs_nothing(
    get: Get, shelf: Path, tmp_path: Path, kind: str, suffix: str
) -> None:
    """The same content in the same way: prepared once, told alike, a name for each, no copy."""
    kitchen = Kitchen(media_type=kind)
    first, second = await get(kitchen, "a"), await get(kitchen, "b")
    assert 1 == kitchen.made
    assert (first[0], True) == second
    assert not first[1]
    (file,) = kept(shelf)
    assert suffix == file.suffix
    assert file.samefile(tmp_path / "a")
    assert file.samefile(tmp_path / "b")
    (tmp_path / "a").unlink()
    await get(kitchen, "a")
    assert 1 == kitchen.made
    assert file.samefile(tmp_path / "a")


async def test_what_lies_there_already_is_replaced(get: Get, tmp_path: Path) -> None:
    """A post that is tried again has its file as it was prepared, whatever lay there."""
    kitchen = Kitchen()
    await get(kitchen)
    await get(kitchen)
    (tmp_path / "a.jpg").unlink()
    (tmp_path / "a.jpg").write_bytes(b"half")
    prepared, _ = await get(kitchen)
    assert prepared.sha256 == hashlib.sha256((tmp_path / "a.jpg").read_bytes()).hexdigest()
    assert 1 == kitchen.made


async def test_it_outlives_a_restart_and_what_a_kill_left_goes(get: Get, shelf: Path) -> None:
    """A new cache on the same folder knows the files; words about none are swept."""
    kitchen = Kitchen()
    await get(kitchen)
    (shelf / f"{'0' * 64}.json").write_bytes(b"{")
    await get(kitchen, of=Cache(shelf, limit=LIMIT))
    assert 1 == kitchen.made
    assert [".jpg", ".json"] == sorted(file.suffix for file in shelf.iterdir())


async def test_anything_that_changes_the_file_prepares_it_anew(get: Get, shelf: Path) -> None:
    """Other content, another way, another version of ours."""
    kitchen = Kitchen()
    await get(kitchen)
    await get(kitchen, content="11")
    await get(kitchen, how={"quality": 80})
    await get(kitchen, of=Cache(shelf, limit=LIMIT, version=999))
    assert 4 == kitchen.made


def test_all_that_is_chosen_counts() -> None:
    """Purpose, shapes, every choice for pictures, and every limit of videos."""

    def recipe(
        options: ImageOptions, purpose: Purpose = Purpose.FEED, video: VideoOptions | None = None
    ) -> dict[str, Any]:
        return Preparer(video=video).recipe(options, purpose)

    plain = recipe(ImageOptions())
    lower = VideoOptions(reel=replace(REEL_VIDEO, max_bytes=1))
    others = [
        recipe(ImageOptions(), Purpose.STORY),
        recipe(ImageOptions(aspects=(0.1, 1.91))),
        recipe(ImageOptions(quality=80)),
        recipe(ImageOptions(), video=VideoOptions(fit="crop")),
        recipe(ImageOptions(), video=lower),
    ]
    assert plain == recipe(ImageOptions())
    assert plain not in others


async def test_an_original_that_was_written_to_is_not_kept(
    get: Get, shelf: Path, original: Path
) -> None:
    """Its hash is that of other bytes than those which were prepared."""
    os.utime(original, (SEEN + 1, SEEN + 1))
    kitchen = Kitchen()
    await get(kitchen)
    await get(kitchen)
    assert 2 == kitchen.made
    assert [] == kept(shelf)


async def test_many_who_want_it_at_once_wait_for_one(get: Get) -> None:
    """Ten accounts, one conversion."""
    kitchen = Kitchen()
    kitchen.open.clear()
    calls = [get(kitchen, f"{n}.jpg") for n in range(10)]
    await kitchen.begun.wait()
    kitchen.open.set()
    assert 1 == len({prepared for prepared, _ in await asyncio.gather(*calls)})
    assert 1 == kitchen.made


async def test_who_leaves_stops_the_work_and_the_next_begins(get: Get) -> None:
    """A cancelled call returns when its worker is gone; who waited for it prepares the file."""
    kitchen = Kitchen()
    kitchen.open.clear()
    first, second = get(kitchen, "a.jpg"), get(kitchen, "b.jpg")
    await kitchen.begun.wait()
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    assert 1 == kitchen.stopped
    kitchen.open.set()
    await second
    assert (2, 1) == (kitchen.made, kitchen.stopped)


async def test_a_refusal_is_passed_on_and_not_kept(get: Get, shelf: Path, tmp_path: Path) -> None:
    """The next time it is tried again, and nothing lies around."""
    kitchen = Kitchen()
    kitchen.errors = [reject(Reason.CORRUPT)]
    with pytest.raises(Rejected):
        await get(kitchen)
    assert [] == list(shelf.glob("*"))
    await get(kitchen)
    assert (tmp_path / "a.jpg").exists()


@pytest.mark.parametrize("spoil", ["file", "known", "not JSON", "file gone", "all gone"])
async def test_what_was_garbled_is_prepared_anew(
    get: Get, shelf: Path, tmp_path: Path, spoil: str
) -> None:
    """A disk that lies must not reach Instagram: the hash is compared every time."""
    kitchen = Kitchen()
    await get(kitchen)
    (tmp_path / "a.jpg").unlink()
    (file,) = kept(shelf)
    if spoil == "file":
        file.write_bytes(b"x" * 100)
    elif spoil == "known":
        file.with_suffix(".json").write_text('{"error": {}}', encoding="ascii")
    elif spoil == "not JSON":
        file.with_suffix(".json").write_text("{", encoding="ascii")
    else:
        file.unlink()
    if spoil == "all gone":
        file.with_suffix(".json").unlink()
        shelf.rmdir()
    prepared, known = await get(kitchen)
    assert (2, False) == (kitchen.made, known)
    assert prepared.sha256 == hashlib.sha256((tmp_path / "a.jpg").read_bytes()).hexdigest()
    await get(kitchen, "b.jpg")
    assert 2 == kitchen.made


async def test_the_least_wanted_leave_first(get: Get, shelf: Path) -> None:
    """At most so many bytes; what was asked for lately stays, also over a restart."""
    kitchen, cache = Kitchen(size=100), Cache(shelf, limit=250)
    await get(kitchen, content="00", of=cache)
    await get(kitchen, content="11", of=cache)
    await get(kitchen, content="00", of=cache)
    for number, file in enumerate(sorted(kept(shelf), key=lambda f: f.stat().st_mtime_ns)):
        os.utime(file, (number, number))  # a coarse clock must not decide
    cache = Cache(shelf, limit=250)
    await get(kitchen, content="22", of=cache)
    assert 2 == len(kept(shelf))
    assert 3 == kitchen.made
    await get(kitchen, content="00", of=cache)
    assert 3 == kitchen.made
    await get(kitchen, content="11", of=cache)
    assert 4 == kitchen.made


async def test_what_is_larger_than_the_cache_is_not_kept(
    get: Get, shelf: Path, tmp_path: Path
) -> None:
    """It throws nothing else out, and is delivered."""
    cache = Cache(shelf, limit=150)
    await get(Kitchen(size=100), content="00", of=cache)
    await get(Kitchen(size=1000), "b.jpg", content="11", of=cache)
    assert 1000 == (tmp_path / "b.jpg").stat().st_size
    assert [100] == [file.stat().st_size for file in kept(shelf)]


async def test_a_limit_of_nothing_switches_it_off(get: Get, shelf: Path) -> None:
    """Nothing is kept; what was kept before goes."""
    kitchen = Kitchen()
    await get(kitchen)
    off = Cache(shelf, limit=0)
    await get(kitchen, of=off)
    await get(kitchen, of=off)
    assert 3 == kitchen.made
    assert [] == list(shelf.iterdir())


async def test_a_cache_that_was_never_on_leaves_no_folder(get: Get, shelf: Path) -> None:
    """Whoever wants none has none."""
    await get(Kitchen(), of=Cache(shelf, limit=0))
    assert not shelf.exists()


async def test_a_changed_file_does_not_change_the_next(get: Get, tmp_path: Path) -> None:
    """Where files share their bytes, a careless change is seen by the hash."""
    kitchen = Kitchen()
    await get(kitchen, "a.jpg")
    with (tmp_path / "a.jpg").open("r+b") as file:
        file.write(b"spoiled")
    prepared, _ = await get(kitchen, "b.jpg")
    assert prepared.sha256 == hashlib.sha256((tmp_path / "b.jpg").read_bytes()).hexdigest()


async def test_a_folder_that_cannot_be_written_fails_no_file(get: Get, tmp_path: Path) -> None:
    """It is prepared all the same, and complained of once."""
    (tmp_path / "file").write_bytes(b"")
    told: list[StorageProblem] = []
    cache = Cache(tmp_path / "file" / "cache", limit=LIMIT, complain=told.append)
    for name in ("a.jpg", "b.jpg"):
        await get(Kitchen(), name, of=cache)
        assert (tmp_path / name).exists()
    (problem,) = told
    assert "Could not keep prepared files" in problem.message
    assert "Nothing is lost" in problem.remedy


async def test_a_full_disk_is_given_the_room_of_the_cache(get: Get, shelf: Path) -> None:
    """What is only kept in case gives way, once; a disk that is full without it is told."""
    kitchen = Kitchen()
    full = StorageProblem("No space.", remedy="Free some.", code="disk-full")
    await get(kitchen, content="00")
    kitchen.errors = [full]
    await get(kitchen, content="11")
    assert 3 == kitchen.made
    assert 1 == len(kept(shelf))
    kitchen.errors = [full, full]
    with pytest.raises(StorageProblem):
        await get(kitchen, content="22")
    assert 5 == kitchen.made
    kitchen.errors = [full, full]
    with pytest.raises(StorageProblem):
        await get(kitchen, content="22")
    assert 6 == kitchen.made
