"""A second record of how often Meta was asked to publish, beside the journal.

A journal that is put back from a copy has forgotten what was published since: from what it knows,
everything would be published again. This file is not part of the copy, so the two disagree, and
nothing goes out before a person has looked (pipeline/recovery.py).
"""

from __future__ import annotations

import contextlib
import json
import os
from pathlib import Path

from mediawatch import crash
from mediawatch.errors import from_os_error

FILE_NAME = "asked.json"
#: Beside it: the journal was put back from a copy, and nobody here knows what came after that.
UNSEEN = "unseen.json"


class Witness:
    """Per account, how often publication was asked, ever. All methods block.

    Written between the intent and the call: never behind what Meta may have seen.
    """

    def __init__(self, file: Path) -> None:
        self._file = file

    def asks(self) -> dict[str, int] | None:
        """What was recorded, an empty dict before the first ask, None if it cannot be read.

        Raises StorageProblem if the disk refuses.
        """
        try:
            text = self._file.read_bytes()
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise from_os_error(error, f"read {self._file}") from error
        with contextlib.suppress(ValueError, RecursionError):
            found = json.loads(text)
            if isinstance(found, dict) and all(type(count) is int for count in found.values()):
                return found
        return None

    def unseen_since(self) -> float | None:
        """The moment (seconds since the epoch) after which nobody here saw what was asked, since
        the journal came from elsewhere; None if it did not. Raises StorageProblem."""
        mark = self._file.with_name(UNSEEN)
        try:
            return float(json.loads(mark.read_bytes())["since"])
        except FileNotFoundError:
            return None
        except (ValueError, TypeError, LookupError, RecursionError, OverflowError):
            return 0.0
        except OSError as error:
            raise from_os_error(error, f"read {mark}") from error

    def seen(self) -> None:
        """What may have been asked since is held. Raises StorageProblem."""
        mark = self._file.with_name(UNSEEN)
        try:
            mark.unlink(missing_ok=True)
        except OSError as error:
            raise from_os_error(error, f"remove {mark}") from error

    def record(self, account_id: str, asks: int) -> None:
        """Publication was asked so often for this account. Raises StorageProblem."""
        counted = {**(self.asks() or {}), account_id: asks}
        beside = self._file.with_name(f"{self._file.name}.part")
        try:
            with beside.open("w", encoding="utf-8") as file:
                json.dump(counted, file)
                file.flush()
                os.fsync(file.fileno())
            crash.at("publish.witness-written")
            beside.replace(self._file)
            crash.at("publish.witnessed")
        except OSError as error:
            raise from_os_error(error, f"write {self._file}") from error
