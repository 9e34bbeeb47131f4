"""Put the parts together and serve them."""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self

from aiohttp import web

from .access_page import AccessPage
from .callbacks import Callbacks
from .containers import Media
from .control import Control
from .dialog import Dialog
from .faults import Faults, Scenario
from .fetch import Fetcher
from .graph import Graph
from .options import SimulatorOptions
from .page import Pages
from .publishing import Publishing
from .snapshot import describe_media
from .state import State
from .uploading import Uploading
from .videos import Videos

STATE = web.AppKey("STATE", State)
GRAPH = web.AppKey("GRAPH", Graph)
VIDEOS = web.AppKey("VIDEOS", Videos)
# Requests under way get this long when the simulator stops; scripted delays may be far longer.
_GRACE = 0.5


def create_app(options: SimulatorOptions | None = None) -> web.Application:
    """The simulator as an ordinary web application."""
    options = options or SimulatorOptions()
    state = State(options)
    fetcher = Fetcher(options.fetch_seconds)
    videos = Videos(options, state, fetcher)
    publishing = Publishing(options, state, fetcher, videos)
    graph = Graph(options, state, publishing, Faults(options.scenario))
    uploading = Uploading(options, state, videos, lambda: graph.faults)

    async def neighbours(_: web.Application) -> AsyncIterator[None]:
        with _logged(options, state):
            async with fetcher:
                yield
                await videos.close()

    app = web.Application()
    app[STATE] = state
    app[GRAPH] = graph
    app[VIDEOS] = videos
    app.cleanup_ctx.append(neighbours)
    pages, callbacks = Pages(options, state), Callbacks(options, state)
    control, access = Control(state, graph, callbacks), AccessPage(state, callbacks)
    dialog = Dialog(options, state)
    app.router.add_get("/", pages.profile)
    app.router.add_get("/p/{shortcode}/", pages.post)
    app.router.add_get("/reel/{shortcode}/", pages.post)
    app.router.add_get("/_simulator/pictures/{sha256}.jpg", pages.picture)
    app.router.add_get("/_simulator/videos/{sha256}.mp4", pages.video)
    app.router.add_get("/_simulator/state", control.state)
    app.router.add_post("/_simulator/scenario", control.scenario)
    app.router.add_get("/_simulator/grants", control.grants)
    app.router.add_post("/_simulator/grants", control.change_grant)
    app.router.add_get("/_simulator/apps", access.show)
    app.router.add_post("/_simulator/apps", access.act)
    app.router.add_get("/_simulator/{name}", pages.asset)
    for method in ("GET", "POST"):
        app.router.add_route(method, r"/{version:v\d+\.\d+}/dialog/oauth", dialog.facebook)
        app.router.add_route(method, "/oauth/authorize", dialog.instagram)
    app.router.add_post("/ig-api-upload/{version}/{container}", uploading.handle)
    app.router.add_route("*", "/{path:.*}", graph.handle)
    return app


@contextmanager
def _logged(options: SimulatorOptions, state: State) -> Iterator[None]:
    """Append one JSON line for each real publication, flushed before the answer leaves."""
    if options.log_file is None:
        yield
        return
    with options.log_file.open("a", encoding="utf-8") as log:

        def write(media: Media) -> None:
            print(json.dumps(describe_media(media)), file=log, flush=True)

        state.on_published.append(write)
        yield


class Simulator:
    """A simulator that serves while the ``async with`` lasts. Port 0 takes a free one."""

    def __init__(
        self, options: SimulatorOptions | None = None, host: str = "127.0.0.1", port: int = 0
    ) -> None:
        self._app = create_app(options)
        self._host = host
        self.port = port  # the one that is served, once it is
        # No access log: an address may carry an access token.
        self._runner = web.AppRunner(self._app, access_log=None, shutdown_timeout=_GRACE)

    @property
    def state(self) -> State:
        """What the simulator knows, for tests in the same process."""
        return self._app[STATE]

    @property
    def url(self) -> str:
        """The address, without a slash at its end."""
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"http://{host}:{self.port}"

    def script(self, *rules: Mapping[str, Any], **rest: Any) -> None:
        """Replace the scenario at work: rules, and ``seed`` or ``usage``. Raises ScenarioError."""
        self._app[GRAPH].play(Scenario.parse({"rules": rules, **rest}))

    async def settled(self) -> None:
        """Wait until every video that was ordered has been fetched and judged, or failed."""
        await self._app[VIDEOS].settled()

    async def __aenter__(self) -> Self:
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, self._host, self.port).start()
            self.port = self._runner.addresses[0][1]
        except BaseException:
            await self._runner.cleanup()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._runner.cleanup()


async def serve(
    options: SimulatorOptions,
    host: str = "127.0.0.1",
    port: int = 0,
    *,
    ready: Callable[[Simulator], None] | None = None,
) -> None:
    """Serve until SIGINT or SIGTERM, or until cancelled. ``ready`` is called once it answers.

    Raises OSError if the address is taken or the log file cannot be opened.
    """
    stop = asyncio.Event()
    with _on_signals(stop):
        async with Simulator(options, host, port) as simulator:
            if ready is not None:
                ready(simulator)
            await stop.wait()


@contextmanager
def _on_signals(stop: asyncio.Event) -> Iterator[None]:
    """Set ``stop`` when somebody asks us to leave. Windows has no loop signal handlers."""
    loop = asyncio.get_running_loop()
    names = ("SIGINT", "SIGTERM", "SIGBREAK")
    signals = [getattr(signal, name) for name in names if hasattr(signal, name)]
    before = {
        number: signal.signal(number, lambda *_: loop.call_soon_threadsafe(stop.set))
        for number in signals
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
