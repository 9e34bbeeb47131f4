"""Make a backup while the daemon works, or while it does not. Blocks."""

from __future__ import annotations

import contextlib
import sqlite3
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from mediawatch import __version__, crash
from mediawatch.config import Loaded
from mediawatch.config.sources import SERVICE_MANAGER
from mediawatch.crypto import owner_only
from mediawatch.crypto.sealed import Sealer
from mediawatch.crypto.vault import joined
from mediawatch.errors import JournalError, StorageProblem, from_os_error
from mediawatch.journal.backup import flush, write_copy
from mediawatch.journal.belonging import give_to_owner_of
from mediawatch.journal.migrate import revision
from mediawatch.journal.putting_back import JOURNAL, KEYS
from mediawatch.safekeeping.contents import MANIFEST, Manifest, Member, Packer, small_files

_LOCK = "backup.lock"
#: The open copy of the journal, while the backup is made of it.
_COPY = "backup-copy.db"


@dataclass(frozen=True, slots=True)
class Made:
    """``handed``: secrets that are not in it, since the service manager hands them over."""

    path: Path
    size: int
    members: tuple[Member, ...]
    handed: tuple[str, ...]


def usual_name(now: float) -> str:
    """The name of a backup that was given none."""
    return datetime.fromtimestamp(now, UTC).strftime("mediawatch-%Y%m%dT%H%M%SZ.backup")


def make(
    loaded: Loaded,
    config: Path | None,
    target: Path,
    passphrase: str,
    now: float,
    *,
    replace: bool = False,
) -> Made:
    """Write all into ``target``, whole or not at all; if it is a folder, under the usual name.

    Raises StorageProblem, also if ``target`` is there and not to be replaced, and JournalError.
    """
    target = target / usual_name(now) if target.is_dir() else target
    if target.exists() and not replace:
        raise StorageProblem(
            f"{target} is there already.",
            code="backup-there",
            remedy="Choose another name, name a folder, or say --force to replace it.",
        )
    data_dir = loaded.settings.storage.data_dir
    try:
        keys = _keys(data_dir)  # also those that are dropped while the journal is copied
        with _alone(data_dir), _copied(data_dir) as copy, _placed(target) as part:
            # After the journal: of what the daemon asks meanwhile, the witness knows more.
            files = {
                member: path.read_bytes() for member, path in small_files(loaded, config).items()
            }
            files |= {
                member: joined(content, keys)
                for member, content in files.items()
                if member.name == f"records/{KEYS}"
            }
            members = (*files, Member(JOURNAL, "journal"))
            manifest = Manifest(now, __version__, _revision(copy), members)
            with owner_only.new(part) as file:
                sealer = Sealer(file, passphrase)
                packer = Packer(sealer)
                packer.add(MANIFEST, manifest.as_json())
                for member, content in files.items():
                    packer.add(member.name, content)
                with copy.open("rb") as journal:
                    packer.add_file(JOURNAL, journal, copy.stat().st_size)
                packer.close()
                sealer.close()
            size = part.stat().st_size
    except OSError as error:
        raise from_os_error(error, f"write {error.filename or target}") from error
    handed = tuple(
        f"{table}.{key}"
        for table, key in loaded.secret_files
        if loaded.origins[table, f"{key}_file"] == SERVICE_MANAGER
    )
    return Made(target, size, members, handed)


def _keys(data_dir: Path) -> bytes:
    path = data_dir / KEYS
    return path.read_bytes() if path.is_file() else b""


@contextlib.contextmanager
def _alone(data_dir: Path) -> Iterator[None]:
    lock = FileLock(data_dir / _LOCK, mode=0o600, fallback_to_soft=False)
    try:
        lock.acquire(timeout=0)
        give_to_owner_of(data_dir, Path(lock.lock_file))
    except Timeout:
        raise StorageProblem(
            "Another backup is being made.",
            code="backup-busy",
            remedy="Wait until that one is done.",
        ) from None
    try:
        yield
    finally:
        lock.release()


@contextlib.contextmanager
def _copied(data_dir: Path) -> Iterator[Path]:
    """A consistent copy of the journal, while the context lasts."""
    journal, copy = data_dir / JOURNAL, data_dir / _COPY
    if not journal.is_file():
        raise JournalError(
            f"There is no journal yet in {data_dir}.",
            remedy="Nothing was published from here: there is nothing to back up.",
        )
    try:
        address = f"{journal.absolute().as_uri()}?mode=rw"
        with contextlib.closing(sqlite3.connect(address, uri=True)) as source:
            write_copy(source, copy)
        yield copy
    except sqlite3.Error as error:
        raise JournalError(
            f"The journal {journal} could not be copied: {error}.",
            remedy="Check that its disk has free space; `mediawatch run` tells if it is damaged.",
        ) from error
    finally:
        copy.unlink(missing_ok=True)
        crash.at("backup.copy-removed")


@contextlib.contextmanager
def _placed(target: Path) -> Iterator[Path]:
    """Write aside; at the end it gets its name."""
    part = target.with_name(f"{target.name}.part")
    part.unlink(missing_ok=True)
    try:
        yield part
        crash.at("backup.sealed")
        part.replace(target)
        crash.at("backup.kept")
        if sys.platform != "win32":
            flush(target.absolute().parent)
    finally:
        part.unlink(missing_ok=True)


def _revision(copy: Path) -> str:
    address = f"{copy.absolute().as_uri()}?mode=ro&immutable=1"
    with contextlib.closing(sqlite3.connect(address, uri=True)) as connection:
        return revision(connection) or ""
