"""What can be chosen when a simulator is started."""

from __future__ import annotations

import asyncio
import hmac
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from .faults import Scenario


class Republish(StrEnum):
    """What a second ``media_publish`` for the same container does.

    Nobody has documented what Meta does here, so a client must be safe with all three.
    """

    STRICT = "strict"  # refused with 24/2207008
    LENIENT = "lenient"  # answers the media id of the first time
    EVIL = "evil"  # publishes a second post


@dataclass(frozen=True, slots=True)
class SimulatorOptions:
    """Everything about one simulator. Durations are in seconds.

    ``token`` None accepts any token that is not empty, with ``granted_only`` none but those that
    came of a login here (see ``people``). ``keep_bytes`` bounds the pictures held
    for the page, in memory; the oldest go first. ``fetch_seconds`` is how long a picture may
    take to download. ``listing_lag`` is how long a publication stays out of the listings.
    ``log_file`` gets one JSON line for each real publication. ``public_url`` replaces the
    simulator's own address in permalinks.

    Of videos: ``video_processing_seconds`` is how long a container is IN_PROGRESS once its video
    has come (None: as long as with pictures), ``video_fetch_seconds`` how long it may take to
    come. ``keep_bytes`` bounds their files likewise. ``tolerate_edit_lists`` takes a video with
    an edit list, and only tells so. ``locations`` are the Pages that are places; None: each id.
    """

    token: str | None = field(default=None, repr=False)
    granted_only: bool = False
    users: tuple[str, ...] = ("17841400000000001",)
    quota_total: int = 100
    processing_seconds: float = 0.0
    listing_lag: float = 0.0
    fetch_seconds: float = 15.0
    video_processing_seconds: float | None = None
    video_fetch_seconds: float = 300.0
    tolerate_edit_lists: bool = False
    locations: tuple[str, ...] | None = None
    republish: Republish = Republish.STRICT
    scenario: Scenario = field(default_factory=Scenario)
    log_file: Path | None = None
    public_url: str = ""
    keep_bytes: int = 256 * 1024 * 1024
    clock: Callable[[], float] = time.time
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep

    def admits(self, token: str) -> bool:
        """Whether the token is good though nobody granted it here."""
        if self.token is None:
            return bool(token) and not self.granted_only
        return bool(token) and hmac.compare_digest(_raw(token), _raw(self.token))


def _raw(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
