"""What is told: a sentence for people, and the same fields for machines.

Every line has an ``action`` out of a fixed vocabulary; it gives the line its icon and its tag.
On a terminal: ``✅ [21:30:16] [UPLOAD] image1.jpg is on ftp.example.org (212 kB, 0.4 s)``;
as a service: one JSON object a line.
"""

from __future__ import annotations

import contextlib
import io
import logging
import re
import sys
import traceback
from collections.abc import Callable, Mapping, MutableMapping
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol, TextIO

import structlog

from mediawatch.config import LogSettings
from mediawatch.errors import from_os_error

#: action -> (icon, tag). The whole vocabulary; an unknown action is a mistake in our code.
ACTIONS: dict[str, tuple[str, str]] = {
    "start": ("🚀", "DAEMON"),
    "stop": ("👋", "DAEMON"),
    "recover": ("🩹", "DAEMON"),
    "crash": ("💥", "DAEMON"),
    "journal": ("📒", "DAEMON"),
    "backup": ("💾", "DAEMON"),
    "watching": ("👀", "WATCH"),
    "folder-ok": ("📂", "WATCH"),
    "folder-missing": ("⚠️", "WATCH"),
    "folder-unreadable": ("⚠️", "WATCH"),
    "folder-silent": ("⚠️", "WATCH"),
    "folder-led-away": ("⚠️", "WATCH"),
    "polling": ("⚠️", "WATCH"),
    "ignored": ("🙈", "WATCH"),
    "still-written": ("⏳", "WATCH"),
    "incomplete": ("⏳", "WATCH"),
    "unreadable": ("⚠️", "WATCH"),
    "problem": ("⚠️", "WATCH"),
    "withheld": ("✋", "WATCH"),
    "claim": ("📥", "WATCH"),
    "duplicate": ("👯", "WATCH"),
    "convert": ("🎨", "CONVERT"),
    "upload": ("✅", "UPLOAD"),
    "host": ("🔌", "UPLOAD"),
    "no-tls": ("⚠️", "UPLOAD"),
    "container": ("📦", "PUBLISH"),
    "ask": ("📨", "PUBLISH"),
    "publish": ("📱", "PUBLISH"),
    "link": ("🔗", "PUBLISH"),
    "comment": ("💬", "PUBLISH"),
    "unknown-outcome": ("❓", "PUBLISH"),
    "reconcile": ("🔎", "PUBLISH"),
    "account": ("🚨", "ACCOUNT"),
    "pace": ("🐢", "PACE"),
    "archive": ("🗄️", "ARCHIVE"),
    "wait": ("⏳", "WAIT"),
    "retry": ("🔁", "RETRY"),
    "hold": ("✋", "HOLD"),
    "fail": ("❌", "FAIL"),
    "alert": ("🔔", "ALERT"),
    "clean": ("🧹", "CLEAN"),
    "web": ("🌐", "WEB"),
    "library": ("📚", "LIBRARY"),
}

_HIDDEN = "•••"


class Log(Protocol):
    """The part of a structlog logger that mediawatch uses. ``action`` is always given."""

    def debug(self, event: str, **fields: Any) -> Any: ...
    def info(self, event: str, **fields: Any) -> Any: ...
    def warning(self, event: str, **fields: Any) -> Any: ...
    def error(self, event: str, **fields: Any) -> Any: ...
    def bind(self, **fields: Any) -> Log: ...


class LineStream(Protocol):
    """The part of a text stream that lines are written to."""

    @property
    def encoding(self) -> str | None: ...
    def write(self, text: str, /) -> object: ...
    def flush(self) -> None: ...
    def isatty(self) -> bool: ...


#: What Meta's access tokens look like: those of connected accounts are in no settings.
_TOKEN = re.compile(r"\b(?:EAA|IGAA|IGQV)[0-9A-Za-z_-]{16,}")


class Redactor:
    """Masks every known secret in every text of a line, however it came there; and what looks like
    a token."""

    def __init__(self, secrets: tuple[str, ...]) -> None:
        # A very short secret would mask half of every sentence; it is not one worth masking.
        self.secrets = tuple(sorted((s for s in secrets if len(s) >= 4), key=len, reverse=True))

    def __call__(
        self, logger: Any, method: str, line: MutableMapping[str, Any]
    ) -> Mapping[str, Any]:
        return {key: self.clean(value) for key, value in line.items()}

    def clean(self, value: Any) -> Any:
        """The value with every secret replaced, inside lists and mappings too."""
        if isinstance(value, str):
            for secret in self.secrets:
                value = value.replace(secret, _HIDDEN)
            return _TOKEN.sub(_HIDDEN, value)
        if isinstance(value, Mapping):
            return {key: self.clean(part) for key, part in value.items()}
        if isinstance(value, list | tuple):
            return [self.clean(part) for part in value]
        return value if isinstance(value, int | float | None) else self.clean(str(value))


def _check_action(
    logger: Any, method: str, line: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    action = line.get("action")
    if action not in ACTIONS:
        raise ValueError(f"unknown action {action!r} in the log line {line.get('event')!r}")
    return line


def _add_traceback(
    logger: Any, method: str, line: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    error = line.pop("exc_info", None)
    if isinstance(error, BaseException):
        out = io.StringIO()
        # Without locals: they could hold a secret.
        traceback.print_exception(error, file=out)
        line["exception"] = out.getvalue()
    return line


class _Console:
    """One readable line; fields that the sentence already tells are left out."""

    def __init__(self, colours: bool) -> None:
        self.colours = colours

    def __call__(self, logger: Any, method: str, line: MutableMapping[str, Any]) -> str:
        icon, tag = ACTIONS[line["action"]]
        if method == "error" and icon not in {"❌", "💥"}:
            icon = "❌"
        time = datetime.now().astimezone().strftime("%H:%M:%S")
        post = f" ({line['post']})" if line.get("post") else ""
        text = f"{icon} [{time}] [{tag}] {printable(line['event'])}{self._dim(post)}"
        if line.get("remedy"):
            text += f"\n   → {line['remedy']}"
        if line.get("exception"):
            text += "\n" + line["exception"].rstrip()
        return text

    def _dim(self, text: str) -> str:
        return f"\x1b[2m{text}\x1b[0m" if self.colours and text else text


#: Is handed the level and the text of a line, its remedy below; without secrets.
Listener = Callable[[str, str], None]


def open_log(
    settings: LogSettings,
    secrets: tuple[str, ...] = (),
    stream: LineStream | None = None,
    listener: Listener | None = None,
) -> Log:
    """The log that is handed down. ``format = "auto"``: readable on a terminal, else JSON.

    ``listener`` hears of every line too, as the log of the system does.
    Raises StorageProblem if its file cannot be opened.
    Libraries that log through ``logging`` are led into the same stream from WARNING up.
    """
    stream = stream or (_open(settings.file) if settings.file else sys.stderr)
    console = settings.format == "console" or (settings.format == "auto" and stream.isatty())
    redact = Redactor(secrets)
    finish: list[Any]
    if console:
        finish = [_Console(stream.isatty())]
    else:
        finish = [
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ]
    log: Log = structlog.wrap_logger(
        _Lines(stream),
        processors=[
            structlog.processors.add_log_level,
            _check_action,
            _add_traceback,
            redact,
            *([_Heard(listener)] if listener is not None else []),
            *finish,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(settings.level),
        cache_logger_on_first_use=False,
    )
    _lead_libraries_into(log)
    return log


class _Heard:
    """Passes lines on to a listener, as a person reads them."""

    def __init__(self, listener: Listener) -> None:
        self.listener = listener

    def __call__(
        self, logger: Any, method: str, line: MutableMapping[str, Any]
    ) -> MutableMapping[str, Any]:
        told = (line["event"], line.get("remedy"), line.get("exception"))
        self.listener(method, "\n".join(part for part in told if part))
        return line


def _open(file: Path) -> TextIO:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        return file.open("a", encoding="utf-8", buffering=1)
    except OSError as error:
        raise from_os_error(error, f"open the log file {file}") from error


class _Lines:
    """Writes lines, in what the stream's encoding can say: no file name may end the daemon."""

    def __init__(self, stream: LineStream) -> None:
        self.stream = stream

    def msg(self, line: str) -> None:
        encoding = self.stream.encoding or "utf-8"
        # A full disk, or a terminal that is gone: the work goes on without being told.
        with contextlib.suppress(OSError, ValueError):
            self.stream.write(line.encode(encoding, "backslashreplace").decode(encoding) + "\n")
            self.stream.flush()

    debug = info = warning = error = msg


class _Library(logging.Handler):
    def __init__(self, log: Log) -> None:
        super().__init__(logging.WARNING)
        self.log = log

    def emit(self, record: logging.LogRecord) -> None:
        tell = self.log.error if record.levelno >= logging.ERROR else self.log.warning
        error = record.exc_info[1] if record.exc_info else None
        tell(record.getMessage(), action="library", library=record.name, exc_info=error)


def _lead_libraries_into(log: Log) -> None:
    root = logging.getLogger()
    for handler in [h for h in root.handlers if isinstance(h, _Library)]:
        root.removeHandler(handler)
    root.addHandler(_Library(log))
    # Below INFO it logs every FTP command, and with it the length of the password.
    logging.getLogger("aioftp").setLevel(logging.WARNING)
    # A request that is no HTTP is the asker's mistake; ours are told by the web's own middleware.
    logging.getLogger("aiohttp.server").setLevel(logging.CRITICAL)


def silent() -> Log:
    """A log that tells nothing, for one-shot commands that speak for themselves."""
    log: Log = structlog.wrap_logger(
        structlog.ReturnLogger(), processors=[], wrapper_class=structlog.BoundLogger
    )
    return log


def printable(text: str) -> str:
    """Text for a terminal: a file's name may hold what would drive it."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def size(count: int) -> str:
    """A number of bytes as people read it: ``212 kB``, ``3.4 MB``, ``74.9 GB``."""
    if count < 1000:
        return f"{count} B"
    if count < 1_000_000:
        return f"{count / 1000:.0f} kB"
    if count < 1_000_000_000:
        return f"{count / 1_000_000:.1f} MB"
    return f"{count / 1_000_000_000:.1f} GB"
