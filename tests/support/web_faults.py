"""How web hosts fail to serve a picture, and what mediawatch must make of each."""

from __future__ import annotations

import asyncio
import gzip
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import trustme
from aiohttp import web

from tests.support.web_host import Answer

META = "facebookexternalhit"


@dataclass(frozen=True)
class Fault:
    """``code`` of the problem, words of its sentence and of its remedy; ``parked``: a person
    must act, so the post is parked; else it is tried again by itself."""

    name: str
    answer: Answer
    code: str
    says: str
    remedy: str
    parked: bool = True

    def __repr__(self) -> str:
        return self.name


def saying(status: int = 200, body: bytes = b"", **headers: str) -> Answer:
    """The same answer for everybody."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}

    async def answer(_: web.Request) -> web.StreamResponse:
        return web.Response(status=status, body=body, headers=named)

    return answer


def to_meta(answer: Answer) -> Answer:
    """Only who calls himself as Meta's fetcher gets this answer."""

    async def choose(request: web.Request) -> web.StreamResponse | None:
        return await answer(request) if META in request.headers["User-Agent"] else None

    return choose


async def _silent(_: web.Request) -> web.StreamResponse:
    await asyncio.Event().wait()
    raise AssertionError("nobody waits for ever")


async def _started(request: web.Request, length: int = 1 << 20) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "image/jpeg"})
    response.content_length = length
    await response.prepare(request)
    await response.write(b"\xff\xd8")
    return response


async def _dribbling(request: web.Request) -> web.StreamResponse:
    response = await _started(request)
    while True:
        await asyncio.sleep(0.02)
        await response.write(b".")


async def _breaking_off(request: web.Request) -> web.StreamResponse:
    response = await _started(request)
    assert request.transport is not None
    request.transport.abort()
    return response


async def _hanging_up(request: web.Request) -> web.StreamResponse:
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


async def _in_circles(request: web.Request) -> web.StreamResponse:
    return web.Response(status=302, headers={"Location": request.raw_path})


HTML = {"Content_Type": "text/html; charset=utf-8"}
JPEG = {"Content_Type": "image/jpeg"}
ZIPPED = saying(200, gzip.compress(b"\xff\xd8" * 999), Content_Encoding="gzip", **JPEG)
PAGE = saying(200, b"<html><h1>Not found</h1></html>", **HTML)

HTTP_FAULTS = [
    Fault("forbidden", saying(403), "url-forbidden", "(403)", "permissions"),
    Fault("password", saying(401), "url-forbidden", "(401)", "password"),
    Fault("missing", saying(404), "url-not-found", "is not there (404)", "ftp.public_url"),
    Fault("gone", saying(410), "url-not-found", "is not there (410)", "ftp.public_url"),
    Fault("soft 404", PAGE, "url-wrong-type", "web page instead", "ftp.public_url"),
    Fault(
        "other host",
        saying(302, Location="https://cdn.example/x.jpg"),
        "url-redirects",
        "leads on to another address: https://cdn.example",
        "on cdn.example",
    ),
    Fault(
        "no address",
        saying(302, Location="http://[::1"),
        "url-redirects",
        "leads on to another address: http://[::1",
        "ftp.public_url",
    ),
    Fault("loop", _in_circles, "url-redirects", "leads in circles", "ftp.public_url"),
    Fault(
        "wrong length",
        saying(200, b"short", **JPEG),
        "url-wrong-length",
        "has 5 bytes",
        "cache",
        parked=False,
    ),
    Fault(
        "empty", saying(200, **JPEG), "url-wrong-length", "is empty", "tries again", parked=False
    ),
    Fault(
        "no range",
        saying(416),
        "url-wrong-length",
        "is empty on the web server",
        "tries again",
        parked=False,
    ),
    Fault(
        "wrong type",
        saying(200, b"x", Content_Type="image/webp"),
        "url-wrong-type",
        "as image/webp, not as image/jpeg",
        "Content-Type",
    ),
    Fault("zipped", ZIPPED, "url-compressed", "comes compressed (gzip)", "compression"),
    Fault("bot rule", to_meta(saying(403)), "url-bot-rule", "but not to Meta's fetcher", META),
    Fault("bot page", to_meta(PAGE), "url-bot-rule", "but not to Meta's fetcher", META),
    Fault("bot cut", to_meta(_hanging_up), "url-bot-rule", "but not to Meta's fetcher", META),
    Fault("busy", saying(503), "url-unreachable", "answered 503", "tries again", parked=False),
    Fault(
        "too many", saying(429), "url-unreachable", "fewer requests", "tries again", parked=False
    ),
    Fault(
        "slow headers", _silent, "url-too-slow", "no answer came in time", "the host", parked=False
    ),
    Fault(
        "slow body", _dribbling, "url-too-slow", "bytes of the file came", "the host", parked=False
    ),
    Fault(
        "reset in the midst",
        _breaking_off,
        "url-unreachable",
        "broke off after",
        "tries again",
        parked=False,
    ),
    Fault(
        "reset at once",
        _hanging_up,
        "url-unreachable",
        "broke off without an answer",
        "tries again",
        parked=False,
    ),
]


class Certificates:
    """Certificates of a web host, good and bad, and what trusts the authority of the good."""

    def __init__(self) -> None:
        self._authority = trustme.CA()
        self.trusting = ssl.create_default_context()
        self._authority.configure_trust(self.trusting)

    def good(self) -> ssl.SSLContext:
        return self._issued("127.0.0.1")

    def of_another_name(self) -> ssl.SSLContext:
        return self._issued("www.example.org")

    def expired(self) -> ssl.SSLContext:
        return self._issued("127.0.0.1", not_after=datetime.now(UTC) - timedelta(days=1))

    def of_nobody_known(self) -> ssl.SSLContext:
        return Certificates().good()

    def self_signed(self) -> ssl.SSLContext:
        own = trustme.CA()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        with own.private_key_pem.tempfile() as key, own.cert_pem.tempfile() as certificate:
            context.load_cert_chain(certificate, key)
        return context

    def _issued(self, name: str, not_after: datetime | None = None) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._authority.issue_cert(name, not_after=not_after).configure_cert(context)
        return context


#: Which certificate is shown, and how that is told.
TLS_FAULTS = [
    ("self_signed", "is self-signed", "public authority"),
    ("expired", "has expired", "Renew the certificate"),
    ("of_another_name", "is for another name", "the name that it bears"),
    ("of_nobody_known", "cannot be traced to an authority", "whole chain"),
]
