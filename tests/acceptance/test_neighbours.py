"""Neighbours that are away, refuse, or are set up wrongly: said clearly, and nothing is lost."""

from __future__ import annotations

import logging
import time
from pathlib import Path

import pytest

from tests.support.river import Door, River, contents, open_river


def claimed(river: River) -> list[str]:
    """The names of the originals that lie in the work folder."""
    return sorted(path.name for path in (river.inbox / ".mediawatch" / "work").glob("*/*"))


async def test_a_wrong_password_is_tried_once_and_its_posts_wait(
    river: River, caplog: pytest.LogCaptureFixture
) -> None:
    """Hosts lock out who keeps failing: one login, a clear sentence, every file safe. With the
    right password the next start publishes them by itself."""
    caplog.set_level(logging.INFO, logger="pyftpdlib")
    right = river.tables["ftp"]["password"]
    river.configure(ftp={"password": "not-the-password"})
    originals = river.drop_pictures(4)
    async with river.daemon():
        for name in originals:
            post = await river.post(name, state="waiting", parked=True)
            assert "ftp-login-refused" == post.reason
            assert "refused the user name or the password" in (post.detail or "")
            assert "Correct ftp.user and ftp.password" in (post.remedy or "")
        assert 1 == sum("failed login" in record.getMessage() for record in caplog.records)
        assert sorted(originals) == claimed(river)
        assert [] == river.captions()
    assert "not-the-password" not in river.story()
    river.configure(ftp={"password": right})
    async with river.daemon():
        await river.arrived(originals)


async def test_an_ftp_host_that_is_away_is_waited_for(river: River) -> None:
    """Nobody listens: the posts wait, files safe; when the host is back they go on alone."""
    async with Door(river.host.ftp.port) as door:
        river.configure(ftp={"port": door.port})
        await door.close()
        originals = river.drop_pictures(2)
        async with river.daemon():
            post = await river.post("picture001.jpg", state="waiting", reason="ftp-unreachable")
            assert "cannot be reached" in (post.detail or "")
            assert "Check ftp.host" in (post.remedy or "")
            assert sorted(originals) == claimed(river)
            await door.open()
            await river.arrived(originals)


async def test_an_ftp_host_that_vanishes_under_load_is_waited_for(river: River) -> None:
    """It goes away in the midst of a pile and comes back: each picture still exactly once."""
    async with Door(river.host.ftp.port) as door:
        river.configure(ftp={"port": door.port})
        originals = river.drop_pictures(12)
        async with river.daemon():
            await river.until(lambda: len(river.said("upload")) >= 4)
            await door.close()
            await river.until(lambda: "No uploads for now" in str(river.said("host")))
            await door.open()
            await river.arrived(originals)


async def test_a_graph_that_is_away_is_waited_for_until_it_is_asked_again(river: River) -> None:
    """The next try is an hour away; ``posts retry`` brings it forward once Meta answers."""
    async with Door(river.simulator.port) as door:
        river.configure(
            instagram={"graph_url": f"http://127.0.0.1:{door.port}"},
            publish={"retry_delays": ["1h"]},
        )
        await door.close()
        originals = river.drop_pictures(1)
        async with river.daemon():
            post = await river.post("picture001.jpg", state="waiting")
            assert "graph-unreachable" == post.reason
            assert post.detail
            assert sorted(originals) == claimed(river)
            await door.open()
            assert 0 == (await river.run("posts", "retry", post.id)).code
            await river.arrived(originals)


async def test_what_was_tried_often_enough_is_held_and_can_be_released(river: River) -> None:
    """All attempts are spent: the file lies in held with the reason; a retry publishes it."""
    async with Door(river.simulator.port) as door:
        river.configure(
            instagram={"graph_url": f"http://127.0.0.1:{door.port}"},
            publish={"retry_delays": [0.1, 0.1]},
        )
        await door.close()
        originals = river.drop_pictures(1)
        async with river.daemon():
            await river.until((river.held / "picture001.jpg.mediawatch.json").exists)
            post = await river.post("picture001.jpg", state="held")
            assert "It was tried 3 times." in (post.detail or "")
            assert originals["picture001.jpg"] == (river.held / "picture001.jpg").read_bytes()
            await door.open()
            assert 0 == (await river.run("posts", "retry", "--all")).code
            await river.arrived(originals)
        assert {} == contents(river.held)


async def test_a_refused_token_stops_the_account_until_there_is_another(river: River) -> None:
    """Meta says 190: one call, then all posts wait, and `status` says what to do. A start with
    the same token spends nothing; with a good one they go out in their order, a minute apart."""
    right = river.tables["instagram"]["access_token"]
    river.configure(instagram={"access_token": "EAA-an-old-token"}, watch={"workers": 1})
    originals = river.drop_pictures(3)
    for _ in range(2):
        async with river.daemon():
            for name in originals:
                post = await river.post(name, state="waiting", parked=True)
                assert "token" == post.reason
                assert "190" in (post.detail or "")
                assert "new access token" in (post.remedy or "")
            told = await river.run("status")
            assert 1 == told.code
            assert "🚨 stopped, 3 posts wait: Meta refused (190)" in told.out
            assert "→ Make a new access token" in told.out
        assert 1 == river.simulator.state.calls
    assert "stopped, 3 posts wait" in (await river.run("status")).out
    assert "EAA-an-old-token" not in river.story()
    river.configure(instagram={"access_token": right})
    async with river.daemon():
        first, *others = sorted(
            (await river.posts()).values(), key=lambda post: (post.created_at, post.id)
        )
        await river.post(first.name, state="done")
        for place, other in enumerate(others, start=1):
            waiting = await river.post(other.name, reason="catching-up", parked=False, attempts=0)
            assert waiting.wait_until is not None
            assert place * 60 - 30 < waiting.wait_until - time.time() <= place * 60
        assert "catching-up, 2 posts wait" in (await river.run("status")).out
    assert [Path(first.name).stem] == river.captions()


async def test_a_used_up_quota_is_waited_out(tmp_path: Path) -> None:
    """Meta allows no more posts today: the others wait, spend no attempt, and lie safe."""
    async with open_river(tmp_path, quota_total=1) as river:
        river.drop_pictures(3)

        async def two_wait() -> bool:
            waiting = [post for post in (await river.posts()).values() if post.reason == "quota"]
            return len(waiting) == 2 and {0} == {post.attempts for post in waiting}

        async with river.daemon():
            await river.until(two_wait)
            await river.until(river.filed)
            told = await river.run("status")
            assert 0 == told.code
            assert "⏳ quota, 2 posts wait, until 20" in told.out
        assert 1 == len(river.captions())
        assert 2 == len(claimed(river))
