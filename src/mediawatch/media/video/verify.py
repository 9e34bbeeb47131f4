"""The last look before a file takes its name: does the result keep to what was promised?"""

from __future__ import annotations

from pathlib import Path

from mediawatch.errors import PreparationProblem
from mediawatch.media.rules import MAX_CHANNELS, MAX_SOUND_RATE, VideoLimits
from mediawatch.media.video.boxes import read_index
from mediawatch.media.video.plan import Plan
from mediawatch.media.video.reading import picture_of, reading, sound_of

_MAY_DIFFER = 0.25  # seconds between what was planned and what came out


def verify(result: Path, plan: Plan, limits: VideoLimits, seconds: float) -> tuple[int, int]:
    """The pixels of a finished MP4. Raises PreparationProblem if it breaks a rule, FFmpegError."""
    with result.open("rb") as file:
        index = read_index(file)
    wrong = []
    if index is None or not index.first:
        wrong.append("its index is not at the front")
    if index is not None and index.edit_lists:
        wrong.append("it has an edit list")
    if result.stat().st_size > limits.max_bytes:
        wrong.append("it is too large")
    with reading(result, "mov") as container:
        picture, sound = picture_of(container), sound_of(container)
        if picture is None or sound is None:
            raise _problem("a track is missing")
        context = picture.codec_context
        size = context.width, context.height
        lasts = float((picture.duration or 0) * (picture.time_base or 0))
        if context.name != "h264" or context.pix_fmt not in {"yuv420p", "yuvj420p"}:
            wrong.append(f"its picture is {context.name} {context.pix_fmt}")
        if size != plan.canvas:
            wrong.append(f"it has {size[0]}x{size[1]} pixels")
        if abs(lasts - seconds) > _MAY_DIFFER + 1 / plan.rate:
            wrong.append(f"it lasts {lasts:.2f} seconds instead of {seconds:.2f}")
        heard = sound.codec_context
        if (
            heard.name != "aac"
            or heard.sample_rate > MAX_SOUND_RATE.value
            or heard.channels > MAX_CHANNELS.value
        ):
            wrong.append(f"its sound is {heard.name} at {heard.sample_rate} Hz")
    if wrong:
        raise _problem("; ".join(wrong))
    return size


def _problem(what: str) -> PreparationProblem:
    return PreparationProblem(
        f"The video that was made does not keep to Instagram's rules: {what}.",
        remedy="Nothing to do at first: mediawatch tries again. If it stays, report the file.",
    )
