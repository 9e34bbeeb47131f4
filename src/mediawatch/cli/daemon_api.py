"""Asking the daemon that runs on this machine, over its own API."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any

from mediawatch.errors import MediawatchError


class DaemonSilent(MediawatchError):
    """A daemon runs, but its API does not answer."""

    code = "daemon-silent"


def call_daemon(
    url: str,
    method: str,
    path: str,
    *,
    body: Mapping[str, Any] | None = None,
    timeout: float = 15.0,
) -> dict[str, Any]:
    """One call, with ``body`` as JSON; the answer. Raises MediawatchError with the daemon's own
    words, or DaemonSilent."""
    request = urllib.request.Request(  # noqa: S310 - always our own loopback address
        url + path, method=method, data=b"" if method == "POST" else None
    )
    if body is not None:
        request.data = json.dumps(body).encode()
        request.add_header("Content-Type", "application/json")
    # No proxy of the environment stands between two programs of one machine.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=timeout) as answer:
            told: dict[str, Any] = json.load(answer)
            return told
    except urllib.error.HTTPError as error:
        with error:
            raise _told(error.read(1 << 20)) from None
    except (OSError, ValueError) as error:
        raise DaemonSilent(
            f"mediawatch runs, but does not answer at {url}.",
            remedy="Look at its log; if it hangs, restart it. Nothing is lost by that.",
        ) from error


def _told(body: bytes) -> MediawatchError:
    try:
        told = json.loads(body)["error"]
        return MediawatchError(
            told["message"], code=told["code"], remedy=told["remedy"], **told["details"]
        )
    except (ValueError, KeyError, TypeError):
        return DaemonSilent("mediawatch gave an answer that cannot be read.")
