"""The web door: what it answers, and whom it refuses."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer

from mediawatch.clock import SystemClock
from mediawatch.config import Settings
from mediawatch.errors import StorageProblem
from mediawatch.journal import accounts, posts
from mediawatch.journal.sqlite import SqliteJournal
from mediawatch.log import silent
from mediawatch.metrics import Metrics
from mediawatch.model.findings import Finding
from mediawatch.model.lifecycle import State
from mediawatch.model.posts import Post
from mediawatch.web.app import create_app
from mediawatch.web.doors import Doors
from tests.contract.test_journal import ACCOUNT, a_post
from tests.support.desk import a_desk

Client = TestClient[Any, Any]


def settings(folder: Path) -> Settings:
    """Settings that name a place for everything; nothing is ever called there."""
    ftp = {"host": "localhost", "user": "u", "password": "x", "public_url": "http://localhost/"}
    return Settings.model_validate(
        {
            "watch": {"folder": folder / "download"},
            "ftp": {**ftp, "upload_dir": "/"},
            "instagram": {"user_id": ACCOUNT, "access_token": "not-a-token"},
        }
    )


class House:
    """What stands behind the web, to be changed by a test."""

    def __init__(self, folder: Path, journal: SqliteJournal) -> None:
        self.folder = folder
        self.journal = journal
        self.checks = [Finding("folder", True, "Looked at.")]
        self.woken: list[str] = []
        self.passes = 0
        self.error: Exception | None = None

    async def poster_media(self) -> dict[str, Any]:
        if self.error is not None:
            raise self.error
        self.passes += 1
        return {"success": True}

    async def status(self) -> dict[str, Any]:
        return {"status": "ok"}

    async def check(self) -> list[Finding]:
        return self.checks

    async def metrics(self) -> bytes:
        return Metrics().text({"mediawatch_posts": {"done": 3}})

    async def release(self) -> int:
        return 3

    def wake(self, post: Post) -> None:
        self.woken.append(post.id)


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with SqliteJournal(tmp_path / "journal.db") as journal:
        await journal.apply([accounts.ensure(ACCOUNT)])
        yield House(tmp_path, journal)


@pytest.fixture
async def client(house: House) -> AsyncIterator[Client]:
    doors = Doors(
        settings=settings(house.folder),
        journal=house.journal,
        clock=SystemClock(),
        log=silent(),
        poster_media=house.poster_media,
        status=house.status,
        checks=house.check,
        metrics=house.metrics,
        woken=house.wake,
        release_withheld=house.release,
        accounts=a_desk(house.journal, house.folder),
    )
    async with TestClient(TestServer(create_app(doors))) as client:
        yield client


async def test_files_that_are_held_back_are_released(client: Client) -> None:
    """One order lets go of all that lay in the folder at the first start, and says how many."""
    answer = await client.post("/api/v1/social/cron/release-withheld/")
    assert (200, {"released": 3}) == (answer.status, await answer.json())


async def test_alive_and_working(house: House, client: Client) -> None:
    """/healthz while the loop turns; /readyz only while every check passes."""
    assert 200 == (await client.get("/healthz")).status
    assert 200 == (await client.get("/readyz")).status

    house.checks.append(Finding("workers", False, "Nothing moved for 400 s."))

    answer = await client.get("/readyz")
    assert 503 == answer.status
    assert "Nothing moved for 400 s." == (await answer.json())["checks"][1]["detail"]


async def test_poster_media(house: House, client: Client) -> None:
    """The report when all is settled; 202 for those who do not wait."""
    answer = await client.post("/api/poster-media")
    assert (200, {"success": True}) == (answer.status, await answer.json())

    assert 202 == (await client.post("/api/poster-media?wait=false")).status
    assert {"status": "ok"} == await (await client.get("/api/poster-media/status")).json()
    assert 2 == house.passes


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "127.0.0.1.evil.example:8001"},
        {"Host": "[::1"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
async def test_no_web_page_can_drive_it(client: Client, headers: dict[str, str]) -> None:
    """A name that is rebound to loopback, or a page of another site, is refused."""
    answer = await client.post("/api/poster-media", headers=headers)

    assert 403 == answer.status
    error = (await answer.json())["error"]
    assert {"code", "message", "remedy", "details"} == set(error)
    assert error["remedy"]


async def test_its_own_pages_and_tools_may(house: House, client: Client) -> None:
    """curl sends no Origin, an own page sends its own."""
    own = f"http://{client.host}:{client.port}"

    answer = await client.post(
        "/api/poster-media", headers={"Origin": own, "Sec-Fetch-Site": "same-origin"}
    )

    assert 200 == answer.status


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/nothing", 404), ("DELETE", "/api/poster-media", 405), ("GET", "/%ff", 404)],
)
async def test_every_error_has_one_form(
    client: Client, method: str, path: str, status: int
) -> None:
    """Also those of the web framework itself."""
    answer = await client.request(method, path)

    assert status == answer.status
    assert {"code", "message", "remedy", "details"} == set((await answer.json())["error"])


async def test_our_errors_and_our_mistakes(house: House, client: Client) -> None:
    """An error of ours says what to do; a mistake of ours hides its insides."""
    house.error = StorageProblem("The disk is full.", code="disk-full", remedy="Free space.")
    answer = await client.post("/api/poster-media")
    assert (503, "Free space.") == (answer.status, (await answer.json())["error"]["remedy"])

    house.error = RuntimeError("password=hush")
    answer = await client.post("/api/poster-media")
    assert 500 == answer.status
    assert "hush" not in await answer.text()


async def test_a_post_is_tried_again(house: House, client: Client) -> None:
    """Retry by the first digits of the id; what is not there or done is refused."""
    await house.journal.apply(posts.add(a_post(state=State.HELD)))

    answer = await client.post("/api/v1/social/scheduled-posts/aaa/retry/")

    assert (200, "a.jpg") == (answer.status, (await answer.json())["name"])
    assert ["a" * 12] == house.woken
    assert 404 == (await client.post("/api/v1/social/scheduled-posts/b/retry/")).status
    assert 409 == (await client.post("/api/v1/social/scheduled-posts/a/retry/")).status


async def test_all_that_is_stuck_is_tried_again(house: House, client: Client) -> None:
    """Held, failed and parked posts go on; the others are left alone."""
    for number, facts in enumerate(
        (
            {"state": State.HELD},
            {"state": State.FAILED},
            {"state": State.WAITING, "parked": True},
            {"state": State.WAITING},
            {"state": State.READY},
        )
    ):
        await house.journal.apply(posts.add(a_post(f"{number:012x}", str(number), **facts)))

    answer = await client.post("/api/v1/social/cron/retry-failed/")

    assert 3 == len((await answer.json())["retried"])
    assert ["000000000000", "000000000001", "000000000002"] == sorted(house.woken)
