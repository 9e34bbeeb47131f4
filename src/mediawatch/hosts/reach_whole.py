"""Whether an address serves a file to its last byte: for uploads that came in pieces."""

from __future__ import annotations

import asyncio
import hashlib
from pathlib import Path

import aiohttp
from yarl import URL

from mediawatch.errors import from_os_error
from mediawatch.hosts.reach_fetch import META
from mediawatch.hosts.reach_problems import from_status, from_transport

_BLOCK = 256 << 10  # bytes


async def serves_whole(
    session: aiohttp.ClientSession, url: str, path: Path, *, limit: float
) -> bool:
    """Whether all that ``url`` serves has the SHA-256 of ``path``.

    ``limit``: seconds that the answer may stand still. Raises HostProblem if there is none,
    StorageProblem if the file cannot be read.
    """
    here = await asyncio.to_thread(_digest, path)
    there, received = hashlib.sha256(), 0
    headers = {"User-Agent": META, "Accept-Encoding": "identity"}
    patience = aiohttp.ClientTimeout(total=None, sock_connect=limit, sock_read=limit)
    try:
        async with session.get(url, headers=headers, timeout=patience) as response:
            if problem := from_status(URL(url), response.status):
                raise problem
            async for block in response.content.iter_chunked(_BLOCK):
                there.update(block)
                received += len(block)
    except (aiohttp.ClientError, OSError, ValueError) as error:
        raise from_transport(URL(url), error, answered=True, received=received) from error
    return there.digest() == here


def _digest(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").digest()
    except OSError as error:
        raise from_os_error(error, f"read {path}") from error
