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
    return prepared
