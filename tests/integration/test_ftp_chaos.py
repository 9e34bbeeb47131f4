"""Many files through each real server while its sessions are killed at random.

``make test`` runs small files; ``make ftp-chaos`` (MEDIAWATCH_FTP_CHAOS=full) larger ones, and
one of 500 MB that breaks off three times. MEDIAWATCH_FTP_SEED replays a run as far as the
kills go: their times are the machine's.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import random
import secrets
import time
from functools import partial
from pathlib import Path

import pytest

from mediawatch.clock import SystemClock
from mediawatch.hosts.base import HostUnavailable, PublicObject
from mediawatch.hosts.ftp import FtpHost
from tests.support.daemon import until
from tests.support.ftp_daemons import KINDS, FtpDaemon, ftp_daemon
from tests.support.ftp_servers import make_certificates

FULL = os.environ.get("MEDIAWATCH_FTP_CHAOS") == "full"
SEED = int(os.environ.get("MEDIAWATCH_FTP_SEED", secrets.randbelow(10**6)))

FILES, CONNECTIONS = 60, 4
LONGEST = (2_000_000, 200_000)[not FULL]  # bytes of a file
LARGE = (500_000_000, 20_000_000)[not FULL]
KILLS = (200, 25)[not FULL]
PACE = (0.05, 0.005)[not FULL]  # seconds between two kills, about: small files are quickly there

pytestmark = [
    pytest.mark.parametrize("kind", KINDS),
    pytest.mark.parametrize("encrypted", [False, True], ids=["plain", "tls"]),
]


class Killer:
    """Kills sessions of a server while it is run, one at a time."""

    def __init__(self, server: FtpDaemon, chance: random.Random) -> None:
        self._server = server
        self._chance = chance
        self.killed = 0

    async def run(self) -> None:
        """Until so many are killed, or cancelled."""
        while self.killed < KILLS:
            await asyncio.sleep(self._chance.uniform(0.2, 1.8) * PACE)
            self.killed += self._server.kill_a_session(self._chance)


def make_files(folder: Path, chance: random.Random) -> list[Path]:
    """Sixty files of random length and content."""
    files = []
    for number in range(FILES):
        file = folder / f"{number:02}.jpg"
        file.write_bytes(chance.randbytes(chance.randrange(1, LONGEST)))
        files.append(file)
    return files


async def put_until_done(host: FtpHost, file: Path) -> tuple[PublicObject, int]:
    """As the pipeline does, only sooner. Gives how often it was begun, too."""
    begun = 0
    while True:
        begun += 1
        try:
            return await host.put(file, file.name), begun
        except HostUnavailable:
            await asyncio.sleep(0.1)
            host.try_now()


def digest(file: Path) -> str:
    """SHA-256 in hexadecimal digits."""
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


@pytest.mark.timeout(600)
async def test_sixty_files_while_sessions_are_killed(
    kind: str, encrypted: bool, tmp_path: Path
) -> None:
    """Sixty files over four connections, each server, plain and TLS with session reuse demanded,
    its sessions killed at random: sixty identical, and nothing beside them."""
    print(f"MEDIAWATCH_FTP_SEED={SEED}")
    chance = random.Random(f"{SEED} {kind} {encrypted}")
    originals = tmp_path / "originals"
    originals.mkdir()
    files = make_files(originals, chance)
    certificates = make_certificates(tmp_path / "tls") if encrypted else None
    with ftp_daemon(kind, tmp_path, certificates) as server:
        host = FtpHost(server.settings(connections=CONNECTIONS), clock=SystemClock())
        killer = Killer(server, chance)
        started = time.monotonic()
        killing = asyncio.create_task(killer.run())
        results = await asyncio.gather(*(put_until_done(host, file) for file in files))
        killing.cancel()
        await asyncio.wait({killing})
        seconds = time.monotonic() - started
        await host.close()
        there = {name: hashlib.sha256(data).hexdigest() for name, data in server.files().items()}
    assert {file.name: digest(file) for file in files} == there
    assert killer.killed > 0
    print(
        f"{kind} {'TLS' if encrypted else 'plain'}: {FILES} files identical, no litter, "
        f"{killer.killed} sessions killed, {sum(begun for _, begun in results)} puts, "
        f"{seconds:.1f} s"
    )


@pytest.mark.timeout(600)
async def test_a_large_file_that_breaks_off_three_times(
    kind: str, encrypted: bool, tmp_path: Path
) -> None:
    """500 MB (20 in the short run), all sessions killed up to three times on the way: gone on
    with, SHA-256 equal."""
    file = tmp_path / "large.mp4"
    with file.open("wb") as out:
        for _ in range(LARGE // 1_000_000):
            out.write(os.urandom(1_000_000))
    certificates = make_certificates(tmp_path / "tls") if encrypted else None
    with ftp_daemon(kind, tmp_path, certificates) as server:
        settings = server.settings(connections=1, max_rate=0 if FULL else LARGE)
        host = FtpHost(settings, clock=SystemClock())
        part = server.folder / "upload" / "large.part"
        started = time.monotonic()
        upload = asyncio.create_task(put_until_done(host, file))
        breaks = 0
        for stop in (0.2, 0.4, 0.6):
            await until(partial(_has_come, upload, part, stop * LARGE), limit=120)
            breaks += server.kill_sessions() > 0 and not upload.done()
        stored, begun = await upload
        seconds = time.monotonic() - started
        await host.close()
        assert breaks > 0
        assert stored.pieced
        assert {"large.mp4"} == server.names()
        assert digest(file) == digest(server.folder / "upload" / "large.mp4")
    print(
        f"{kind} {'TLS' if encrypted else 'plain'}: {LARGE // 1_000_000} MB resumed, "
        f"{breaks} breaks, SHA-256 equal, {begun} puts, {seconds:.1f} s"
    )


def _has_come(upload: asyncio.Task[tuple[PublicObject, int]], part: Path, size: float) -> bool:
    """Whether so many bytes have arrived, or all."""
    return upload.done() or (part.exists() and part.stat().st_size > size)
