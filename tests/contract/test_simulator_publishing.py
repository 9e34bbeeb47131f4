"""What the simulator promises about containers, publishing and quota, as Meta documents them."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path

import pytest

from mediawatch.simulator import Republish, SimulatorOptions
from tests.support.simulator import TOKEN, USER, Clock, jpeg, running


async def test_one_picture_from_container_to_permalink() -> None:
    """The documented sequence: create, status FINISHED, publish, read the permalink."""
    async with running(SimulatorOptions(token=TOKEN)) as graph:
        container = await graph.container(caption="Hello #world")
        state = await graph.get(f"/v25.0/{container}", fields="status_code,status")
        media = (await graph.publish(container)).json["id"]
        node = await graph.get(f"/{media}", fields="permalink,caption,media_type,timestamp")
    assert {
        "id": container,
        "status_code": "FINISHED",
        "status": "Finished: Media has been uploaded and it is ready to be published.",
    } == state.json
    assert media != container
    shortcode = graph.simulator.state.media[media].shortcode
    assert f"{graph.simulator.url}/p/{shortcode}/" == node.json["permalink"]
    assert ("Hello #world", "IMAGE") == (node.json["caption"], node.json["media_type"])
    assert node.json["timestamp"].endswith("+0000")


async def test_the_picture_is_fetched_as_metas_crawler_does() -> None:
    """The host sees Meta's user agent; the oracle holds the hash of the very bytes."""
    body = jpeg(500, 400)
    async with running() as graph:
        await graph.publish((await graph.create(body)).json["id"])
        picture = graph.simulator.state.publications[0].container.pictures[0]
    assert graph.pictures.agents[0].startswith("facebookexternalhit/1.1")
    assert sha256(body).hexdigest() == picture.sha256
    assert (500, 400, len(body)) == (picture.width, picture.height, picture.size)
    assert "image/jpeg" == picture.content_type


async def test_a_carousel_is_one_post_with_its_children_in_order() -> None:
    """Two finished children and a parent make one publication that counts once."""
    bodies = [jpeg(color=color) for color in ("red", "green")]
    async with running() as graph:
        children = [
            (await graph.create(body, is_carousel_item="true")).json["id"] for body in bodies
        ]
        parent = await graph.post(
            f"/{USER}/media", media_type="CAROUSEL", children=json.dumps(children), caption="Two"
        )
        media = (await graph.publish(parent.json["id"])).json["id"]
        node = await graph.get(f"/{media}", fields="media_type,children{id,media_url}")
        limit = await graph.get(f"/{USER}/content_publishing_limit")
    listed = graph.simulator.state.snapshot()["publications"]
    assert [[sha256(body).hexdigest() for body in bodies]] == [post["sha256"] for post in listed]
    assert "CAROUSEL_ALBUM" == node.json["media_type"]
    assert 2 == len(node.json["children"]["data"])
    assert {"data": [{"quota_usage": 1}]} == limit.json


@pytest.mark.parametrize("count", [0, 1, 11])
async def test_a_carousel_has_two_to_ten_children(count: int) -> None:
    """Fewer than 2 or more than 10 children are refused with 100/2207028."""
    async with running() as graph:
        ids = ",".join(str(number) for number in range(count))
        answer = await graph.post(f"/{USER}/media", media_type="CAROUSEL", children=ids)
    assert (100, 2207028) == answer.code


async def test_a_carousel_takes_only_its_own_kind_of_children() -> None:
    """Unknown children are 24/2207006; a container not made as an item is an invalid parameter."""
    async with running() as graph:
        plain = await graph.container()
        unknown = await graph.post(f"/{USER}/media", media_type="CAROUSEL", children="1,2")
        wrong = await graph.post(
            f"/{USER}/media", media_type="CAROUSEL", children=f"{plain},{plain}"
        )
    assert (24, 2207006) == unknown.code
    assert (100, None) == wrong.code


async def test_a_child_is_never_published_alone() -> None:
    """Publishing a carousel item has no effect and is refused."""
    async with running() as graph:
        answer = await graph.publish(await graph.container(is_carousel_item="true"))
    assert (24, 2207008) == answer.code
    assert [] == graph.simulator.state.publications


async def test_publishing_too_early_is_refused_until_processing_ends() -> None:
    """9007/2207027 while IN_PROGRESS; the same container can be published once FINISHED."""
    clock = Clock()
    async with running(SimulatorOptions(processing_seconds=5, clock=clock)) as graph:
        container = await graph.container()
        early, status = await graph.publish(container), await graph.status(container)
        clock.turn(5)
        late = await graph.publish(container)
        after = await graph.status(container)
    assert (9007, 2207027) == early.code
    assert ("IN_PROGRESS", 200, "PUBLISHED") == (status, late.status, after)


async def test_a_container_lives_for_a_day() -> None:
    """After 24 hours the status is EXPIRED and publishing is refused with -2/2207020."""
    clock = Clock()
    async with running(SimulatorOptions(clock=clock)) as graph:
        container = await graph.container()
        clock.turn(86_399)
        before = await graph.status(container)
        clock.turn(1)
        after, answer = await graph.status(container), await graph.publish(container)
    assert ("FINISHED", "EXPIRED") == (before, after)
    assert (-2, 2207020) == answer.code


@pytest.mark.parametrize(
    ("mode", "status", "publications"),
    [(Republish.STRICT, 400, 1), (Republish.LENIENT, 200, 1), (Republish.EVIL, 200, 2)],
)
async def test_publishing_twice_follows_the_chosen_mode(
    mode: Republish, status: int, publications: int
) -> None:
    """Strict refuses, lenient repeats its answer, evil posts again; the oracle counts the call."""
    async with running(SimulatorOptions(republish=mode)) as graph:
        container = await graph.container()
        first, second = await graph.publish(container), await graph.publish(container)
    told = graph.simulator.state.snapshot()
    assert (200, status) == (first.status, second.status)
    assert publications == len(told["publications"])
    assert ({container: 2}, 1) == (told["publish_calls"], told["republish_calls"])
    if mode is Republish.LENIENT:
        assert first.json == second.json
    if mode is Republish.STRICT:
        assert (24, 2207008) == second.code


async def test_an_unknown_container_cannot_be_published() -> None:
    """24/2207008 names the creation id."""
    async with running() as graph:
        answer = await graph.publish("17")
    assert (24, 2207008) == answer.code
    assert "creation id = 17 " in answer.json["error"]["error_user_msg"]


async def test_a_container_of_another_account_is_unknown() -> None:
    """An account cannot publish what another account made."""
    other = "17841400000000002"
    async with running(SimulatorOptions(users=(USER, other))) as graph:
        container = await graph.container()
        answer = await graph.post(f"/{other}/media_publish", creation_id=container)
    assert (24, 2207008) == answer.code


async def test_the_quota_rolls_over_24_hours() -> None:
    """9/2207042 at the limit, without effect; a slot is free again 24 hours after it was used."""
    clock = Clock()
    async with running(SimulatorOptions(quota_total=1, clock=clock)) as graph:
        await graph.published()
        container = await graph.container()
        full = await graph.publish(container)
        clock.turn(86_400)
        again = await graph.publish(await graph.container())
    assert (9, 2207042) == full.code
    assert 200 == again.status


async def test_the_limit_tells_usage_total_and_duration() -> None:
    """The default field is quota_usage; ``since`` counts from that moment."""
    clock = Clock()
    path = f"/{USER}/content_publishing_limit"
    async with running(SimulatorOptions(quota_total=50, clock=clock)) as graph:
        await graph.published()
        clock.turn(100)
        await graph.published()
        whole = await graph.get(path, fields="quota_usage,config")
        since = await graph.get(path, since=str(int(clock.now) - 50))
        old = await graph.get(path, since=str(int(clock.now) - 90_000))
    config = {"quota_total": 50, "quota_duration": 86_400}
    assert {"data": [{"quota_usage": 2, "config": config}]} == whole.json
    assert {"data": [{"quota_usage": 1}]} == since.json
    assert (100, None) == old.code


async def test_parameters_may_come_as_query_form_or_json() -> None:
    """Meta's pages show all three; the token may also be a Bearer header."""
    async with running(SimulatorOptions(token=TOKEN)) as graph:
        address = graph.pictures.add("a.jpg", jpeg())
        url = f"{graph.simulator.url}/v25.0/{USER}/media"
        fields = {"image_url": address, "is_carousel_item": "true", "access_token": TOKEN}
        async with graph.session.post(url, params=fields) as answer:
            first = (await answer.json())["id"]
        bearer = {"Authorization": f"Bearer {TOKEN}"}
        body = {"image_url": address, "is_carousel_item": True}
        async with graph.session.post(url, json=body, headers=bearer) as answer:
            second = (await answer.json())["id"]
        parent = {"media_type": "CAROUSEL", "children": [first, second]}
        async with graph.session.post(url, json=parent, headers=bearer) as answer:
            assert 200 == answer.status


@pytest.mark.parametrize(
    ("form", "code"),
    [
        ({"media_type": "REELS"}, (100, None)),
        ({"media_type": "GALLERY"}, (100, 2207023)),
        ({}, (100, None)),
    ],
)
async def test_what_cannot_be_made_is_refused(
    form: dict[str, str], code: tuple[int, int | None]
) -> None:
    """An unknown type and a missing address have their own codes."""
    async with running() as graph:
        answer = await graph.post(f"/{USER}/media", **form)
    assert code == answer.code


async def test_each_publication_is_one_line_in_the_log_file(tmp_path: Path) -> None:
    """The file holds real effects only, appended and readable while the simulator runs."""
    log = tmp_path / "log.jsonl"
    async with running(SimulatorOptions(log_file=log)) as graph:
        container = await graph.container(caption="One")
        media = (await graph.publish(container)).json["id"]
        await graph.publish(container)
        lines = [json.loads(line) for line in log.read_text("utf-8").splitlines()]
    assert [(container, media, "One")] == [
        (line["container"], line["media"], line["caption"]) for line in lines
    ]
