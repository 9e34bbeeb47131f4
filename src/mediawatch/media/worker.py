"""The process that decodes: reads orders on stdin, answers on stdout, ends when stdin closes.

Run as ``python -m mediawatch.media.worker MEMORY SECONDS``: bytes of address space, and seconds
without a sign of life after which an order is given up even if nobody is left to kill us.
"""

from __future__ import annotations

import json
import math
import os
import signal
import sys
import time
from typing import Any, BinaryIO

from mediawatch.errors import MediawatchError, PreparationProblem
from mediawatch.media import wire
from mediawatch.media.image import prepare_image
from mediawatch.media.order import ImageOptions, Prepared, Purpose
from mediawatch.media.rules import Reason, reject

_NICE = 10  # the daemon, and the people at this machine, go first
_TELL_EVERY = 0.5  # seconds between two lines of progress
_GRACE = 5.0  # seconds that the daemon has to kill us before the alarm does


def main(arguments: list[str]) -> int:
    """Serve until stdin closes."""
    orders, answers = _private_channel()
    memory, seconds = int(arguments[0]), float(arguments[1])
    _restrict(memory)
    answers.write(wire.READY)
    for order in orders:
        answer = _answer(json.loads(order), _Teller(answers, seconds))
        _set_alarm(0)
        answers.write(answer)
    return 0


class _Teller:
    """Tells how far a long conversion is: a sign of life, twice a second at the most."""

    def __init__(self, answers: BinaryIO, seconds: float) -> None:
        self._answers = answers
        self._seconds = seconds
        self._told = -math.inf
        _set_alarm(seconds + _GRACE)

    def __call__(self, share: float, lasts: float) -> None:
        now = time.monotonic()
        if now - self._told < _TELL_EVERY:
            return
        self._told = now
        _set_alarm(self._seconds + _GRACE)
        try:
            self._answers.write(wire.progress(share, lasts))
        except OSError:
            sys.exit(1)  # nobody is left who would want the result


def _private_channel() -> tuple[BinaryIO, BinaryIO]:
    """The pipe to the daemon, moved away from where a library might read or print."""
    orders = os.fdopen(os.dup(0), "rb")
    answers = os.fdopen(os.dup(1), "wb", buffering=0)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    return orders, answers


def _restrict(memory: int) -> None:
    # Ctrl-C in a terminal reaches us too; whether we end is for the daemon to decide.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform != "win32":
        import resource

        os.nice(_NICE)
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _set_alarm(seconds: float) -> None:
    """Let the kernel end this process after so many seconds; 0 calls it off."""
    if sys.platform != "win32":
        signal.alarm(math.ceil(seconds))


def _answer(order: dict[str, Any], tell: _Teller) -> bytes:
    try:
        return wire.success(_prepare(order, tell))
    except MediawatchError as error:
        return wire.failure(error)
    except MemoryError:
        return wire.failure(reject(Reason.MEMORY))
    except Exception as error:
        return wire.failure(
            PreparationProblem(
                f"The converter broke on this file: {type(error).__name__}: {error}.",
                remedy="Nothing to do at first: mediawatch tries again. If it stays, report it.",
            )
        )


def _prepare(order: dict[str, Any], tell: _Teller) -> Prepared:
    source = wire.path_from_text(order["source"])
    target = wire.path_from_text(order["target"])
    if order["task"] == "picture":
        return prepare_image(source, target, ImageOptions(**order["options"]))
    # FFmpeg is large: a worker that only sees pictures does without it.
    if order["task"] == "cover":
        from mediawatch.media.video.cover import make_cover

        return make_cover(source, target, order["at"])
    from mediawatch.media.video.prepare import prepare_video

    options = wire.video_options(order["options"])
    return prepare_video(source, target, options, Purpose(order["purpose"]), tell)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
