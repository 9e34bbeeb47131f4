"""Programs that write a file in every way that has fooled a watcher. Run as a child process:

    python -m tests.support.writers KIND PATH

All of them end with the same ``CONTENT`` under the path. Stalls are longer than the settle time
that the tests use, except where nothing but the settle time can help (``reopen``).
"""

from __future__ import annotations

import mmap
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

CONTENT = bytes(range(256)) * 800
CHUNKS = [CONTENT[start : start + 20480] for start in range(0, len(CONTENT), 20480)]
PAUSE, STALL = 0.05, 1.2

_CREATE = os.O_CREAT | os.O_WRONLY


def _write(descriptor: int, chunks: list[bytes], pause: float = 0.0) -> None:
    for chunk in chunks:
        os.write(descriptor, chunk)
        if pause:
            time.sleep(pause)


def _fast(path: Path) -> None:
    path.write_bytes(CONTENT)


def _rename(path: Path) -> None:
    part = path.with_name(path.name + ".part")
    _slow(part)
    part.rename(path)


def _slow(path: Path) -> None:
    descriptor = os.open(path, _CREATE, 0o644)
    _write(descriptor, CHUNKS, PAUSE)
    os.close(descriptor)


def _stall(path: Path) -> None:
    descriptor = os.open(path, _CREATE, 0o644)
    _write(descriptor, CHUNKS[:5])
    time.sleep(STALL)
    _write(descriptor, CHUNKS[5:])
    os.close(descriptor)


def _reopen(path: Path) -> None:
    for chunk in CHUNKS:
        with path.open("ab") as file:
            file.write(chunk)
        time.sleep(PAUSE)


def _preallocate(path: Path) -> None:
    descriptor = os.open(path, _CREATE, 0o644)
    os.posix_fallocate(descriptor, 0, len(CONTENT))
    _write(descriptor, CHUNKS, PAUSE)
    os.close(descriptor)


def _size_first(path: Path) -> None:
    descriptor = os.open(path, _CREATE, 0o644)
    os.truncate(descriptor, len(CONTENT))
    time.sleep(STALL)
    _write(descriptor, CHUNKS)
    os.close(descriptor)


def _mapped(path: Path) -> None:
    descriptor = os.open(path, os.O_CREAT | os.O_RDWR, 0o644)
    os.truncate(descriptor, len(CONTENT))
    mapping = mmap.mmap(descriptor, len(CONTENT))
    os.close(descriptor)
    for index, chunk in enumerate(CHUNKS):
        mapping[index * len(chunk) : (index + 1) * len(chunk)] = chunk
        time.sleep(PAUSE * 3)
    mapping.close()


def _old_time(path: Path) -> None:
    _slow(path)
    os.utime(path, (1e9, 1e9))


def _hard_link(path: Path) -> None:
    hidden = path.with_name("." + path.name)
    _fast(hidden)
    path.hardlink_to(hidden)
    hidden.unlink()


def _nameless(path: Path) -> None:
    descriptor = os.open(path.parent, os.O_TMPFILE | os.O_WRONLY, 0o644)
    _write(descriptor, CHUNKS)
    os.link(f"/proc/self/fd/{descriptor}", path, src_dir_fd=os.open("/", os.O_RDONLY))
    os.close(descriptor)


def _two(path: Path) -> None:
    first = os.open(path, _CREATE, 0o644)
    _write(first, CHUNKS[:1])
    second = os.open(path, os.O_WRONLY | os.O_APPEND)
    os.close(first)
    time.sleep(STALL)
    _write(second, CHUNKS[1:], PAUSE)
    os.close(second)


def _leaked(path: Path) -> None:
    """A child keeps the descriptor for a while after the content is done."""
    descriptor = os.open(path, _CREATE, 0o644)
    _write(descriptor, CHUNKS)
    subprocess.run(["sleep", str(STALL)], pass_fds=[descriptor], check=True)
    os.close(descriptor)


KINDS: dict[str, Callable[[Path], None]] = {
    "fast": _fast,
    "rename": _rename,
    "slow": _slow,
    "stall": _stall,
    "reopen": _reopen,
    "preallocate": _preallocate,
    "size-first": _size_first,
    "mapped": _mapped,
    "old-time": _old_time,
    "hard-link": _hard_link,
    "nameless": _nameless,
    "two": _two,
    "leaked": _leaked,
}

if __name__ == "__main__":
    KINDS[sys.argv[1]](Path(sys.argv[2]))
