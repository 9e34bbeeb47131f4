"""The process that decodes: reads orders on stdin, answers on stdout, ends when stdin closes.

Run as ``python -m mediawatch.media.worker MEMORY SECONDS``: bytes of address space, and seconds
after which an order is given up even if nobody is left to kill us.
"""

from __future__ import annotations

import json
import math
import os
import signal
import sys
from typing import Any, BinaryIO

from mediawatch.errors import MediawatchError, PreparationProblem
from mediawatch.media import wire
from mediawatch.media.image import prepare_image
from mediawatch.media.order import ImageOptions, Prepared
from mediawatch.media.rules import Reason, reject

_NICE = 10  # the daemon, and the people at this machine, go first
_GRACE = 5.0  # seconds that the daemon has to kill us before the alarm does


def main(arguments: list[str]) -> int:
    """Serve until stdin closes."""
    orders, answers = _private_channel()
    memory, seconds = int(arguments[0]), float(arguments[1])
    _restrict(memory)
    answers.write(wire.READY)
    for order in orders:
        _set_alarm(seconds + _GRACE)
        answer = _answer(json.loads(order))
        _set_alarm(0)
        answers.write(answer)
    return 0


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


def _answer(order: dict[str, Any]) -> bytes:
    try:
        return wire.success(_prepare(order))
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


def _prepare(order: dict[str, Any]) -> Prepared:
    return prepare_image(
        wire.path_from_text(order["source"]),
        wire.path_from_text(order["target"]),
        ImageOptions(**order["options"]),
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
