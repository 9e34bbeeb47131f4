"""Files on their way into memory: whole, off the loop if a disk is waited for, none held
up by another."""

from __future__ import annotations

import asyncio
import errno
import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from mediawatch.errors import StorageProblem
from mediawatch.hosts.ftp_reader import FileReader

on_linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux reads without waiting")


class Memory:
    """Stands for the system's memory: how much of a file it has, or that it does not tell."""

    def __init__(self, has: int | None) -> None:
        self.has = has
        self.asked = 0

    def preadv(self, _: int, rooms: list[bytearray], *__: int) -> int:
        self.asked += 1
        if self.has is None:
            raise OSError(errno.EOPNOTSUPP, os.strerror(errno.EOPNOTSUPP))
        rooms[0][: self.has] = b"\0" * self.has
        return self.has


@pytest.fixture(params=["as it is", "nothing in memory", "not told"])
def reader(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[FileReader]:
    if sys.platform == "linux" and request.param != "as it is":
        memory = Memory(0 if request.param == "nothing in memory" else None)
        monkeypatch.setattr(os, "preadv", memory.preadv)
    made = FileReader()
    yield made
    made.close()


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    file = tmp_path / "picture.jpg"
    file.write_bytes(b"\xff\xd8picture")
    return file


async def test_each_gets_its_own_file(reader: FileReader, tmp_path: Path) -> None:
    """Files that are asked for at once are not mixed up."""
    files = [tmp_path / f"{number}.jpg" for number in range(20)]
    for file in files:
        file.write_text(file.name)
    found = await asyncio.gather(*map(reader.read, files))
    assert [file.name.encode() for file in files] == [file.content for file in found]


async def test_an_unreadable_file_spoils_no_other(
    reader: FileReader, picture: Path, tmp_path: Path
) -> None:
    """Its own upload is told; the next file is read by the same thread."""
    with pytest.raises(StorageProblem, match=r"gone\.jpg"):
        await reader.read(tmp_path / "gone.jpg")
    assert picture.read_bytes() == (await reader.read(picture)).content


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no named pipes in folders")
async def test_a_file_that_hangs_holds_up_no_other(
    reader: FileReader, picture: Path, tmp_path: Path
) -> None:
    """A file that takes for ever to open is waited for by its own upload only, and may be given
    up: whoever asked for it last need not be there any more."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    hanging = asyncio.create_task(reader.read(pipe))
    await asyncio.sleep(0)
    assert picture.read_bytes() == (await reader.read(picture)).content
    hanging.cancel()
    with pytest.raises(asyncio.CancelledError):
        await hanging
    os.close(await asyncio.to_thread(os.open, pipe, os.O_WRONLY))
    assert picture.read_bytes() == (await reader.read(picture)).content


async def test_it_goes_on_after_a_close(reader: FileReader, picture: Path) -> None:
    """An upload that comes late is read for, too."""
    await reader.read(picture)
    reader.close()
    assert picture.read_bytes() == (await reader.read(picture)).content


def reading_threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name == "ftp-reader"]


@on_linux
async def test_what_is_in_memory_needs_no_thread(
    monkeypatch: pytest.MonkeyPatch, picture: Path
) -> None:
    """A file that was written a moment ago costs no way to a thread and back."""

    def preadv(number: int, rooms: list[bytearray], offset: int, _: int) -> int:
        return real(number, rooms, offset)  # what a disk that tells would say

    real, before = os.preadv, reading_threads()
    monkeypatch.setattr(os, "preadv", preadv)
    found = await FileReader().read(picture)
    assert (found.content, found.size) == (picture.read_bytes(), 9)
    assert reading_threads() == before


@on_linux
async def test_half_a_file_in_memory_is_read_whole(
    monkeypatch: pytest.MonkeyPatch, picture: Path
) -> None:
    """What the system dropped from its memory is read from the disk, by the thread."""
    monkeypatch.setattr(os, "preadv", Memory(4).preadv)
    assert picture.read_bytes() == (await FileReader().read(picture)).content


@on_linux
async def test_a_disk_that_does_not_tell_is_asked_once(
    monkeypatch: pytest.MonkeyPatch, picture: Path
) -> None:
    """A disk of the network may take long to open a file: the loop tries that once only."""
    memory, reader = Memory(None), FileReader()
    monkeypatch.setattr(os, "preadv", memory.preadv)
    for _ in range(3):
        assert picture.read_bytes() == (await reader.read(picture)).content
    reader.close()
    assert memory.asked == 1
