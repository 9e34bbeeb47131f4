"""Ways in which a journal is spoilt, and doing what its owner is told."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from pathlib import Path


def follow(told: str) -> None:
    """Run the one command line that stands in what was told, as it stands there."""
    (commands,) = re.findall("`([^`]+)`", told)
    subprocess.run(["sh", "-ec", commands], check=True)


def lies(content: bytes) -> Callable[[Path], None]:
    """That is all the file holds."""

    def spoil(journal: Path) -> None:
        journal.write_bytes(content)

    return spoil


def _a_folder(journal: Path) -> None:
    journal.unlink()
    (journal / "sub").mkdir(parents=True)


def _missing(journal: Path) -> None:
    journal.unlink()


def _its_middle(journal: Path) -> None:
    """Pages turn bad while the daemon is dead, which shows by what it left open."""
    journal.with_name("journal.db-wal").write_bytes(b"left by a kill")
    spoil_pages(journal)


def spoil_pages(journal: Path) -> None:
    """Write rubbish over all but the first page."""
    with journal.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xa5" * (journal.stat().st_size - 4096))


def _an_orphan(journal: Path) -> None:
    """Only what stood beside it is there."""
    journal.rename(journal.with_name("journal.db-wal"))


DAMAGES: dict[str, tuple[Callable[[Path], None], str]] = {
    "empty": (lies(b""), "is empty"),
    "rubbish": (lies(b"rubbish" * 9999), "does not begin as one does"),
    "cut short": (lies(b"SQLite format 3\0" + bytes(99)), "damaged"),
    "a folder": (_a_folder, "a folder lies in its place"),
    "missing": (_missing, "is missing"),
    "an orphan": (_an_orphan, "is missing"),
    "bad pages": (_its_middle, "is damaged"),
}
