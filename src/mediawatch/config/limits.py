"""The table ``[media.limits]``: Meta's limits for videos, each with the value that we know."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, model_validator

from mediawatch.config.values import Duration, refusal


class LimitSettings(BaseModel):
    """What Meta allows a video, if it is no longer what media/rules.py says."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    min_fps: float = Field(default=23.0, gt=0, le=240)
    max_fps: float = Field(default=60.0, gt=0, le=240)
    max_width: int = Field(default=1920, ge=320, le=8192)
    max_bit_rate: int = Field(default=25_000_000, ge=500_000)
    reel_min_seconds: Duration = 3.0
    reel_max_seconds: Duration = 900.0
    reel_max_bytes: int = Field(default=300_000_000, ge=1_000_000)
    reel_min_aspect: float = Field(default=0.01, gt=0)
    reel_max_aspect: float = Field(default=10.0, gt=0)
    story_min_seconds: Duration = 3.0
    story_max_seconds: Duration = 60.0
    story_max_bytes: int = Field(default=100_000_000, ge=1_000_000)
    story_min_aspect: float = Field(default=0.1, gt=0)
    story_max_aspect: float = Field(default=10.0, gt=0)
    carousel_min_seconds: Duration = 3.0
    carousel_max_seconds: Duration = 60.0
    carousel_max_bytes: int = Field(default=100_000_000, ge=1_000_000)
    carousel_min_aspect: float = Field(default=0.8, gt=0)
    carousel_max_aspect: float = Field(default=1.778, gt=0)

    @model_validator(mode="after")
    def _in_order(self) -> LimitSettings:
        pairs = [("min_fps", "max_fps")]
        for kind in ("reel", "story", "carousel"):
            pairs += [
                (f"{kind}_min_{what}", f"{kind}_max_{what}") for what in ("seconds", "aspect")
            ]
        for low, high in pairs:
            if getattr(self, low) >= getattr(self, high):
                raise refusal(
                    f"{low} = {getattr(self, low)} is not below {high} = {getattr(self, high)}.",
                    "Leave out the one that you did not mean to set.",
                )
        return self
