"""Files that are broken, mislabelled, or made to do harm: each gets its verdict, none does harm."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import pytest

from mediawatch.errors import MediawatchError, Rejected
from mediawatch.media.order import ImageOptions
from mediawatch.media.pool import Preparer
from tests.support import pictures
from tests.support.hostile_pictures import PUBLISHED, corpus

OPTIONS = ImageOptions()
CORPUS = corpus()
#: Bytes that a worker may hold at the worst, for pictures whose header tells how large they are.
PEAK = 400 << 20


async def test_every_hostile_file_gets_its_verdict_and_the_workers_live(tmp_path: Path) -> None:
    """All of them named .jpg, between good files: right code each, little memory, nothing but the
    picture in what is published, and the same processes at the end as at the start."""
    good = tmp_path / "good.jpg"
    good.write_bytes(pictures.jpeg(4032, 3024))
    verdicts: dict[str, str] = {}

    async def judge(preparer: Preparer, number: int, name: str, data: bytes) -> None:
        source, target = tmp_path / f"{number}.jpg", tmp_path / f"{number}.out"
        source.write_bytes(data)
        try:
            await preparer.prepare(source, target, OPTIONS)
        except MediawatchError as error:
            verdicts[name] = error.code
            assert not target.exists()
            return
        verdicts[name] = PUBLISHED
        written = target.read_bytes()
        pictures.require_publishable(written)
        for foreign in (b"PK\3\4", b"script", b"Exif"):
            assert foreign not in written

    async with Preparer(2) as preparer:
        await preparer.warm()
        pids = set(preparer.pids)
        await asyncio.gather(
            *(judge(preparer, n, name, data) for n, (name, (_, data)) in enumerate(CORPUS.items())),
            *(preparer.prepare(good, tmp_path / f"good{n}.out", OPTIONS) for n in range(3)),
        )
        assert pids <= set(preparer.pids)  # and one more, for what moves
        if sys.platform == "linux":
            assert max(map(peak, pids)) < PEAK
        await preparer.prepare(good, tmp_path / "good3.out", OPTIONS)
    assert {name: code for name, (code, _) in CORPUS.items()} == verdicts
    assert {f"good{n}.out" for n in range(4)} == {file.name for file in tmp_path.glob("good*.out")}
    assert not list(tmp_path.glob("*.part"))


def peak(pid: int) -> int:
    """The most memory that a process has held, in bytes."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return int(status.split("VmHWM:")[1].split()[0]) << 10


def test_the_corpus_is_large() -> None:
    """Every format, and every way to be broken that has been met: none is dropped in silence."""
    assert len(CORPUS) >= 160
    assert {code for code, _ in CORPUS.values()} == {
        PUBLISHED, "aspect", "blank", "corrupt", "empty", "no-video", "scan-bomb",
        "too-many-frames", "too-many-pixels", "too-small", "truncated", "unsupported",
    }  # fmt: skip


@pytest.mark.slow
async def test_a_runaway_does_not_hold_up_other_files(tmp_path: Path) -> None:
    """While one worker decodes without end, the other serves all; then the runaway is refused."""
    slow, good = tmp_path / "slow.jpg", tmp_path / "good.jpg"
    slow.write_bytes(pictures.slow_jpeg())
    good.write_bytes(pictures.jpeg())
    async with Preparer(2, timeout=1.5) as preparer:
        await preparer.warm()
        runaway = asyncio.create_task(preparer.prepare(slow, tmp_path / "slow.out", OPTIONS))
        await asyncio.sleep(0)
        for number in range(5):
            await preparer.prepare(good, tmp_path / f"{number}.out", OPTIONS)
        assert not runaway.done()
        with pytest.raises(Rejected) as caught:
            await runaway
    assert caught.value.code == "timeout"
    assert len(list(tmp_path.glob("*.out"))) == 5


@pytest.mark.skipif(sys.platform == "win32", reason="needs pipes and links")
async def test_what_is_no_file_does_not_hang(tmp_path: Path) -> None:
    """A named pipe, a folder, a link and a device called .jpg are refused at once."""
    if sys.platform == "win32":
        return
    os.mkfifo(tmp_path / "pipe.jpg")
    (tmp_path / "folder.jpg").mkdir()
    (tmp_path / "link.jpg").symlink_to("/dev/zero")
    async with Preparer(1, timeout=10) as preparer:
        for name in ("pipe.jpg", "folder.jpg", "link.jpg"):
            with pytest.raises(Rejected) as caught:
                await preparer.prepare(tmp_path / name, tmp_path / "out.jpg", OPTIONS)
            assert caught.value.code == "not-a-file"


@pytest.mark.skipif(sys.platform == "win32", reason="needs a script as a program")
async def test_postscript_never_reaches_ghostscript(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PostScript is a programming language; Pillow alone would run it. Shown with a decoy."""
    ran, decoy = tmp_path / "ran", tmp_path / "bin" / "gs"
    decoy.parent.mkdir()
    decoy.write_text(f"#!/bin/sh\necho ran >> '{ran}'\nexit 1\n", encoding="ascii")
    decoy.chmod(0o755)
    monkeypatch.setenv("PATH", f"{decoy.parent}:{os.environ['PATH']}")
    source = tmp_path / "photo.jpg"
    source.write_bytes(pictures.EPS)

    async with Preparer(1) as preparer:
        with pytest.raises(Rejected, match="PostScript") as caught:
            await preparer.prepare(source, tmp_path / "out.jpg", OPTIONS)
    assert caught.value.code == "unsupported"
    assert not ran.exists()

    naive = f"from PIL import Image; Image.open({str(source)!r}).load()"
    pillow = await asyncio.create_subprocess_exec(
        sys.executable, "-c", naive, stderr=asyncio.subprocess.DEVNULL
    )
    await pillow.wait()
    assert ran.exists()
