"""Videos sent to Meta itself: what is said, what a broken line costs, and when another way is
taken."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from mediawatch.journal import attempts
from mediawatch.model.kinds import PostKind
from mediawatch.model.lifecycle import State
from mediawatch.model.posts import Post
from mediawatch.pipeline import progress
from mediawatch.simulator.state import Container, Kind
from tests.support.clips import clip
from tests.support.daemon import until
from tests.support.publishing import Bench, bench
from tests.support.simulator import TOKEN

CLIP = clip(seconds=3)
SQUARE = clip(seconds=3, width=640, height=640)


@pytest.fixture
async def river(tmp_path: Path) -> AsyncIterator[Bench]:
    async with bench(tmp_path, video_upload="auto") as made:
        yield made


async def settled(river: Bench, post_id: str) -> Post:
    """As it stands in the end; the simulator works on videos behind its answers."""
    for _ in range(100):
        post = await river.advance(post_id, after=1.0)
        await river.simulator.settled()
        if post.state not in {State.READY, State.WAITING}:
            return post
        if post.wait_until is not None:
            river.time.now = max(river.time.now, post.wait_until)
    raise AssertionError(f"{post_id} does not come to an end: {post}")


def sent(river: Bench) -> list[Container]:
    """The containers that a video was, or was to be, sent to."""
    found = river.simulator.state.containers.values()
    return [each for each in found if each.upload is not None and each.upload.resumable]


def stored(river: Bench, container: Container) -> bytes:
    """The video that this container holds."""
    (video,) = container.videos
    path = river.simulator.state.video(video.sha256)
    assert path is not None
    return path.read_bytes()


@pytest.mark.parametrize("kind", [PostKind.REEL, PostKind.STORY])
async def test_a_video_needs_no_address(river: Bench, kind: PostKind) -> None:
    """Its container is made for an upload and gets the very bytes; no web host has a part in it."""
    post = await settled(river, await river.video_post({"waves.mp4": CLIP}, kind=kind))

    assert State.DONE is post.state
    (media,) = river.simulator.state.publications
    assert Kind(kind.name) is media.container.kind
    assert CLIP == stored(river, media.container)
    assert ([], (1, 0)) == (river.hosted, (river.publish_calls, river.republish_calls))


async def test_a_carousel_takes_each_of_its_items_by_its_own_way(river: Bench) -> None:
    """Pictures by address, videos directly, in their order, in one post."""
    post = await settled(
        river,
        await river.video_post(
            {"a.jpg": None, "b.mp4": SQUARE, "c.jpg": None}, kind=PostKind.CAROUSEL
        ),
    )

    assert State.DONE is post.state
    (media,) = river.simulator.state.publications
    assert [False, True, False] == [child.is_video for child in media.container.children]
    assert [item.container_id for item in post.items] == [c.id for c in media.container.children]
    assert SQUARE == stored(river, media.container.children[1])
    assert [] == river.hosted


def uploads(river: Bench) -> int:
    """How often bytes were sent, or tried to be."""
    return river.simulator.state.asked["upload"]  # type: ignore[index]


async def told(river: Bench, post_id: str) -> str:
    """The history of a post, with all that was noted of its requests."""
    lines = await attempts.history(river.journal, post_id)
    return "\n".join(str(dict(line)) for line in lines)


async def test_an_upload_that_breaks_off_is_gone_on_with(river: Bench) -> None:
    """From the byte that Meta has: one container, the same bytes in the end, and a line each time
    that says how far it came."""
    river.simulator.script(
        {"on": "upload", "nth": 1, "do": "drop-within", "bytes": 5_000},
        {"on": "upload", "nth": 2, "do": "drop-within", "bytes": 40_000},
    )
    post_id = await river.video_post({"waves.mp4": CLIP})

    post = await settled(river, post_id)

    assert State.DONE is post.state
    (container,) = sent(river)
    assert CLIP == stored(river, container)
    offsets = ["'offset': '0'", "'offset': '5000'", "'offset': '45000'"]
    history = await told(river, post_id)
    assert [1, 1, 1] == [history.count(offset) for offset in offsets]
    assert [5, 44] == [
        line["percent"] for line in river.log.said("upload") if "goes on at" in line["event"]
    ]
    assert [] == river.hosted


async def test_an_upload_that_broke_off_at_its_very_end_is_ended(river: Bench) -> None:
    """Meta has every byte and still waits: it is told that this is all."""
    river.simulator.script(
        {"on": "upload", "nth": 1, "do": "drop-within", "bytes": len(CLIP)},
    )

    post = await settled(river, await river.video_post({"waves.mp4": CLIP}))

    assert (State.DONE, 2, []) == (post.state, uploads(river), river.hosted)
    assert CLIP == stored(river, sent(river)[0])


async def test_a_long_upload_is_told_of(river: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """What share of the video is on its way, every few seconds."""
    monkeypatch.setattr(progress, "TELL_EVERY", 0.0)

    await settled(river, await river.video_post({"waves.mp4": clip(seconds=20)}))

    shares = [line["percent"] for line in river.log.said("upload") if "percent" in line]
    assert sorted(shares) == shares
    assert len(shares) > 2
    assert 100 == shares[-1]


async def test_what_was_prepared_anew_goes_by_the_web_host_as_it_is(river: Bench) -> None:
    """The file was gone, and then Meta took no uploads: the journal knows the new one."""
    river.simulator.script({"on": "upload", "do": "error", "code": 10})
    post_id = await river.video_post({"waves.mp4": CLIP})
    path = (await river.find(post_id)).items[0].prepared
    assert path is not None
    path.unlink()
    river.again[path] = SQUARE

    post = await settled(river, post_id)

    assert (State.DONE, len(SQUARE)) == (post.state, post.items[0].prepared_size)


async def test_a_lost_answer_sends_nothing_again(river: Bench) -> None:
    """Everything came, the answer did not: Meta tells, and not a byte is sent twice."""
    river.simulator.script({"on": "upload", "do": "drop-after", "times": 1})

    post = await settled(river, await river.video_post({"waves.mp4": CLIP}))

    assert (State.DONE, 1, 1) == (post.state, uploads(river), len(sent(river)))


@pytest.mark.parametrize(
    ("rule", "tries"),
    [
        ({"do": "drop-before"}, 3),
        ({"do": "html-500"}, 3),
        ({"do": "error", "code": 190, "message": "unauthorized user request"}, 1),
        ({"do": "error", "code": 10, "http": 403}, 1),
        ({"do": "body", "text": "no", "http": 404}, 1),
        ({"do": "body", "text": "no", "http": 429}, 1),
        ({"do": "body", "text": "", "http": 302}, 3),
    ],
    ids=str,
)
async def test_what_cannot_be_sent_goes_by_the_web_host(
    river: Bench, rule: dict[str, object], tries: int
) -> None:
    """After a few tries, or at once if Meta does not want it: said, written down, and published
    once."""
    river.simulator.script({"on": "upload", **rule})
    post_id = await river.video_post({"waves.mp4": CLIP})

    post = await settled(river, post_id)

    assert (State.DONE, tries) == (post.state, uploads(river))
    assert ["waves.mp4"] == river.hosted
    (media,) = river.simulator.state.publications
    assert [post.items[0].public_url] == list(media.container.uris)
    assert "goes by the web host" in await told(river, post_id)
    assert [line for line in river.log.said("upload") if "goes by the web host" in line["event"]]


@pytest.mark.parametrize("refusal", [{"code": 10}, {"code": 100}, {"code": 3}], ids=str)
async def test_a_refused_container_for_uploads_is_made_for_an_address(
    river: Bench, refusal: dict[str, int]
) -> None:
    """Meta does not let this app upload: the account is not stopped for that."""
    river.simulator.script({"on": "create", "do": "error", "times": 1, **refusal})

    post = await settled(river, await river.video_post({"waves.mp4": CLIP}))

    assert (State.DONE, ["waves.mp4"]) == (post.state, river.hosted)
    assert [] == river.log.said("account")


NO = '{"debug_info": {"retriable": false, "type": "ProcessingFailedError", "message": "no"}}'


@pytest.mark.parametrize("text", [NO, '{"success": false}'])
async def test_a_no_is_a_no_whatever_its_status(river: Bench, text: str) -> None:
    """Which HTTP status a refused upload has is not documented: nobody waits a day for a container
    that has nothing."""
    river.simulator.script({"on": "upload", "do": "body", "text": text})

    post = await settled(river, await river.video_post({"waves.mp4": CLIP}))

    assert (State.DONE, ["waves.mp4"]) == (post.state, river.hosted)
    assert post.published_at is not None
    assert post.published_at - post.created_at < 3600


async def test_a_dead_token_is_no_reason_for_another_way(river: Bench) -> None:
    """It stops the account, as with any post."""
    river.simulator.script({"on": "create", "do": "error", "code": 190})

    post = await river.advance(await river.video_post({"waves.mp4": CLIP}))

    assert (State.WAITING, "token", []) == (post.state, post.reason, river.hosted)


async def test_words_that_meta_refuses_are_no_reason_for_another_way(river: Bench) -> None:
    """The owner mends them; the web host is not asked in vain."""
    river.simulator.script({"on": "create", "do": "error", "code": 36004, "subcode": 2207010})

    post = await river.advance(await river.video_post({"waves.mp4": CLIP}))

    assert (State.HELD, []) == (post.state, river.hosted)


FOREIGN = '{"id": "17889600000000001", "uri": "https://rupload.facebook.com.evil.example/a"}'


async def test_the_token_is_not_sent_where_it_has_no_business(tmp_path: Path) -> None:
    """Meta's answer names another host: nothing is sent, and by the owner's choice the post goes
    by the web host or is held."""
    for way, state in (("auto", State.DONE), ("direct", State.HELD)):
        (tmp_path / way).mkdir()
        async with bench(tmp_path / way, video_upload=way) as river:
            river.simulator.script({"on": "create", "nth": 1, "do": "body", "text": FOREIGN})
            post = await settled(river, await river.video_post({"waves.mp4": CLIP}))
            assert (state, 0) == (post.state, uploads(river))
            assert post.reason in {None, "upload-address"}


@pytest.fixture
async def strict(tmp_path: Path) -> AsyncIterator[Bench]:
    async with bench(tmp_path, video_upload="direct") as made:
        yield made


async def test_who_wants_no_web_host_is_tried_again_and_nothing_is_lost(strict: Bench) -> None:
    """``direct``: by the ordinary policy, after a restart too, with the same container and from
    where it broke off."""
    strict.simulator.script(
        *({"on": "upload", "nth": n, "do": "drop-within", "bytes": 9_000} for n in (1, 2, 3))
    )
    post_id = await strict.video_post({"waves.mp4": CLIP})
    post = await strict.advance(post_id)
    assert (State.WAITING, "graph-unreachable") == (post.state, post.reason)
    assert (1, None) == (post.attempts, post.items[0].container_at)
    await strict.start()

    post = await settled(strict, post_id)

    assert (State.DONE, []) == (post.state, strict.hosted)
    (container,) = sent(strict)
    assert CLIP == stored(strict, container)
    assert "'offset': '27000'" in await told(strict, post_id)


async def test_a_stop_in_the_middle_costs_nothing(strict: Bench) -> None:
    """A clean stop does not wait for a long upload: no attempt is spent, and the next start goes
    on with the same container."""
    strict.simulator.script({"on": "upload", "do": "delay-effect", "seconds": 60, "times": 1})
    post_id = await strict.video_post({"waves.mp4": CLIP})
    working = asyncio.create_task(strict.advance(post_id))
    await until(lambda: uploads(strict))
    working.cancel()
    await asyncio.wait([working])
    stopped = await strict.find(post_id)
    await strict.start()

    post = await settled(strict, post_id)

    assert (State.READY, 0) == (stopped.state, stopped.attempts)
    assert (State.DONE, 1) == (post.state, len(sent(strict)))


@pytest.mark.parametrize(
    "lost",
    [
        {"do": "status", "status": "EXPIRED"},
        {"do": "status", "status": "ERROR"},
        {"do": "error", "code": 24, "subcode": 2207008},
        {"do": "error", "code": 100, "message": "(#100) Tried accessing nonexisting field"},
        {"do": "body", "text": '{"id": "1", "status_code": "IN_PROGRESS"}'},
        {"do": "body", "text": '{"status_code": "IN_PROGRESS", "video_status": ["odd"]}'},
    ],
    ids=str,
)
async def test_a_container_that_meta_does_not_go_on_with_is_left(
    strict: Bench, lost: dict[str, object]
) -> None:
    """Expired, spoiled, unknown, or without a word on how much came: another one gets all of it."""
    strict.simulator.script(
        *({"on": "upload", "nth": n, "do": "drop-within", "bytes": 9_000} for n in (1, 2, 3)),
        {"on": "status", "nth": 4, **lost},
    )
    post_id = await strict.video_post({"waves.mp4": CLIP})
    await strict.advance(post_id)

    post = await settled(strict, post_id)

    assert State.DONE is post.state
    (media,) = strict.simulator.state.publications
    assert 2 == len(sent(strict))
    assert CLIP == stored(strict, media.container)


async def test_nothing_is_added_to_other_bytes(strict: Bench) -> None:
    """The prepared file is gone and made anew: the half of the old one is left to expire."""
    strict.simulator.script(
        *({"on": "upload", "nth": n, "do": "drop-within", "bytes": 9_000} for n in (1, 2, 3))
    )
    post_id = await strict.video_post({"waves.mp4": CLIP})
    post = await strict.advance(post_id)
    path = post.items[0].prepared
    assert path is not None
    path.unlink()
    strict.again[path] = SQUARE

    post = await settled(strict, post_id)

    assert State.DONE is post.state
    (media,) = strict.simulator.state.publications
    assert 2 == len(sent(strict))
    assert SQUARE == stored(strict, media.container)


async def test_a_video_that_meta_cannot_use_is_sent_once_more(river: Bench) -> None:
    """The bytes came, and the container failed: a new one, as for a video with an address."""
    river.simulator.script({"on": "create", "nth": 1, "do": "status", "status": "ERROR"})

    post = await settled(river, await river.video_post({"waves.mp4": CLIP}))

    assert State.DONE is post.state
    assert (2, 1) == (len(sent(river)), len(river.published))


async def test_a_carousel_goes_on_where_it_was(strict: Bench) -> None:
    """One of its videos broke off: after a restart the others are not sent again."""
    strict.simulator.script(
        *({"on": "upload", "nth": n, "do": "drop-within", "bytes": 9_000} for n in (2, 3, 4))
    )
    other = clip(seconds=3, width=640, height=640, seed=2)
    files: dict[str, bytes | None] = {"a.mp4": SQUARE, "b.mp4": other, "c.jpg": None}
    post_id = await strict.video_post(files, kind=PostKind.CAROUSEL)
    post = await strict.advance(post_id)
    assert State.WAITING is post.state
    await strict.start()

    post = await settled(strict, post_id)

    assert (State.DONE, []) == (post.state, strict.hosted)
    assert [SQUARE, other] == [stored(strict, container) for container in sent(strict)]


async def test_the_token_is_nowhere_told(river: Bench) -> None:
    """Neither in the log nor in the post's history, whatever goes wrong on the way."""
    river.simulator.script(
        {"on": "upload", "nth": 1, "do": "drop-within", "bytes": 5_000},
        {"on": "upload", "nth": 2, "do": "body", "text": f"no {TOKEN} here", "http": 500},
        {"on": "upload", "nth": 3, "do": "error", "code": 1, "message": f"no {TOKEN} here"},
    )
    post_id = await river.video_post({"waves.mp4": CLIP})

    await settled(river, post_id)

    assert TOKEN not in str(river.log.lines) + await told(river, post_id)
