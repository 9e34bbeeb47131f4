"""Files that are broken, mislabelled, or made to do harm: each gets its verdict, none does harm."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import pytest

from mediawatch.errors import NotYetSupported, Rejected
from mediawatch.media.order import ImageOptions
from mediawatch.media.pool import Preparer
from tests.support import pictures

OPTIONS = ImageOptions()
JPEG = pictures.jpeg(600, 450)
PNG = pictures.encoded(pictures.photo(600, 450), "PNG")

VERDICTS: dict[str, tuple[str, bytes]] = {
    "png of 2500 MP": ("too-many-pixels", pictures.huge_png()),
    "png of 169 MP": ("too-many-pixels", pictures.huge_png(13_000, 13_000)),
    "webp of 169 MP": ("too-many-pixels", pictures.huge_webp()),
    "webp of 64 MP": ("too-many-pixels", pictures.huge_webp(8000, 8000)),
    "text bomb": ("corrupt", pictures.inflating_png(b"zTXt")),
    "profile bomb": ("corrupt", pictures.inflating_png(b"iCCP")),
    "scan bomb": ("scan-bomb", pictures.scan_bomb()),
    "empty": ("empty", b""),
    "one byte": ("unsupported", b"\xff"),
    "jpeg header": ("truncated", JPEG[:20]),
    "png header": ("truncated", PNG[:40]),
    "broken IHDR": ("corrupt", PNG[:29] + b"\0\0\0\0" + PNG[33:]),
    "html": ("unsupported", pictures.HTML),
    "svg": ("unsupported", b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>'),
    "pdf": ("unsupported", pictures.PDF),
    "zip": ("unsupported", b"PK\3\4" + bytes(100)),
    "ppm": ("unsupported", b"P6\n20000 8000\n255\n"),
    "script in gif": ("truncated", b"GIF89a/*\0\0\0\0*/=1;alert(1)//"),
    "one pixel": ("too-small", pictures.jpeg(1, 1)),
    "thread": ("aspect", pictures.jpeg(10_000, 10)),
    "upright thread": ("aspect", pictures.encoded(pictures.photo(10, 10_000), "PNG")),
    "nothing to see": ("blank", pictures.transparent_png()),
    "gif of 300 frames": ("too-small", pictures.animation("GIF", 300, (40, 30))),
    "video": ("no-video", pictures.MP4),
    "heic": ("heif", pictures.HEIC),
} | {
    f"{share:.0%} of a {name}": ("truncated", pictures.truncated(data, share))
    for share in (0.5, 0.99)
    for name, data in {
        "jpeg": JPEG,
        "png": PNG,
        "webp": pictures.encoded(pictures.photo(600, 450), "WEBP"),
        "gif": pictures.encoded(pictures.photo(600, 450), "GIF"),
        "avif": pictures.encoded(pictures.photo(600, 450), "AVIF", speed=10),
    }.items()
}  # fmt: skip


async def test_every_hostile_file_gets_its_verdict_and_the_workers_live(tmp_path: Path) -> None:
    """All of them named .jpg, between good files: right code each, same processes afterwards."""
    good = tmp_path / "good.jpg"
    good.write_bytes(pictures.jpeg(4032, 3024))
    verdicts: dict[str, str] = {}

    async def judge(preparer: Preparer, number: int, name: str, data: bytes) -> None:
        source = tmp_path / f"{number}.jpg"
        source.write_bytes(data)
        try:
            await preparer.prepare(source, tmp_path / f"{number}.out", OPTIONS)
        except (Rejected, NotYetSupported) as error:
            verdicts[name] = error.code

    async with Preparer(2) as preparer:
        await preparer.warm()
        pids = set(preparer.pids)
        await asyncio.gather(
            *(
                judge(preparer, n, name, data)
                for n, (name, (_, data)) in enumerate(VERDICTS.items())
            ),
            *(preparer.prepare(good, tmp_path / f"good{n}.out", OPTIONS) for n in range(3)),
        )
        assert pids <= set(preparer.pids)  # and one more, for what moves
    assert {name: code for name, (code, _) in VERDICTS.items()} == verdicts
    assert {f"good{n}.out" for n in range(3)} == {file.name for file in tmp_path.glob("*.out")}


HUGE_EXIF = pictures.png_chunk(b"eXIf", b"MM\0*\0\0\0\x08" + bytes(9 << 20))
HARMLESS = {
    "jpeg with a zip behind it": JPEG + b"PK\3\4" + bytes(500),
    "motion photo": JPEG + pictures.MP4 * 50,
    "script in a comment": pictures.jpeg(600, 450, comment=b"<script>alert('PK')</script>"),
    "garbage exif": pictures.jpeg(600, 450, exif=b"Exif\0\0II*\0\xff\xff\xff\x7f" + bytes(500)),
    "huge exif": PNG[:33] + HUGE_EXIF + PNG[33:],
    "wrong IDAT checksum": PNG.replace(PNG[-16:-12], b"\0\0\0\0"),
    "no IEND": PNG[:-12],
    "png by content": PNG,
}  # fmt: skip


@pytest.mark.parametrize("name", HARMLESS)
async def test_odd_files_are_published_clean(tmp_path: Path, name: str) -> None:
    """What can be decoded is published, and nothing but the picture comes out."""
    source, target = tmp_path / "photo.jpg", tmp_path / "out.jpg"
    source.write_bytes(HARMLESS[name])
    async with Preparer(1) as preparer:
        await preparer.prepare(source, target, OPTIONS)
    data = target.read_bytes()
    assert pictures.require_publishable(data) == (600, 450)
    assert b"PK\3\4" not in data
    assert b"script" not in data


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
