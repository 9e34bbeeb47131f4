"""Scripted faults: who sees what, and whether the effect took place."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from mediawatch.simulator import Scenario, ScenarioError, SimulatorOptions
from tests.support.simulator import USER, Caller, running


async def _publish(graph: Caller, container: str) -> str:
    """What the client makes of a publish call: ok, the error's code, html, or cut."""
    form = {"creation_id": container, "access_token": "t"}
    try:
        async with graph.session.post(
            f"{graph.simulator.url}/{USER}/media_publish", data=form
        ) as answer:
            if answer.content_type == "text/html":
                return f"html {answer.status}"
            document = await answer.json()
            return str(document["error"]["code"]) if "error" in document else "ok"
    except aiohttp.ClientConnectionError:
        return "cut"


@pytest.mark.parametrize(
    ("rule", "seen", "effects"),
    [
        ({"do": "error", "code": 2}, "2", 0),
        ({"do": "error-after", "code": 4, "subcode": 2207051}, "4", 1),
        ({"do": "drop-before"}, "cut", 0),
        ({"do": "drop-after"}, "cut", 1),
        ({"do": "html-500"}, "html 500", 0),
        ({"do": "html-500-after"}, "html 500", 1),
        ({"do": "body", "http": 502}, "html 502", 0),
        ({"do": "body-after", "text": "<html>", "http": 200}, "html 200", 1),
        ({"do": "delay", "seconds": 0.001}, "ok", 1),
        ({"do": "delay-effect", "seconds": 0.001}, "ok", 1),
    ],
)
async def test_what_the_client_sees_and_what_happened(
    rule: dict[str, Any], seen: str, effects: int
) -> None:
    """Each fault has its look and its truth, and the two may differ."""
    async with running() as graph:
        graph.simulator.script({"on": "media_publish", "nth": 1, **rule})
        container = await graph.container()
        assert seen == await _publish(graph, container)
        assert effects == len(graph.simulator.state.publications)
        status = await graph.status(container)
    assert ("PUBLISHED" if effects else "FINISHED") == status


async def test_a_spam_block_after_the_effect_looks_like_metas() -> None:
    """4/2207051 comes as 403 with its documented words although the post is live."""
    async with running() as graph:
        graph.simulator.script(
            {"on": "media_publish", "do": "error-after", "code": 4, "subcode": 2207051}
        )
        answer = await graph.publish(await graph.container())
    assert (403, "action is blocked") == (answer.status, answer.json["error"]["error_user_title"])


async def test_a_body_is_sent_as_it_is_written() -> None:
    """Nothing, half a JSON, another host's envelope: whatever a client must be able to read."""
    async with running() as graph:
        graph.simulator.script({"on": "user", "do": "body", "text": '{"id": "1', "http": 200})
        async with graph.session.get(f"{graph.simulator.url}/me?access_token=t") as answer:
            assert (200, '{"id": "1') == (answer.status, await answer.text())


async def test_headers_take_the_place_of_the_usual_ones() -> None:
    """The older form of the usage, a Page's, minutes to regain access: on every answer, errors
    too; and the calls are counted, refused or not."""
    async with running(SimulatorOptions(token="right")) as graph:
        graph.simulator.script(headers={"X-App-Usage": "17%", "X-Page-Usage": "{}"}, usage=85)
        refused = await graph.get("/me", token="wrong")
        answered = await graph.get("/me", token="right")
    for answer in (refused, answered):
        assert ("17%", "{}") == (answer.headers["X-App-Usage"], answer.headers["X-Page-Usage"])
        assert '"call_count": 85' in answer.headers["X-Business-Use-Case-Usage"]
    assert (400, 200) == (refused.status, answered.status)
    assert (2, {"user": 1}) == (graph.simulator.state.calls, dict(graph.simulator.state.asked))


async def test_a_late_effect_happens_though_the_client_has_gone() -> None:
    """delay-effect: nothing until the time is up, then the post goes live without a listener."""
    waiting, go = asyncio.Event(), asyncio.Event()

    async def sleep(_: float) -> None:
        waiting.set()
        await go.wait()

    async with running(SimulatorOptions(sleep=sleep)) as graph:
        state = graph.simulator.state
        published = asyncio.Event()
        state.on_published.append(lambda _: published.set())
        graph.simulator.script({"on": "media_publish", "do": "delay-effect", "seconds": 60})
        call = asyncio.create_task(_publish(graph, await graph.container()))
        await waiting.wait()
        call.cancel()
        await asyncio.wait([call])
        assert [] == state.publications
        go.set()
        await asyncio.wait_for(published.wait(), 5)
        assert 1 == len(state.publications)


async def test_a_late_effect_dies_with_the_simulator() -> None:
    """Stopping does not wait for scripted delays: what was still to come never happens."""
    waiting = asyncio.Event()

    async def sleep(_: float) -> None:
        waiting.set()
        await asyncio.Event().wait()

    async with running(SimulatorOptions(sleep=sleep)) as graph:
        graph.simulator.script({"on": "media_publish", "do": "delay-effect", "seconds": 60})
        call = asyncio.create_task(_publish(graph, await graph.container()))
        await waiting.wait()
        await graph.simulator.__aexit__(None, None, None)
        assert "cut" == await asyncio.wait_for(call, 5)
        assert [] == graph.simulator.state.publications


async def test_a_slow_answer_has_its_effect_at_once() -> None:
    """delay: the post is live while the client still waits."""
    waiting, go = asyncio.Event(), asyncio.Event()

    async def sleep(_: float) -> None:
        waiting.set()
        await go.wait()

    async with running(SimulatorOptions(sleep=sleep)) as graph:
        graph.simulator.script({"on": "media_publish", "do": "delay", "seconds": 60})
        call = asyncio.create_task(_publish(graph, await graph.container()))
        await waiting.wait()
        assert 1 == len(graph.simulator.state.publications)
        go.set()
        assert "ok" == await call


async def test_a_container_may_be_made_to_fail() -> None:
    """On create the status is the truth: the text tells the subcode, publishing is refused."""
    async with running() as graph:
        graph.simulator.script(
            {"on": "create", "do": "status", "status": "ERROR", "subcode": 2207026}
        )
        container = await graph.container()
        read = await graph.get(f"/{container}", fields="status_code,status")
        answer = await graph.publish(container)
    assert "ERROR" == read.json["status_code"]
    assert "Error: Media upload has failed with error code 2207026" == read.json["status"]
    assert (-1, 2207032) == answer.code


async def test_a_status_may_lie_once() -> None:
    """On status the answer alone is changed; the container stays what it is."""
    async with running() as graph:
        graph.simulator.script({"on": "status", "nth": 1, "do": "status", "status": "EXPIRED"})
        container = await graph.container()
        assert ["EXPIRED", "FINISHED"] == [await graph.status(container) for _ in range(2)]


async def test_nth_and_times_choose_the_requests() -> None:
    """The rule acts from the nth matching request on, so many times."""
    async with running() as graph:
        graph.simulator.script({"on": "user", "nth": 2, "times": 2, "do": "error", "code": 2})
        assert [200, 500, 500, 200] == [(await graph.get("/me")).status for _ in range(4)]


async def test_match_chooses_by_caption_or_address() -> None:
    """A rule with ``match`` leaves other posts alone, from create to permalink."""
    async with running() as graph:
        graph.simulator.script({"on": "permalink", "match": "beach", "do": "error", "code": 1})
        beach = await graph.published(caption="At the beach")
        city = await graph.published(caption="In town")
        assert [500, 200] == [(await graph.get(f"/{media}")).status for media in (beach, city)]


async def test_probability_is_repeatable_by_its_seed() -> None:
    """The same seed gives the same faults, another seed others."""
    runs = []
    async with running() as graph:
        for seed in (7, 7, 8):
            graph.simulator.script(
                {"on": "any", "probability": 0.5, "do": "error", "code": 2}, seed=seed
            )
            runs.append([(await graph.get("/me")).status for _ in range(20)])
    assert runs[0] == runs[1] != runs[2]
    assert {200, 500} == set(runs[0])


async def test_another_process_can_script_and_ask() -> None:
    """Rules by POST, truth by GET: counters of endpoints and rules, containers, publications."""
    async with running() as graph:
        rules = {"rules": [{"on": "listing", "do": "error", "code": 100, "subcode": 33}]}
        url = f"{graph.simulator.url}/_simulator"
        async with graph.session.post(f"{url}/scenario", json=rules) as answer:
            assert {"rules": 1} == await answer.json()
        container = await graph.container(caption="Seen")
        await graph.publish(container)
        await graph.get(f"/{USER}/media")
        async with graph.session.get(f"{url}/state") as answer:
            state = await answer.json()
    assert {"create": 1, "media_publish": 1, "listing": 1} == state["asked"]
    assert [(container, "Seen")] == [
        (post["container"], post["caption"]) for post in state["publications"]
    ]
    assert ["PUBLISHED"] == [entry["status"] for entry in state["containers"]]
    assert [(1, 1)] == [(rule["seen"], rule["fired"]) for rule in state["rules"]]


async def test_a_bad_scenario_by_post_changes_nothing() -> None:
    """A scenario that cannot be used answers 400 and leaves the one at work."""
    async with running() as graph:
        graph.simulator.script({"on": "user", "do": "error", "code": 2})
        url = f"{graph.simulator.url}/_simulator/scenario"
        for body in ('{"rules": [{"on": "moon", "do": "error"}]}', "not json", "[]"):
            async with graph.session.post(url, data=body) as answer:
                assert 400 == answer.status
        assert 500 == (await graph.get("/me")).status


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ({"on": "create", "do": "error"}, "do = 'error' needs code"),
        ({"on": "create", "do": "delay"}, "do = 'delay' needs seconds"),
        ({"on": "create", "do": "drop-after", "code": 2}, "has no use for code"),
        ({"on": "limit", "do": "status", "status": "ERROR"}, "goes with on = 'create'"),
        ({"on": "create", "do": "drop-within", "bytes": 1}, "goes with on = 'upload'"),
        ({"on": "upload", "do": "drop-within"}, "do = 'drop-within' needs bytes"),
        ({"on": "create", "do": "error", "code": 2, "nht": 1}, "rules.0.nht"),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused_in_words(rule: dict[str, Any], words: str) -> None:
    """The sentence names the rule and what is wrong with it."""
    with pytest.raises(ScenarioError, match=words):
        Scenario.parse({"rules": [rule]})


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.toml", 'seed = 3\n[[rules]]\non = "create"\ndo = "drop-before"\n'),
        ("a.json", '{"seed": 3, "rules": [{"on": "create", "do": "drop-before"}]}'),
    ],
)
def test_a_scenario_file_is_toml_or_json(tmp_path: Path, name: str, text: str) -> None:
    """Both forms say the same."""
    path = tmp_path / name
    path.write_text(text, "utf-8")
    rules = ({"on": "create", "do": "drop-before"},)
    assert Scenario.parse({"seed": 3, "rules": rules}) == Scenario.load(path)


def test_an_unreadable_scenario_file_is_told(tmp_path: Path) -> None:
    """A missing or broken file is a ScenarioError that names it."""
    broken = tmp_path / "broken.toml"
    broken.write_text("rules = [", "utf-8")
    for path in (broken, tmp_path / "absent.toml"):
        with pytest.raises(ScenarioError, match=path.name):
            Scenario.load(path)
