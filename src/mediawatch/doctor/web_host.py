"""The way of a picture to the web host, and from there to Meta, gone once for real."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import os
import socket
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp

from mediawatch.clock import Clock
from mediawatch.config import Settings
from mediawatch.config.values import is_loopback
from mediawatch.errors import HostProblem, MediawatchError
from mediawatch.hosts.base import new_key
from mediawatch.hosts.ftp import FtpHost
from mediawatch.hosts.reach import Reach
from mediawatch.log import Log
from mediawatch.model.findings import Finding, failed

#: Side of the picture that is tried, in pixels.
_SIDE = 64
_MEDIA_TYPE = "image/jpeg"


async def examine(
    settings: Settings, session: aiohttp.ClientSession, clock: Clock, log: Log
) -> AsyncIterator[Finding]:
    """FTP step by step, then the public address of a picture that is put there and deleted."""
    remembered = settings.storage.data_dir / "tls_seen.json"
    try:
        host = FtpHost(settings.ftp, clock=clock, log=log, remember_tls=_if_there(remembered))
    except MediawatchError as problem:
        yield failed("connect", problem)
        return
    try:
        findings = await host.check()
        for finding in findings:
            yield finding
        if all(finding.ok for finding in findings):
            async for finding in public_address(settings, host, session, clock, log):
                yield finding
    finally:
        await host.close()


def _if_there(path: Path) -> Path | None:
    """The doctor learns from what the daemon knows of TLS, but makes no file of it: one that root
    made in the data folder of a service could not be written to by that."""
    return path if os.path.isfile(path) else None  # noqa: PTH113 - "no" where pathlib raises


async def public_address(
    settings: Settings, host: FtpHost, session: aiohttp.ClientSession, clock: Clock, log: Log
) -> AsyncIterator[Finding]:
    """Whether Meta will get a picture that is uploaded, whole and unchanged."""
    reach = Reach(session, delays=(0, 1, 3), clock=clock, log=log)
    yield await asyncio.to_thread(from_outside, settings, host.url_for("picture.jpg"))
    try:
        async with uploaded(host) as (picture, key):
            url = host.url_for(key)
            yield await _served(reach, url, picture)
            for finding in await _surroundings(reach, url):
                yield finding
    except HostProblem as problem:
        yield failed("upload", problem)


@contextlib.asynccontextmanager
async def uploaded(host: FtpHost) -> AsyncIterator[tuple[Path, str]]:
    """A picture that nobody has seen before, on the host while the context lasts: where it lies
    here, and its key there. Raises HostProblem."""
    key = new_key()
    with tempfile.TemporaryDirectory() as folder:
        picture = Path(folder, "picture.jpg")
        await asyncio.to_thread(_draw, picture)
        try:
            await host.put(picture, key)
            yield picture, key
        finally:
            with contextlib.suppress(HostProblem):
                await host.delete(key)


async def _served(reach: Reach, url: str, picture: Path) -> Finding:
    try:
        await reach.prove(url, picture, _MEDIA_TYPE)
        whole = await reach.serves_whole(url, picture)
    except HostProblem as problem:
        return failed("public address", problem)
    if not whole:
        return Finding(
            "public address",
            False,
            f"{url} does not serve the very bytes that were uploaded.",
            "Turn off whatever rewrites pictures there: an optimizer, a cache, a proxy.",
        )
    return Finding(
        "public address", True, f"A picture came back byte for byte, as {_MEDIA_TYPE}, from {url}."
    )


async def _surroundings(reach: Reach, url: str) -> list[Finding]:
    try:
        forbidden, listed = await reach.forbidden(url), await reach.is_listed(url)
    except HostProblem as problem:
        return [failed("robots.txt", problem)]
    findings = [Finding("robots.txt", True, "It lets Meta fetch your media.")]
    if forbidden is not None:
        findings = [failed("robots.txt", forbidden[0])]
    if listed:
        findings.append(
            Finding(
                "listing",
                True,
                "Everybody can see a list of your uploads.",
                "Put an empty index.html into ftp.upload_dir, or turn off the listing.",
            )
        )
    return findings


def from_outside(settings: Settings, url: str) -> Finding:
    """Whether the name leads to an address that the internet can reach. Blocks.

    With a simulated Meta on this machine every address will do.
    """
    name = urlsplit(url).hostname or ""
    try:
        found = {entry[4][0] for entry in socket.getaddrinfo(name, None)}
    except OSError as error:
        return Finding(
            "address",
            False,
            f"The name {name} leads nowhere: {error.strerror}.",
            "Look at ftp.public_url: it is the address of your website, as a browser takes it.",
        )
    private = [text for text in map(str, found) if not _is_public(text)]
    if len(private) < len(found) or is_loopback(
        urlsplit(settings.instagram.graph_url).hostname or ""
    ):
        return Finding("address", True, f"{name} leads to {', '.join(sorted(map(str, found)))}.")
    return Finding(
        "address",
        False,
        f"{name} leads to {', '.join(sorted(private))}, which Meta cannot reach.",
        "Use a web host that the internet can see, and its public name in ftp.public_url.",
    )


def _is_public(text: str) -> bool:
    try:
        return ipaddress.ip_address(text.partition("%")[0]).is_global
    except ValueError:
        return True


def _draw(path: Path) -> None:
    from PIL import Image

    # Noise, so that no cache has seen it and no optimizer leaves it alone.
    Image.effect_noise((_SIDE, _SIDE), 64).convert("RGB").save(path, "JPEG", quality=90)
