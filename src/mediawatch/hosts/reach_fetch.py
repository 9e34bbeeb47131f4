"""One GET as a fetcher makes it: redirects, limits, and what breaks told in plain words."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass

import aiohttp
from yarl import URL

from mediawatch.hosts.reach_problems import (
    FETCHER,
    elsewhere,
    from_transport,
    in_circles,
    no_address,
)

#: How Meta's fetcher introduces itself, and how anybody else might.
META = f"{FETCHER}/1.1 (+http://www.facebook.com/externalhit_uatext.php)"
SOMEBODY = "Mozilla/5.0 (compatible; mediawatch)"

_HOPS = 3  # redirects on the same host that are followed
_BLOCK = 64 << 10
_CONTENT_RANGE = re.compile(r"bytes 0-\d{1,18}/(\d{1,18})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came: the first bytes (``head``) and the length of the whole in bytes, or None if
    the server does not tell it. ``media_type`` and ``encoding`` are in lower case, "" if not
    told."""

    url: URL
    status: int
    media_type: str
    encoding: str
    head: bytes
    length: int | None


@dataclass(slots=True)
class _Progress:
    answered: bool = False
    received: int = 0


async def fetch(
    session: aiohttp.ClientSession,
    address: str,
    *,
    agent: str,
    most: int,
    count: int = 0,
    part: bool = False,
    limit: float,
) -> Answer:
    """GET ``address`` under the name ``agent`` within ``limit`` seconds.

    ``most``: bytes of the body that are kept, and asked for if only a ``part`` is wanted. A body
    without a length is counted until it is longer than ``count``. Raises UrlNotReached (it may
    pass) and UrlRefused (a person must act) for whatever keeps an answer from coming.
    """
    progress = _Progress()
    headers = {"User-Agent": agent, "Accept-Encoding": "identity"}
    if part:
        headers["Range"] = f"bytes=0-{most - 1}"
    try:
        url = URL(address)
    except ValueError:
        raise no_address(address) from None
    try:
        async with asyncio.timeout(limit):
            return await _follow(session, url, headers, most, count, progress)
    except (aiohttp.ClientError, OSError, ValueError) as error:
        raise from_transport(
            url, error, answered=progress.answered, received=progress.received
        ) from error


async def _follow(
    session: aiohttp.ClientSession,
    url: URL,
    headers: dict[str, str],
    most: int,
    count: int,
    progress: _Progress,
) -> Answer:
    for _ in range(_HOPS):
        async with session.get(url, headers=headers, allow_redirects=False) as response:
            progress.answered = True
            target = _redirect(url, response)
            if target is None:
                return await _read(url, response, most, count, progress)
            url = target
    raise in_circles(url)


def _redirect(url: URL, response: aiohttp.ClientResponse) -> URL | None:
    location = response.headers.get("Location")
    if response.status not in {301, 302, 303, 307, 308} or location is None:
        return None
    try:
        target = url.join(URL(location))
    except ValueError:
        raise elsewhere(url, location, None) from None
    if target.host != url.host or target.scheme not in {"http", "https"}:
        raise elsewhere(url, location, target.host)
    return target


async def _read(
    url: URL,
    response: aiohttp.ClientResponse,
    most: int,
    count: int,
    progress: _Progress,
) -> Answer:
    encoding = response.headers.get("Content-Encoding", "").strip().lower()
    answer = Answer(
        url=url,
        status=response.status,
        media_type=response.content_type.lower() if "Content-Type" in response.headers else "",
        encoding="" if encoding == "identity" else encoding,
        head=b"",
        length=_length(response),
    )
    if answer.status not in {200, 206} or answer.encoding:
        return answer  # there is nothing in it that would be of use
    head = bytearray()
    while len(head) < most and (block := await response.content.read(most - len(head))):
        head += block
        progress.received = len(head)
    length = answer.length
    if length is None and answer.status == 200:
        length = len(head)
        while length <= count and (block := await response.content.read(_BLOCK)):
            length += len(block)
            progress.received = length
    return Answer(url, answer.status, answer.media_type, "", bytes(head), length)


def _length(response: aiohttp.ClientResponse) -> int | None:
    if response.status == 206:
        found = _CONTENT_RANGE.fullmatch(response.headers.get("Content-Range", ""))
        return int(found[1]) if found else None
    return response.content_length
