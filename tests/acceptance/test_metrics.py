"""GET /metrics of a running daemon: the figures that matter, and the bar for the event loop."""

from __future__ import annotations

import aiohttp
import pytest

from tests.support.figures import figures, idle_watchdog
from tests.support.ftp_servers import PASSWORD
from tests.support.pictures import MP4, jpeg
from tests.support.river import River
from tests.support.simulator import TOKEN

#: Seconds for which nothing may have the event loop.
LONGEST_BLOCK = 0.05


async def read(river: River) -> str:
    """The text of /metrics."""
    async with aiohttp.ClientSession() as session, session.get(f"{river.api}/metrics") as answer:
        assert 200 == answer.status
        assert "text/plain" == answer.content_type
        return await answer.text()


async def test_figures_tell_what_was_done(river: River) -> None:
    """Files, posts, steps, calls of Meta, uploads and commits are counted; no secret, no name."""
    river.simulator.script({"on": "create", "do": "error", "code": 2, "times": 3})
    async with river.daemon():
        originals = river.drop_pictures(1)
        await river.arrived(originals)
        originals |= river.drop_pictures(1, first=2)
        await river.arrived(originals)
        river.drop("clip.mp4", MP4 + bytes(4096))
        await river.until((river.held / "clip.mp4.mediawatch.json").exists)

        async def counted() -> str:
            text = await read(river)
            return text if 'outcome="hold"' in text else ""

        text = await river.until(counted)
    seen = figures(text)
    assert 3 == seen["mediawatch_files_taken_total"]
    assert 2 == seen["mediawatch_published_total"]
    assert 2 == seen['mediawatch_posts{state="done"}']
    assert 1 == seen['mediawatch_posts{state="held"}']
    assert 1 == seen['mediawatch_steps_total{outcome="hold",stage="convert"}']
    assert 1 == seen['mediawatch_steps_total{outcome="retry",stage="container"}']
    assert 2 == seen['mediawatch_steps_total{outcome="done",stage="archive"}']
    assert 3 == seen['mediawatch_graph_calls_total{endpoint="media",outcome="error"}']
    assert 2 == seen['mediawatch_graph_calls_total{endpoint="media",outcome="ok"}']
    assert 2 == seen['mediawatch_graph_calls_total{endpoint="media_publish",outcome="ok"}']
    prepared = sum(len(content) for content in river.host.ftp.files().values())
    assert prepared == seen["mediawatch_upload_bytes_total"]
    assert 0 < seen["mediawatch_upload_seconds_total"]
    assert 0 < seen["mediawatch_journal_commit_seconds_count"]
    assert (
        seen["mediawatch_journal_commit_seconds_count"]
        <= seen["mediawatch_journal_transactions_total"]
    )
    assert 0 == seen["mediawatch_converters_busy"]
    assert not any(word in text for word in (TOKEN, PASSWORD, "picture001", "clip"))


@pytest.mark.slow
async def test_the_loop_is_never_blocked_in_a_storm_of_conversions(river: River) -> None:
    """30 large pictures at once: nothing has the loop for 50 ms, beyond what an idle process
    beside it waits for the machine. Other programs may disturb a round, so one of three counts."""
    photo = jpeg(5000, 4000)
    for tried in range(3):
        async with river.daemon(), idle_watchdog() as idle:
            names = [f"{tried}-{number:02}" for number in range(30)]
            for name in names:
                river.drop(f"{name}.jpg", photo + name.encode())  # behind the end: other bytes
            await river.until(lambda: set(names) <= set(river.captions()), limit=90)  # noqa: B023
            seen = figures(await read(river))
        longest = seen["mediawatch_loop_longest_block_seconds"]
        if longest <= LONGEST_BLOCK + idle[0]:
            return
    raise AssertionError(f"blocked for {longest:.3f} s, an idle process for {idle[0]:.3f} s")
