"""Answers of both logins, and signed requests, as Meta never documented them."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import aiohttp
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import SecretStr

from mediawatch.crypto.signing import BadSignature, read_signed_request
from mediawatch.errors import GraphProblem
from mediawatch.graph.oauth import AppCredentials, Candidate, Grant, OAuth
from mediawatch.model.accounts import Login
from tests.support.fuzzing import ANY_TEXT, JSON, Loop, answering, awry, examples, mangled
from tests.unit.test_signing import NOW, OTHER, SAYS, SECRET, encoded, signed

APP_SECRET, CODE, HELD = "an-app-secret-of-ours", "a-code-that-came-back", "EAA-a-token-of-ours"
TOKEN: dict[str, Any] = {"access_token": "EAAnew0token1", "token_type": "bearer", "expires_in": 99}
INSTAGRAM: dict[str, Any] = {
    "access_token": "IGAAnew0token1",
    "user_id": 24500000000000001,
    "permissions": ["instagram_business_basic"],
}
PAGES: dict[str, Any] = {
    "data": [
        {
            "id": "134895000000001",
            "name": "Demo Page",
            "access_token": "EAApage0token",
            "tasks": ["MANAGE"],
            "instagram_business_account": {"id": "17841400000000001", "username": "x"},
        }
    ],
    "paging": {"cursors": {"before": "a", "after": "b"}, "next": "https://x/?access_token=y"},
}
ERRORS: list[dict[str, Any]] = [
    {"error": {"message": f"bad {HELD} {CODE} {APP_SECRET}", "code": 190, "fbtrace_id": HELD}},
    {"error_type": "OAuthException", "code": 400, "error_message": f"{CODE} was used"},
    {"error": "invalid_grant", "error_description": f"{HELD} is no good"},
    {"error": {"message": "Error validating client secret.", "code": 1}},
]
DOCUMENTS: list[dict[str, Any]] = [
    *(TOKEN, INSTAGRAM, {"data": [INSTAGRAM]}, PAGES, *ERRORS),
    {"data": [{"permission": "instagram_basic", "status": "granted"}]},
    {"data": {"is_valid": True, "expires_at": 0, "user_id": 1, "scopes": ["a"]}},
    {"data": [{"id": "1", "user_id": "2", "username": "x", "account_type": "Business"}]},
    {"success": True},
]
_HELD = SecretStr(HELD)
CALLS: list[Callable[[OAuth], Awaitable[Any]]] = [
    lambda oauth: oauth.exchange_code(CODE, "http://127.0.0.1/cb", "v" * 43),
    lambda oauth: oauth.log_in(CODE, "http://127.0.0.1/cb", None),
    lambda oauth: oauth.long_lived(_HELD),
    lambda oauth: oauth.refresh(_HELD),
    lambda oauth: oauth.granted(_HELD),
    lambda oauth: oauth.candidates(_HELD),
    lambda oauth: oauth.facts(_HELD),
    lambda oauth: oauth.revoke(_HELD),
]


@pytest.fixture(scope="module")
def loop() -> Iterator[Loop]:
    runner = Loop()
    yield runner
    runner.close()


def _answer(status: int, body: bytes) -> bytes:
    return b"HTTP/1.1 %d X\r\nContent-Length: %d\r\n\r\n%b" % (status, len(body), body)


@st.composite
def answers(draw: Callable[[Any], Any]) -> bytes:
    """An answer that is right, or nearly, or nothing like it."""
    document = awry(draw(st.sampled_from(DOCUMENTS)), draw)
    if draw(st.integers(0, 3)) == 0:
        document = draw(JSON)
    body = json.dumps(document).encode()
    if draw(st.integers(0, 3)) == 0:
        body = mangled(body, draw)
    return _answer(draw(st.sampled_from([200, 200, 400, 401, 403, 500])), body)


def _require_sound(result: Any) -> None:
    """What was believed is of the promised kind, and hides what it holds."""
    for each in result if isinstance(result, tuple | list) else [result]:
        if isinstance(each, list):
            _require_sound(each)
        if isinstance(each, Grant):
            assert each.token.get_secret_value().isascii()
            assert each.expires_in is None or each.expires_in > 0
            assert each.token.get_secret_value() not in repr(each)
        if isinstance(each, Candidate):
            assert each.account_id
            assert not each.page_token or each.page_token.get_secret_value() not in repr(each)


@examples(1.5)
@example(answer=_answer(200, json.dumps(PAGES).encode()), call=5, login="facebook")
@example(answer=_answer(200, b'{"access_token": "a b\\r\\nc: d", "expires_in": 1}'), call=2,
         login="facebook")  # fmt: skip
@example(answer=_answer(200, b'{"access_token": "IGAAnew0", "expires_in": 1%b}' % (b"0" * 99)),
         call=3, login="instagram")  # fmt: skip
@example(answer=_answer(200, b"[" * 100_000), call=0, login="instagram")
@example(answer=_answer(400, json.dumps(ERRORS[0]).encode()), call=5, login="facebook")
@example(answer=_answer(400, json.dumps(ERRORS[1]).encode()), call=0, login="instagram")
@given(
    answer=answers(),
    call=st.integers(0, len(CALLS) - 1),
    login=st.sampled_from(["facebook", "instagram"]),
)
def test_any_answer_is_a_sound_value_or_a_problem(
    loop: Loop, answer: bytes, call: int, login: Login
) -> None:
    """No other exception, within the time limit, and no secret in what is told of it."""

    async def ask() -> None:
        told = ""
        async with answering(answer) as port, aiohttp.ClientSession() as session:
            app = AppCredentials(login, "100000000000001", SecretStr(APP_SECRET))
            oauth = OAuth(session, app, "v25.0", timeout=1, graph_url=f"http://127.0.0.1:{port}")
            try:
                async with asyncio.timeout(10):
                    _require_sound(await CALLS[call](oauth))
            except GraphProblem as problem:
                told = f"{problem!r} {problem.message} {problem.remedy} {problem.details}"
                told += f"{problem.__cause__!r} {problem.__cause__}"
                json.dumps(problem.as_dict())
        sent = CODE if call < 2 else HELD
        for secret in (APP_SECRET, sent, "new0token", "page0token"):
            assert secret not in told

    loop(ask())


@examples(4)
@given(text=st.one_of(ANY_TEXT, st.binary(max_size=300).map(lambda raw: raw.decode("latin-1"))))
def test_any_text_is_no_signed_request(text: str) -> None:
    """It is refused, never anything else."""
    with pytest.raises(BadSignature):
        read_signed_request(text, [SECRET, OTHER], NOW)


@st.composite
def payloads(draw: Callable[[Any], Any]) -> Any:
    """What a signed request may say, nearly right."""
    return awry(SAYS, draw)


@examples(4)
@given(payload=st.one_of(JSON, payloads()))
def test_even_a_signed_request_is_read_strictly(payload: Any) -> None:
    """Digits for whom it is about, or it is refused."""
    try:
        read = read_signed_request(signed(payload), [SECRET], NOW)
    except BadSignature:
        return
    assert read.user_id.isdecimal()
    assert read.user_id.isascii()
    assert NOW - 86_400 <= read.issued_at <= NOW + 300


@examples(4)
@given(data=st.data())
def test_one_changed_byte_is_noticed(data: st.DataObject) -> None:
    """Wherever it is: a request that was tampered with is none."""
    signature, body = signed().split(".")
    raw = bytearray(_bytes(body))
    at = data.draw(st.integers(0, len(raw) - 1))
    raw[at] ^= data.draw(st.integers(1, 255))
    with pytest.raises(BadSignature):
        read_signed_request(f"{signature}.{encoded(bytes(raw))}", [SECRET], NOW)


def _bytes(part: str) -> bytes:

    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
