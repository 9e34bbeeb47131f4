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


async def test_figures_tell_how_things_stand(river: River) -> None:
    """Times of each stage, what is due, the quota, Meta's limits, room, the journal; what is not
    known is left out."""
    river.simulator.script(usage=42)
    async with river.daemon():
        before = figures(await read(river))
        await river.arrived(river.drop_pictures(2))
        river.drop("note.pdf", b"%PDF-1.7\n")
        await river.until(lambda: river.said("ignored"))

        async def filed() -> dict[str, float]:
            seen = figures(await read(river))
            done = 'mediawatch_step_seconds_count{stage="archive"}'
            return seen if 2 == seen.get(done) else {}

        seen = await river.until(filed)
    for stage in ("convert", "upload", "container", "publish", "archive"):
        assert 2 == seen[f'mediawatch_step_seconds_count{{stage="{stage}"}}']
        assert 0 < seen[f'mediawatch_step_seconds_sum{{stage="{stage}"}}']
    assert 2 == seen["mediawatch_settled_to_published_seconds_count"]
    assert 0 < seen["mediawatch_settled_to_published_seconds_sum"] < 60
    assert 0 == seen["mediawatch_due_posts"]
    assert 0 == seen["mediawatch_oldest_due_post_seconds"]
    assert 1 <= seen["mediawatch_folder_scan_seconds_count"]
    assert 1 <= seen["mediawatch_hints_total"]
    assert 0 == seen["mediawatch_hints_missed_total"]
    assert 1 == seen["mediawatch_ignored_files"]
    assert 2 == seen['mediawatch_ftp_operations_total{operation="upload",outcome="ok"}']
    quota = "mediawatch_publishing_quota_posts"
    assert quota not in before, "not asked yet"
    assert 100 == seen[quota]
    assert 2 == seen["mediawatch_publishing_quota_used_posts"]
    assert 0.42 == seen['mediawatch_rate_limit_used_ratio{scope="app"}']
    assert not any(name.startswith("mediawatch_rate_limit_used_ratio") for name in before)
    assert 0 == seen["mediawatch_account_stopped"]
    for folder in ("inbox", "processed", "data"):
        free = seen[f'mediawatch_folder_free_bytes{{folder="{folder}"}}']
        assert 0 < free < seen[f'mediawatch_folder_size_bytes{{folder="{folder}"}}']
    assert 4096 < seen["mediawatch_journal_size_bytes"]
    assert 1 == seen["mediawatch_ready"]
    assert any(name.startswith("mediawatch_build_info{") for name in seen)
    assert "mediawatch_token_expires_timestamp_seconds" not in seen


async def test_a_stopped_account_is_seen(river: River) -> None:
    """A post that waits for its account is not due: no worker could take it."""
    river.simulator.script({"on": "create", "do": "error", "code": 190})
    async with river.daemon():
        river.drop_pictures(1)

        async def stopped() -> dict[str, float]:
            seen = figures(await read(river))
            waits = 1 == seen['mediawatch_posts{state="waiting"}']
            return seen if waits and 1 == seen["mediawatch_account_stopped"] else {}

        seen = await river.until(stopped)
        assert 0 == seen["mediawatch_due_posts"]
        assert 0 == seen["mediawatch_oldest_due_post_seconds"]


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
