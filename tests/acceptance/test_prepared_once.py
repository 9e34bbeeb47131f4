"""What was converted once is not converted again: a retry or a repetition takes it as it was."""

from __future__ import annotations

import shutil
from pathlib import Path

import aiohttp
import pytest

from tests.support.clips import clip
from tests.support.figures import figures
from tests.support.pictures import jpeg
from tests.support.river import River

UPRIGHT = jpeg(600, 900)  # too tall for the feed: it must be converted


async def prepared(river: River, source: str) -> float:
    """How many files came from the converter, or from the cache, since the daemon started."""
    async with aiohttp.ClientSession() as session, session.get(f"{river.api}/metrics") as answer:
        told = figures(await answer.text())
    return told.get(f'mediawatch_files_prepared_total{{source="{source}"}}', 0)


def kept(river: River) -> list[Path]:
    return [file for file in (river.data / "prepared-cache").glob("*") if file.suffix != ".json"]


async def again(river: River, name: str) -> None:
    """Have a published post published once more, and wait for that."""
    before = len(river.captions())
    done = await river.run("posts", "publish", (await river.posts())[name].id, "--again")
    assert 0 == done.code, done.err
    await river.until(lambda: len(river.captions()) > before and not river.leftovers())


@pytest.mark.parametrize(
    ("name", "content"),
    [("tall.jpg", UPRIGHT), ("waves.mov", clip(seconds=3, form="mov"))],
    ids=["picture", "video"],
)
async def test_what_is_published_again_is_not_converted_again(
    river: River, name: str, content: bytes
) -> None:
    """Both are the same file, also after a restart; it has one name on our disk in the end."""
    river.configure(instagram={"video_upload": "host"})
    async with river.daemon():
        river.drop(name, content)
        await river.post(name, state="done")
        await again(river, name)
        assert (1, 1) == (await prepared(river, "converter"), await prepared(river, "cache"))
    async with river.daemon():
        await again(river, name)
        assert (0, 1) == (await prepared(river, "converter"), await prepared(river, "cache"))
    assert 1 == len(set(river.host.ftp.files().values()))
    assert [1] == [file.stat().st_nlink for file in kept(river)]
    assert [False, True, True] == [line["known"] for line in river.said("convert")]


async def test_a_retry_that_lost_its_file_converts_nothing(river: River) -> None:
    """The prepared file is gone when it is to be uploaded again: it comes from the cache."""
    river.simulator.script({"on": "create", "do": "error", "code": 100, "times": 1})
    async with river.daemon():
        river.drop("tall.jpg", UPRIGHT)
        await river.until((river.held / "tall.jpg").exists)
        post = await river.post("tall.jpg", state="held")
        shutil.rmtree(river.prepared)
        assert 0 == (await river.run("posts", "retry", post.id)).code
        await river.post("tall.jpg", state="done")
        assert (1, 1) == (await prepared(river, "converter"), await prepared(river, "cache"))
    assert ["tall"] == river.captions()


async def test_a_kept_file_that_was_garbled_is_converted_anew(river: River) -> None:
    """What the disk made of it never comes to Meta."""
    async with river.daemon():
        river.drop("tall.jpg", UPRIGHT)
        await river.post("tall.jpg", state="done")
        await river.until(lambda: not river.leftovers())
        (file,) = kept(river)
        file.write_bytes(file.read_bytes()[:-1] + b"x")
        await again(river, "tall.jpg")
        assert (2, 0) == (await prepared(river, "converter"), await prepared(river, "cache"))
    assert 1 == len(set(river.host.ftp.files().values()))


async def test_a_limit_of_nothing_switches_it_off(river: River) -> None:
    """Nothing is kept, and each is converted."""
    river.configure(media={"cache": 0})
    async with river.daemon():
        river.drop("tall.jpg", UPRIGHT)
        await river.post("tall.jpg", state="done")
        await again(river, "tall.jpg")
        assert (2, 0) == (await prepared(river, "converter"), await prepared(river, "cache"))
    assert not (river.data / "prepared-cache").exists()


async def test_a_cache_that_cannot_be_written_fails_no_post(river: River) -> None:
    """All is published as if there were none, and it is said once."""
    river.data.mkdir()
    (river.data / "prepared-cache").write_bytes(b"in the way")
    async with river.daemon():
        await river.arrived(river.drop_pictures(3))
    (line,) = [line for line in river.said("convert") if line["level"] == "warning"]
    assert "Could not keep prepared files" in line["event"]
    assert "Nothing is lost" in line["remedy"]


@pytest.mark.parametrize(
    ("name", "content"),
    [("tall.jpg", UPRIGHT), ("waves.mp4", clip(seconds=3))],
    ids=["picture", "video"],
)
async def test_a_prepared_file_that_was_changed_meanwhile_is_not_published(
    river: River, name: str, content: bytes
) -> None:
    """A planned post waits with it, and somebody writes to it, or to its other name in the cache:
    it is prepared anew, and what is published is what was prepared."""
    river.drop(f"{Path(name).stem}.toml", b'publish_at = "2099-12-24 18:00"')
    async with river.daemon():
        river.drop(name, content)
        post = await river.post(name, state="waiting", reason="scheduled")
        (file,) = kept(river)
        with file.open("r+b") as written:
            written.seek(file.stat().st_size // 2)
            written.write(bytes(500))
        assert 0 == (await river.run("posts", "publish", post.id)).code
        await river.post(name, state="done")
        await river.until(lambda: not river.leftovers())
    (media,) = river.simulator.state.publications
    sent = [*media.container.pictures, *media.container.videos]
    assert [post.items[0].prepared_sha256] == [each.sha256 for each in sent]
