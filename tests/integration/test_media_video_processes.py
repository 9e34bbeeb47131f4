"""The worker for videos: cancelled, killed, stalled; and pictures that go on beside it."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from mediawatch.errors import Handling, PreparationProblem, Rejected
from mediawatch.media.order import ImageOptions
from mediawatch.media.pool import Preparer
from mediawatch.media.process import environment
from tests.support import pictures, videos

if sys.platform != "linux":
    pytest.skip("needs /proc and signals", allow_module_level=True)

OPTIONS = ImageOptions()


@pytest.fixture
async def preparer() -> AsyncIterator[Preparer]:
    async with Preparer(1) as preparer:
        yield preparer


@pytest.fixture
def long_video(tmp_path: Path) -> Path:
    """It takes seconds to encode, whatever the machine."""
    file = tmp_path / "long.avi"
    file.write_bytes(
        videos.video(
            seconds=30, size=(640, 360), fps=60, container="avi", codec="mpeg4", sound="mp3"
        )
    )
    return file


async def begun(preparer: Preparer, source: Path, target: Path) -> tuple[asyncio.Task[object], int]:
    """A conversion that has told of its first frames, and the process that does it."""
    first = asyncio.Event()

    def heard(share: float) -> None:
        if share > 0:
            first.set()

    job = asyncio.create_task(preparer.prepare(source, target, OPTIONS, on_progress=heard))
    waiting = asyncio.create_task(first.wait())
    await asyncio.wait({job, waiting}, return_when=asyncio.FIRST_COMPLETED)
    assert not job.done()
    return job, preparer.pids[-1]


async def test_cancelling_a_video_stops_it_at_once(
    preparer: Preparer, long_video: Path, tmp_path: Path
) -> None:
    """The process and the half-written file are gone, and the next video works."""
    target = tmp_path / "out.mp4"
    job, pid = await begun(preparer, long_video, target)
    assert target.with_name("out.mp4.part").exists()
    job.cancel()
    with pytest.raises(asyncio.CancelledError):
        await job
    assert not Path(f"/proc/{pid}").exists()
    assert {long_video} == set(tmp_path.iterdir())
    long_video.write_bytes(videos.video())
    await preparer.prepare(long_video, target, OPTIONS)


async def test_pictures_go_on_beside_a_long_video(
    preparer: Preparer, long_video: Path, tmp_path: Path
) -> None:
    """One worker for pictures is enough: the video has one to itself."""
    photo = tmp_path / "photo.jpg"
    photo.write_bytes(pictures.jpeg())
    job, _ = await begun(preparer, long_video, tmp_path / "out.mp4")
    for number in range(3):
        await preparer.prepare(photo, tmp_path / f"{number}.jpg", OPTIONS)
    assert not job.done()
    assert preparer.busy == 1
    job.cancel()
    with pytest.raises(asyncio.CancelledError):
        await job


@pytest.mark.parametrize("crash", [signal.SIGKILL, signal.SIGABRT, signal.SIGSEGV])
async def test_a_codec_that_crashes_takes_one_process_with_it(
    preparer: Preparer, long_video: Path, tmp_path: Path, crash: signal.Signals
) -> None:
    """The post is tried again, nothing half-written stays, and the next video works."""
    target = tmp_path / "out.mp4"
    job, pid = await begun(preparer, long_video, target)
    os.kill(pid, crash)
    with pytest.raises(PreparationProblem, match="in the middle of a file") as caught:
        await job
    assert caught.value.handling is Handling.RETRY
    assert {long_video} == set(tmp_path.iterdir())
    long_video.write_bytes(videos.video())
    await preparer.prepare(long_video, target, OPTIONS)


async def test_a_video_without_progress_is_stopped(long_video: Path, tmp_path: Path) -> None:
    """A codec that hangs says nothing; after so many seconds of silence the post is held."""
    async with Preparer(1, stall=5.0) as preparer:
        job, pid = await begun(preparer, long_video, tmp_path / "out.mp4")
        preparer._video._stall = 0.05
        os.kill(pid, signal.SIGSTOP)
        with pytest.raises(Rejected) as caught:
            await job
    assert (caught.value.code, caught.value.handling) == ("timeout", Handling.HOLD)
    assert "media.timeout" not in caught.value.remedy
    assert not Path(f"/proc/{pid}").exists()


async def test_progress_grows_to_the_end(
    preparer: Preparer, tmp_path: Path, long_video: Path
) -> None:
    """Whoever listens hears a share between 0 and 1 that never falls."""
    heard: list[float] = []
    enough = asyncio.Event()

    def listen(share: float) -> None:
        heard.append(share)
        if len(heard) == 3:
            enough.set()

    job = asyncio.create_task(
        preparer.prepare(long_video, tmp_path / "out.mp4", OPTIONS, on_progress=listen)
    )
    await enough.wait()
    job.cancel()
    with pytest.raises(asyncio.CancelledError):
        await job
    assert heard == sorted(heard)
    assert heard[0] == 0
    assert 0 < heard[-1] <= 1


async def test_little_memory_is_a_verdict_not_a_crash(tmp_path: Path) -> None:
    """A video that needs more than its worker may have is refused, and the worker lives on."""
    large, small = tmp_path / "large.mp4", tmp_path / "small.mp4"
    large.write_bytes(videos.video(size=(3840, 2160), fps=3, codec="mpeg4", sound=None))
    small.write_bytes(videos.video())
    async with Preparer(1, video_memory=400 << 20) as preparer:
        await preparer.prepare(small, tmp_path / "out", OPTIONS)
        pids = preparer.pids
        with pytest.raises(Rejected) as caught:
            await preparer.prepare(large, tmp_path / "out", OPTIONS)
        assert caught.value.code == "memory"
        await preparer.prepare(small, tmp_path / "out", OPTIONS)
        assert pids == preparer.pids


async def test_the_worker_is_modest(preparer: Preparer, tmp_path: Path) -> None:
    """Low priority, two gigabytes of address space, few arenas for its many threads."""
    source = tmp_path / "video.mp4"
    source.write_bytes(videos.video())
    await preparer.prepare(source, tmp_path / "out", OPTIONS)
    pid = preparer.pids[-1]
    limits = Path(f"/proc/{pid}/limits").read_text(encoding="ascii")
    assert f"Max address space         {2 << 30}" in limits
    nice = os.getpriority(os.PRIO_PROCESS, 0)
    assert os.getpriority(os.PRIO_PROCESS, pid) == min(19, nice + 10)
    assert "arena_max=4" in environment({}, many_threads=True)["GLIBC_TUNABLES"]
    assert "arena_max" not in environment({})["GLIBC_TUNABLES"]
