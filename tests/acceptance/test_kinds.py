"""Videos, stories, carousels, wishes and times, as people drop them: from the inbox to what is on
Instagram."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.support.clips import clip
from tests.support.pictures import PDF, animation, encoded, jpeg, photo
from tests.support.river import River, contents
from tests.support.simulator import TOKEN


def published(river: River) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = river.simulator.state.snapshot()["publications"]
    return found


def drop_folder(river: River, name: str, files: dict[str, bytes]) -> None:
    """A folder with all its files, moved into the inbox as one."""
    folder = river.root / "prepared" / name
    folder.mkdir(parents=True)
    for file, content in files.items():
        (folder / file).write_bytes(content)
    folder.rename(river.inbox / name)


async def test_a_video_becomes_a_reel(river: River) -> None:
    """A clip as a phone makes it is published as a reel; its original is filed as it was."""
    async with river.daemon():
        original = river.drop("waves.mp4", clip(seconds=3))
        post = await river.post("waves.mp4", state="done")
    (media,) = published(river)
    assert ("REEL", "waves") == (media["kind"], media["caption"])
    assert ("reel", "video/mp4") == (post.kind, post.items[0].media_type)
    assert {"waves.mp4": original} == river.filed()


async def test_a_live_photo_and_a_raw_are_one_post_with_their_picture(river: River) -> None:
    """As a phone and a camera name them: the pictures are published, all else lies beside them."""
    files = {
        "IMG_1.JPG": jpeg(seed=1),
        "IMG_1.MOV": clip(seconds=2, form="mov"),
        "DSC_1.JPG": jpeg(seed=2),
        "DSC_1.NEF": b"II*\0" + bytes(4096),
    }
    async with river.daemon():
        for name, content in files.items():
            river.drop(name, content)
        await river.until(lambda: files.keys() == river.filed().keys())
        await river.until(lambda: not river.leftovers())
    assert ["IMAGE", "IMAGE"] == [media["kind"] for media in published(river)]
    assert files == river.filed()


async def test_a_video_needs_no_web_host(river: River) -> None:
    """The FTP server is down: the reel is sent to Meta itself, the very bytes that were prepared,
    and there is nothing to clean up on a host. The token is in no file of ours."""
    river.configure(ftp={"port": 1, "retention": 0})
    river.simulator.script({"on": "upload", "nth": 1, "do": "drop-within", "bytes": 20_000})
    async with river.daemon():
        river.drop("waves.mp4", clip(seconds=3))
        post = await river.post("waves.mp4", state="done")
        await river.until(lambda: not river.leftovers())
    (media,) = river.simulator.state.publications
    assert [post.items[0].prepared_sha256] == [video.sha256 for video in media.container.videos]
    assert (None, None) == (post.items[0].remote_key, post.items[0].public_url)
    assert [] == river.said("clean")
    written = [*river.data.rglob("*"), river.log_file, river.root / "output.txt"]
    assert not [path for path in written if path.is_file() and TOKEN.encode() in path.read_bytes()]


@pytest.mark.parametrize("way", [{"video_upload": "host"}, {"login": "instagram"}], ids=str)
async def test_a_video_by_the_web_host(river: River, way: dict[str, str]) -> None:
    """Where its owner wants that, or the login allows no other way: Meta fetches it by address."""
    river.configure(instagram=way)
    async with river.daemon():
        river.drop("waves.mp4", clip(seconds=3))
        post = await river.post("waves.mp4", state="done")
    (media,) = river.simulator.state.publications
    assert (post.items[0].public_url,) == media.container.uris
    assert {post.items[0].remote_key} == river.host.ftp.names()
    assert 0 == river.simulator.state.asked["upload"]  # type: ignore[index]


async def test_an_animation_becomes_a_reel(river: River) -> None:
    """A moving GIF is a video to Instagram."""
    async with river.daemon():
        river.drop("cat.gif", animation("GIF", 12, (400, 320)))
        post = await river.post("cat.gif", state="done")
    assert ["REEL"] == [media["kind"] for media in published(river)]
    assert post.items[0].changes


async def test_an_animation_with_what_a_reel_cannot_have_is_held(river: River) -> None:
    """A tag with a place was wished for a picture; a reel would lose the place in silence."""
    async with river.daemon():
        tag = '[[user_tags]]\nusername = "friend"\nx = 0.5\ny = 0.5\n'
        river.drop("cat.toml", tag.encode())
        river.drop("cat.gif", animation("GIF", 12, (400, 320)))
        post = await river.post("cat.gif", state="held")

    assert "sidecar" == post.reason
    assert "friend" in post.detail
    assert "Leave x and y out" in post.remedy
    assert [] == river.captions()


async def test_what_lies_in_stories_is_a_story_and_in_reels_a_reel(river: River) -> None:
    """The folder sets the kind; the folders stay, and the originals are filed with the others."""
    (river.inbox / "stories").mkdir()
    (river.inbox / "reels").mkdir()
    async with river.daemon():
        (river.inbox / "stories" / "sunset.jpg").write_bytes(jpeg(400, 710))
        (river.inbox / "reels" / "waves.mp4").write_bytes(clip(seconds=3))
        await river.post("sunset.jpg", state="done")
        await river.post("waves.mp4", state="done")
    assert {"STORY", "REEL"} == {media["kind"] for media in published(river)}
    (story,) = (media for media in published(river) if media["kind"] == "STORY")
    assert (400, 710) == (story["pictures"][0]["width"], story["pictures"][0]["height"])
    assert {"sunset.jpg", "waves.mp4"} == river.filed().keys()
    assert (river.inbox / "stories").is_dir()


async def test_a_picture_may_be_in_the_feed_and_in_a_story(river: River) -> None:
    """The same bytes for another place are another post; in the same place they are a duplicate."""
    (river.inbox / "stories").mkdir()
    async with river.daemon():
        river.drop("beach.jpg", jpeg())
        await river.until(lambda: len(published(river)) == 1)
        (river.inbox / "stories" / "beach.jpg").write_bytes(jpeg())
        await river.until(lambda: len(published(river)) == 2)
        (river.inbox / "stories" / "again.jpg").write_bytes(jpeg())
        await river.until((river.duplicate / "again.jpg").exists)
    assert ["IMAGE", "STORY"] == [media["kind"] for media in published(river)]


async def test_a_picture_in_reels_is_held_with_the_reason(river: River) -> None:
    """A reel is a video: held, with the way out."""
    (river.inbox / "reels").mkdir()
    async with river.daemon():
        (river.inbox / "reels" / "beach.jpg").write_bytes(jpeg())
        post = await river.post("beach.jpg", state="held")
        await river.until((river.held / "beach.jpg").exists)
    assert "kind" == post.reason
    assert [] == published(river)


async def test_a_folder_is_a_carousel_in_natural_order(river: River) -> None:
    """Pictures and a video, 2 before 10, with the caption inside; filed as the folder it was."""
    files = {
        "10.jpg": jpeg(seed=10),
        "2.jpg": jpeg(seed=2),
        "3.mp4": clip(seconds=3, width=640, height=640),
        "caption.txt": b"Our trip",
    }
    async with river.daemon():
        drop_folder(river, "trip", files)
        post = await river.post("trip", state="done")
        await river.until(lambda: not river.leftovers())
    (media,) = published(river)
    assert ("CAROUSEL", "Our trip") == (media["kind"], media["caption"])
    assert ["2.jpg", "3.mp4", "10.jpg"] == [item.name for item in post.items]
    assert files == contents(river.processed / "trip")
    assert not (river.inbox / "trip").exists()


async def test_a_folder_with_something_else_in_it_is_held_as_a_whole(river: River) -> None:
    """One file that cannot be part of it publishes nothing, and is named; put back without it,
    the rest is published."""
    files = {"a.jpg": jpeg(seed=1), "b.jpg": jpeg(seed=2), "c.pdf": PDF}
    async with river.daemon():
        drop_folder(river, "trip", files)
        post = await river.post("trip", state="held")
        note = river.held / "trip.mediawatch.json"
        await river.until(lambda: note.exists() and not river.leftovers())
        assert "c.pdf" in json.loads(note.read_text())["why"]
        assert files == contents(river.held / "trip")
        (river.held / "trip" / "c.pdf").unlink()
        (river.held / "trip").rename(river.inbox / "trip")
        await river.until(lambda: published(river))
        await river.until(lambda: not river.leftovers())
    assert "carousel" == post.reason
    assert ["CAROUSEL"] == [media["kind"] for media in published(river)]


async def test_a_damaged_picture_fails_its_whole_folder_and_nothing_lies_about(
    river: River,
) -> None:
    """What was made of the others before it is removed, and the note names the one to mend."""
    whole = encoded(photo(400, 300), "PNG")
    middle = len(whole) // 2
    damaged = whole[:middle] + bytes(64) + whole[middle + 64 :]
    files = {"a.jpg": jpeg(seed=1), "b.jpg": jpeg(seed=2), "c.png": damaged}
    async with river.daemon():
        drop_folder(river, "trip", files)
        await river.post("trip", state="failed")
        await river.until(lambda: not river.leftovers())
    assert "c.png" in json.loads((river.failed / "trip.mediawatch.json").read_text())["why"]
    assert files == contents(river.failed / "trip")
    assert [] == published(river)


async def test_a_link_in_a_folder_is_not_followed_and_goes_with_it(river: River) -> None:
    """The folder is held for it, whole, and the link with it: nothing is left behind."""
    outside = river.root / "outside.jpg"
    outside.write_bytes(jpeg(seed=9))
    async with river.daemon():
        folder = river.root / "trip"
        folder.mkdir()
        for seed in (1, 2):
            (folder / f"{seed}.jpg").write_bytes(jpeg(seed=seed))
        (folder / "3.jpg").symlink_to(outside)
        folder.rename(river.inbox / "trip")
        post = await river.post("trip", state="held")
        await river.until((river.held / "trip" / "3.jpg").is_symlink)
        await river.until(lambda: not river.leftovers())
    assert "3.jpg" in (post.detail or "")
    assert jpeg(seed=9) == outside.read_bytes()
    assert [] == published(river)


async def test_a_carousel_is_published_once_more_with_all_that_was_wished(river: River) -> None:
    """``--again``: the same pictures, words and alternative texts, as a post of its own."""
    said = b'caption = "Trip"\n[alt_text]\n"a.jpg" = "Wet sand"\n'
    files = {"a.jpg": jpeg(seed=1), "b.jpg": jpeg(seed=2), "caption.toml": said}
    async with river.daemon():
        drop_folder(river, "trip", files)
        post = await river.post("trip", state="done")
        assert 0 == (await river.run("posts", "publish", post.id, "--again")).code
        await river.until(lambda: len(published(river)) == 2)
        await river.until(lambda: len(list(river.processed.iterdir())) == 2)
    told = json.dumps(river.simulator.state.snapshot()["containers"])
    assert ["CAROUSEL", "CAROUSEL"] == [media["kind"] for media in published(river)]
    assert 2 == told.count("Wet sand")


async def test_a_held_carousel_that_is_put_back_is_tried_again(river: River) -> None:
    """Its caption was too long; shortened and put back it is the same post, published once."""
    files = {"a.jpg": jpeg(seed=1), "b.jpg": jpeg(seed=2), "caption.txt": b"#tag " * 31}
    async with river.daemon():
        drop_folder(river, "trip", files)
        held = await river.post("trip", state="held")
        await river.until(lambda: not river.leftovers())
        await river.until((river.held / "trip" / "caption.txt").exists)
        (river.held / "trip" / "caption.txt").write_bytes(b"shorter")
        (river.held / "trip").rename(river.inbox / "trip")
        post = await river.post("trip", state="done")
        await river.until(lambda: not river.leftovers())
    assert held.id == post.id
    assert ["shorter"] == river.captions()
    assert {"trip"} == {path.name for path in river.processed.iterdir()}
    assert not (river.held / "trip.mediawatch.json").exists()


async def test_the_same_folder_again_is_a_duplicate(river: River) -> None:
    """The same files in the same order: filed aside with the first post's name."""
    files = {"a.jpg": jpeg(seed=1), "b.jpg": jpeg(seed=2)}
    async with river.daemon():
        drop_folder(river, "trip", files)
        await river.post("trip", state="done")
        await river.until((river.processed / "trip" / "b.jpg").exists)
        drop_folder(river, "copy", files)
        await river.until((river.duplicate / "copy" / "b.jpg").exists)
    told = json.loads((river.duplicate / "copy.mediawatch.json").read_text())
    assert "trip" in told["why"]
    assert 1 == len(published(river))


async def test_the_same_folder_may_come_time_and_again(river: River) -> None:
    """A sync tool brings it five times: each is filed aside, and what comes after is published."""
    files = {"a.jpg": jpeg(seed=1), "b.jpg": jpeg(seed=2)}
    async with river.daemon():
        drop_folder(river, "trip", files)
        await river.post("trip", state="done")
        await river.until((river.processed / "trip" / "b.jpg").exists)
        for number in range(1, 6):
            (river.root / "prepared" / "trip").mkdir(parents=True, exist_ok=True)
            for name, content in files.items():
                (river.root / "prepared" / "trip" / name).write_bytes(content)
            (river.root / "prepared" / "trip").rename(river.inbox / "trip")
            await river.until(lambda: len(list(river.duplicate.glob("*/b.jpg"))) == number)  # noqa: B023
        river.drop("beach.jpg", jpeg(seed=3))
        await river.post("beach.jpg", state="done")
    assert 2 == len(published(river))


async def test_a_held_carousel_is_known_by_its_bytes_whatever_its_files_are_called(
    river: River,
) -> None:
    """Put back with one file renamed, and another whose name is no text: the same post, tried."""
    files = {"a.jpg": jpeg(seed=1), "b.jpg": jpeg(seed=2), "caption.txt": b"#tag " * 31}
    async with river.daemon():
        drop_folder(river, "trip", files)
        held = await river.post("trip", state="held")
        await river.until((river.held / "trip" / "caption.txt").exists)
        await river.until(lambda: not river.leftovers())
        folder = river.held / "trip"
        (folder / "caption.txt").write_bytes(b"shorter")
        (folder / "a.jpg").rename(folder / "a renamed.jpg")
        (folder / "b.jpg").rename(folder / os.fsdecode(b"b\xff.jpg"))
        folder.rename(river.inbox / "trip")
        post = await river.post("trip", state="done")
        await river.until(lambda: not river.leftovers())
    assert held.id == post.id
    assert ["shorter"] == river.captions()
    assert files["b.jpg"] == (river.processed / "trip" / os.fsdecode(b"b\xff.jpg")).read_bytes()


async def test_a_held_story_that_is_put_back_is_the_same_story(river: River) -> None:
    """It is tried again as what it was, and nothing of it is torn off at the next start."""
    (river.inbox / "stories").mkdir()
    (river.inbox / "stories" / "a.toml").write_text('capton = "x"', encoding="utf-8")
    async with river.daemon():
        (river.inbox / "stories" / "a.jpg").write_bytes(jpeg())
        held = await river.post("a.jpg", state="held")
        await river.until((river.held / "a.toml").exists)
        (river.held / "a.toml").unlink()
        (river.held / "a.jpg").rename(river.inbox / "stories" / "a.jpg")
        post = await river.post("a.jpg", state="done")
    async with river.daemon():
        await river.until(lambda: not (river.leftovers() - {"stories"}))
    assert held.id == post.id
    assert ["STORY"] == [media["kind"] for media in published(river)]
    assert {} == contents(river.held)


async def test_what_is_said_beside_a_carousel_is_not_passed_over(river: River) -> None:
    """A caption beside the folder, or beside one of its files: held, and told where it belongs."""
    sidecar(river, "trip.txt", "Our trip")
    async with river.daemon():
        drop_folder(river, "trip", {"a.jpg": jpeg(seed=1), "b.jpg": jpeg(seed=2)})
        outside = await river.post("trip", state="held")
        drop_folder(
            river, "walk", {"a.jpg": jpeg(seed=3), "b.jpg": jpeg(seed=4), "a.txt": b"Hello"}
        )
        inside = await river.post("walk", state="held")
    assert "trip.txt" in (outside.detail or "")
    assert "a.txt" in (inside.detail or "")
    assert [] == published(river)


async def test_what_is_written_into_a_folder_is_followed_or_told_of(river: River) -> None:
    """A caption in either case is one. A text that is none, and a wish for another kind, publish
    nothing: they are named."""
    pictures = iter(range(20))
    async with river.daemon():
        for name, file, text in [
            ("capital", "Caption.TXT", b"Our trip"),
            ("notes", "notes.txt", b"Our walk"),
            ("double", "1.jpg.txt", b"Our swim"),
            ("story", "caption.toml", b'kind = "story"'),
        ]:
            files = {f"{number}.jpg": jpeg(seed=next(pictures)) for number in (1, 2)}
            drop_folder(river, name, files | {file: text})
        await river.post("capital", state="done")
        held = {name: await river.post(name, state="held") for name in ("notes", "double", "story")}
    assert "notes.txt" in (held["notes"].detail or "")
    assert "caption.txt" in (held["notes"].remedy or "")
    assert "1.jpg.txt" in (held["double"].detail or "")
    assert "kind" in (held["story"].detail or "")
    assert ["Our trip"] == river.captions()


async def test_one_file_in_a_folder_is_held_with_the_way_out(river: River) -> None:
    """A carousel is made of two to ten."""
    async with river.daemon():
        drop_folder(river, "trip", {"a.jpg": jpeg()})
        post = await river.post("trip", state="held")
    assert "carousel" == post.reason
    assert "two to ten" in (post.detail or "") or "2 to 10" in (post.detail or "")


async def test_a_folder_without_pictures_is_ignored(river: River) -> None:
    """It stays, and is listed with the reason."""
    async with river.daemon():
        drop_folder(river, "papers", {"a.pdf": PDF})
        river.drop("beach.jpg", jpeg())
        await river.post("beach.jpg", state="done")
        told = await river.run("status", "--json")
    assert "folder" in json.loads(told.out)["folder"]["ignored"]["papers"]


def sidecar(river: River, name: str, text: str) -> Path:
    path = river.inbox / name
    path.write_text(text, encoding="utf-8")
    return path


async def test_a_toml_file_beside_it_says_what_is_wished_for(river: River) -> None:
    """Caption and alternative text reach Meta; the file travels with its picture."""
    sidecar(river, "beach.toml", 'caption = "Low tide"\nalt_text = "Wet sand"\n')
    async with river.daemon():
        river.drop("beach.jpg", jpeg())
        await river.post("beach.jpg", state="done")
        await river.until((river.processed / "beach.toml").exists)
    assert ["Low tide"] == river.captions()
    (container,) = river.simulator.state.snapshot()["containers"]
    assert "Wet sand" in json.dumps(container)


async def test_a_sidecar_that_is_not_understood_holds_its_picture(river: River) -> None:
    """The note names the key and what is meant; mended and put back, it is published."""
    sidecar(river, "beach.json", '{"capton": "Low tide"}')
    async with river.daemon():
        river.drop("beach.jpg", jpeg())
        post = await river.post("beach.jpg", state="held")
        await river.until((river.held / "beach.json").exists)
        (river.held / "beach.json").write_text('{"caption": "Low tide"}')
        (river.held / "beach.json").rename(river.inbox / "beach.json")
        (river.held / "beach.jpg").rename(river.inbox / "beach.jpg")
        await river.post("beach.jpg", state="done")
    assert "sidecar" == post.reason
    assert "capton" in (post.detail or "")
    assert ["Low tide"] == river.captions()


async def test_a_post_that_is_planned_waits_and_can_be_published_now(river: River) -> None:
    """A name begins with a time far ahead: told as scheduled; an order publishes it at once."""
    async with river.daemon():
        river.drop("2099-12-24 18.00 tree.jpg", jpeg())
        post = await river.post("2099-12-24 18.00 tree.jpg", state="waiting", reason="scheduled")
        listed = await river.run("posts", "list")
        assert "scheduled" in listed.out
        assert [] == published(river)
        assert 0 == (await river.run("posts", "publish", post.id)).code
        await river.post("2099-12-24 18.00 tree.jpg", state="done")
    assert ["2099-12-24 18.00 tree"] == river.captions()


async def test_a_planned_post_goes_out_by_itself(river: River) -> None:
    """Its time has passed when it is dropped: by default it is published at once."""
    sidecar(river, "beach.toml", "publish_at = 2020-01-01T12:00:00Z\n")
    async with river.daemon():
        river.drop("beach.jpg", jpeg())
        await river.post("beach.jpg", state="done")
    assert ["beach"] == river.captions()


async def test_a_late_post_is_held_where_its_owner_wants_that(river: River) -> None:
    """``late = "hold"``: held with the time it was planned for; ``posts retry`` publishes it."""
    river.configure(publish={"late": "hold"})
    sidecar(river, "beach.toml", "publish_at = 2020-01-01T12:00:00Z\n")
    async with river.daemon():
        river.drop("beach.jpg", jpeg())
        post = await river.post("beach.jpg", state="held")
        assert "late" == post.reason
        await river.until((river.held / "beach.jpg").exists)
        assert 0 == (await river.run("posts", "retry", post.id)).code
        await river.post("beach.jpg", state="done")
    assert ["beach"] == river.captions()


async def test_a_first_comment_is_written_after_the_post(river: River) -> None:
    """Also by ``once``, which leaves when all is done."""
    sidecar(river, "beach.toml", 'first_comment = "Taken at low tide"\n')
    river.drop("beach.jpg", jpeg())
    assert 0 == (await river.run("once")).code
    (media,) = published(river)
    assert ["Taken at low tide"] == [comment["text"] for comment in media["comments"]]
