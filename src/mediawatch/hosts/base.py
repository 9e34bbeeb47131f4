"""The seam to web hosts: what a host does, what it gives back, and how it can fail.

HostProblem (errors.py)
├── HostUnavailable        may pass by itself: unreachable, broken off, busy      retry
│   └── TooManyConnections the host wants fewer connections from us               retry
├── HostFull               no space left there                                    park, look again
├── CredentialsRefused     user name or password is wrong: stop at once           hold
├── TlsUntrusted           the certificate is not one that we may trust           hold
└── HostRefused            it said no, and will say no again                      hold
"""

from __future__ import annotations

import base64
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from mediawatch.errors import Handling, HostProblem
from mediawatch.model.findings import Finding

_FULL_RETRY = 15 * 60.0


@dataclass(frozen=True, slots=True)
class PublicObject:
    """A file that the world can fetch. ``size`` is in bytes.

    ``pieced``: it may have come in pieces, because a transfer broke off and was gone on with;
    its size is right, but only its content proves that the pieces fit.
    """

    key: str
    url: str
    size: int
    pieced: bool = False


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What this host turned out to be able to do.

    ``atomic``: a file shows under its public name only when it is whole. ``encrypted``: whether
    the way to the host is; None until it was first reached.
    """

    atomic: bool
    encrypted: bool | None


class MediaHost(Protocol):
    """A place that serves files to the world under an address that we can foretell.

    Every method may be called from several tasks at once, raises HostProblem (and StorageProblem
    if our own file cannot be read), and may be cancelled at any await.
    """

    @property
    def caps(self) -> Capabilities:
        """What the host can do, as far as is known by now."""
        ...

    def url_for(self, key: str) -> str:
        """The public address of ``key``, percent-encoded; pure, the file need not be there."""
        ...

    async def check(self) -> list[Finding]:
        """Try everything that ``put`` and ``delete`` need, in order, up to the first failure.

        Never raises HostProblem: a failure is the last finding.
        """
        ...

    async def put(self, path: Path, key: str) -> PublicObject:
        """Store the file ``path`` whole under ``key``.

        Repeatable: if ``key`` is already there with the same size, it is done.
        """
        ...

    async def delete(self, key: str) -> None:
        """Remove ``key`` and what broken uploads left of it; no error if nothing is there."""
        ...

    async def close(self) -> None:
        """Take leave of the host. Bounded in time; never raises HostProblem."""
        ...


def new_key(suffix: str = ".jpg") -> str:
    """A name that nobody can guess: 130 random bits, safe on file systems blind to case."""
    return base64.b32encode(secrets.token_bytes(17)).decode().lower()[:26] + suffix


class HostUnavailable(HostProblem):
    """Nothing is known to be wrong for good: try again later."""

    code = "host-unavailable"


class TooManyConnections(HostUnavailable):
    """The host wants fewer connections at a time."""

    code = "host-too-many-connections"


class HostFull(HostProblem):
    """The host has no space left: every post's trouble, and no post's fault. ``retry_after`` is a
    quarter of an hour."""

    code = "host-full"
    handling = Handling.PARK

    def __init__(self, message: str, *, remedy: str = "", code: str | None = None) -> None:
        super().__init__(message, remedy=remedy, code=code, retry_after=_FULL_RETRY)


class CredentialsRefused(HostProblem):
    """The host does not know this user with this password.

    Must never be tried again with the same settings: hosts ban an address after a few failures.
    """

    code = "host-login-refused"
    handling = Handling.HOLD


class TlsUntrusted(HostProblem):
    """The certificate does not prove that this is the host that the settings name."""

    code = "host-tls-untrusted"
    handling = Handling.HOLD


class HostRefused(HostProblem):
    """The host said no, and would say so again."""

    code = "host-refused"
    handling = Handling.HOLD
