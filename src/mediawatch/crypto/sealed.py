"""A file that only a passphrase opens, written and read in one pass, however large.

The form, all numbers big-endian::

    magic 8 | log2 N 1 | r 1 | p 1 | salt 16 | nonce prefix 7 | checksum 8 | key proof 16
    then chunks: length 4 | ciphertext | tag 16

scrypt (RFC 7914) makes two keys out of the passphrase: one for AES-256-GCM, one that proves that it
is the right one. Chunks are sealed as STREAM does it (Hoang, Reyhanitabar, Rogaway, Vizár, "Online
Authenticated-Encryption and its Nonce-Reuse Misuse-Resistance", 2015): the nonce is prefix, number
of the chunk, and whether it is the last, so that none can be left out, moved, or cut off unnoticed.
The header goes into every tag. Its checksum needs no key: with it a header that was damaged is told
from a passphrase that is wrong.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import struct
import unicodedata
from collections.abc import Iterator
from typing import BinaryIO

from mediawatch.errors import MediawatchError

#: Bytes of a chunk before it is sealed.
CHUNK = 1 << 20
#: log2 N, r, p: 128 MiB and some tenths of a second for each guess.
COST = (17, 8, 1)

_MAGIC = b"MWSEAL\x00\x01"
_HEAD = struct.Struct(">8s3B16s7s")
_CHECKSUM, _PROOF, _TAG = 8, 16, 16
_LENGTH = struct.Struct(">I")
#: Costs of a file that are believed: a forged one must not eat the machine.
_MOST = (20, 8, 4)


class WrongPassphrase(MediawatchError):
    """The file is whole as far as can be seen, and this is not its passphrase."""

    code = "wrong-passphrase"


class SealBroken(MediawatchError):
    """The file is no sealed file, or not as it was written."""

    code = "backup-damaged"


class Sealer:
    """Seals what is written to it into ``target``. Only ``close`` makes it whole.

    ``cost``: COST unless told otherwise. Raises OSError as ``target`` does.
    """

    def __init__(
        self, target: BinaryIO, passphrase: str, cost: tuple[int, int, int] | None = None
    ) -> None:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        self._target = target
        self._prefix = os.urandom(7)
        self._head = _HEAD.pack(_MAGIC, *(cost or COST), os.urandom(16), self._prefix)
        key, proof = _keys(passphrase, self._head)
        self._cipher = AESGCM(key)
        self._number = 0
        self._waiting = bytearray()
        target.write(self._head + _checksum(self._head) + proof)

    def write(self, block: bytes) -> int:
        """Seal a block of any size."""
        self._waiting += block
        # What might be the last chunk waits: that it is the last stands in it.
        while len(self._waiting) > CHUNK:
            self._put(bytes(self._waiting[:CHUNK]), last=False)
            del self._waiting[:CHUNK]
        return len(block)

    def close(self) -> None:
        """Write the last chunk."""
        self._put(bytes(self._waiting), last=True)
        self._waiting.clear()

    def _put(self, plain: bytes, *, last: bool) -> None:
        sealed = self._cipher.encrypt(_nonce(self._prefix, self._number, last), plain, self._head)
        self._target.write(_LENGTH.pack(len(sealed)) + sealed)
        self._number += 1


class Unsealer:
    """Reads what was sealed, each byte only after it was proved to be as it was written.

    ``read`` raises SealBroken where it is not, also when the end is missing; what was read before
    is good, but only ``finish`` tells that it was all. The constructor raises WrongPassphrase and
    SealBroken.
    """

    def __init__(self, source: BinaryIO, passphrase: str) -> None:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        self._source = source
        head = source.read(_HEAD.size)
        checksum, proof = source.read(_CHECKSUM), source.read(_PROOF)
        if not head.startswith(_MAGIC[:6]):
            raise SealBroken(
                "This is no backup of mediawatch.",
                remedy="Name a file that `mediawatch backup` made.",
            )
        if len(proof) < _PROOF or not hmac.compare_digest(checksum, _checksum(head)):
            raise _damaged("its beginning is not as it was written")
        magic, *cost, _, self._prefix = _HEAD.unpack(head)
        if magic != _MAGIC:
            raise SealBroken(
                "This backup was made by a newer version of mediawatch.",
                remedy="Install that version, and restore with it.",
            )
        if any(told > most for told, most in zip(cost, _MOST, strict=True)) or not all(cost):
            raise _damaged("its beginning asks for what no mediawatch writes")
        self._head = head
        key, expected = _keys(passphrase, head)
        if not hmac.compare_digest(proof, expected):
            raise WrongPassphrase(
                "This is not the passphrase of the backup.",
                remedy="Try again: capital letters and the keyboard's language count.",
            )
        self._cipher = AESGCM(key)
        self._chunks = self._open()
        self._ready = b""

    def read(self, size: int = -1) -> bytes:
        """So many bytes, fewer only at the end; all that is left if ``size`` is negative."""
        while size < 0 or len(self._ready) < size:
            chunk = next(self._chunks, None)
            if chunk is None:
                size = len(self._ready) if size < 0 else size
                break
            self._ready += chunk
        given, self._ready = self._ready[:size], self._ready[size:]
        return given

    def finish(self) -> None:
        """Read to the end, and require that nothing comes behind it."""
        while self.read(CHUNK):
            pass

    def _open(self) -> Iterator[bytes]:
        from cryptography.exceptions import InvalidTag

        number, last = 0, False
        while not last:
            length = self._exactly(_LENGTH.size, number)
            (count,) = _LENGTH.unpack(length)
            if not _TAG <= count <= CHUNK + _TAG:
                raise _damaged(f"part {number + 1} of it is not as it was written")
            sealed = self._exactly(count, number)
            try:
                yield self._cipher.decrypt(_nonce(self._prefix, number, False), sealed, self._head)
            except InvalidTag:
                try:
                    plain = self._cipher.decrypt(
                        _nonce(self._prefix, number, True), sealed, self._head
                    )
                except InvalidTag:
                    told = f"part {number + 1} of it is not as it was written"
                    raise _damaged(told) from None
                last = True
                if self._source.read(1):
                    raise _damaged("something was put behind its end") from None
                yield plain
            number += 1

    def _exactly(self, count: int, number: int) -> bytes:
        found = self._source.read(count)
        if len(found) < count:
            raise _damaged(f"it breaks off in part {number + 1}")
        return found


def _keys(passphrase: str, head: bytes) -> tuple[bytes, bytes]:
    """The key of the chunks, and the proof that stands in the header."""
    from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

    _, log_n, r, p, salt, _ = _HEAD.unpack(head)
    # An accent is one character or two, depending on who typed it where.
    told = unicodedata.normalize("NFC", passphrase).encode("utf-8", "surrogateescape")
    made = Scrypt(salt=salt, length=64, n=1 << log_n, r=r, p=p).derive(told)
    return made[:32], hmac.digest(made[32:], head, "sha256")[:_PROOF]


def _checksum(head: bytes) -> bytes:
    return hashlib.sha256(head).digest()[:_CHECKSUM]


def _nonce(prefix: bytes, number: int, last: bool) -> bytes:
    return prefix + struct.pack(">IB", number, last)


def _damaged(how: str) -> SealBroken:
    return SealBroken(
        f"This backup is damaged: {how}.",
        remedy="Copy the file anew from where it was kept, or use an older one.",
    )
