"""Put a backup back. Nothing is replaced before all of it was read and proved. Blocks."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from mediawatch import crash
from mediawatch.config import Settings
from mediawatch.config.credentials import BESIDE
from mediawatch.config.sources import dotenv_beside
from mediawatch.crypto import owner_only
from mediawatch.crypto.sealed import SealBroken, Unsealer
from mediawatch.crypto.vault import joined
from mediawatch.errors import AlreadyRunning, JournalError, from_os_error
from mediawatch.journal import migrate, putting_back
from mediawatch.journal.backup import complaint
from mediawatch.journal.belonging import give_to_owner_of
from mediawatch.journal.ownership import Ownership
from mediawatch.journal.putting_back import JOURNAL, KEYS, TLS_SEEN
from mediawatch.journal.witness import FILE_NAME as WITNESS
from mediawatch.journal.witness import UNSEEN, Witness
from mediawatch.safekeeping.contents import MOST, Kind, Manifest, Member, unpacked

#: Seconds that the check of the journal may take.
CHECK_LIMIT = 600.0


@dataclass(frozen=True, slots=True)
class Proved:
    """A backup that was read to its end: whole, and opened by its passphrase. ``small``: all but
    the journal."""

    path: Path
    passphrase: str = field(repr=False)
    manifest: Manifest
    small: Mapping[Member, bytes] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Returned:
    """What became of the settings and the files that they name: those that were missing are back,
    those that are there and differ stayed (of ``beside``, which are no secrets, that of the backup
    lies at the second path), and those that cannot be put where they lay."""

    back: tuple[Path, ...] = ()
    stayed: tuple[Path, ...] = ()
    beside: tuple[tuple[Path, Path], ...] = ()
    refused: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Restored:
    """``aside``: where what was there lies now, if anything was. ``unseen``: nobody here knows what
    was published since the backup was made."""

    made: float
    aside: Path
    unseen: bool


def prove(path: Path, passphrase: str) -> Proved:
    """Read all of it. Raises WrongPassphrase, SealBroken and StorageProblem."""
    manifest: Manifest | None = None
    small: dict[Member, bytes] = {}
    with _opened(path) as file:
        unsealer = Unsealer(file, passphrase)
        for name, size, content in unpacked(unsealer):
            if name == JOURNAL:
                while content.read(1 << 20):
                    pass
                continue
            if size > MOST:
                raise SealBroken(f"{name} in this backup is too large.", remedy="Use another one.")
            if manifest is None:
                manifest = Manifest.read(content.read())
                named = {member.name: member for member in manifest.members}
            elif name in named:
                small[named[name]] = content.read()
        unsealer.finish()
    if manifest is None:
        raise SealBroken("This backup is empty.", remedy="Use another one.")
    if manifest.revision not in migrate.known():
        raise JournalError(
            f"The journal in this backup was written by mediawatch {manifest.version}, which is "
            "newer.",
            remedy="Install that version, and restore with it.",
        )
    return Proved(path, passphrase, manifest, small)


def bring_back_settings(proved: Proved, config: Path | None) -> Returned:
    """Put back the settings and the files that they name, where they lay, if they are missing.

    ``config``: the settings file that is in force, or is to be; None if there is none: then that of
    the backup comes back. One that is there is never touched.
    """
    back, stayed, refused = list[Path](), list[Path](), list[str]()
    beside = list[tuple[Path, Path]]()
    settle_in = config is None or not config.exists()
    lay = next((Path(m.path).parent for m in proved.small if m.kind == "settings"), None)
    for member, content in proved.small.items():
        path = Path(member.path)
        if member.kind not in {"settings", "secret", "authorities"}:
            continue
        if member.kind == "settings" and not settle_in:
            continue
        if member.kind == "settings" and config is not None:
            path = dotenv_beside(config) if path.name == ".env" else config
        if lay is not None and path.parent == lay / BESIDE and config is not None:
            path = (
                config.absolute().parent / BESIDE / path.name
            )  # found by lying there, not by name
        try:
            if not path.exists():
                _put(path, content, member.kind)
                back.append(path)
            elif path.read_bytes() != content:
                if member.kind == "authorities":
                    free = _free_beside(path, content)
                    _put(free, content, member.kind)
                    beside.append((path, free))
                else:
                    stayed.append(path)
        except OSError as error:
            refused.append(f"{path}: {error.strerror or error}")
    return Returned(tuple(back), tuple(stayed), tuple(beside), tuple(refused))


def _put(path: Path, content: bytes, kind: Kind) -> None:
    if kind == "secret":
        owner_only.make_folder(path.parent)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.part")
    part.unlink(missing_ok=True)
    if kind == "authorities":
        part.write_bytes(content)  # everybody may know whom one trusts, and a service must
    else:
        owner_only.write(part, content)
    part.replace(path)


def _free_beside(path: Path, content: bytes) -> Path:
    """A name beside ``path`` that is free, or has this content already."""
    number, free = 1, path.with_name(f"{path.stem}.from-backup{path.suffix}")
    while free.exists() and free.read_bytes() != content:
        number += 1
        free = path.with_name(f"{path.stem}.from-backup-{number}{path.suffix}")
    return free


def restore(proved: Proved, settings: Settings, now: float) -> Restored:
    """The journal and what belongs to it, all or nothing; what was there is kept aside.

    Raises AlreadyRunning if a mediawatch is at work, SealBroken, JournalError, StorageProblem.
    """
    data_dir = settings.storage.data_dir
    with _owned(data_dir, settings.inboxes.folders, now):
        putting_back.finish(data_dir)  # an earlier one that was cut off
        part = putting_back.begin(data_dir)
        try:
            _unpack_journal(proved, part / JOURNAL)
            unseen = _records(proved, data_dir, part)
            for path in (part, *part.iterdir()):
                owner_only.as_its_folder(path)
            give_to_owner_of(data_dir, part)
        except OSError as error:
            raise from_os_error(error, f"write in {part}") from error
        stamp = datetime.fromtimestamp(now, UTC).strftime("%Y%m%dT%H%M%SZ")
        aside = putting_back.decide(data_dir, stamp)
    return Restored(proved.manifest.made, aside, unseen)


@contextlib.contextmanager
def _owned(data_dir: Path, inboxes: list[Path], now: float) -> Iterator[None]:
    try:
        with Ownership(data_dir, *inboxes, now=now):
            yield
    except AlreadyRunning as error:
        raise AlreadyRunning(error.message, remedy="Stop it, then restore.") from None


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    try:
        file = path.open("rb")
    except OSError as error:
        raise from_os_error(error, f"read {path}") from error
    with file:
        yield file


def _unpack_journal(proved: Proved, target: Path) -> None:
    with _opened(proved.path) as file:
        unsealer = Unsealer(file, proved.passphrase)
        for name, _, content in unpacked(unsealer):
            if name == JOURNAL:
                with owner_only.new(target) as journal:
                    shutil.copyfileobj(content, journal, 1 << 20)
                crash.at("restore.unpacked")
        unsealer.finish()
    try:
        address = f"{target.absolute().as_uri()}?mode=ro&immutable=1"
        with contextlib.closing(sqlite3.connect(address, uri=True)) as connection:
            wrong = complaint(connection, CHECK_LIMIT)
            is_known = migrate.revision(connection) in migrate.known()
    except sqlite3.Error as error:
        wrong, is_known = str(error), False
    if wrong is not None or not is_known:
        raise SealBroken(
            f"The journal in this backup is not whole: {wrong or 'it says no version'}.",
            remedy="Use an older backup.",
        )


def _records(proved: Proved, data_dir: Path, part: Path) -> bool:
    """Write what belongs beside the journal; whether nobody here knows what came after it."""
    there = {
        member.name.removeprefix("records/"): content
        for member, content in proved.small.items()
        if member.kind == "record"
    }
    here = Witness(data_dir / WITNESS).asks()
    told = _asks(there.get(WITNESS, b"{}"))
    # What was recorded here last counts, where it knows the accounts of the backup.
    unseen = not here or not told.keys() <= here.keys()
    asked = {
        account: max(told.get(account, 0), (here or {}).get(account, 0))
        for account in told.keys() | (here or {}).keys()
    }
    contents = {WITNESS: json.dumps(asked).encode()}
    if unseen:
        contents[UNSEEN] = json.dumps({"since": proved.manifest.made}).encode()
    if TLS_SEEN in there:
        contents[TLS_SEEN] = _joined(data_dir / TLS_SEEN, there[TLS_SEEN])
    if KEYS in there:
        # Those of here too: tokens that were set aside with the old journal stay openable.
        contents[KEYS] = joined(there[KEYS], _content(data_dir / KEYS))
    for name, content in contents.items():
        owner_only.write(part / name, content)
        crash.at("restore.unpacked")
    return unseen


def _asks(content: bytes) -> dict[str, int]:
    with contextlib.suppress(ValueError, RecursionError):
        found = json.loads(content)
        if isinstance(found, dict):
            return {str(key): count for key, count in found.items() if isinstance(count, int)}
    return {}


def _content(path: Path) -> bytes:
    return path.read_bytes() if os.path.lexists(path) else b""


def _joined(here: Path, there: bytes) -> bytes:
    """The lines of both: a host that ever spoke TLS is never talked to without."""
    lines = _content(here).splitlines()
    return b"".join(b"%s\n" % line for line in dict.fromkeys([*lines, *there.splitlines()]))
