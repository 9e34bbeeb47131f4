"""Asking the daemon that runs on this machine, over its own API."""

from __future__ import annotations

import json
import os
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mediawatch.config import Settings
from mediawatch.crypto import local_key
from mediawatch.errors import MediawatchError
from mediawatch.journal.ownership import running


class DaemonSilent(MediawatchError):
    """A daemon runs, but its API does not answer."""

    code = "daemon-silent"


class KeyOnly(MediawatchError):
    """A key says what a command may do, and this one needs the files of the machine."""

    code = "key-only"


#: A command acts as the owner of this key, in place of whoever has this machine.
KEY_VARIABLE = "MEDIAWATCH_API_KEY"


def acts_for_a_key() -> bool:
    """Whether the command is to do no more than its key may."""
    return bool(os.environ.get(KEY_VARIABLE))


def require_this_machine() -> None:
    """For what works on mediawatch's own files, where no key says who may what. Raises KeyOnly."""
    if acts_for_a_key():
        raise KeyOnly(
            f"{KEY_VARIABLE} is set: only what the running daemon can be asked for is done.",
            remedy=f"Unset {KEY_VARIABLE} to act as the owner of this machine's files.",
        )


def ask_daemon(
    settings: Settings,
    method: str,
    path: str,
    *,
    body: Mapping[str, Any] | None = None,
    timeout: float = 15.0,
) -> dict[str, Any] | None:
    """The answer of the daemon that works with these settings; None if none that takes orders
    does. Raises as ``call_daemon``."""
    data_dir = settings.storage.data_dir
    owner = running(data_dir)
    if owner is None or not owner.url:
        return None
    return call_daemon(owner.url, method, path, data_dir=data_dir, body=body, timeout=timeout)


def call_daemon(
    url: str,
    method: str,
    path: str,
    *,
    data_dir: Path,
    body: Mapping[str, Any] | None = None,
    timeout: float = 15.0,
) -> dict[str, Any]:
    """One call; the answer. ``data_dir``: of the daemon, whose key for this machine lies there.

    Raises MediawatchError with the daemon's own words, or DaemonSilent.
    """
    data = b"" if method == "POST" else None
    request = urllib.request.Request(  # noqa: S310 - always our own address
        url + path, method=method, data=data if body is None else json.dumps(body).encode()
    )
    if body is not None:
        request.add_header("Content-Type", "application/json")
    key = os.environ.get(KEY_VARIABLE) or local_key.read(data_dir)
    if key:
        request.add_unredirected_header("Authorization", f"Bearer {key}")
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
