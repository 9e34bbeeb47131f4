"""Videos, wishes and times, as people drop them: from the inbox to what is on Instagram."""

from __future__ import annotations

from tests.support.clips import clip
from tests.support.river import River


async def test_a_video_becomes_a_reel(river: River) -> None:
    """A clip as a phone makes it is published as a reel; its original is filed as it was."""
    async with river.daemon():
        original = river.drop("waves.mp4", clip(seconds=3))
        post = await river.post("waves.mp4", state="done")
    (media,) = river.simulator.state.snapshot()["publications"]
    assert ("REEL", "waves") == (media["kind"], media["caption"])
    assert "reel" == post.kind
    assert "video/mp4" == post.items[0].media_type
    assert {"waves.mp4": original} == river.filed()
