"""Workers that are stopped, killed, starved and forgotten: what only Linux can show."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from mediawatch.errors import (
    Handling,
    PreparationProblem,
    Rejected,
)
from mediawatch.media.order import ImageOptions
from mediawatch.media.pool import Preparer
from tests.support import pictures

if sys.platform != "linux":
    pytest.skip("needs /proc and signals", allow_module_level=True)

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


async def gone(pid: int) -> None:
    """Wait until the process has ended."""
    try:
        descriptor, ended = os.pidfd_open(pid), asyncio.Event()
    except ProcessLookupError:
        return
    asyncio.get_running_loop().add_reader(descriptor, ended.set)
    await ended.wait()
    asyncio.get_running_loop().remove_reader(descriptor)
    os.close(descriptor)


async def stopped(preparer: Preparer) -> int:
    """A worker that was started and then frozen, so that its next job takes for ever."""
    await preparer.warm()
    (pid,) = preparer.pids
    os.kill(pid, signal.SIGSTOP)
    return pid


async def test_a_time_out_kills_and_the_next_job_works(photo: Path, tmp_path: Path) -> None:
    """A file that takes too long is refused, and its process does not live on."""
    async with Preparer(1, timeout=0.2) as preparer:
        pid = await stopped(preparer)
        with pytest.raises(Rejected, match=r"0\.2 seconds") as caught:
            await preparer.prepare(photo, tmp_path / "out.jpg", OPTIONS)
        assert caught.value.code == "timeout"
        assert preparer.pids == ()
        assert not Path(f"/proc/{pid}").exists()
    async with Preparer(1) as preparer:
        await preparer.prepare(photo, tmp_path / "out.jpg", OPTIONS)


async def test_cancelling_kills_at_once(photo: Path, tmp_path: Path) -> None:
    """When a cancelled call is over, its process is gone and half-written files with it."""
    target = tmp_path / "out.jpg"
    async with Preparer(1) as preparer:
        pid = await stopped(preparer)
        job = asyncio.create_task(preparer.prepare(photo, target, OPTIONS))
        await asyncio.sleep(0)
        (tmp_path / "out.jpg.part").write_bytes(b"half")
        job.cancel()
        with pytest.raises(asyncio.CancelledError):
            await job
        assert not Path(f"/proc/{pid}").exists()
        assert {photo} == set(tmp_path.iterdir())
        await preparer.prepare(photo, target, OPTIONS)


async def test_a_real_runaway_is_cancelled_in_the_middle_of_decoding(
    preparer: Preparer, photo: Path, tmp_path: Path
) -> None:
    """Deep inside the decoder, where a thread could not be stopped, a process can be."""
    slow = tmp_path / "slow.jpg"
    slow.write_bytes(pictures.slow_jpeg())
    await preparer.warm()
    pids = preparer.pids
    job = asyncio.create_task(preparer.prepare(slow, tmp_path / "slow.out", OPTIONS))
    await asyncio.sleep(0)
    for _ in range(5):  # meanwhile the other one decodes
        await preparer.prepare(photo, tmp_path / "out.jpg", OPTIONS)
    assert not job.done()
    job.cancel()
    with pytest.raises(asyncio.CancelledError):
        await job
    assert [Path(f"/proc/{pid}").exists() for pid in pids].count(False) == 1
    assert len(preparer.pids) == 1


async def test_a_worker_killed_from_outside_costs_one_attempt(photo: Path, tmp_path: Path) -> None:
    """The kernel may kill for want of memory: that file is tried again, the next one works."""
    async with Preparer(1) as preparer:
        pid = await stopped(preparer)
        job = asyncio.create_task(preparer.prepare(photo, tmp_path / "out.jpg", OPTIONS))
        await asyncio.sleep(0)
        os.kill(pid, signal.SIGKILL)
        with pytest.raises(PreparationProblem, match="stopped in the middle of a file") as caught:
            await job
        assert caught.value.handling is Handling.RETRY
        await preparer.prepare(photo, tmp_path / "out.jpg", OPTIONS)
        assert preparer.pids not in {(), (pid,)}


async def test_idle_workers_end(photo: Path, tmp_path: Path) -> None:
    """A quiet daemon holds no decoder memory, and works again when a file comes."""
    async with Preparer(2, idle=0.05) as preparer:
        await preparer.warm()
        for pid in preparer.pids:
            await gone(pid)
        assert preparer.pids == ()
        await preparer.prepare(photo, tmp_path / "out.jpg", OPTIONS)


async def test_close_waits_for_all(photo: Path, tmp_path: Path) -> None:
    """Afterwards the running call is finished, no process is left, and none starts again."""
    preparer = Preparer(2)
    await preparer.warm()
    pids = preparer.pids
    job = asyncio.create_task(preparer.prepare(photo, tmp_path / "out.jpg", OPTIONS))
    await asyncio.sleep(0)
    await preparer.close()
    assert job.done()
    assert pictures.require_publishable((tmp_path / "out.jpg").read_bytes()) == (400, 320)
    assert not any(Path(f"/proc/{pid}").exists() for pid in pids)
    await preparer.close()
    with pytest.raises(RuntimeError):
        await preparer.prepare(photo, tmp_path / "out.jpg", OPTIONS)


async def test_too_little_memory_is_a_verdict_not_a_crash(tmp_path: Path) -> None:
    """The address space of a worker is bounded; what does not fit is refused, and it lives on."""
    large, small = tmp_path / "large.png", tmp_path / "small.jpg"
    large.write_bytes(pictures.huge_png(9000, 9000))
    small.write_bytes(pictures.jpeg())
    async with Preparer(1, memory=160 << 20) as preparer:
        await preparer.warm()
        pids = preparer.pids
        with pytest.raises(Rejected) as caught:
            await preparer.prepare(large, tmp_path / "out.jpg", OPTIONS)
        assert caught.value.code == "memory"
        await preparer.prepare(small, tmp_path / "out.jpg", OPTIONS)
        assert pids == preparer.pids


async def test_a_worker_is_modest(preparer: Preparer) -> None:
    """Low priority, bounded memory, no core dumps, a session of its own, deaf to Ctrl-C."""
    await preparer.warm()
    for pid in preparer.pids:
        status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
        ignored = int(status.split("SigIgn:")[1].split()[0], 16)
        assert ignored & 1 << (signal.SIGINT - 1)
        limits = Path(f"/proc/{pid}/limits").read_text(encoding="ascii")
        assert f"Max address space         {1 << 30}" in limits
        assert "Max core file size        0 " in limits
        assert os.getpriority(os.PRIO_PROCESS, pid) == min(
            19, os.getpriority(os.PRIO_PROCESS, 0) + 10
        )
        assert pid == os.getsid(pid)
