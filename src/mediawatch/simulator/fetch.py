"""Download what a client points to, as Meta's fetcher does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import aiohttp
from yarl import URL

from .judge import MAX_BYTES
from .refusals import Refusal, Unusable

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

    async def to_file(
        self, uri: str, path: Path, *, limit: int, seconds: float, note: Callable[[int], None]
    ) -> str:
        """The body into a file, as it comes; gives the Content-Type. ``note`` hears each size.

        Raises Unusable: 2207052 if it cannot be had, 2207077 if it breaks off, 2207003 after
        ``seconds``, 2207026 for more than ``limit`` bytes. OSError if the disk does not take it.
        """
        if self._session is None:
            raise RuntimeError("the fetcher is not open")
        begun = False
        timeout = aiohttp.ClientTimeout(total=seconds)
        try:
            async with self._session.get(
                _address(uri), timeout=timeout, allow_redirects=False
            ) as answer:
                if answer.status != 200:
                    raise Unusable(f"{uri} answers {answer.status}", 2207052)
                begun = True
                await _save(answer, path, limit, note)
                return answer.headers.get("Content-Type", "")
        except TimeoutError:
            raise Unusable(f"{uri} takes too long", 2207003) from None
        except (aiohttp.ClientError, ConnectionError, ValueError) as error:
            subcode = 2207077 if begun else 2207052
            raise Unusable(f"{uri} gives nothing: {error}", subcode) from None


async def _save(
    answer: aiohttp.ClientResponse, path: Path, limit: int, note: Callable[[int], None]
) -> None:
    size = 0
    with path.open("wb") as file:
        async for chunk in answer.content.iter_any():
            size += len(chunk)
            if size > limit:
                raise Unusable(f"more than {limit} bytes")
            file.write(chunk)
            note(size)


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
