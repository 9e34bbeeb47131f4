"""Until when the access token is good, asked of a Graph API on loopback."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from pydantic import SecretStr

from mediawatch.clock import SystemClock
from mediawatch.config import InstagramSettings
from mediawatch.graph.client import GraphClient
from mediawatch.graph.pacing import Pacing
from mediawatch.log import silent
from mediawatch.maintenance.token_expiry import TokenExpiry
from mediawatch.tokens import Tokens

ACCOUNT, TOKEN = "17841400000000001", "a-token-of-the-owner"


class Meta:
    """Answers ``debug_token``."""

    def __init__(self) -> None:
        self.answer: Any = {}
        self.status = 200
        self.asked: list[web.Request] = []

    async def take(self, request: web.Request) -> web.Response:
        self.asked.append(request)
        return web.json_response(self.answer, status=self.status)


@pytest.fixture
def meta() -> Meta:
    return Meta()


@pytest.fixture
async def expiry(meta: Meta) -> AsyncIterator[TokenExpiry]:
    app = web.Application()
    app.router.add_get("/v25.0/debug_token", meta.take)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    clock = SystemClock()
    async with aiohttp.ClientSession() as session:
        client = GraphClient(
            session,
            f"http://127.0.0.1:{runner.addresses[0][1]}",
            "v25.0",
            timeout=5,
            pacing=Pacing(clock, silent()),
        )
        settings = InstagramSettings(user_id=ACCOUNT, access_token=SecretStr(TOKEN))
        yield TokenExpiry(client, Tokens(settings), ACCOUNT, silent(), asks=True)
    await runner.cleanup()


@pytest.mark.parametrize(
    ("data", "ends"),
    [
        ({"expires_at": 1_800_000_000, "data_access_expires_at": 1_900_000_000}, 1_800_000_000),
        ({"expires_at": 0, "data_access_expires_at": 1_900_000_000}, 1_900_000_000),
        ({"expires_at": 0}, None),  # never
        ({"is_valid": False, "error": {"code": 190}}, None),
        ({"expires_at": "soon"}, None),
    ],
)
async def test_the_earlier_end_counts(
    meta: Meta, expiry: TokenExpiry, data: dict[str, Any], ends: float | None
) -> None:
    """Of the token itself, and of the access to data that it gives; 0 is never, not the end."""
    meta.answer = {"data": data}
    await expiry.run_once()

    assert ends == expiry.at
    assert TOKEN == meta.asked[0].query["input_token"]


async def test_what_was_known_stays_known_when_meta_does_not_tell(
    meta: Meta, expiry: TokenExpiry
) -> None:
    """An answer that is missing says nothing of the token."""
    meta.answer = {"data": {"expires_at": 1_800_000_000}}
    await expiry.run_once()
    meta.answer, meta.status = {"error": {"code": 100, "message": "(#100) no"}}, 400
    await expiry.run_once()

    assert 1_800_000_000 == expiry.at
