"""The one kind of HTTP session by which the web host and Meta are spoken to."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.request import getproxies

import aiohttp


@asynccontextmanager
async def http_session() -> AsyncIterator[aiohttp.ClientSession]:
    """Open while the context lasts. Through the proxy of the environment, if it names one."""
    # A dummy jar: a cookie of one address has no business at another. Whether there is a proxy is
    # asked once: aiohttp would look through the environment and .netrc with every request.
    async with aiohttp.ClientSession(
        cookie_jar=aiohttp.DummyCookieJar(), trust_env=bool(getproxies())
    ) as session:
        yield session
