"""A video sent to its container itself: Meta's resumable upload, of the Facebook login only.

``POST https://rupload.facebook.com/ig-api-upload/{version}/{container}`` with the headers
``Authorization: OAuth <token>``, ``offset`` and ``file_size`` (bytes), and the bytes from there on.
Source: Meta, "Upload Video to Meta Servers"; what it answers to a failure is hardly documented.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import aiohttp
from yarl import URL

from mediawatch import crash
from mediawatch.errors import GraphProblem, Handling
from mediawatch.graph.client import Answer, Caller, GraphClient, read_answer

META = URL("https://rupload.facebook.com")
#: The Graph API whose uploads go to ``META``; any other takes them itself.
_GRAPH = "graph.facebook.com"
#: Bytes that are read and sent at a time.
PART = 256 << 10
#: Seconds without progress after which the line counts as cut, and that Meta may take to answer
#: when it has everything.
STALL, ANSWER = 60.0, 180.0


class ForeignAddress(GraphProblem):
    """The video is to be sent where the token must not go."""

    code = "upload-address"
    handling = Handling.HOLD


class Rupload:
    """Sends videos for the ``client``'s Graph API, with ``session``.

    ``stall`` and ``answer``: seconds (see STALL). A long upload may take as long as it moves.
    """

    def __init__(
        self,
        client: GraphClient,
        session: aiohttp.ClientSession,
        version: str,
        *,
        stall: float = STALL,
        answer: float = ANSWER,
    ) -> None:
        self._client = client
        self._session = session
        self._graph = URL(client.apps["facebook"].address)
        self._version = version
        self._stall = stall
        self._answer = answer

    def address(self, container_id: str, told: str | None) -> URL:
        """Where the video goes: as Meta ``told``, else as its pages say.

        Raises ForeignAddress unless that is Meta's upload host, or the very host of the Graph API.
        """
        if told is None:
            origin = META if self._graph.host == _GRAPH else self._graph.origin()
            return origin / "ig-api-upload" / self._version / container_id
        try:
            url = URL(told)
            allowed = url.user is None and _origin(url) in {_origin(META), _origin(self._graph)}
        except ValueError:
            allowed = False
        if not allowed:
            raise ForeignAddress(
                "Meta named an address for the video that is not its own; the token is not sent "
                "there.",
                remedy='Check instagram.graph_url, or set instagram.video_upload = "host".',
            )
        return url

    async def send(
        self,
        caller: Caller,
        container_id: str,
        address: URL,
        path: Path,
        *,
        offset: int,
        size: int,
        on_progress: Callable[[float], None],
    ) -> None:
        """Send ``path`` from ``offset`` on; ``on_progress`` is told the share that is on its way.

        Raises GraphError and GraphUnreachable. What came until then is kept by Meta.
        """
        told = {"offset": str(offset), "file_size": str(size)}
        await self._client.judge(
            "POST",
            "ig-api-upload",
            caller,
            {"container": container_id, **told},
            self._exchange(caller, address, path, offset, size, on_progress),
            address=str(address.origin()),
        )

    async def _exchange(
        self,
        caller: Caller,
        address: URL,
        path: Path,
        offset: int,
        size: int,
        on_progress: Callable[[float], None],
    ) -> Answer:
        plain = caller.token.get_secret_value()
        headers = {
            "Authorization": f"OAuth {plain}",
            "offset": str(offset),
            "file_size": str(size),
            "Content-Length": str(size - offset),
        }
        now = asyncio.get_running_loop().time
        async with asyncio.timeout(self._stall) as patience:

            async def parts() -> AsyncIterator[bytes]:
                at = offset
                with await asyncio.to_thread(path.open, "rb") as file:
                    file.seek(at)
                    while at < size:
                        part = await asyncio.to_thread(file.read, min(PART, size - at))
                        if not part:
                            raise OSError(f"{path.name} is shorter than it was")
                        yield part
                        crash.at("video.part-sent")
                        at += len(part)
                        on_progress(at / size)
                        patience.reschedule(now() + (self._stall if at < size else self._answer))

            async with self._session.post(
                address,
                data=parts(),
                headers=headers,
                timeout=aiohttp.ClientTimeout(total=None),
                allow_redirects=False,
            ) as answer:
                return await read_answer(answer, [plain])


def _origin(url: URL) -> tuple[str, str | None, int | None]:
    """Scheme, host and port; the port also where it is the usual one of the scheme."""
    return url.scheme, url.host, url.port
