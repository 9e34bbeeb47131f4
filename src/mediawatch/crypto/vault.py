"""What keeps access tokens secret in the journal: AES-256-GCM, with keys that lie elsewhere.

A sealed value, all of it bytes::

    version 1 | id of the key 8 | nonce 12 | ciphertext | tag 16

Version, id and the place of the value (table, row, field) are authenticated with it, so that none
can be put into the place of another. The id is a digest of its key: a key is known by it wherever
it lies. Nonces are random, 96 bits: good for 2^32 values a key (NIST SP 800-38D, 8.3).

The keys lie in a file of their own, one a line, or are given by the settings; the first one seals,
the others only open. Whoever has the journal alone has no token.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import os
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from pydantic_core import PydanticCustomError

from mediawatch import crash
from mediawatch.config.values import KEY_SIZE, parse_keys
from mediawatch.crypto import owner_only
from mediawatch.errors import Handling, MediawatchError, from_os_error

#: In the data folder.
FILE_NAME = "keys"
_VERSION = 1
_ID, _NONCE, _TAG = 8, 12, 16
_HEAD = """\
# mediawatch: the keys of the access tokens in the journal, one a line; the first one is in use.
# Whoever has this file and the journal has the tokens. Without it every account must be connected
# again. `mediawatch backup` takes it along, sealed by its passphrase.
"""


class KeyProblem(MediawatchError):
    """The keys are not there, or not the right ones, or cannot be read."""

    code = "encryption-key"
    handling = Handling.PARK


class SealedOtherwise(KeyProblem):
    """This value cannot be opened with the keys that are there."""

    code = "token-unreadable"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a sealed value lies, and nowhere else: table, key of the row, column."""

    table: str
    row: str
    field: str

    @property
    def as_bytes(self) -> bytes:
        """Unmistakable: each part behind its length."""
        parts = [part.encode() for part in (self.table, self.row, self.field)]
        return b"".join(len(part).to_bytes(4) + part for part in parts)


def key_id(key: bytes) -> str:
    """By which a key is known; no way back to it."""
    return hashlib.sha256(b"mediawatch key id\0" + key).hexdigest()[: 2 * _ID]


def key_of(sealed: bytes) -> str:
    """The id of the key with which a value was sealed; empty if it is no sealed value."""
    is_whole = len(sealed) >= 1 + _ID + _NONCE + _TAG and sealed[0] == _VERSION
    return sealed[1 : 1 + _ID].hex() if is_whole else ""


def joined(first: bytes, then: bytes) -> bytes:
    """Two files of keys as one: those of the first come first, each once. One that holds no keys
    adds nothing."""
    keys: dict[bytes, None] = {}
    for content in (first, then):
        with contextlib.suppress(PydanticCustomError, ValueError):
            keys.update(dict.fromkeys(parse_keys(content.decode("ascii"))))
    return _as_file(keys)


def _as_file(keys: Iterable[bytes]) -> bytes:
    lines = [base64.b64encode(key).decode() for key in keys]
    return "\n".join([_HEAD.rstrip(), *lines, ""]).encode()


class Vault:
    """Seals and opens. ``file``: where the keys lie; ``given``: those of the settings, which come
    first. Without any key one is made when the first value is sealed."""

    def __init__(self, file: Path, given: Iterable[bytes] = ()) -> None:
        self.file = file
        self._given = tuple(given)
        self._keys: dict[str, bytes] = {}
        self._problem: KeyProblem | None = None
        self._load()

    @property
    def is_given(self) -> bool:
        """Whether the settings name the key in use; then the file's keys only open."""
        return bool(self._given)

    @property
    def active(self) -> str:
        """The id of the key that seals; empty if there is none yet."""
        return next(iter(self._keys), "")

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids of all keys."""
        return tuple(self._keys)

    @property
    def problem(self) -> KeyProblem | None:
        """Why the file of keys cannot be used."""
        return self._problem

    def _load(self) -> None:
        lying: tuple[bytes, ...] = ()
        try:
            text = self.file.read_text(encoding="ascii")
            lying = parse_keys(text) if text != _HEAD else ()  # those of the settings are left
        except FileNotFoundError:
            pass
        except OSError as error:
            told = from_os_error(error, f"read {self.file}")
            self._problem = KeyProblem(told.message, remedy=told.remedy)
        except (PydanticCustomError, ValueError):
            self._problem = KeyProblem(
                f"{self.file} holds no keys of mediawatch, or is damaged.",
                remedy="Put the file of a backup back (`mediawatch restore`); or remove it, and "
                "connect the accounts again.",
            )
        self._keys = {key_id(key): key for key in (*self._given, *lying)}

    def seal(self, plain: str, place: Place) -> bytes:
        """Raises KeyProblem and StorageProblem if there is no key and none can be made. Blocks
        for a moment when it makes one."""
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        if not self._keys:
            self.add_key()
        head = bytes([_VERSION]) + bytes.fromhex(self.active)
        nonce = os.urandom(_NONCE)
        cipher = AESGCM(self._keys[self.active])
        return head + nonce + cipher.encrypt(nonce, plain.encode(), head + place.as_bytes)

    def open(self, sealed: bytes, place: Place) -> str:
        """What was sealed for that place. Raises SealedOtherwise."""
        from cryptography.exceptions import InvalidTag
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        key = self._keys.get(key_of(sealed))
        if key is None:
            raise self._unreadable("it was sealed with a key that is not there")
        head, nonce = sealed[: 1 + _ID], sealed[1 + _ID : 1 + _ID + _NONCE]
        try:
            return (
                AESGCM(key)
                .decrypt(nonce, sealed[1 + _ID + _NONCE :], head + place.as_bytes)
                .decode()
            )
        except InvalidTag:
            raise self._unreadable("it was changed, or moved from another row") from None

    def _unreadable(self, why: str) -> SealedOtherwise:
        if self._problem is not None:
            return SealedOtherwise(
                f"The access token cannot be opened: {self._problem.message}",
                remedy=self._problem.remedy,
            )
        where = "storage.encryption_key" if self._given else str(self.file)
        return SealedOtherwise(
            f"The access token cannot be opened: {why} (the keys are those of {where}).",
            remedy=f"Put the right key back ({where}) and restart; or connect the account again.",
        )

    def add_key(self) -> str:
        """A new key, in use from now on, those before it kept; its id.

        Raises KeyProblem if the file is damaged, and StorageProblem.
        """
        if self._problem is not None:
            raise self._problem
        key = os.urandom(KEY_SIZE)
        self._write({key_id(key): key, **self._keys})
        return key_id(key)

    def drop_keys(self, unused: Iterable[str]) -> None:
        """Forget keys that seal nothing any more. The one in use and those of the settings stay.

        Raises StorageProblem.
        """
        gone = set(unused) - {self.active} - {key_id(key) for key in self._given}
        if gone & set(self._keys) and self._problem is None:
            self._write({name: key for name, key in self._keys.items() if name not in gone})

    def _write(self, keys: dict[str, bytes]) -> None:
        given = {key_id(key) for key in self._given}
        own = [key for name, key in keys.items() if name not in given]
        part = self.file.with_name(f"{self.file.name}.part")
        try:
            part.unlink(missing_ok=True)
            owner_only.write(part, _as_file(own))
            crash.at("keys.written")
            part.replace(self.file)
            crash.at("keys.placed")
            if sys.platform != "win32":
                _flush(self.file.absolute().parent)
        except OSError as error:
            raise from_os_error(error, f"write {self.file}") from error
        self._keys = keys


def _flush(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
