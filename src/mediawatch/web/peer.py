"""From where a request truly comes: what a proxy says of it counts only if the proxy is trusted."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from aiohttp import web

#: What programs between put into a request; by one of these a proxy is told.
FORWARDED = ("Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-IP")

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, slots=True)
class Peer:
    """``address``: of the one who asks; ``secure``: whether TLS hides it on its way; ``proxied``:
    whether a program between says so, trusted or not."""

    address: str
    secure: bool
    proxied: bool


def peer_of(request: web.BaseRequest, trusted: Sequence[Network]) -> Peer:
    """Who asks. Of a chain of trusted proxies, the first address that is none of them."""
    nearest = request.remote or ""
    proxied = any(name in request.headers for name in FORWARDED)
    if not _within(nearest, trusted):
        return Peer(nearest, request.secure, proxied)
    chain = [part.strip() for part in request.headers.get("X-Forwarded-For", "").split(",")]
    address = nearest
    for told in reversed([part for part in chain if part]):
        address = _plain(told)
        if not _within(address, trusted):
            break
    protocol = request.headers.get("X-Forwarded-Proto", "").strip().lower()
    return Peer(address, protocol == "https" or request.secure, True)


def _plain(told: str) -> str:
    """An address without its port; what is none stays as it is, and is trusted by nobody."""
    if told.startswith("["):
        return told[1:].partition("]")[0]
    return told.partition(":")[0] if told.count(":") == 1 else told


def _within(address: str, networks: Sequence[Any]) -> bool:
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped:
        found = found.ipv4_mapped
    return any(found in network for network in networks)
