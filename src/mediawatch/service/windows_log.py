"""What the service tells where nobody watches: a log file that is kept small, and from warnings up
the Event Log of Windows."""

from __future__ import annotations

import contextlib
import json
import logging
import sys
from logging.handlers import RotatingFileHandler
from pathlib import Path

import platformdirs

from mediawatch.config import LogSettings
from mediawatch.errors import from_os_error
from mediawatch.log import Log, open_log

if sys.platform != "win32":
    raise ImportError("only Windows has an Event Log")

import pywintypes
import win32evtlog
import win32evtlogutil

from mediawatch.service.windows_host import NAME

_FILE = "mediawatch.log"
_READ = 256 << 10
_LARGEST = 10 << 20
_KEPT = 5
_LEVELS = {
    "warning": win32evtlog.EVENTLOG_WARNING_TYPE,
    "error": win32evtlog.EVENTLOG_ERROR_TYPE,
    "critical": win32evtlog.EVENTLOG_ERROR_TYPE,
}
#: A message of win32service.pyd that is nothing but what is inserted; logging uses it too.
_ANY_TEXT = 1


def log_folder() -> Path:
    r"""Where the service logs if ``log.file`` names no file: ``%ProgramData%\mediawatch\logs``."""
    return platformdirs.site_data_path(NAME, appauthor=False) / "logs"


def open_service_log(settings: LogSettings, secrets: tuple[str, ...] = ()) -> Log:
    """The service's log: ``log.file`` if it is set, else a file below ``log_folder``, of which the
    last five parts are kept. Raises StorageProblem."""
    stream = None if settings.file else _KeptSmall(log_folder() / _FILE)
    return open_log(settings, secrets, stream, tell_event_log)


def log_length() -> int:
    """How long the service's own log file is by now, in bytes."""
    try:
        return (log_folder() / _FILE).stat().st_size
    except OSError:
        return 0


def first_error(since: int) -> str:
    """The first error that came into the service's own log file behind that length, with its
    remedy; empty if there is none."""
    with contextlib.suppress(OSError, ValueError, KeyError):
        with (log_folder() / _FILE).open("rb") as file:
            file.seek(since)
            lines = file.read(_READ).decode(errors="replace").splitlines()
        for line in lines:
            said = json.loads(line)
            if said["level"] == "error":
                return f"{said['event']} {said.get('remedy', '')}".strip()
    return ""


def tell_event_log(level: str, text: str) -> None:
    """Write an entry if it is a warning or worse. Raises nothing: the log file has it too."""
    kind = _LEVELS.get(level)
    if kind is not None:
        with contextlib.suppress(pywintypes.error):
            win32evtlogutil.ReportEvent(NAME, _ANY_TEXT, eventType=kind, strings=[text])


class _KeptSmall:
    """A text stream into a file that gives way to a new one when it is large."""

    encoding = "utf-8"

    def __init__(self, file: Path) -> None:
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            self._handler = _Rotating(file, "a", _LARGEST, _KEPT, self.encoding)
        except OSError as error:
            raise from_os_error(error, f"open the log file {file}") from error

    def write(self, text: str) -> None:
        """Whole lines only."""
        line = logging.LogRecord(NAME, logging.INFO, "", 0, text.rstrip("\n"), None, None)
        self._handler.handle(line)

    def close(self) -> None:
        """Let go of the file."""
        self._handler.close()

    def flush(self) -> None:
        """It is flushed after each line."""

    def isatty(self) -> bool:
        return False


class _Rotating(RotatingFileHandler):
    def doRollover(self) -> None:  # noqa: N802 - named by logging
        """While somebody looks at the file it cannot be renamed: it grows until they are done."""
        with contextlib.suppress(OSError):
            super().doRollover()

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - named by logging
        """A full disk stops no work."""
