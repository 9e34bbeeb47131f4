"""Whether a request is meant for us: called by a name of ours, and not sent by a stranger's page.

A page in somebody's browser can send requests to any address, or have its own name resolve to ours
(DNS rebinding); neither may do anything here (OWASP: Cross-Site Request Forgery Prevention; W3C:
Fetch Metadata).
"""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from aiohttp import web

from mediawatch.config import WebSettings
from mediawatch.config.values import is_loopback

SAFE = {"GET", "HEAD", "OPTIONS"}
#: Where a login at Meta begins, and where Meta sends the browser back to: of all
#: below /api/ the one that a page of another site may lead to.
LOGIN_START, LOGIN_RETURN = "/api/auth/instagram", "/api/auth/instagram/callback"


def is_ours(host: str, settings: WebSettings) -> bool:
    """Whether somebody who calls us by this ``Host`` can only mean us: this machine, where we are
    bound to, the public name; an address is nobody's name, so that nothing resolves to us by it."""
    name = host_of(f"//{host}")
    if is_loopback(name) or name == settings.host.lower():
        return True
    if settings.public_url and name == host_of(settings.public_url):
        return True
    return settings.is_open and _is_address(name)


def is_foreign(request: web.BaseRequest) -> bool:
    """Whether a page of another site sends it. To follow a link to a page is nobody's business."""
    site = request.headers.get("Sec-Fetch-Site", "same-origin")
    if site not in {"same-origin", "none"} and not _is_visit(request):
        return True
    origin = request.headers.get("Origin")
    return origin is not None and not _is_of(origin, request.host)


def is_sure_to_be_own(request: web.BaseRequest) -> bool:
    """Whether the browser vouches for it that a page of ours sends it. Old browsers do not."""
    own = request.headers.get("Sec-Fetch-Site") in {"same-origin", "none"}
    return own or request.headers.get("Origin") is not None


def _is_visit(request: web.BaseRequest) -> bool:
    return (
        request.method in SAFE
        and request.headers.get("Sec-Fetch-Mode") == "navigate"
        and request.headers.get("Sec-Fetch-Dest") == "document"
        and (request.path == LOGIN_RETURN or not request.path.startswith("/api/"))
    )


def host_of(address: str) -> str:
    """The name in an address, small; empty if there is none."""
    try:
        return (urlsplit(address).hostname or "").lower()
    except ValueError:
        return ""


def _is_of(origin: str, host: str) -> bool:
    try:
        found = urlsplit(origin)
    except ValueError:  # no address at all
        return False
    return found.scheme in {"http", "https"} and found.netloc.lower() == host.lower()


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
