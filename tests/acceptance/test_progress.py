"""How far a long conversion is, where people look."""

from __future__ import annotations

import json
import re

from tests.support.clips import clip
from tests.support.river import River


async def test_a_long_conversion_tells_how_far_it_is(river: River) -> None:
    """The status, the API behind it and the post itself; the journal is told nothing of it."""
    async with river.daemon():
        river.drop("waves.avi", clip(seconds=600, codec="mpeg4", form="avi"))

        async def under_way() -> list[dict[str, object]]:
            told = json.loads((await river.run("status", "--json")).out)
            return [each for each in told["converting"] if each["percent"] > 0]

        (found,) = await river.until(under_way)
        post = await river.post("waves.avi", state="running")
        assert (post.id, "waves.avi") == (found["post"], found["file"])
        seen = (await river.run("status")).out
        assert re.search(r"⏳ waves\.avi: converting \d+ %", seen)
        shown = (await river.run("posts", "show", post.id)).out
        assert re.search(r"now +converting \d+ %", shown)
        as_json = json.loads((await river.run("posts", "show", post.id, "--json")).out)
        assert as_json["percent"] >= found["percent"]
        now = await river.post("waves.avi")
        assert (post.updated_at, post.fence) == (now.updated_at, now.fence)
    assert [] == json.loads((await river.run("status", "--json")).out)["converting"]
    assert "converting" not in (await river.run("posts", "show", post.id)).out
