"""Pictures and videos made ready by worker processes of Windows."""

from __future__ import annotations

import contextlib
import os
import signal
from pathlib import Path

from mediawatch.errors import PreparationProblem
from mediawatch.media.order import ImageOptions, Purpose
from mediawatch.media.pool import Preparer
from tests.support import pictures, videos


async def test_pictures_and_videos_are_prepared_by_workers(tmp_path: Path) -> None:
    """A picture and a video come out as Instagram takes them, by processes other than ours; they
    end with the pool."""
    photo, clip = tmp_path / "Bäume.png", tmp_path / "clip.mp4"
    photo.write_bytes(pictures.see_through_png(400, 320))
    clip.write_bytes(videos.video(seconds=3.2))
    async with Preparer(1) as preparer:
        made = await preparer.prepare(photo, tmp_path / "Bäume.jpg", ImageOptions())
        assert "PNG to JPEG" in made.changes
        assert os.getpid() not in preparer.pids
        reel = tmp_path / "reel.mp4"
        await preparer.prepare(clip, reel, ImageOptions(), purpose=Purpose.REEL)
    assert reel.stat().st_size > 1000
    assert preparer.pids == ()


async def test_a_killed_worker_is_replaced(tmp_path: Path) -> None:
    """A worker that somebody ends in the task manager costs nothing but a new one."""
    photo = tmp_path / "photo.png"
    photo.write_bytes(pictures.see_through_png(400, 320))
    async with Preparer(1) as preparer:
        await preparer.warm()
        (first,) = preparer.pids
        os.kill(first, signal.SIGTERM)
        with contextlib.suppress(PreparationProblem):  # told as trouble that passes
            await preparer.prepare(photo, tmp_path / "photo.jpg", ImageOptions())
        await preparer.prepare(photo, tmp_path / "photo.jpg", ImageOptions())
        assert (first,) != preparer.pids
