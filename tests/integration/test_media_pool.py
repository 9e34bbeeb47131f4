"""Pictures prepared by real worker processes."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from mediawatch.errors import (
    PreparationProblem,
    Rejected,
    SourceProblem,
    StorageProblem,
)
from mediawatch.media.order import ImageOptions
from mediawatch.media.pool import Preparer
from mediawatch.media.process import environment
from tests.support import pictures

OPTIONS = ImageOptions()
posix_only = pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signals or /proc")


@pytest.fixture
async def preparer() -> AsyncIterator[Preparer]:
    async with Preparer(2) as preparer:
        yield preparer


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    file = tmp_path / "photo.png"
    file.write_bytes(pictures.see_through_png(400, 320))
    return file


async def test_a_picture_is_prepared_in_a_worker(
    preparer: Preparer, photo: Path, tmp_path: Path
) -> None:
    """The result crosses the pipe whole: figures, hash, and what was changed."""
    target = tmp_path / "out.jpg"
    prepared = await preparer.prepare(photo, target, OPTIONS)
    data = target.read_bytes()
    assert pictures.require_publishable(data) == (prepared.width, prepared.height)
    assert len(data) == prepared.size
    assert prepared.changes == ("PNG to JPEG", "transparency on white")


async def test_no_process_before_there_is_work(preparer: Preparer) -> None:
    """A daemon with an empty inbox holds no worker."""
    assert preparer.pids == ()


async def test_many_pictures_at_once(preparer: Preparer, photo: Path, tmp_path: Path) -> None:
    """More files than workers: each is served, by no more processes than were allowed."""
    targets = [tmp_path / f"{number}.jpg" for number in range(12)]
    await asyncio.gather(*(preparer.prepare(photo, target, OPTIONS) for target in targets))
    assert len(preparer.pids) == 2
    assert {target.read_bytes() for target in targets} == {targets[0].read_bytes()}


async def test_warm_starts_all_workers_once(preparer: Preparer) -> None:
    """Called for every file that settles, so the second call must find nothing to do."""
    await asyncio.gather(preparer.warm(), preparer.warm())
    pids = preparer.pids
    assert len(pids) == 2
    await preparer.warm()
    assert pids == preparer.pids


@pytest.mark.parametrize(
    ("kind", "code", "data"),
    [
        (Rejected, "unsupported", pictures.PDF),
        (Rejected, "no-video", pictures.MP4),
    ],
)
async def test_verdicts_cross_the_pipe_whole(
    preparer: Preparer, tmp_path: Path, kind: type[Exception], code: str, data: bytes
) -> None:
    """Class, code, sentence, remedy and details are those the worker gave."""
    source = tmp_path / "photo.jpg"
    source.write_bytes(data)
    with pytest.raises(kind) as caught:
        await preparer.prepare(source, tmp_path / "out.jpg", OPTIONS)
    error = caught.value
    assert isinstance(error, Rejected)
    assert code == error.code
    assert error.message.endswith(".")
    assert error.remedy.endswith(".")
    assert "label" in error.details


async def test_disk_problems_are_told_apart(
    preparer: Preparer, photo: Path, tmp_path: Path
) -> None:
    """A missing original and a target that cannot be written are different troubles."""
    with pytest.raises(SourceProblem):
        await preparer.prepare(tmp_path / "gone.jpg", tmp_path / "out.jpg", OPTIONS)
    with pytest.raises(StorageProblem):
        await preparer.prepare(photo, tmp_path / "nowhere" / "out.jpg", OPTIONS)


@pytest.mark.skipif(sys.platform != "linux", reason="names that are not UTF-8")
async def test_names_that_are_no_text_survive(preparer: Preparer, tmp_path: Path) -> None:
    """A file name is bytes; old cameras and archives write any."""
    source, target = (Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff\xe9\n.jpg" + end))
                      for end in (b"", b".out"))  # fmt: skip
    source.write_bytes(pictures.jpeg())
    await preparer.prepare(source, target, OPTIONS)
    assert source.read_bytes() == target.read_bytes()


async def test_workers_are_replaced_after_a_while(photo: Path, tmp_path: Path) -> None:
    """What leaks in a decoder leaks for so many files only."""
    async with Preparer(1, recycle=2) as preparer:
        seen: list[int] = []
        for _ in range(4):
            await preparer.warm()
            seen += preparer.pids
            await preparer.prepare(photo, tmp_path / "out.jpg", OPTIONS)
        assert seen[0] == seen[1] != seen[2] == seen[3]


async def test_a_worker_that_cannot_start_is_told(
    photo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A broken installation shows as a problem of the converter, not of the picture."""
    async with Preparer(1) as preparer:
        monkeypatch.setattr(sys, "executable", str(tmp_path / "no-python"))
        with pytest.raises(PreparationProblem, match="start the converter"):
            await preparer.prepare(photo, tmp_path / "out.jpg", OPTIONS)
        monkeypatch.undo()
        monkeypatch.setenv("PYTHONHOME", str(tmp_path))
        with pytest.raises(PreparationProblem, match="could not start"):
            await preparer.warm()
        monkeypatch.undo()
        await preparer.prepare(photo, tmp_path / "out.jpg", OPTIONS)


def test_passwords_stay_out_of_the_worker() -> None:
    """The process that opens files of strangers gets no secret in its environment."""
    seen = environment(
        {
            "PATH": "/bin", "FTP_PASS": "hunter2", "ACCESS_TOKEN": "EAAG", "SystemRoot": "C:/W",
            "MEDIAWATCH_FTP__PASSWORD": "hunter2", "LC_ALL": "C.UTF-8", "PYTHONPATH": "/x",
        }
    )  # fmt: skip
    assert {"PATH", "SystemRoot", "LC_ALL", "PYTHONPATH", "GLIBC_TUNABLES"} == set(seen)
    assert seen["GLIBC_TUNABLES"] == "glibc.malloc.hugetlb=1"
