"""What the answers become: the settings file, and a file for each secret, in place all at once."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from mediawatch.config import example
from mediawatch.crypto import owner_only
from mediawatch.errors import from_os_error
from mediawatch.journal.backup import flush
from mediawatch.setup.answers import Answers
from mediawatch.setup.questions import SetupProblem

#: The folder of the secrets, beside the settings file.
SECRETS = "secrets"
_HEAD = """Settings of mediawatch, made by `mediawatch init` on {day}.

A line that starts with "# " and a key is off and shows the default: take the "# " away to change
it. `mediawatch check` names every problem at once. Durations are seconds, or text such as "30s",
"10m", "24h". The secrets lie in files of their own, which only you may read."""


@dataclass(frozen=True, slots=True)
class Written:
    """``kept``: copies of what was there before."""

    settings: Path
    secrets: tuple[Path, ...]
    kept: tuple[Path, ...]


def require_free(settings: Path, *, force: bool) -> None:
    """Raise SetupProblem if a settings file is there, unless that is to be replaced."""
    if settings.exists() and not force:
        raise SetupProblem(
            f"There is a settings file already: {settings}.",
            remedy="Change it with an editor, name another one with --config, or say --force to "
            "replace it; a copy of it is kept.",
        )


def write(answers: Answers, settings: Path, now: datetime) -> Written:
    """Write all, whole or not at all; what was there is kept beside it under another name.

    Raises StorageProblem.
    """
    settings = settings.absolute()
    folder = settings.parent / SECRETS
    password, token = folder / "ftp.password", folder / "instagram.access_token"
    values = answers.tables()
    values["ftp"]["password_file"] = password.as_posix()
    values["instagram"]["access_token_file"] = token.as_posix()
    text = example.filled_in(values, _HEAD.format(day=now.date().isoformat()))
    contents = {
        password: answers.password.get_secret_value() + "\n",
        token: answers.token.get_secret_value() + "\n",
        settings: text,  # last: it makes the others count
    }
    try:
        owner_only.make_folder(folder)
        with _aside(contents) as parts, _undisturbed():
            kept = [copy for path in contents if (copy := _keep(path, now)) is not None]
            for part, path in parts.items():
                part.replace(path)
            if sys.platform != "win32":
                flush(settings.parent)
    except OSError as error:
        raise from_os_error(error, f"write {error.filename or settings}") from error
    return Written(settings, (password, token), tuple(kept))


@contextlib.contextmanager
def _aside(contents: dict[Path, str]) -> Iterator[dict[Path, Path]]:
    """All of them under temporary names, which are gone afterwards."""
    parts = {path.with_name(f"{path.name}.part"): path for path in contents}
    try:
        for part, path in parts.items():
            part.unlink(missing_ok=True)
            owner_only.write(part, contents[path].encode())
        yield parts
    finally:
        for part in parts:
            part.unlink(missing_ok=True)


def _keep(path: Path, now: datetime) -> Path | None:
    """Give what lies there a second name; None if nothing does."""
    if not path.exists():
        return None
    stamp = now.strftime("%Y%m%dT%H%M%S")
    copy = path.with_name(f"{path.name}.before-{stamp}")
    number = 1
    while copy.exists():
        number += 1
        copy = path.with_name(f"{path.name}.before-{stamp}-{number}")
    try:
        os.link(path, copy)
    except OSError:  # a file system that gives no file two names
        shutil.copy2(path, copy)
    return copy


@contextlib.contextmanager
def _undisturbed() -> Iterator[None]:
    """Ctrl-C waits: a few renames, and all is there or nothing."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
