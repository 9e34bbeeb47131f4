"""The HTTP API of a running daemon, called as curl, a script or a hostile page would."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest

from mediawatch import __version__
from tests.support.ftp_servers import PASSWORD
from tests.support.pictures import jpeg
from tests.support.river import River
from tests.support.simulator import TOKEN


@dataclass
class Api:
    """A daemon at work, and a plain HTTP client for it."""

    river: River
    session: aiohttp.ClientSession

    async def __call__(
        self, method: str, path: str, headers: dict[str, str] | None = None
    ) -> tuple[int, dict[str, Any]]:
        """Status and JSON of the answer."""
        url = self.river.api + path
        async with self.session.request(method, url, headers=headers) as answer:
            assert "application/json" == answer.content_type
            text = await answer.text()
            assert TOKEN not in text
            assert PASSWORD not in text
            return answer.status, await answer.json()

    async def refused(self, method: str, path: str, **headers: str) -> tuple[int, str]:
        """Status and code of an error, which must have the one form."""
        status, body = await self(
            method, path, {k.replace("_", "-"): v for k, v in headers.items()}
        )
        assert ["error"] == list(body)
        assert {"code", "message", "remedy", "details"} == body["error"].keys()
        assert body["error"]["message"]
        assert body["error"]["remedy"]
        return status, body["error"]["code"]


@pytest.fixture
async def api(river: River) -> AsyncIterator[Api]:
    """A daemon with nothing to do yet."""
    async with river.daemon(), aiohttp.ClientSession() as session:
        yield Api(river, session)


async def test_status_tells_settings_and_health(river: River, api: Api) -> None:
    """Folders, server, account, checks and numbers of posts; no secret."""
    river.drop("beach.jpg", jpeg())
    await river.post("beach.jpg", state="done")
    status, body = await api("GET", "/api/poster-media/status")
    assert 200 == status
    assert "ok" == body["status"]
    assert __version__ == body["version"]
    assert str(river.inbox) == body["source_directory"]
    assert f"127.0.0.1:{river.host.ftp.port}" == body["ftp_server"]
    assert river.tables["instagram"]["user_id"] == body["instagram_account"]
    assert all(check["ok"] for check in body["checks"])
    assert 1 == body["posts"]["done"]


async def test_posting_publishes_the_folder_and_reports(river: River, api: Api) -> None:
    """200 with the report of the contract, when all that lay in the folder has ended."""
    originals = river.drop_pictures(2)
    status, body = await api("POST", "/api/poster-media")
    assert 200 == status
    assert body["success"] is True
    assert 2 == body["result"]["stats"]["files_published"]
    assert ["picture001", "picture002"] == river.captions()
    await river.arrived(originals)


async def test_posting_without_waiting_is_accepted(river: River, api: Api) -> None:
    """202 at once; the folder is published all the same."""
    originals = river.drop_pictures(1)
    status, body = await api("POST", "/api/poster-media?wait=false")
    assert 202 == status
    assert body["accepted"] is True
    await river.arrived(originals)


async def test_alive_and_ready(river: River, api: Api) -> None:
    """healthz answers as long as it lives; readyz 503 when the folder is gone, 200 once it is
    back, and then files are published again."""
    assert (200, {"status": "alive"}) == await api("GET", "/healthz")

    async def ready_is(status: int) -> bool:
        return (await api("GET", "/readyz"))[0] == status

    await river.until(lambda: ready_is(200))
    shutil.rmtree(river.inbox)
    await river.until(lambda: ready_is(503))
    _, body = await api("GET", "/readyz")
    (failed,) = [check for check in body["checks"] if not check["ok"]]
    assert "folder" == failed["name"]
    assert str(river.inbox) in failed["detail"]
    assert 200 == (await api("GET", "/healthz"))[0]

    river.inbox.mkdir()
    originals = river.drop_pictures(1)
    await river.until(lambda: ready_is(200))
    await river.arrived(originals)


async def test_web_pages_of_others_cannot_drive_it(river: River, api: Api) -> None:
    """A foreign Host (DNS rebinding), a foreign Origin or a cross-site fetch: 403, no effect."""
    river.configure()
    post = ("POST", "/api/poster-media")
    assert (403, "foreign-host") == await api.refused(*post, Host="evil.example")
    assert (403, "foreign-host") == await api.refused(*post, Host="127.0.0.1.evil.example:8001")
    assert (403, "foreign-origin") == await api.refused(*post, Origin="https://evil.example")
    assert (403, "foreign-origin") == await api.refused(*post, Origin="null")
    assert (403, "foreign-origin") == await api.refused(*post, Sec_Fetch_Site="cross-site")
    assert (403, "foreign-host") == await api.refused("GET", "/healthz", Host="evil.example")
    assert 200 == (await api(*post, {"Origin": river.api}))[0]


async def test_errors_have_one_form(api: Api) -> None:
    """Wrong address, wrong method, unknown post: the fitting status, and what to do."""
    assert (404, "not-found") == await api.refused("GET", "/api/nothing")
    assert (405, "method-not-allowed") == await api.refused("DELETE", "/api/poster-media")
    retry = "/api/v1/social/scheduled-posts/{}/retry/"
    assert (404, "no-such-post") == await api.refused("POST", retry.format("0123456789ab"))


async def test_a_post_can_be_tried_again(river: River, api: Api) -> None:
    """A post that waits for a person goes on when it is retried; one that is done does not."""
    river.simulator.script({"on": "create", "do": "error", "code": 190})
    originals = river.drop_pictures(1)
    post = await river.post("picture001.jpg", state="waiting", parked=True)
    river.simulator.script()
    path = f"/api/v1/social/scheduled-posts/{post.id}/retry/"
    status, body = await api("POST", path)
    assert 200 == status
    assert (post.id, "picture001.jpg", "ready") == (body["id"], body["name"], body["state"])
    await river.arrived(originals)
    assert (409, "not-possible") == await api.refused("POST", path)


async def test_everything_that_is_stuck_can_be_tried_again(river: River, api: Api) -> None:
    """retry-failed wakes each held post once, and then finds nothing more to do."""
    river.simulator.script({"on": "create", "do": "error", "code": 100})
    originals = river.drop_pictures(3)
    for name in originals:
        await river.until((river.held / f"{name}.mediawatch.json").exists)
        await river.post(name, state="held")
    river.simulator.script()
    _, body = await api("POST", "/api/v1/social/cron/retry-failed/")
    assert originals.keys() == {post["name"] for post in body["retried"]}
    await river.arrived(originals)
    assert (200, {"retried": []}) == await api("POST", "/api/v1/social/cron/retry-failed/")
