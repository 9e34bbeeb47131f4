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
    NotYetSupported,
    PreparationProblem,
    Rejected,
    SourceProblem,
    StorageProblem,
)
from mediawatch.media.order import ImageOptions, Prepared

READY = b'{"ready": true}\n'

_ERRORS: dict[str, type[MediawatchError]] = {
    kind.__name__: kind
    for kind in (Rejected, NotYetSupported, SourceProblem, StorageProblem, PreparationProblem)
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
    return line(
        {
            "source": path_to_text(source),
            "target": path_to_text(target),
            "options": asdict(options),
        }
    )


def success(prepared: Prepared) -> bytes:
    """The answer when all went well."""
    return line({"prepared": asdict(prepared)})


def failure(error: MediawatchError) -> bytes:
    """The answer when it did not. The class of ``error`` must be one of ``_ERRORS``."""
    return line(
        {"error": error.as_dict() | {"kind": type(error).__name__, "handling": error.handling}}
    )


def result(answer: dict[str, Any]) -> Prepared:
    """What ``success`` or ``failure`` wrote: returned, or raised."""
    if "prepared" in answer:
        fields = answer["prepared"]
        return Prepared(**fields | {"changes": tuple(fields["changes"])})
    fields = answer["error"]
    raise _ERRORS[fields["kind"]](
        fields["message"],
        remedy=fields["remedy"],
        code=fields["code"],
        handling=Handling(fields["handling"]),
        **fields["details"],
    )
