"""What a backup holds, and how it is told at its beginning.

A compressed tar archive inside a sealed file (crypto/sealed.py). Its first member,
``manifest.json``, says what follows: settings, secrets, and the authorities that the FTP host is
trusted by, with the paths that they had, the records beside the journal, and last the journal
itself, which alone may be large.
"""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import BinaryIO, Literal, Protocol

from mediawatch.config import Loaded
from mediawatch.config.sources import SERVICE_MANAGER, dotenv_beside
from mediawatch.crypto.sealed import SealBroken
from mediawatch.journal.putting_back import KEYS, TLS_SEEN
from mediawatch.journal.witness import FILE_NAME as WITNESS

MANIFEST = "manifest.json"
#: Of the form described above.
FORM = 1
#: Bytes that a member but the journal may have: settings and secrets are small.
MOST = 4 << 20

Kind = Literal["settings", "secret", "authorities", "record", "journal"]


@dataclass(frozen=True, slots=True)
class Member:
    """A file of the backup. ``path``: where it lay, empty for what lies in the data folder."""

    name: str
    kind: Kind
    path: str = ""


@dataclass(frozen=True, slots=True)
class Manifest:
    """``made``: seconds since the epoch. ``revision``: of the journal's schema."""

    made: float
    version: str
    revision: str
    members: tuple[Member, ...]

    def as_json(self) -> bytes:
        """As it stands in the archive."""
        return json.dumps({"form": FORM, **asdict(self)}, indent=1).encode()

    @classmethod
    def read(cls, content: bytes) -> Manifest:
        """Raises SealBroken if it is none that this version can read."""
        try:
            told = json.loads(content)
            if told["form"] > FORM:
                raise SealBroken(
                    f"This backup was made by mediawatch {told['version']}, which is newer.",
                    remedy="Install that version, and restore with it.",
                )
            members = tuple(Member(m["name"], m["kind"], m["path"]) for m in told["members"])
            return cls(float(told["made"]), str(told["version"]), str(told["revision"]), members)
        except (ValueError, TypeError, LookupError) as error:
            raise SealBroken(
                "This backup does not say what is in it.", remedy="Use another one."
            ) from error


def small_files(loaded: Loaded, config: Path | None) -> dict[Member, Path]:
    """The settings, the files that they name, and the records beside the journal, as far as they
    are there."""
    data_dir = loaded.settings.storage.data_dir
    files: dict[Member, Path] = {}
    for path in (config, dotenv_beside(config)):
        if path is not None:
            files[Member(f"settings/{path.name}", "settings", str(path.absolute()))] = path
    for (table, key), path in loaded.secret_files.items():
        if loaded.origins[table, f"{key}_file"] != SERVICE_MANAGER:
            member = Member(f"secrets/{table}.{key}", "secret", str(path.absolute()))
            files[member] = path
    authorities = loaded.settings.ftp.tls_ca_file
    if authorities is not None:
        member = Member("settings/ftp.tls_ca_file", "authorities", str(authorities.absolute()))
        files[member] = authorities
    for name in (WITNESS, TLS_SEEN, KEYS):
        files[Member(f"records/{name}", "record")] = data_dir / name
    return {member: path for member, path in files.items() if path.is_file()}


class _Writable(Protocol):
    def write(self, block: bytes, /) -> int: ...


class Packer:
    """Writes the archive into ``target``, which is only written to."""

    def __init__(self, target: _Writable) -> None:
        self._tar = tarfile.open(fileobj=target, mode="w|gz", format=tarfile.PAX_FORMAT)  # type: ignore[call-overload]  # noqa: SIM115 - closed by close

    def add(self, name: str, content: bytes) -> None:
        """A small member."""
        self.add_file(name, io.BytesIO(content), len(content))

    def add_file(self, name: str, content: BinaryIO, size: int) -> None:
        """A member of any size, in bytes."""
        told = tarfile.TarInfo(name)
        told.size, told.mode = size, 0o600
        self._tar.addfile(told, content)

    def close(self) -> None:
        """End the archive."""
        self._tar.close()


class _Readable(Protocol):
    def read(self, size: int = ..., /) -> bytes: ...


def unpacked(source: _Readable) -> Iterator[tuple[str, int, BinaryIO]]:
    """Name, size in bytes and content of each member, in order. Raises SealBroken."""
    try:
        with tarfile.open(fileobj=source, mode="r|gz") as tar:  # type: ignore[call-overload]
            for told in tar:
                content = tar.extractfile(told)
                if content is None:
                    raise SealBroken(f"{told.name} in this backup is no file.", remedy="")
                yield told.name, told.size, content
    except tarfile.TarError as error:
        raise SealBroken(
            f"What is in this backup cannot be read: {error}.", remedy="Use another one."
        ) from error
