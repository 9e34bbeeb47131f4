"""One file's trouble hinders no other: the others are published while it lasts.

Told by the order of events, never by time. There are more troubled files than workers wherever
trouble keeps a worker busy.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web

from tests.support.pictures import MP4, jpeg, slow_jpeg
from tests.support.processes import Running
from tests.support.river import River
from tests.support.scripted_ftp import PASSWORD, SILENCE, USER, scripted_ftp

#: Files with trouble where it keeps a worker; there are two workers.
BAD = ("bad0", "bad1", "bad2")
LONG = 600.0

#: Waits until the trouble is there.
There = Callable[[Running], Awaitable[object]]
Trouble = Callable[[River], AbstractAsyncContextManager[There]]


def drop_bad(river: River) -> None:
    for number, name in enumerate(BAD):
        river.drop(f"{name}.jpg", jpeg(400, 320, seed=90 + number))


@asynccontextmanager
async def a_picture_that_takes_for_ever(river: River) -> AsyncIterator[There]:
    """One converter has it, and does not come back for long."""
    river.drop("bad0.jpg", slow_jpeg())
    yield lambda _: river.post("bad0.jpg", stage="convert", state="running")
    assert "convert" == (await river.posts())["bad0.jpg"].stage


@asynccontextmanager
async def a_picture_that_kills_its_converter(river: River) -> AsyncIterator[There]:
    """The process dies of it, as for want of memory; it is tried again much later."""
    river.configure(publish={"retry_delays": [LONG]})
    river.drop("bad0.jpg", slow_jpeg())

    async def there(daemon: Running) -> None:
        await river.post("bad0.jpg", stage="convert", state="running")

        async def dead() -> bool:
            for listed in Path(f"/proc/{daemon.process.pid}/task").glob("*/children"):
                for child in listed.read_text().split():
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(int(child), signal.SIGKILL)
            return (await river.posts())["bad0.jpg"].state == "waiting"

        await river.until(dead)

    yield there


@asynccontextmanager
async def a_post_that_is_tried_again_later(river: River) -> AsyncIterator[There]:
    """Meta refuses it for now; its next try is far away."""
    river.configure(publish={"retry_delays": [LONG]})
    river.simulator.script({"on": "create", "match": "bad", "do": "error", "code": 2})
    drop_bad(river)
    yield lambda _: river.post("bad0.jpg", state="waiting", attempts=1)
    assert "waiting" == (await river.posts())["bad0.jpg"].state


@asynccontextmanager
async def a_post_of_which_nobody_knows(river: River) -> AsyncIterator[There]:
    """The answer is lost and its container cannot be read. For the quiet window the account is
    its own (no second call may be in doubt); then the others go on, though it is still unknown."""
    river.simulator.script(
        {"on": "media_publish", "match": "bad0", "do": "drop-after"},
        {"on": "status", "match": "bad0", "nth": 2, "times": 9999, "do": "error", "code": 1},
    )
    river.drop("bad0.jpg", jpeg(400, 320, seed=90))
    yield lambda _: river.post("bad0.jpg", reason="unknown-outcome")
    found = (await river.posts())["bad0.jpg"]
    assert ("publish", "unknown-outcome") == (found.stage, found.reason)


@asynccontextmanager
async def a_post_that_needs_somebody(river: River) -> AsyncIterator[There]:
    """It is held."""
    river.drop("bad0.mp4", MP4 + bytes(4096))
    yield lambda _: river.post("bad0.mp4", state="held")
    assert "held" == (await river.posts())["bad0.mp4"].state


@asynccontextmanager
async def uploads_that_hang(river: River) -> AsyncIterator[There]:
    """The host takes three files and never says that it has them; it takes others all the same."""
    async with scripted_ftp() as fake:
        fake.script["after STOR"] = [SILENCE] * len(BAD)

        async def served(request: web.Request) -> web.StreamResponse | None:
            (body,) = [body for name, body in fake.files.items() if request.path.endswith(name)]
            return web.Response(body=body, content_type="image/jpeg")

        river.host.web.fault = served
        river.configure(
            ftp={"port": fake.port, "user": USER, "password": PASSWORD, "upload_dir": "/"}
            | {"reply_timeout": 100}
        )
        drop_bad(river)
        yield lambda _: river.until(lambda: fake.count("data") == len(BAD))
        for name in BAD:
            assert "upload" == (await river.posts())[f"{name}.jpg"].stage


@asynccontextmanager
async def calls_that_hang(river: River) -> AsyncIterator[There]:
    """Meta does not answer for three of them."""
    river.configure(instagram={"timeout": 100})
    river.simulator.script({"on": "create", "match": "bad", "do": "delay", "seconds": LONG})
    drop_bad(river)
    yield lambda _: river.until(lambda: river.simulator.state.asked["create"] >= 2)  # type: ignore[index]
    for name in BAD:
        assert "container" == (await river.posts())[f"{name}.jpg"].stage


TROUBLES: dict[str, Trouble] = {
    "converter hangs": a_picture_that_takes_for_ever,
    "converter dies": a_picture_that_kills_its_converter,
    "tried again later": a_post_that_is_tried_again_later,
    "outcome unknown": a_post_of_which_nobody_knows,
    "held": a_post_that_needs_somebody,
    "uploads hang": uploads_that_hang,
    "calls hang": calls_that_hang,
}


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
@pytest.mark.parametrize("name", TROUBLES)
async def test_one_files_trouble_hinders_no_other(river: River, name: str) -> None:
    """Dropped after it, filed while it lasts."""
    async with TROUBLES[name](river) as there, river.daemon() as daemon:
        await there(daemon)
        originals = river.drop_pictures(4)
        await river.until(lambda: originals.items() <= river.filed().items())
        assert originals == river.filed()
