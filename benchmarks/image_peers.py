"""The peers of the picture benchmark: each turns all files into JPEGs of at most 1440x1800.

Run as a program, it is the peers written in Python: ``image_peers.py naive|pyvips OUT FILE...``.
"""

from __future__ import annotations

import os
import resource
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

CORES = os.cpu_count() or 1
BOX = "1440x1800"
# Our workers let others go first, and have sessions of their own, which on Linux are shares of the
# machine: on a busy one nobody may have an advantage by that.
_LIKE_OURS = ("nice", "-n", "10")


@dataclass(frozen=True, slots=True)
class Run:
    """How long all files took, and the CPU that they cost. Seconds."""

    wall: float
    cpu: float


#: A peer: it converts these files into that folder.
Peer = Callable[[Sequence[Path], Path], Run]


def _measured(command: Sequence[str], given: str | None = None) -> Run:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.perf_counter()
    subprocess.run(
        [*_LIKE_OURS, *command],
        input=given,
        text=True,
        check=True,
        capture_output=True,
        start_new_session=True,
    )
    wall = time.perf_counter() - started
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    return Run(wall, cpu)


def _python(interpreter: str, way: str) -> Peer:
    def run(files: Sequence[Path], out: Path) -> Run:
        return _measured([interpreter, __file__, way, str(out), *map(str, files)])

    return run


def _xargs(script: str) -> Peer:
    """A shell line for each file ($1) and its target ($2), on all cores."""

    def run(files: Sequence[Path], out: Path) -> Run:
        pairs = "".join(
            f"{shlex.quote(str(f))} {shlex.quote(str(out / f.name))}.jpg\n" for f in files
        )
        return _measured(["xargs", "-P", str(CORES), "-L", "1", "sh", "-c", script, "sh"], pairs)

    return run


def _imagemagick() -> str | None:
    for name in ("convert-im6.q16", "convert"):
        path = shutil.which(name)
        if path:
            told = subprocess.run([path, "-version"], capture_output=True, text=True, check=False)
            if "ImageMagick" in told.stdout:
                return path
    return None


def peers(pyvips_python: Path) -> tuple[dict[str, Peer], dict[str, str]]:
    """Those that can run here, and why the others cannot."""
    found: dict[str, Peer] = {"naive Pillow, one after the other": _python(sys.executable, "naive")}
    missing: dict[str, str] = {}
    if _has_pyvips(pyvips_python):
        found["pyvips, threads"] = _python(str(pyvips_python), "pyvips")
    else:
        missing["pyvips, threads"] = "not installed; make bench-images tries to"
    if shutil.which("vipsthumbnail"):
        found["vipsthumbnail"] = _xargs(f'vipsthumbnail "$1" -s {BOX} -o "$2[Q=90,strip]"')
    else:
        missing["vipsthumbnail"] = "no such program (Debian: libvips-tools)"
    convert = _imagemagick()
    if convert:
        found["ImageMagick"] = _xargs(
            f'MAGICK_THREAD_LIMIT=1 {convert} "$1" -auto-orient -resize "{BOX}>" -strip '
            '-quality 90 "$2"'
        )
    else:
        missing["ImageMagick"] = "no such program (Debian: imagemagick)"
    if shutil.which("dwebp") and shutil.which("cjpeg"):
        found["dwebp and cjpeg, the floor"] = _xargs(
            'dwebp -quiet "$1" -scale 1440 0 -ppm -o - | cjpeg -quality 90 -outfile "$2"'
        )
    else:
        missing["dwebp and cjpeg, the floor"] = "no such programs (webp, libjpeg-turbo-progs)"
    return found, missing


def _has_pyvips(interpreter: Path) -> bool:
    if not interpreter.exists():
        return False
    told = subprocess.run(
        [str(interpreter), "-c", "import pyvips"], capture_output=True, check=False
    )
    return told.returncode == 0


def can_read(peer: Peer, file: Path, out: Path) -> bool:
    """Whether it knows the format at all."""
    try:
        peer([file], out)
    except subprocess.CalledProcessError:
        return False
    written = out / f"{file.name}.jpg"
    return written.exists() and written.stat().st_size > 0


def _naive(files: Sequence[Path], out: Path) -> None:
    from bare_pillow import as_written

    if any(file.suffix == ".heic" for file in files):
        from pillow_heif import register_heif_opener

        register_heif_opener()
    for file in files:
        as_written(file, out / f"{file.name}.jpg")


def _pyvips(files: Sequence[Path], out: Path) -> None:
    import pyvips

    pyvips.cache_set_max(0)  # or the second decode of a file would cost nothing
    pyvips.concurrency_set(1)

    def convert(file: Path) -> None:
        image = pyvips.Image.thumbnail(str(file), 1440, height=1800, size="down")
        image.jpegsave(str(out / f"{file.name}.jpg"), Q=90, keep="none", subsample_mode="on")

    with ThreadPoolExecutor(CORES) as pool:
        list(pool.map(convert, files))


if __name__ == "__main__":
    {"naive": _naive, "pyvips": _pyvips}[sys.argv[1]](
        [Path(f) for f in sys.argv[3:]], Path(sys.argv[2])
    )
