"""What people chose in the settings, as the converters want it."""

from __future__ import annotations

from mediawatch.config import MediaSettings
from mediawatch.media.order import VideoOptions
from mediawatch.media.rules import VideoLimits


def video_options(media: MediaSettings) -> VideoOptions:
    """The options for videos, with the limits of each kind of post."""
    set_to = media.limits

    def limits(kind: str) -> VideoLimits:
        of_kind = {
            name: getattr(set_to, f"{kind}_{name}")
            for name in ("min_seconds", "max_seconds", "max_bytes", "min_aspect", "max_aspect")
        }
        return VideoLimits(
            **of_kind,
            min_fps=set_to.min_fps,
            max_fps=set_to.max_fps,
            max_width=set_to.max_width,
            max_bit_rate=set_to.max_bit_rate,
        )

    return VideoOptions(
        reel=limits("reel"),
        story=limits("story"),
        carousel=limits("carousel"),
        fit=media.fit,
        pad_color=media.pad_color,
        max_bytes=media.max_video_bytes,
    )
