"""Files on their way into memory: whole, off the loop, none held up by another."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from mediawatch.errors import StorageProblem
from mediawatch.hosts.ftp_reader import FileReader


@pytest.fixture
def reader() -> Iterator[FileReader]:
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
