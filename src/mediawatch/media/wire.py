"""What goes through the pipe between the daemon and a worker: one JSON object a line, ASCII.

Paths travel as their bytes, because a file name need not be valid text in any encoding.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

from mediawatch.errors import (
    Handling,
    MediawatchError,
    PreparationProblem,
    Rejected,
    SourceProblem,
    StorageProblem,
)
from mediawatch.media.order import (
    ImageOptions,
    Moving,
    Prepared,
    Purpose,
    VideoOptions,
)
from mediawatch.media.rules import VideoLimits

READY = b'{"ready": true}\n'

_ERRORS: dict[str, type[MediawatchError]] = {
    kind.__name__: kind
    for kind in (
        Rejected,
        SourceProblem,
        StorageProblem,
        PreparationProblem,
        Moving,
    )
}


def line(message: dict[str, Any]) -> bytes:
    """One message as it goes through the pipe."""
    return json.dumps(message).encode("ascii") + b"\n"


def path_to_text(path: Path) -> str:
    """A path as text that JSON keeps, whatever its bytes."""
    return os.fsencode(path).decode("latin-1")


def path_from_text(text: str) -> Path:
    """The path that ``path_to_text`` wrote."""
    return Path(os.fsdecode(text.encode("latin-1")))


def request(source: Path, target: Path, options: ImageOptions) -> bytes:
    """The order to prepare one picture."""
    return _order("picture", source, target, options=asdict(options))


def video_request(source: Path, target: Path, options: VideoOptions, purpose: Purpose) -> bytes:
    """The order to prepare one video or animation."""
    return _order("video", source, target, options=asdict(options), purpose=purpose)


def cover_request(source: Path, target: Path, at: float) -> bytes:
    """The order to make a JPEG of the frame that is seen ``at`` so many seconds."""
    return _order("cover", source, target, at=at)


def _order(task: str, source: Path, target: Path, **more: Any) -> bytes:
    paths = {"source": path_to_text(source), "target": path_to_text(target)}
    return line({"task": task} | paths | more)


def video_options(fields: dict[str, Any]) -> VideoOptions:
    """The options that ``video_request`` wrote."""
    rows = {name: VideoLimits(**fields[name]) for name in ("reel", "story", "carousel")}
    return VideoOptions(**fields | rows)


def progress(share: float, seconds: float) -> bytes:
    """What a long conversion tells on its way: the share that is done, 0 to 1, and how many
    seconds the original lasts."""
    return line({"progress": share, "seconds": seconds})


def told_progress(answer: Any) -> tuple[float, float] | None:
    """What ``progress`` wrote; None if this is another kind of answer."""
    if not isinstance(answer, dict) or "progress" not in answer:
        return None
    share, seconds = answer["progress"], answer.get("seconds")
    if not isinstance(share, int | float) or not isinstance(seconds, int | float):
        return None
    return min(1.0, max(0.0, float(share))), max(0.0, float(seconds))


def success(prepared: Prepared) -> bytes:
    """The answer when all went well."""
    return line({"prepared": asdict(prepared)})


def failure(error: MediawatchError) -> bytes:
    """The answer when it did not. The class of ``error`` must be one of ``_ERRORS``."""
    return line(
        {"error": error.as_dict() | {"kind": type(error).__name__, "handling": error.handling}}
    )


def result(answer: Any) -> Prepared:
    """What ``success`` or ``failure`` wrote: returned, or raised.

    A worker that a picture has broken may write anything: PreparationProblem.
    """
    try:
        outcome = _outcome(answer)
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise PreparationProblem(
            "The converter gave an answer that cannot be read.",
            remedy="Nothing to do at first: mediawatch tries again. If it stays, report it.",
        ) from error
    if isinstance(outcome, MediawatchError):
        raise outcome
    return outcome


def _outcome(answer: Any) -> Prepared | MediawatchError:
    if "prepared" not in answer:
        fields = answer["error"]
        return _ERRORS[fields["kind"]](
            str(fields["message"]),
            remedy=str(fields["remedy"]),
            code=str(fields["code"]),
            handling=Handling(fields["handling"]),
            **fields["details"],
        )
    fields = answer["prepared"]
    prepared = Prepared(**fields | {"changes": tuple(fields["changes"])})
    numbers = (prepared.size, prepared.width, prepared.height)
    texts = (prepared.sha256, prepared.media_type, *prepared.changes)
    if {int} != {type(each) for each in numbers} or {str} != {type(each) for each in texts}:
        raise TypeError("a field is of another type")
    if not isinstance(prepared.duration, float | None):
        raise TypeError("the duration is of another type")
    return prepared
