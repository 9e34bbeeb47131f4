"""One video or animation in, one MP4 out that Instagram takes as it is. Runs in a worker."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO, NamedTuple

from mediawatch.media.order import Prepared, Purpose, VideoOptions
from mediawatch.media.probe import Family, Sniffed
from mediawatch.media.rules import VideoLimits
from mediawatch.media.video.animation import Animation, animate, told
from mediawatch.media.video.boxes import read_index
from mediawatch.media.video.check import plays
from mediawatch.media.video.facts import Facts
from mediawatch.media.video.files import finishing, require_whole, translated, unchanged
from mediawatch.media.video.filters import filters
from mediawatch.media.video.plan import Plan, plan
from mediawatch.media.video.probe import probe
from mediawatch.media.video.remux import Damaged, remux
from mediawatch.media.video.transcode import transcode
from mediawatch.media.video.verify import verify

#: Share of the work that is done, 0 to 1, and how many seconds the original lasts.
Progress = Callable[[float, float], None]

_TRIES = 3  # rate control may miss the size once, hardly twice
_LOWER = 0.8


class _Result(NamedTuple):
    plan: Plan
    seconds: float
    changes: list[str]


def prepare_video(
    source: Path, target: Path, options: VideoOptions, purpose: Purpose, progress: Progress
) -> Prepared:
    """Turn ``source`` into an MP4 at ``target``, which appears whole or not at all.

    Raises Rejected (codes of ``rules.Reason``), SourceProblem (cannot be read, or changed
    meanwhile), StorageProblem (cannot be written), PreparationProblem (the result is wrong).
    """
    limits = options.limits(purpose)
    with unchanged(source) as file, translated(), finishing(target) as part:
        kind = require_whole(file, options.max_bytes)
        make = _from_video if kind.family is Family.VIDEO else _from_animation
        result = make(source, file, kind, part, limits, options, progress)
        width, height = verify(part, result.plan, limits, result.seconds)
        with part.open("rb") as made:
            sha256 = hashlib.file_digest(made, "sha256").hexdigest()
        return Prepared(
            sha256=sha256,
            size=part.stat().st_size,
            width=width,
            height=height,
            media_type="video/mp4",
            changes=tuple(result.changes),
            duration=round(result.seconds, 3),
        )


def _from_video(
    source: Path,
    file: BinaryIO,
    kind: Sniffed,
    part: Path,
    limits: VideoLimits,
    options: VideoOptions,
    progress: Progress,
) -> _Result:
    facts = probe(source, file, kind)
    progress(0.0, facts.seconds)
    decided = plan(facts, limits, options.fit)
    if decided.copies and plays(source, facts):
        try:
            remux(source, part, facts, decided, lambda share: progress(share, facts.seconds))
        except Damaged:
            pass
        else:
            index = read_index(file)
            moved = ["index moved to the front"] if index and not index.first else []
            return _Result(decided, facts.seconds, [*decided.changes, *moved])
    if decided.copies:
        decided = plan(facts, limits, options.fit, copy=False)

    chain = filters(facts, decided, options.fit, options.pad_color)

    def encode(attempt: Plan) -> float:
        return transcode(
            source, part, facts, attempt, chain, lambda share: progress(share, facts.seconds)
        )

    seconds = _small_enough(decided, encode, part, limits)
    return _Result(decided, seconds, list(decided.changes))


def _from_animation(
    source: Path,
    file: BinaryIO,
    kind: Sniffed,
    part: Path,
    limits: VideoLimits,
    options: VideoOptions,
    progress: Progress,
) -> _Result:
    animation = Animation(file, kind)
    # How long it lasts is known once it was played: as long as is allowed, for the bit rate.
    facts: Facts = animation.facts(os.fstat(file.fileno()).st_size, limits.max_seconds)
    decided = plan(facts, limits, options.fit)
    chain = filters(facts, decided, options.fit, options.pad_color)
    played = 0

    def encode(attempt: Plan) -> float:
        nonlocal played
        seconds, played = animate(
            animation, part, attempt, chain, limits, lambda share: progress(share, 0.0)
        )
        return seconds

    seconds = _small_enough(decided, encode, part, limits)
    return _Result(decided, seconds, told(kind, decided, seconds, played))


def _small_enough(
    decided: Plan, encode: Callable[[Plan], float], part: Path, limits: VideoLimits
) -> float:
    """Encode, and again with fewer bits while the file is too large; the seconds that it lasts."""
    attempt = decided
    seconds = encode(attempt)
    for _ in range(_TRIES - 1):
        size = part.stat().st_size
        if size <= limits.max_bytes:
            break
        needed = int(size * 8 / seconds * _LOWER * limits.max_bytes / size)
        attempt = replace(attempt, bit_rate=min(needed, int(attempt.bit_rate * _LOWER)))
        seconds = encode(attempt)
    return seconds
