"""Answers of the Graph API as Meta never documented them."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import aiohttp
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import SecretStr
from tenacity import wait_none

from mediawatch.clock import SystemClock
from mediawatch.errors import GraphProblem
from mediawatch.graph.client import Caller, Exchange, GraphClient
from mediawatch.graph.errors import from_answer
from mediawatch.graph.pacing import Pacing
from mediawatch.graph.publishing import Container, Publishing, Quota, Recent
from mediawatch.graph.usage import read_usage
from mediawatch.log import silent
from tests.support.fuzzing import ANY_TEXT, JSON, NUMBERS, Loop, answering, awry, examples, mangled
from tests.support.graph_apps import apps_at
from tests.support.simulator import TOKEN, USER

SECRET = "an-app-secret-of-ours"
ERROR: dict[str, Any] = {
    "error": {
        "message": "The image size is too large.",
        "type": "OAuthException",
        "code": 36000,
        "error_subcode": 2207004,
        "is_transient": False,
        "error_user_title": "Image size too large",
        "error_user_msg": "The image is too large to download.",
        "fbtrace_id": "A0",
    }
}
MEDIA = {
    "id": "17900000000000001",
    "caption": "Hello 😀",
    "media_type": "IMAGE",
    "permalink": "https://www.instagram.com/p/x/",
    "timestamp": "2026-01-02T03:04:05+0000",
}
LISTING = {
    "data": [MEDIA],
    "paging": {
        "cursors": {"before": "a", "after": "b"},
        "next": "https://x/?access_token=" + TOKEN,
    },
}
QUOTA = {"data": [{"quota_usage": 3, "config": {"quota_total": 50, "quota_duration": 86400}}]}
CONTAINER = {"status_code": "ERROR", "status": "Error: 2207032 …", "id": "17800000000000001"}
OAUTH = {"error_type": "OAuthException", "code": 400, "error_message": "Matching code was used"}
RUPLOAD = {"debug_info": {"retriable": False, "type": "X", "message": '{"success":false}'}}

DOCUMENTS = [ERROR, LISTING, QUOTA, CONTAINER, OAUTH, RUPLOAD, {"id": "17900000000000001"}]
HALF = [{"id": "\ud83d"}, {"data": [{**MEDIA, "caption": "\ud83d"}]}]


@pytest.fixture(scope="module")
def loop() -> Iterator[Loop]:
    made = Loop()
    yield made
    made.close()


@st.composite
def documents(draw: st.DrawFn) -> Any:
    """One of Meta's answers with one place awry."""
    return awry(draw(st.sampled_from(DOCUMENTS)), draw)


@st.composite
def answers(draw: st.DrawFn) -> bytes:
    """A whole HTTP answer: status, headers and body may each be wrong, or not fit."""
    document = draw(st.one_of(documents(), st.sampled_from(HALF), JSON))
    body = json.dumps(document, ensure_ascii=draw(st.booleans())).encode("utf-8", "surrogatepass")
    match draw(st.integers(0, 9)):
        case 0:
            body = mangled(body, draw)
        case 1:
            body = draw(
                st.sampled_from(
                    [b"", b"<html>Sorry</html>", b"[" * 100_000, b"\xff\xfe\0", b"nul", b"9" * 5000]
                )
            )
        case 2:
            body = body.replace(b"image", TOKEN.encode())
    status = draw(
        st.sampled_from([200, 200, 200, 400, 400, 401, 403, 429, 500, 503, 302, 204, 999])
    )
    headers = [f"HTTP/1.1 {status} X".encode(), b"Content-Type: application/json"]
    match draw(st.integers(0, 9)):
        case 0:
            headers += [b"Content-Encoding: gzip"]
        case 1:
            headers += [b"Content-Encoding: gzip"]
            body = gzip.compress(body)
        case 2:
            headers += [b'WWW-Authenticate: OAuth "x" "invalid_token" "' + TOKEN.encode() + b'"']
        case 3:
            usage = json.dumps(draw(JSON)).replace("\n", "").encode()
            headers += [b"X-App-Usage: " + usage, b"X-Business-Use-Case-Usage: " + usage]
    length = len(body) + draw(st.sampled_from([0, 0, 0, 0, -1, 5, 10**6]))
    headers += [b"Content-Length: %d" % max(0, length)]
    return b"\r\n".join([*headers, b"Connection: close", b"", body])


Call = Callable[[Publishing], Awaitable[Any]]
CALLS: list[Call] = [
    lambda api: api.create({"image_url": "https://example.org/a.jpg", "caption": "Hello"}),
    lambda api: api.container("17800000000000001"),
    lambda api: api.publish("17800000000000001", timeout=1.0),
    lambda api: api.recent(since=0.0),
    lambda api: api.recent(since=0.0, stories=True),
    lambda api: api.permalink("17900000000000001"),
    lambda api: api.quota(),
]


def _require_sound(value: Any) -> None:
    """A value that the rest of the house may use without another look."""
    match value:
        case str():
            assert value.isascii() or value.startswith("http")
            assert value not in {"", "None", "True", "{}", "[]"}
            assert value.encode()
        case Container():
            assert value.status.encode()
            assert value.subcode is None or value.subcode > 0
        case Quota():
            assert 0 <= value.quota_usage < 1 << 40
            assert 0 <= value.config.quota_total < 1 << 40
            assert 0 < value.config.quota_duration < 1 << 40
        case Recent():
            for media in value.media:
                _require_sound(media.id)
                assert media.caption.encode() is not None
                assert media.timestamp is None or media.timestamp.timestamp() is not None
        case _:
            assert value is None


def _answer(status: int, body: bytes) -> bytes:
    return b"HTTP/1.1 %d X\r\nContent-Length: %d\r\n\r\n%b" % (status, len(body), body)


@examples(1.5)
@example(answer=_answer(200, b'{"id": null}'), call=2)
@example(answer=_answer(200, b'{"id": true}'), call=2)
@example(answer=_answer(200, b'{"id": ""}'), call=2)
@example(answer=_answer(200, b"[" * 100_000), call=2)
@example(answer=_answer(200, json.dumps(HALF[1]).encode()), call=3)
@example(answer=_answer(400, b'{"error": {"message": "\\ud83d", "code": 1}}'), call=0)
@example(
    answer=_answer(200, b'{"data": [{"id": "1", "timestamp": "0001-01-01T00:00:00"}]}'), call=3
)
@example(
    answer=_answer(
        200, b'{"data": [{"quota_usage": -1, "config": {"quota_total": 1%b}}]}' % (b"0" * 99)
    ),
    call=5,
)
@example(
    answer=_answer(200, b'{"data": [{"quota_usage": 1, "config": {"quota_total": -5}}]}'), call=5
)
@given(answer=answers(), call=st.integers(0, len(CALLS) - 1))
def test_any_answer_is_a_sound_value_or_a_problem(loop: Loop, answer: bytes, call: int) -> None:
    """No other exception, within the time limit, and no secret in anything that is kept."""

    async def ask() -> None:
        kept: list[Exchange] = []
        async with answering(answer) as port, aiohttp.ClientSession() as session:
            client = GraphClient(
                session,
                apps_at(f"http://127.0.0.1:{port}", SECRET),
                "v25.0",
                timeout=1.0,
                pacing=Pacing(SystemClock(), silent()),
                wait=wait_none(),
            )
            api = Publishing(client, Caller(USER, SecretStr(TOKEN), kept.append, "facebook"))
            try:
                async with asyncio.timeout(10):
                    _require_sound(await CALLS[call](api))
            except GraphProblem as problem:
                told = f"{problem!r} {problem.message} {problem.remedy} {problem.details}"
                problem.message.encode()
                json.dumps(problem.as_dict())
            else:
                told = ""
        assert TOKEN not in told + repr(kept)
        assert SECRET not in told + repr(kept)

    loop(ask())


@examples(4)
@example(status=400, body={"error": {"message": "x", "code": float("inf")}}, challenge="")
@example(status=400, body={"error": {"message": "x", "code": True}}, challenge="")
@given(
    status=st.sampled_from([200, 400, 401, 403, 404, 429, 500, 503]),
    body=st.one_of(JSON, documents()),
    challenge=st.one_of(st.just(""), ANY_TEXT, st.just('OAuth "x" "invalid_token" "expired"')),
)
def test_any_refusal_has_a_verdict(status: int, body: Any, challenge: str) -> None:
    """A code, a sentence, a remedy, a way to handle it."""
    problem = from_answer(status, body, challenge)
    assert problem.code
    assert problem.message.strip()
    assert problem.remedy
    assert problem.handling
    assert len(problem.message) < 1000
    json.dumps(problem.as_dict())


VALUES = st.one_of(JSON.map(json.dumps), ANY_TEXT, NUMBERS.map(str), st.just("[" * 100_000))
ROW = {"type": "instagram", "call_count": 85, "estimated_time_to_regain_access": 5}


@examples(2)
@example(value='{"17841400000000001": ' + "[" * 900 + "]" * 900 + "}")
@given(value=st.one_of(VALUES, st.composite(lambda draw: json.dumps(awry({USER: [ROW]}, draw)))()))
def test_any_usage_header_is_a_percentage_or_nothing(value: str) -> None:
    """A header never fails a call, and never sends us away for longer than a day."""
    names = ("X-App-Usage", "X-Page-Usage", "X-Business-Use-Case-Usage")
    for usage in read_usage(dict.fromkeys(names, value), USER):
        assert 0 <= usage.percent < float("inf")
        assert 0 <= usage.regain <= 1440
