"""Fetch our public address as Meta would, before Meta does: its own errors say much less."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import aiohttp
from tenacity import AsyncRetrying, retry_if_exception, stop_after_attempt, wait_chain, wait_fixed
from yarl import URL

from mediawatch.errors import from_os_error
from mediawatch.hosts.base import HostRefused, HostUnavailable

_HEAD = 64 << 10  # bytes that are compared
_HOPS = 3  # redirects on the same host that are followed
_HEADERS = {
    "User-Agent": "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)",
    "Accept-Encoding": "identity",
    "Range": f"bytes=0-{_HEAD - 1}",
}
_CONTENT_RANGE = re.compile(r"bytes 0-\d+/(\d+)")
_SETTLES = {"url-not-found", "url-wrong-type", "url-wrong-length", "url-other-content"}
_FOLDERS = (
    "ftp.public_url must be the web address of the very folder that ftp.upload_dir names: put a "
    "file there by FTP and open it in a browser to find the address."
)
_BARRED = (
    "The web server must let everybody fetch files of ftp.upload_dir, Meta's fetcher "
    "(facebookexternalhit) too: look at the folder's permissions, robots.txt and bot rules."
)


class UrlNotReached(HostUnavailable):
    """The public address gives no usable answer now."""

    code = "url-unreachable"


class UrlRefused(HostRefused):
    """The public address gives something else than the file, and not by chance."""

    code = "url-refused"


@dataclass(frozen=True, slots=True)
class _Local:
    size: int
    head: bytes


class Reach:
    """Proves that the world sees at an address what lies in a local file.

    ``delays``: seconds before each try; mounts and caches are slow. ``limit``: seconds a try.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        *,
        delays: Sequence[float] = (0, 1, 3, 10),
        limit: float = 10.0,
    ) -> None:
        self._session = session
        self._delays = delays
        self._limit = limit

    async def prove(self, url: str, path: Path, media_type: str) -> None:
        """Return if ``url`` serves ``path`` as ``media_type``: type, length and first 64 KiB.

        Raises UrlNotReached (it may pass) or UrlRefused (a person must act), StorageProblem if
        the file cannot be read.
        """
        local = await asyncio.to_thread(_read, path)
        tries = AsyncRetrying(
            stop=stop_after_attempt(len(self._delays)),
            wait=wait_chain(*(wait_fixed(delay) for delay in self._delays[1:] or (0,))),
            retry=retry_if_exception(_may_settle),
            reraise=True,
        )
        if self._delays[0]:
            await asyncio.sleep(self._delays[0])
        await tries(self._try, URL(url), local, media_type)

    async def _try(self, url: URL, local: _Local, media_type: str) -> None:
        try:
            async with asyncio.timeout(self._limit):
                await self._fetch(url, local, media_type)
        except aiohttp.ClientSSLError as error:
            raise UrlRefused(
                f"The web server of {url} shows a certificate that cannot be trusted.",
                remedy="Renew the certificate of the web server (or write http in "
                "ftp.public_url, if the host serves it).",
                code="url-untrusted",
            ) from error
        except (aiohttp.ClientError, OSError) as error:
            reason = "no answer in time" if isinstance(error, TimeoutError) else str(error)
            raise UrlNotReached(
                f"{url} cannot be fetched: {reason or type(error).__name__}.",
                remedy="Check ftp.public_url and the web server; mediawatch tries again.",
            ) from error

    async def _fetch(self, url: URL, local: _Local, media_type: str) -> None:
        for _ in range(_HOPS):
            async with self._session.get(url, headers=_HEADERS, allow_redirects=False) as response:
                target = _redirect(url, response)
                if target is None:
                    _check_status(url, response)
                    _check_type(url, response, media_type)
                    await _check_content(url, response, local)
                    return
                url = target
        raise UrlRefused(f"{url} leads in circles.", remedy=_FOLDERS, code="url-redirects")


def _may_settle(error: BaseException) -> bool:
    return isinstance(error, UrlNotReached) or getattr(error, "code", "") in _SETTLES


def _redirect(url: URL, response: aiohttp.ClientResponse) -> URL | None:
    location = response.headers.get("Location")
    if response.status not in {301, 302, 303, 307, 308} or location is None:
        return None
    target = url.join(URL(location))
    if target.host != url.host:
        raise UrlRefused(
            f"{url} leads on to another host: {target}.",
            remedy=f"Set ftp.public_url to the address on {target.host}, where the files are.",
            code="url-redirects",
        )
    return target


def _check_status(url: URL, response: aiohttp.ClientResponse) -> None:
    status = response.status
    if status in {200, 206}:
        return
    if status in {404, 410}:
        raise UrlRefused(
            f"{url} is not there ({status}), though the file was uploaded.",
            remedy=_FOLDERS,
            code="url-not-found",
        )
    if status in {401, 403}:
        raise UrlRefused(
            f"The web server does not let us fetch {url} ({status}).",
            remedy=_BARRED,
            code="url-forbidden",
        )
    raise UrlNotReached(
        f"The web server answered {status} for {url}.",
        remedy="Look at the web server; mediawatch tries again.",
    )


def _check_type(url: URL, response: aiohttp.ClientResponse, media_type: str) -> None:
    if response.content_type.lower() == media_type.lower():
        return
    if response.content_type == "text/html":
        message, remedy = f"{url} shows a web page instead of the file.", _FOLDERS
    else:
        message = f"{url} is served as {response.content_type}, not as {media_type}."
        remedy = "Let the web server send the right Content-Type for this kind of file."
    raise UrlRefused(message, remedy=remedy, code="url-wrong-type")


async def _check_content(url: URL, response: aiohttp.ClientResponse, local: _Local) -> None:
    """A server may ignore the range: then no more than needed is read of what it sends."""
    head = await _read_up_to(response, min(_HEAD, local.size))
    length = _length(response)
    if length is None:  # sent in chunks of unknown total: count them
        length = len(head)
        async for chunk in response.content.iter_chunked(_HEAD):
            length += len(chunk)
            if length > local.size:
                break
    if length != local.size:
        raise UrlNotReached(
            f"{url} has {length} bytes, the file has {local.size}.",
            remedy="A cache or a filter may be in the way; mediawatch tries again. " + _FOLDERS,
            code="url-wrong-length",
        )
    if head != local.head:
        raise UrlRefused(
            f"{url} serves something else than the file that was uploaded.",
            remedy="Turn off whatever changes pictures on the way (image optimisers, proxies). "
            + _FOLDERS,
            code="url-other-content",
        )


def _length(response: aiohttp.ClientResponse) -> int | None:
    if response.status == 206:
        found = _CONTENT_RANGE.match(response.headers.get("Content-Range", ""))
        return int(found[1]) if found else None
    return response.content_length


async def _read_up_to(response: aiohttp.ClientResponse, count: int) -> bytes:
    head = bytearray()
    while len(head) < count:
        chunk = await response.content.read(count - len(head))
        if not chunk:
            break
        head += chunk
    return bytes(head)


def _read(path: Path) -> _Local:
    try:
        with path.open("rb") as file:
            return _Local(path.stat().st_size, file.read(_HEAD))
    except OSError as error:
        raise from_os_error(error, f"read {path}") from error
