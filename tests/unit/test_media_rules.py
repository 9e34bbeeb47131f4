"""The words for what is refused, and the limits."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from pydantic import ValidationError

from mediawatch.config import LimitSettings, MediaSettings
from mediawatch.errors import Handling, Rejected
from mediawatch.media import rules
from mediawatch.media.chosen import video_options
from mediawatch.media.rules import Reason, pixel_limit, reject
from mediawatch.media.video.files import require_whole

DETAILS = {
    "what": "folder", "size": 9, "limit": 8, "label": "PDF document",
    "width": 1, "height": 2, "seconds": 30, "frames": 5000, "low": 0.8, "high": 1.778,
}  # fmt: skip


@pytest.mark.parametrize("video", [False, True])
@pytest.mark.parametrize("reason", Reason)
def test_every_refusal_is_a_sentence_with_a_remedy(reason: Reason, video: bool) -> None:
    """A file is never refused without saying why and what to do; what another limit, another day
    or a cut would change is held."""
    error = reject(reason, video=video, **DETAILS)
    held = {Reason.TIMEOUT, Reason.NO_VIDEO, Reason.TOO_SHORT, Reason.TOO_LONG}
    handling = Handling.HOLD if reason in held else Handling.FAIL
    assert (reason.value, handling) == (error.code, error.handling)
    assert error.message.endswith(".")
    assert "{" not in error.message
    assert error.remedy.endswith(".")
    assert "{" not in error.remedy


def test_every_limit_tells_its_source_and_date() -> None:
    """A limit that nobody can look up again is a rumour."""
    limits = [value for value in vars(rules).values() if isinstance(value, rules.Limit)]
    assert len(limits) >= 9
    for limit in limits:
        assert limit.source
        assert date.fromisoformat(limit.date) >= date(2026, 1, 1)


def test_costly_formats_get_fewer_pixels() -> None:
    """A WebP takes three times the memory of a JPEG, so that it is bounded lower."""
    assert (960 << 20) // 16 == pixel_limit("WEBP", 100_000_000)
    assert pixel_limit("JPEG", 100_000_000) == 100_000_000
    assert pixel_limit("WEBP", 1_000_000) == 1_000_000


def test_the_settings_show_the_limits_that_are_known() -> None:
    """A default of [media.limits] is the row of the table, so that both change together."""
    chosen = video_options(MediaSettings())
    assert rules.REEL_VIDEO == chosen.reel
    assert rules.STORY_VIDEO == chosen.story
    assert rules.CAROUSEL_VIDEO == chosen.carousel


def test_a_limit_that_is_set_is_the_one_that_holds() -> None:
    """Meta changes its limits more often than we release."""
    limits = LimitSettings(reel_max_seconds=90, max_fps=30, story_max_bytes=2_000_000)
    chosen = video_options(MediaSettings(limits=limits))
    assert (chosen.reel.max_seconds, chosen.story.max_seconds) == (90, 60)
    assert chosen.story.max_bytes == 2_000_000
    assert {30} == {row.max_fps for row in (chosen.reel, chosen.story, chosen.carousel)}
    with pytest.raises(ValidationError, match="is not below"):
        LimitSettings(reel_min_seconds=90, reel_max_seconds=30)


def test_a_large_video_is_told_its_own_setting(tmp_path: Path) -> None:
    """The one for pictures does not help it."""
    (tmp_path / "a.mp4").write_bytes(bytes(9))
    with (tmp_path / "a.mp4").open("rb") as file, pytest.raises(Rejected) as refused:
        require_whole(file, 8)
    assert "media.max_video_bytes" in refused.value.remedy
