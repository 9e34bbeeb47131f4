"""A mixed folder: each file ends where its owner looks for it, with the reason beside it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.pictures import MP4, PDF, encoded, jpeg, photo, truncated
from tests.support.river import River, contents


async def note(river: River, original: Path) -> dict[str, Any]:
    """The note beside a filed original, which must be one that people can read and use."""
    beside = original.with_name(f"{original.name}.mediawatch.json")
    await river.until(lambda: beside.exists() and original.exists())
    told: dict[str, Any] = json.loads(beside.read_text(encoding="utf-8"))
    assert {"file", "what", "why", "what_to_do", "post", "when"} <= told.keys()
    assert all(isinstance(value, str) and value for value in told.values())
    return told


async def test_what_is_no_picture_stays_and_is_listed_with_its_reason(river: River) -> None:
    """PDF and web page are ignored by their bytes, hidden and partial files by their names."""
    lying = {
        "document.pdf": PDF,
        "saved page.jpg": b"<!doctype html><p>Not found</p>",
        ".hidden.jpg": jpeg(seed=2),
        "half.jpg.part": truncated(jpeg(seed=3)),
        "loading.jpg.crdownload": truncated(jpeg(seed=4)),
    }
    for name, content in lying.items():
        river.drop(name, content)
    async with river.daemon():
        published = river.drop("beach.jpg", jpeg())
        await river.post("beach.jpg", state="done")
        told = await river.run("status", "--json")
        spoken = await river.run("status")
    assert 0 == told.code, told.err
    ignored = json.loads(told.out)["folder"]["ignored"]
    assert lying.keys() == ignored.keys()
    assert "PDF document" in ignored["document.pdf"]
    assert "HTML" in ignored["saved page.jpg"]
    assert ".part" in ignored["half.jpg.part"]
    assert "5 ignored" in spoken.out
    assert lying.keys() == river.leftovers()
    assert {"beach.jpg": published} == river.filed()
    assert ["beach"] == river.captions()


async def test_a_video_is_held_with_the_reason_beside_it(river: River) -> None:
    """What cannot be published yet lies in held, unchanged, with a note that says what to do."""
    original = river.drop("clip.mp4", MP4 + bytes(4096))
    async with river.daemon():
        told = await note(river, river.held / "clip.mp4")
        post = await river.post("clip.mp4", state="held")
        await river.until(lambda: not river.leftovers())
    assert original == (river.held / "clip.mp4").read_bytes()
    assert "clip.mp4" == told["file"]
    assert "video" in told["why"].lower()
    assert post.id == told["post"]
    assert set() == river.leftovers()
    assert [] == river.captions()


async def test_a_broken_picture_fails_with_the_reason_beside_it(river: River) -> None:
    """A picture that nobody can decode lies in failed, unchanged, and harms no other."""
    whole = encoded(photo(400, 300), "PNG")
    middle = len(whole) // 2
    broken = river.drop("broken.png", whole[:middle] + bytes(64) + whole[middle + 64 :])
    async with river.daemon():
        good = river.drop("good.jpg", jpeg(seed=2))
        told = await note(river, river.failed / "broken.png")
        await river.until(river.filed)
    assert broken == (river.failed / "broken.png").read_bytes()
    assert "damaged" in told["why"]
    assert {"good.jpg": good} == river.filed()
    assert ["good"] == river.captions()


async def test_the_same_bytes_are_not_posted_twice(river: River) -> None:
    """A copy under another name lies in duplicate; its note names the first post."""
    original = jpeg()
    async with river.daemon():
        river.drop("beach.jpg", original)
        await river.until(river.filed)
        river.drop("beach copy.jpg", original)
        told = await note(river, river.duplicate / "beach copy.jpg")
        post = await river.post("beach.jpg", state="done")
    assert post.id == told["post"]
    assert "beach.jpg" in told["why"]
    assert (post.permalink or "no link") in told["why"]
    assert original == (river.duplicate / "beach copy.jpg").read_bytes()
    assert ["beach"] == river.captions()


async def test_a_held_file_that_is_put_back_is_tried_again(river: River) -> None:
    """Its owner shortened the caption and put both files back: one post, nothing left in held."""
    (river.inbox / "beach.txt").write_text("#tag " * 31, encoding="utf-8")
    original = river.drop("beach.jpg", jpeg())
    async with river.daemon():
        assert "hashtags" in (await note(river, river.held / "beach.jpg"))["why"]
        await river.until((river.held / "beach.txt").exists)
        (river.held / "beach.txt").write_text("shorter", encoding="utf-8")
        (river.held / "beach.txt").rename(river.inbox / "beach.txt")
        (river.held / "beach.jpg").rename(river.inbox / "beach.jpg")
        await river.until(lambda: len(river.filed()) == 2 and not river.leftovers())
    assert {"beach.jpg": original, "beach.txt": b"shorter"} == river.filed()
    assert {} == contents(river.held)
    assert ["shorter"] == river.captions()


async def test_an_original_that_is_changed_after_its_claim_is_filed_and_told(
    river: River,
) -> None:
    """Somebody writes to the claimed file: what was converted is published, the bytes of now are
    filed and lost nowhere, the history says so, and they are not published "again"."""
    river.configure(publish={"retry_delays": [600.0]})
    river.simulator.script({"on": "create", "do": "error", "code": 2, "times": 3})
    original = river.drop("beach.jpg", jpeg())
    async with river.daemon():
        post = await river.post("beach.jpg", state="waiting", attempts=1)
        with post.items[0].source.open("ab") as claimed:
            claimed.write(b"more")
        assert 0 == (await river.run("posts", "retry", post.id)).code
        await river.until(river.filed)
        await river.post("beach.jpg", state="done")
        told = await river.run("posts", "show", post.id)
        again = await river.run("posts", "publish", post.id, "--again")
    assert {"beach.jpg": original + b"more"} == river.filed()
    assert ["beach"] == river.captions()
    assert "changed after it was claimed" in told.out
    assert 0 != again.code
    assert "changed since" in again.err


async def test_nothing_is_ever_overwritten_in_processed(river: River) -> None:
    """Pictures of one name are all kept: a name that is taken already gets a suffix."""
    foreign = b"not ours, but it has the name"
    river.processed.mkdir()
    (river.processed / "beach.jpg").write_bytes(foreign)
    ours = [jpeg(seed=2), jpeg(seed=3)]
    async with river.daemon():
        for number, picture in enumerate(ours):
            river.drop("beach.jpg", picture)
            await river.until(lambda: len(river.filed()) == number + 2)  # noqa: B023
    assert foreign == river.filed()["beach.jpg"]
    assert sorted([foreign, *ours]) == sorted(river.filed().values())
    assert all(name.startswith("beach") and name.endswith(".jpg") for name in river.filed())
    assert ["beach", "beach"] == river.captions()


async def test_a_file_that_still_grows_is_left_until_it_is_whole(river: River) -> None:
    """The first half of a picture is not taken, however long it lies there; then it is whole."""
    whole = jpeg(1200, 900)
    half = len(whole) // 2
    async with river.daemon():
        river.drop("growing.jpg", whole[:half])
        river.drop("other.jpg", jpeg(seed=2))
        await river.post("other.jpg", state="done")
        assert {"growing.jpg"} == river.leftovers()
        with (river.inbox / "growing.jpg").open("ab") as file:
            file.write(whole[half:])
        await river.until(lambda: "growing.jpg" in river.filed())
    assert whole == river.filed()["growing.jpg"]
    assert ["growing", "other"] == river.captions()


async def test_any_name_goes_through(river: River) -> None:
    """Names with accents, quotes, leading dashes: published and filed under the same name."""
    names = ["ünïcödé 📷.jpg", "--help.jpg", "a'b;c$(d).jpg", "UPPER.JPEG", "two.dots.jpg", "bare"]
    originals = {name: river.drop(name, jpeg(seed=seed)) for seed, name in enumerate(names)}
    async with river.daemon():
        await river.arrived(originals)


@pytest.mark.parametrize("name", ["n" * 255, "n" * 251 + ".jpg"])
async def test_the_longest_names_are_filed_at_once(river: River, name: str) -> None:
    """Beside 255 bytes no caption and no note can have a name: looking for one stops nothing."""
    original = river.drop(name, jpeg())
    async with river.daemon():
        await river.post(name, state="done")
    assert [original] == list(river.filed().values())
    assert set() == river.leftovers()
    assert [] == river.said("retry")


async def test_a_file_in_the_place_of_a_folder_is_named(river: River) -> None:
    """What cannot be filed for it is safe in the work folder, and is filed once it is gone."""
    for folder in (river.processed, river.held, river.duplicate):
        folder.write_text("in the way")
    originals = {
        "a.jpg": river.drop("a.jpg", jpeg()),
        "b.mp4": river.drop("b.mp4", MP4),
    }
    async with river.daemon():
        await river.until(lambda: river.said("retry") and river.said("archive"))
        river.drop("c.jpg", originals["a.jpg"])
        await river.until(lambda: river.said("unreadable"))
    told = [line["event"] for line in river.said()]
    for folder in (river.processed, river.held, river.duplicate):
        assert any(f"the folder {folder}: File exists" in line for line in told), river.story()
        folder.unlink()
    async with river.daemon():
        await river.until(lambda: river.filed() and contents(river.held))
        await river.until(lambda: "c.jpg" in contents(river.duplicate))
    assert originals["a.jpg"] == river.filed()["a.jpg"]
    assert originals["b.mp4"] == contents(river.held)["b.mp4"]


async def test_a_folder_that_is_full_at_the_first_start_is_held_back(river: River) -> None:
    """Nothing of it is fired off: that is said in the log, in status and by the API; what comes
    later flows; a restart changes nothing; one command releases it all."""
    river.configure(watch={"hold_above": 2})
    old = river.drop_pictures(3)
    async with river.daemon():
        (told,) = await river.until(lambda: river.said("withheld"))
        assert "3 files" in told["event"]
        assert "posts release --all" in told["remedy"]
        new = {"new.jpg": river.drop("new.jpg", jpeg(seed=9))}
        await river.post("new.jpg", state="done")
        assert 3 == json.loads((await river.run("status", "--json")).out)["withheld"]
        assert "3 files were here at the first start" in (await river.run("status")).out
    assert 3 == json.loads((await river.run("status", "--json")).out)["withheld"]
    async with river.daemon():
        await river.until(lambda: len(river.said("withheld")) == 2)
        assert old.keys() == river.leftovers()
        released = await river.run("posts", "release", "--all")
        assert (0, "🔁 3 files that were held back are taken now.\n") == (
            released.code,
            released.out,
        )
        await river.arrived(old | new)
        assert "No file is held back" in (await river.run("posts", "release", "--all")).out


async def test_a_release_without_a_daemon_is_for_the_next_start(river: River) -> None:
    """The journal remembers it."""
    river.configure(watch={"hold_above": 2})
    old = river.drop_pictures(3)
    async with river.daemon():
        await river.until(lambda: river.said("withheld"))
    released = await river.run("posts", "release", "--all")
    assert "3 files that were held back are taken at the next start" in released.out
    async with river.daemon():
        await river.arrived(old)


async def test_an_order_publishes_a_full_folder(river: River) -> None:
    """``once`` holds nothing back, on a fresh journal and after the daemon did."""
    river.configure(watch={"hold_above": 2})
    first = river.drop_pictures(3)
    assert 0 == (await river.run("once")).code
    await river.arrived(first)
    later = river.drop_pictures(3, first=4)
    async with river.daemon():
        await river.until(lambda: river.said("withheld"))
        assert 0 == (await river.run("once")).code
        await river.arrived(first | later)


async def test_one_held_post_is_released(river: River) -> None:
    """``posts release ID`` is for what is held; what is not is left alone."""
    river.drop("clip.mp4", MP4 + bytes(4096))
    async with river.daemon():
        await note(river, river.held / "clip.mp4")
        post = await river.post("clip.mp4", state="held")
        released = await river.run("posts", "release", post.id)
        assert (0, "🔁 clip.mp4 goes on now.\n") == (released.code, released.out)
        river.drop("beach.jpg", jpeg())
        done = await river.post("beach.jpg", state="done")
        refused = await river.run("posts", "release", done.id)
        assert 1 == refused.code
        assert "not held" in refused.err
