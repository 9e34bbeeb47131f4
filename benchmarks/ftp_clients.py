"""Who uploads a folder: mediawatch, and its peers lftp and curl. Each is a process of its own.

lftp is asked for less than it does by default (no times, no modes), so that it only uploads. Of
mediawatch the time begins with its first connect: Python is up already in a daemon.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ftp_place import UPLOAD, Place
from processes import OURS, Others

LIMIT = 300.0  # seconds that an upload may take
_OURS = Path(__file__).with_name("ftp_ours.py")
_LFTP = """\
set cmd:fail-exit yes
set net:reconnect-interval-base 1
set net:reconnect-interval-multiplier 1
set net:timeout 30
set ftp:ssl-allow {tls}
set ftp:ssl-allow-anonymous {tls}
set ftp:ssl-force {tls}
set ftp:ssl-protect-data {tls}
set ssl:ca-file "{ca}"
set ftp:use-site-chmod no
set ftp:use-site-utime no
set ftp:use-site-utime2 no
set mirror:set-permissions no
open -u "{user}","{password}" -p {port} {host}
"""


@dataclass(frozen=True)
class Job:
    """The files in ``source`` to the ``place``, over so many ``connections``; ``within`` is what
    runs a command at our end of the way, ``root`` where notes may lie."""

    place: Place
    source: Path
    connections: int
    within: Sequence[str]
    root: Path


@dataclass(frozen=True)
class Taken:
    """What an upload took: seconds on the clock, CPU seconds of the client, and what share of
    the machine others took meanwhile, in percent."""

    seconds: float
    cpu: float
    others: float | None


def ours(job: Job) -> Taken:
    """FtpHost.put for each file, all checks on, its settings as they come."""
    place, order = job.place, job.root / "ours.json"
    settings = {
        "host": place.host,
        "port": place.port,
        "user": place.user,
        "password": place.password,
        "upload_dir": UPLOAD,
        "public_url": "http://localhost/",
        "connections": job.connections,
        "tls": "explicit" if place.ca else "off",
        "tls_ca_file": place.ca or None,
    }
    order.write_text(json.dumps({"settings": settings, "source": str(job.source)}), "utf-8")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
    with subprocess.Popen(
        [*job.within, sys.executable, str(_OURS), str(order)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        with Others() as others:
            said, _ = process.communicate("go\n", LIMIT)
    if process.returncode:
        raise RuntimeError(f"mediawatch ended with status {process.returncode}.")
    taken = json.loads(said)
    return Taken(taken["seconds"], taken["cpu"], others.percent)


def lftp(job: Job) -> Taken:
    """lftp: ``put`` for a single file, ``mirror -R -P`` for many."""
    place, files = job.place, list(job.source.iterdir())
    words = vars(place) | {"tls": "yes" if place.ca else "no"}
    if len(files) == 1:
        asked = f"put -O {UPLOAD} {files[0]}"
    else:
        asked = f"mirror -R --no-perms -P{job.connections} {job.source} {UPLOAD}"
    return _timed(job, ["lftp", "-f", "/dev/stdin"], f"{_LFTP.format(**words)}{asked}\n")


def curl(job: Job) -> Taken:
    """``curl -T`` for a single file."""
    place, (file,) = job.place, job.source.iterdir()
    words = [f'user = "{place.user}:{place.password}"', f'upload-file = "{file}"']
    words.append(f'url = "ftp://{place.host}:{place.port}{UPLOAD}/{file.name}"')
    if place.ca:
        words += ["ssl-reqd", f'cacert = "{place.ca}"']
    return _timed(job, ["curl", "--silent", "--show-error", "--config", "-"], "\n".join(words))


def _timed(job: Job, command: Sequence[str], says: str) -> Taken:
    before, started = os.times(), time.perf_counter()
    with Others() as others:
        subprocess.run([*job.within, *command], input=says, text=True, timeout=LIMIT, check=True)
    seconds, after = time.perf_counter() - started, os.times()
    cpu = sum(after[2:4]) - sum(before[2:4])
    return Taken(seconds, cpu, others.percent)


#: By the names under which they are shown.
CLIENTS: dict[str, Callable[[Job], Taken]] = {"mediawatch": ours, "lftp": lftp, "curl": curl}
