"""What belongs to a file goes with it, in whatever order they come: by real daemons."""

from __future__ import annotations

import json
import struct
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from mediawatch.watch.companions import LONELY_COVER
from mediawatch.watch.filters import RAW
from mediawatch.watch.settle import AWAITS, EMPTY
from tests.support.clips import clip
from tests.support.pictures import jpeg, see_through_png, truncated
from tests.support.river import River, contents, open_river

RAW_BYTES = b"II*\0" + bytes(range(256)) * 64


@pytest.fixture
async def river(tmp_path: Path) -> AsyncIterator[River]:
    async with open_river(tmp_path) as opened:
        yield opened


def published(river: River) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = river.simulator.state.snapshot()["publications"]
    return found


async def told(river: River) -> dict[str, Any]:
    """What the daemon says of its folder."""
    folder: dict[str, Any] = json.loads((await river.run("status", "--json")).out)["folder"]
    return folder


async def ignored(river: River, name: str, reason: str) -> None:
    """Wait until that name is listed with that reason."""

    async def is_listed() -> bool:
        return bool((await told(river))["ignored"].get(name) == reason)

    await river.until(is_listed)


async def filed(river: River, files: dict[str, bytes]) -> None:
    """Wait until these, and nothing else, lie in processed, and nothing is left anywhere."""
    await river.until(lambda: files.keys() == river.filed().keys())
    await river.until(lambda: not river.leftovers())
    assert files == river.filed()


def marked(content: bytes) -> bytes:
    """The same video, which says that it is the clip of a Live Photo."""
    mark = b"com.apple.quicktime.content.identifier"
    return content + struct.pack(">I4s", 8 + len(mark), b"free") + mark


FILM = clip(seconds=3)
LONG = clip(seconds=5, form="mov")
PAIRS = {
    "raw": ("IMG_1.jpg", "IMG_1.CR2", RAW_BYTES),
    "clip": ("IMG_1.jpg", "IMG_1.MOV", clip(seconds=2, form="mov")),
    "marked clip": ("IMG_1.jpg", "IMG_1.mov", marked(LONG)),
}


@pytest.mark.parametrize("kind", PAIRS)
@pytest.mark.parametrize("first", ["picture", "companion"])
async def test_the_order_in_which_they_come_does_not_matter(
    river: River, kind: str, first: str
) -> None:
    """One post, of the picture; what belongs to it is filed beside it."""
    name, companion, content = PAIRS[kind]
    files = {name: jpeg(), companion: content}
    async with river.daemon():
        for each in files if first == "picture" else reversed(files):
            river.drop(each, files[each])
        await filed(river, files)
        await river.post(name, state="done")
    assert ["IMG_1"] == river.captions()
    assert ["IMAGE"] == [media["kind"] for media in published(river)]


async def test_companions_that_were_there_before_the_start_go_along(river: River) -> None:
    """All of it lay there when mediawatch started: a storm of pairs, each is one post."""
    files = {}
    for number in range(12):
        files[f"IMG_{number}.JPG"] = jpeg(400, 320, seed=number)
        files[f"IMG_{number}.cr2"] = RAW_BYTES + bytes([number])
    for name, content in files.items():
        river.drop(name, content)
    async with river.daemon():
        await filed(river, files)
    assert 12 == len(river.captions())


async def test_a_longer_video_of_the_same_name_is_a_post_of_its_own(river: River) -> None:
    """A picture and a video that only share their name: two posts."""
    async with river.daemon():
        river.drop("beach.jpg", jpeg())
        river.drop("beach.MOV", LONG)
        await river.until(lambda: len(published(river)) == 2)
        await filed(river, {"beach.jpg": jpeg(), "beach.MOV": LONG})
    assert ["IMAGE", "REEL"] == sorted(media["kind"] for media in published(river))


async def test_a_raw_that_comes_after_its_picture_stays_and_is_listed(river: River) -> None:
    """The picture was claimed; the RAW is no post, and says why it stays."""
    async with river.daemon():
        river.drop("IMG_1.jpg", jpeg())
        await river.post("IMG_1.jpg", state="done")
        river.drop("IMG_1.CR2", RAW_BYTES)
        await ignored(river, "IMG_1.CR2", RAW)
    assert ["IMG_1.jpg"] == list(river.filed())


async def test_a_clip_alone_is_held_and_goes_with_its_picture_when_both_are_put_back(
    river: River,
) -> None:
    """It says itself what it is. Beside its picture it is filed with that, and is not published."""
    long = marked(LONG)
    async with river.daemon():
        river.drop("IMG_1.MOV", long)
        post = await river.post("IMG_1.MOV", state="held")
        await river.until((river.held / "IMG_1.MOV").exists)
        assert "live-photo" == post.reason
        (river.inbox / "reels").mkdir()
        (river.held / "IMG_1.MOV").rename(river.inbox / "reels" / "IMG_1.MOV")
        await river.post("IMG_1.MOV", state="done")
    assert ["REEL"] == [media["kind"] for media in published(river)]


@pytest.mark.parametrize("name", ["IMG_1.CR2", "IMG_1.mov", "IMG_1.cover.jpg"])
async def test_what_is_still_written_is_waited_for(river: River, name: str) -> None:
    """The file is whole, and what belongs to it grows: it waits, and says so."""
    is_cover = ".cover." in name
    own = "IMG_1.mp4" if is_cover else "IMG_1.jpg"
    content = clip(seconds=3) if is_cover else jpeg()
    growing = jpeg(400, 700, seed=2) if is_cover else PAIRS["clip"][2] * 2
    async with river.daemon():
        with (river.inbox / name).open("wb") as writer:
            writer.write(growing[:2000])
            writer.flush()
            river.drop(own, content)

            async def waits() -> bool:
                return bool((await told(river))["settling"].get(own) == AWAITS)

            await river.until(waits)
            assert {} == await river.posts()
            writer.write(growing[2000:])
        await filed(river, {own: content, name: growing})
    assert 1 == len(published(river))


async def test_one_pass_takes_what_belongs_together_and_ends(river: River) -> None:
    """``once``: pairs are published, and nothing that stays alone is waited for."""
    pair = {"a.jpg": jpeg(), "a.CR2": RAW_BYTES}
    film = {"b.mp4": FILM, "b.cover.jpg": jpeg(720, 1280)}
    alone = {"c.CR2": RAW_BYTES, "d.cover.jpg": jpeg(seed=2)}
    for name, content in (pair | film | alone).items():
        river.drop(name, content)
    ended = await river.run("once")
    assert 0 == ended.code, ended.err
    assert pair | film == river.filed()
    assert alone.keys() == river.leftovers()
    assert 2 == len(published(river))


async def test_one_pass_does_not_wait_for_a_picture_without_bytes(river: River) -> None:
    """Its clip is left for it, and the pass ends."""
    river.drop("IMG_1.jpg", b"")
    river.drop("IMG_1.MOV", PAIRS["clip"][2])
    await river.run("once", limit=60)
    assert {"IMG_1.jpg", "IMG_1.MOV"} == river.leftovers()
    assert {} == await river.posts()


async def test_an_empty_raw_stays_and_is_listed_as_empty(river: River) -> None:
    """A copy that wrote nothing: its picture does not wait for ever, and nobody takes it for a
    RAW."""
    async with river.daemon():
        river.drop("IMG_1.CR2", b"")
        river.drop("IMG_1.jpg", jpeg())
        await river.post("IMG_1.jpg", state="done")
        await ignored(river, "IMG_1.CR2", EMPTY)
    assert ["IMG_1.jpg"] == list(river.filed())


async def test_a_name_that_is_taken_keeps_both_together(river: River) -> None:
    """Another picture and RAW of that name lie in processed: both get the same new stem."""
    river.processed.mkdir()
    for name in ("IMG_1.jpg", "IMG_1.CR2"):
        (river.processed / name).write_bytes(b"earlier")
    async with river.daemon():
        river.drop("IMG_1.CR2", RAW_BYTES)
        river.drop("IMG_1.jpg", jpeg())
        post = await river.post("IMG_1.jpg", state="done")
    found = river.filed()
    assert RAW_BYTES == found[f"IMG_1.{post.id[:8]}.CR2"]
    assert jpeg() == found[f"IMG_1.{post.id[:8]}.jpg"]


async def test_a_duplicate_is_filed_with_what_belongs_to_it(river: River) -> None:
    """The same picture with a RAW once more: both lie in duplicate, with one note."""
    async with river.daemon():
        river.drop("a.jpg", jpeg())
        await river.post("a.jpg", state="done")
        river.drop("b.CR2", RAW_BYTES)
        river.drop("b.jpg", jpeg())
        wanted = {"b.jpg", "b.CR2", "b.jpg.mediawatch.json"}
        await river.until(lambda: wanted == contents(river.duplicate).keys())
        await river.until(lambda: not river.leftovers())
    assert ["a"] == river.captions()


async def test_both_are_put_back_and_go_on_together(river: River) -> None:
    """Held for its caption, then mended: the RAW comes back with its picture."""
    async with river.daemon():
        river.drop("a.txt", b"#tag " * 31)
        river.drop("a.CR2", RAW_BYTES)
        river.drop("a.jpg", jpeg())
        held = await river.post("a.jpg", state="held")
        await river.until(lambda: {"a.CR2", "a.jpg", "a.txt"} < contents(river.held).keys())
        await river.until(lambda: not river.leftovers())
        (river.held / "a.txt").write_bytes(b"shorter")
        for name in ("a.txt", "a.CR2", "a.jpg"):
            (river.held / name).rename(river.inbox / name)
        await filed(river, {"a.jpg": jpeg(), "a.CR2": RAW_BYTES, "a.txt": b"shorter"})
        post = await river.post("a.jpg", state="done")
    assert held.id == post.id
    assert ["shorter"] == river.captions()
    assert {} == contents(river.held)


async def test_what_stayed_behind_follows_its_picture(river: River) -> None:
    """Only the picture and its caption are put back: the RAW is filed with it in the end."""
    async with river.daemon():
        river.drop("a.txt", b"#tag " * 31)
        river.drop("a.CR2", RAW_BYTES)
        river.drop("a.jpg", jpeg())
        await river.post("a.jpg", state="held")
        await river.until(lambda: {"a.CR2", "a.jpg", "a.txt"} < contents(river.held).keys())
        await river.until(lambda: not river.leftovers())
        (river.held / "a.txt").write_bytes(b"shorter")
        for name in ("a.txt", "a.jpg"):
            (river.held / name).rename(river.inbox / name)
        await filed(river, {"a.jpg": jpeg(), "a.CR2": RAW_BYTES, "a.txt": b"shorter"})
    assert {} == contents(river.held)


async def test_a_raw_that_is_taken_away_from_a_held_post_is_not_missed(river: River) -> None:
    """It was never published: its picture goes on without it."""
    async with river.daemon():
        river.drop("a.txt", b"#tag " * 31)
        river.drop("a.CR2", RAW_BYTES)
        river.drop("a.jpg", jpeg())
        await river.post("a.jpg", state="held")
        await river.until(lambda: {"a.CR2", "a.jpg", "a.txt"} < contents(river.held).keys())
        await river.until(lambda: not river.leftovers())
        (river.held / "a.CR2").unlink()
        (river.held / "a.txt").write_bytes(b"shorter")
        for name in ("a.txt", "a.jpg"):
            (river.held / name).rename(river.inbox / name)
        await filed(river, {"a.jpg": jpeg(), "a.txt": b"shorter"})


async def test_a_carousel_takes_raws_and_clips_along(river: River) -> None:
    """They are no items of it and no strangers in it: they lie in the folder in the end."""
    files = {
        "1.jpg": jpeg(seed=1),
        "1.CR2": RAW_BYTES,
        "2.jpg": jpeg(seed=2),
        "2.mov": PAIRS["clip"][2],
    }
    folder = river.root / "trip"
    folder.mkdir()
    for name, content in files.items():
        (folder / name).write_bytes(content)
    async with river.daemon():
        folder.rename(river.inbox / "trip")
        post = await river.post("trip", state="done")
        await river.until(lambda: files == contents(river.processed / "trip"))
    assert ["1.jpg", "2.jpg"] == [item.name for item in post.items]


# The cover of a reel.


@pytest.mark.parametrize("first", ["video", "cover"])
@pytest.mark.parametrize("said", [b"", b'cover = "IMG_1.cover.png"\n'])
async def test_a_cover_is_shown_and_goes_with_its_reel(
    river: River, first: str, said: bytes
) -> None:
    """By its name, whether the sidecar says so or not: one post, with the cover as a JPEG."""
    files = {"IMG_1.mp4": FILM, "IMG_1.cover.png": see_through_png(720, 1280)}
    async with river.daemon():
        if said:
            river.drop("IMG_1.toml", said)
            files["IMG_1.toml"] = said
        for name in files if first == "video" else reversed(files):
            river.drop(name, files[name])
        await filed(river, files)
        post = await river.post("IMG_1.mp4", state="done")
    (media,) = published(river)
    (container,) = river.simulator.state.containers.values()
    assert ("REEL", "IMG_1") == (media["kind"], media["caption"])
    cover = container.details.cover
    assert cover is not None
    assert cover.uri == post.items[1].public_url
    assert ("image/jpeg", 720, 1280) == (cover.content_type, cover.width, cover.height)


async def test_a_cover_alone_is_no_post(river: River) -> None:
    """Its video never came, or was published before: it stays, and says why."""
    async with river.daemon():
        river.drop("IMG_1.cover.jpg", jpeg())
        await ignored(river, "IMG_1.cover.jpg", LONELY_COVER)
        river.drop("other.jpg", jpeg(seed=2))
        await river.post("other.jpg", state="done")
        assert ["other.jpg"] == list(await river.posts())


async def test_a_cover_that_cannot_be_used_holds_the_reel_until_it_is_mended(river: River) -> None:
    """It is named; both are put back, the cover mended, and it is the same post."""
    async with river.daemon():
        river.drop("IMG_1.cover.jpg", truncated(jpeg(720, 1280)))
        river.drop("IMG_1.mp4", FILM)
        held = await river.post("IMG_1.mp4", state="held")
        wanted = {"IMG_1.mp4", "IMG_1.cover.jpg", "IMG_1.mp4.mediawatch.json"}
        await river.until(lambda: wanted == contents(river.held).keys())
        await river.until(lambda: not river.leftovers())
        assert "cover" == held.reason
        assert "IMG_1.cover.jpg" in (held.detail or "")
        (river.held / "IMG_1.cover.jpg").unlink()
        river.drop("IMG_1.cover.jpg", jpeg(720, 1280, seed=3))
        (river.held / "IMG_1.mp4").rename(river.inbox / "IMG_1.mp4")
        await filed(river, {"IMG_1.mp4": FILM, "IMG_1.cover.jpg": jpeg(720, 1280, seed=3)})
        post = await river.post("IMG_1.mp4", state="done")
    assert held.id == post.id
    (container,) = river.simulator.state.containers.values()
    assert container.details.cover is not None


async def test_a_copy_with_a_mended_cover_is_what_is_published(river: River) -> None:
    """Both are left where they are held, and copies of them put into the inbox, the cover mended:
    the same post goes out with that; what was held is a duplicate, and nothing stays behind."""
    broken, mended = truncated(jpeg(720, 1280)), jpeg(720, 1280, seed=3)
    async with river.daemon():
        river.drop("IMG_1.cover.jpg", broken)
        river.drop("IMG_1.mp4", FILM)
        held = await river.post("IMG_1.mp4", state="held")
        wanted = {"IMG_1.mp4", "IMG_1.cover.jpg", "IMG_1.mp4.mediawatch.json"}
        await river.until(lambda: wanted == contents(river.held).keys())
        await river.until(lambda: not river.leftovers())
        river.drop("IMG_1.cover.jpg", mended)
        river.drop("IMG_1.mp4", FILM)
        await filed(river, {"IMG_1.mp4": FILM, "IMG_1.cover.jpg": mended})
        post = await river.post("IMG_1.mp4", state="done")
    assert held.id == post.id
    assert {} == contents(river.held)
    duplicates = contents(river.inbox.parent / "duplicate")
    assert (FILM, broken) == (duplicates["IMG_1.mp4"], duplicates["IMG_1.cover.jpg"])
    (container,) = river.simulator.state.containers.values()
    assert container.details.cover is not None


async def test_words_for_two_files_are_said_of_both(river: River) -> None:
    """A picture and a video of one name: whichever settles first, the words wait for the other,
    and go with that."""
    async with river.daemon():
        river.drop("waves.txt", b"Both of them")
        with (river.inbox / "waves.mp4").open("wb") as writing:
            writing.write(FILM[:2000])
            writing.flush()
            river.drop("waves.jpg", jpeg())
            await river.post("waves.jpg", state="done")
            assert (river.inbox / "waves.txt").is_file()
            writing.write(FILM[2000:])
        await river.post("waves.mp4", state="done")
        await river.until(lambda: not river.leftovers())
    assert ["Both of them"] * 2 == river.captions()
    assert {"waves.jpg", "waves.mp4", "waves.txt"} == contents(river.processed).keys()


async def test_words_are_found_however_accents_are_written(river: River) -> None:
    """Written on a Mac, the name of the text has two characters for the letter of the picture."""
    async with river.daemon():
        river.drop("cafe\u0301.txt", b"At noon")
        river.drop("caf\u00e9.jpg", jpeg())
        await river.post("caf\u00e9.jpg", state="done")
        await river.until(lambda: not river.leftovers())
    assert ["At noon"] == river.captions()
    assert {"caf\u00e9.jpg", "caf\u00e9.txt"} == contents(river.processed).keys()


async def test_another_cover_replaces_the_one_on_the_host(river: River) -> None:
    """Meta refuses the first; with another one put back the reel is published with that, under
    another name, and the first is deleted from the host."""
    river.configure(instagram={"video_upload": "host"})
    river.simulator.script({"on": "create", "do": "error", "code": 1, "subcode": 2207057})
    async with river.daemon():
        river.drop("IMG_1.cover.jpg", jpeg(720, 1280))
        river.drop("IMG_1.mp4", FILM)
        held = await river.post("IMG_1.mp4", state="held")
        await river.until((river.held / "IMG_1.cover.jpg").exists)
        await river.until(lambda: not list((river.inbox / ".mediawatch" / "work").iterdir()))
        assert 2 == len(river.host.ftp.names())
        river.simulator.script()
        (river.held / "IMG_1.cover.jpg").unlink()
        river.drop("IMG_1.cover.jpg", jpeg(720, 1280, seed=2))
        (river.held / "IMG_1.mp4").rename(river.inbox / "IMG_1.mp4")
        await filed(river, {"IMG_1.mp4": FILM, "IMG_1.cover.jpg": jpeg(720, 1280, seed=2)})
        post = await river.post("IMG_1.mp4", state="done")
    assert held.id == post.id
    old, new = held.items[1], post.items[1]
    assert old.remote_key != new.remote_key
    assert {item.remote_key for item in post.items} == river.host.ftp.names()
    (container,) = river.simulator.state.containers.values()
    assert container.details.cover is not None
    assert new.public_url == container.details.cover.uri


async def test_a_reel_goes_without_its_cover_if_that_is_deleted(river: River) -> None:
    """As the remedy says: the cover is deleted where it was filed, and the video put back."""
    async with river.daemon():
        river.drop("IMG_1.cover.jpg", truncated(jpeg(720, 1280)))
        river.drop("IMG_1.mp4", FILM)
        held = await river.post("IMG_1.mp4", state="held")
        await river.until((river.held / "IMG_1.cover.jpg").exists)
        await river.until(lambda: not river.leftovers())
        assert "delete IMG_1.cover.jpg" in (held.remedy or "")
        (river.held / "IMG_1.cover.jpg").unlink()
        (river.held / "IMG_1.mp4").rename(river.inbox / "IMG_1.mp4")
        await filed(river, {"IMG_1.mp4": FILM})
    (container,) = river.simulator.state.containers.values()
    assert container.details.cover is None


async def test_a_cover_of_no_bytes_holds_its_reel(river: River) -> None:
    """A reel that was meant to have a cover is not published without."""
    async with river.daemon():
        river.drop("IMG_1.cover.jpg", b"")
        river.drop("IMG_1.mp4", FILM)
        held = await river.post("IMG_1.mp4", state="held")
    assert "cover" == held.reason
    assert "IMG_1.cover.jpg" in (held.detail or "")


async def test_a_moment_behind_the_end_holds_the_reel_before_anything_is_sent(
    river: River,
) -> None:
    """Meta would refuse it, but not before it has the whole video; named anew it is published."""
    async with river.daemon():
        river.drop("a.toml", b"cover = 30\n")
        river.drop("a.mp4", FILM)
        held = await river.post("a.mp4", state="held")
        await river.until((river.held / "a.toml").exists)
        assert "cover" == held.reason
        assert "30 seconds" in (held.detail or "")
        assert {} == river.simulator.state.containers
        assert set() == river.host.ftp.names()
        (river.held / "a.toml").unlink()
        river.drop("a.toml", b"cover = 1.5\n")
        (river.held / "a.mp4").rename(river.inbox / "a.mp4")
        assert held.id == (await river.post("a.mp4", state="done")).id


REFUSED = {
    "a moment and a file": ({"a.toml": b"cover = 1.5\n", "a.cover.jpg": jpeg()}, "two covers"),
    "another name": ({"a.toml": b'cover = "b.png"\n', "b.png": jpeg()}, "Call it a.cover.png"),
    "not there": ({"a.toml": b'cover = "a.cover.jpg"\n'}, "does not lie beside"),
    "two files": ({"a.cover.jpg": jpeg(), "a.cover.png": jpeg(seed=2)}, "two covers"),
    "a story": ({"a.toml": b'kind = "story"\n', "a.cover.jpg": jpeg()}, "cover of a reel"),
}


@pytest.mark.parametrize("case", REFUSED)
async def test_a_cover_that_is_not_understood_holds_the_reel(river: River, case: str) -> None:
    """Nothing is published otherwise than it was meant."""
    files, words = REFUSED[case]
    async with river.daemon():
        for name, content in files.items():
            river.drop(name, content)
        river.drop("a.mp4", FILM)
        held = await river.post("a.mp4", state="held")
        await river.until(lambda: "a.mp4" in contents(river.held))
    assert "sidecar" == held.reason
    assert words in f"{held.detail} {held.remedy}"
    assert "REEL" not in [media["kind"] for media in published(river)]


async def test_a_cover_in_a_folder_is_refused(river: River) -> None:
    """A carousel has no cover: the folder is held, and the file named."""
    folder = river.root / "trip"
    folder.mkdir()
    (folder / "1.jpg").write_bytes(jpeg(seed=1))
    (folder / "2.mp4").write_bytes(clip(seconds=3, width=640, height=640))
    (folder / "2.cover.jpg").write_bytes(jpeg(seed=2))
    async with river.daemon():
        folder.rename(river.inbox / "trip")
        held = await river.post("trip", state="held")
    assert "2.cover.jpg" in (held.detail or "")


async def test_a_cover_is_removed_from_the_host_like_its_video(river: River) -> None:
    """Nothing of the post stays there when its time is over."""
    river.configure(ftp={"retention": 0})
    async with river.daemon():
        river.drop("IMG_1.cover.jpg", jpeg(720, 1280))
        river.drop("IMG_1.mp4", FILM)
        await river.post("IMG_1.mp4", state="done")
        await river.until(lambda: not river.host.ftp.names(), limit=60)
