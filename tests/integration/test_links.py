"""Links of published posts: nice to have, looked up later, and never a reason to fail."""

from __future__ import annotations

from pathlib import Path

from mediawatch.log import silent
from mediawatch.maintenance.links import LOOKED_FOR, Links
from mediawatch.model.lifecycle import State
from tests.support.publishing import Bench, bench


def links(river: Bench) -> Links:
    return Links(river.journal, river.client, river.tokens, river.clock, silent())


async def test_a_link_that_could_not_be_read_is_filled_in_later(tmp_path: Path) -> None:
    """Published without a link: done all the same; the link comes when Meta tells it."""
    async with bench(tmp_path) as river:
        post = await river.advance(await river.post("Hello"))
        assert (State.DONE, None) == (post.state, post.permalink)
        river.simulator.script({"on": "permalink", "do": "error", "code": 100, "subcode": 33})
        assert 0 == await links(river).run_once()
        assert State.DONE is (await river.find(post.id)).state
        river.simulator.script()

        assert 1 == await links(river).run_once()

        assert "/p/" in ((await river.find(post.id)).permalink or "")
        assert 0 == await links(river).run_once()


async def test_a_link_is_not_looked_for_for_ever(tmp_path: Path) -> None:
    """After a week nobody asks any more: the post may have been deleted."""
    async with bench(tmp_path) as river:
        await river.advance(await river.post("Hello"))
        river.time.turn(LOOKED_FOR + 1)

        assert 0 == await links(river).run_once()
