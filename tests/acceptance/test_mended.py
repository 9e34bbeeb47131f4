"""A held post goes on once its owner has done what its note asks for."""

from __future__ import annotations

from tests.support.pictures import jpeg
from tests.support.river import River, contents


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
