"""A held post goes on once its owner has done what its note asks for."""

from __future__ import annotations

import pytest

from tests.support.clips import clip
from tests.support.pictures import PDF, heic, jpeg
from tests.support.river import River, contents


def kinds(river: River) -> list[str]:
    return [media["kind"] for media in river.simulator.state.snapshot()["publications"]]


async def test_one_file_that_is_to_be_a_carousel_takes_no_other_with_it(river: River) -> None:
    """What settled together lies in one work folder: only the file that is held leaves it."""
    wish = b'kind = "carousel"'
    originals = river.drop_pictures(3)
    river.drop("album.toml", wish)
    album = river.drop("album.jpg", jpeg())
    async with river.daemon():
        post = await river.post("album.jpg", state="held")
        await river.until(lambda: originals.keys() == river.filed().keys())
        await river.until(lambda: not river.leftovers())
        assert "carousel" in (post.detail or "")
        held = contents(river.held)
        assert {"album.jpg": album, "album.toml": wish} == {
            name: held[name] for name in held if not name.endswith(".mediawatch.json")
        }
        (river.held / "album.toml").unlink()
        (river.held / "album.jpg").rename(river.inbox / "album.jpg")
        await river.post("album.jpg", state="done")
    assert {**originals, "album.jpg": album} == river.filed()


@pytest.mark.parametrize("by", ["folder", "wish"])
async def test_a_picture_that_was_to_be_a_reel_goes_on_as_a_picture(river: River, by: str) -> None:
    """As the remedy says; and while it is held, nothing that was converted lies about."""
    (river.inbox / "reels").mkdir()
    place = river.inbox / "reels" if by == "folder" else river.inbox
    if by == "wish":
        river.drop("beach.toml", b'kind = "reel"')
    async with river.daemon():
        (place / "beach.jpg").write_bytes(jpeg())
        held = await river.post("beach.jpg", state="held")
        await river.until((river.held / "beach.jpg").exists)
        await river.until(lambda: not (river.leftovers() - {"reels"}))
        assert "kind" == held.reason
        (river.held / "beach.toml").unlink(missing_ok=True)
        (river.held / "beach.jpg").rename(river.inbox / "beach.jpg")
        post = await river.post("beach.jpg", state="done")
    assert held.id == post.id
    assert ["IMAGE"] == kinds(river)


async def test_a_container_that_meta_refused_is_not_looked_at_again(river: River) -> None:
    """The words that it was refused for are mended: another container is made with these."""
    told = {"on": "create", "do": "status", "status": "ERROR", "subcode": 2207057, "times": 1}
    river.simulator.script(told)
    river.drop("waves.toml", b'cover = "2s"')
    async with river.daemon():
        river.drop("waves.mp4", clip(seconds=3))
        held = await river.post("waves.mp4", state="held")
        await river.until((river.held / "waves.toml").exists)
        assert "cover" in (held.remedy or "")
        (river.held / "waves.toml").unlink()
        river.drop("waves.toml", b'cover = "1s"')
        (river.held / "waves.mp4").rename(river.inbox / "waves.mp4")
        post = await river.post("waves.mp4", state="done")
    assert held.id == post.id
    assert ["REEL"] == kinds(river)


async def test_what_is_mended_into_another_post_leaves_no_held_one_behind(river: River) -> None:
    """A folder without what was in its way, a story as a picture, a clip with its picture: as their
    notes say. What was held has no original any more; neither it nor its note asks for anything."""
    folder = river.inbox / "trip"
    folder.mkdir()
    for name, content in {"1.jpg": jpeg(seed=1), "2.jpg": jpeg(seed=2), "a.pdf": PDF}.items():
        (folder / name).write_bytes(content)
    river.drop("beach.toml", b'kind = "story"\nfirst_comment = "Hello"')
    river.drop("beach.jpg", jpeg(seed=3))
    river.drop("IMG_1.mov", clip(seconds=2, form="mov"))
    river.drop("other.toml", b"capton = 1")
    river.drop("other.jpg", jpeg(seed=4))
    async with river.daemon():
        for name in ("trip", "beach.jpg", "IMG_1.mov", "other.jpg"):
            await river.post(name, state="held")
            await river.until((river.held / f"{name}.mediawatch.json").exists)
            await river.until((river.held / name).exists)
        await river.until(lambda: not river.leftovers())
        (river.held / "trip" / "a.pdf").unlink()
        (river.held / "trip").rename(river.inbox / "trip")
        (river.held / "beach.toml").unlink()
        (river.held / "beach.jpg").rename(river.inbox / "beach.jpg")
        river.drop("IMG_1.heic", heic(400, 320))
        (river.held / "IMG_1.mov").rename(river.inbox / "IMG_1.mov")
        await river.until(lambda: 3 == len(kinds(river)))
        await river.until(lambda: not river.leftovers())

        async def states() -> list[tuple[str, str]]:
            found = sorted((post.name, str(post.state)) for post in await river.all_posts())
            return found if "running" not in {state for _, state in found} else []

        assert [
            ("IMG_1.heic", "done"),
            ("IMG_1.mov", "cancelled"),
            ("beach.jpg", "cancelled"),
            ("beach.jpg", "done"),
            ("other.jpg", "held"),
            ("trip", "cancelled"),
            ("trip", "done"),
        ] == await river.until(states)
    held = contents(river.held).keys()
    assert {"other.jpg", "other.toml", "other.jpg.mediawatch.json"} == held
