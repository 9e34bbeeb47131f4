"""Download what a client points to, as Meta's fetcher does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import aiohttp
from yarl import URL

from .judge import MAX_BYTES
from .refusals import Refusal

USER_AGENT = "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)"


@dataclass(frozen=True, slots=True)
class Fetched:
    """A body as it came, with the Content-Type that came with it."""

    body: bytes
    content_type: str


class Fetcher:
    """Downloads from public addresses: no credentials, no cookies, no redirects.

    An asynchronous context manager; ``seconds`` bounds each download.
    """

    def __init__(self, seconds: float) -> None:
        self._timeout = aiohttp.ClientTimeout(total=seconds)
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(
            headers={"User-Agent": USER_AGENT, "Accept": "*/*"},
            cookie_jar=aiohttp.DummyCookieJar(),
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._session is not None:
            await self._session.close()

    async def get(self, uri: str) -> Fetched:
        """The whole body, at most 8 MiB.

        Raises Refusal: 9004/2207052 if it cannot be had, -2/2207003 if it takes too long,
        36000/2207004 if it is too large.
        """
        if self._session is None:
            raise RuntimeError("the fetcher is not open")
        try:
            async with self._session.get(
                _address(uri), timeout=self._timeout, allow_redirects=False
            ) as answer:
                if answer.status != 200:
                    raise Refusal(9004, 2207052, uri=uri)
                return Fetched(await _read(answer), answer.headers.get("Content-Type", ""))
        except TimeoutError:
            raise Refusal(-2, 2207003) from None
        except (aiohttp.ClientError, OSError, ValueError):
            raise Refusal(9004, 2207052, uri=uri) from None


def _address(uri: str) -> URL:
    if not uri.isascii() or any(character <= " " for character in uri):
        raise ValueError("not an ASCII address")
    address = URL(uri, encoded=True)
    if address.scheme not in {"http", "https"} or not address.host or address.user is not None:
        raise ValueError("not a public web address")
    return address


async def _read(answer: aiohttp.ClientResponse) -> bytes:
    body = bytearray()
    async for chunk in answer.content.iter_any():
        body += chunk
        if len(body) > MAX_BYTES:
            raise Refusal(36000, 2207004)
    return bytes(body)
