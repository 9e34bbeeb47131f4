"""The first comment of a post: written once, whatever becomes of the answer, and harming nobody."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import update

from mediawatch.journal.database import Statement
from mediawatch.journal.schema import posts as posts_table
from mediawatch.maintenance.first_comments import QUIET, TRIES
from mediawatch.model.lifecycle import State
from mediawatch.model.wishes import Wishes
from tests.support.publishing import Bench, bench


@pytest.fixture
async def river(tmp_path: Path) -> AsyncIterator[Bench]:
    async with bench(tmp_path) as made:
        yield made


async def published(river: Bench, comment: str | None = "Low tide") -> str:
    post_id = await river.post(wishes=Wishes(first_comment=comment))
    assert State.DONE is (await river.until_settled(post_id)).state
    return post_id


def comments(river: Bench) -> list[str]:
    return [
        comment.text for media in river.simulator.state.publications for comment in media.comments
    ]


async def test_it_is_written_once(river: Bench) -> None:
    """However often it is its turn; and only where it was wished for."""
    post_id = await published(river)
    await published(river, None)

    assert [1, 0, 0] == [await river.first_comments.run_once() for _ in range(3)]

    assert ["Low tide"] == comments(river)
    assert (await river.find(post_id)).comment_id


async def test_a_lost_answer_is_looked_for_and_never_repeated(river: Bench) -> None:
    """The comment is there, nobody said so: it is found when the call can take effect no more."""
    post_id = await published(river)
    river.simulator.script({"on": "comment", "do": "drop-after", "times": 1})

    await river.first_comments.run_once()
    await river.first_comments.run_once()
    assert (await river.find(post_id)).comment_id is None
    river.time.turn(QUIET)
    assert 1 == await river.first_comments.run_once()

    assert ["Low tide"] == comments(river)


async def test_a_call_that_never_arrived_is_made_again(river: Bench) -> None:
    """It is not there after the quiet time: written then, once."""
    await published(river)
    river.simulator.script({"on": "comment", "do": "drop-before", "times": 1})

    await river.first_comments.run_once()
    river.time.turn(QUIET)
    await river.first_comments.run_once()

    assert ["Low tide"] == comments(river)


async def test_a_comment_that_is_refused_is_told_and_harms_no_post(river: Bench) -> None:
    """Tried a few times, then left to its owner; the post stays published, others get theirs."""
    post_id = await published(river)
    other = await published(river, "High tide")
    river.simulator.script({"on": "comment", "match": "Low", "do": "error", "code": 100})

    for _ in range(TRIES + 2):
        await river.first_comments.run_once()
        river.time.turn(QUIET)

    assert ["High tide"] == comments(river)
    assert State.DONE is (await river.find(post_id)).state
    assert (await river.find(other)).comment_id
    told = river.log.said("comment")
    assert TRIES == sum(line["level"] == "warning" for line in told)
    assert "by hand" in [line for line in told if line["level"] == "warning"][-1]["remedy"]


@pytest.mark.parametrize(("code", "by_hand"), [(10, True), (2, False)])
async def test_comments_that_cannot_be_read_are_not_asked_for_all_the_time(
    river: Bench, code: int, by_hand: bool
) -> None:
    """Who may not read them is told, and leaves it to the owner; Meta in trouble is asked later."""
    post_id = await published(river)
    river.simulator.script(
        {"on": "comment", "do": "drop-before", "times": 1},
        {"on": "comments", "do": "error", "code": code},
    )
    await river.first_comments.run_once()

    for _ in range(30):  # as many turns as the daemon takes in five minutes
        river.time.turn(QUIET / 6)
        await river.first_comments.run_once()

    told = [line for line in river.log.said("comment") if line["level"] == "warning"][1:]
    assert len(told) <= (2 if by_hand else 5)
    assert by_hand is ("by hand" in told[-1]["remedy"])
    river.simulator.script()
    river.time.turn(QUIET)
    await river.first_comments.run_once()
    assert ([] if by_hand else ["Low tide"]) == comments(river)
    assert State.DONE is (await river.find(post_id)).state


async def test_a_clock_that_is_set_back_shortens_no_quiet_time(river: Bench) -> None:
    """The call may take effect yet, whatever the clock says by now."""
    await published(river)
    river.simulator.script({"on": "comment", "do": "drop-before", "times": 1})
    await river.first_comments.run_once()

    river.time.turn(-QUIET / 2)
    await river.first_comments.run_once()

    assert [] == comments(river)


async def test_a_post_whose_media_is_not_known_is_told_once(river: Bench) -> None:
    """A person confirmed it without its id: its comment is left to its owner, aloud."""
    post_id = await published(river)
    moved = update(posts_table).where(posts_table.c.id == post_id).values(media_id=None)
    await river.journal.apply([Statement(moved)])

    for _ in range(3):
        await river.first_comments.run_once()

    told = [line for line in river.log.said("comment") if line["level"] == "warning"]
    assert ["Write it by hand."] == [line["remedy"] for line in told]
