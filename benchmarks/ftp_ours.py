"""Our uploader, in a process of its own as in the daemon: ``python ftp_ours.py ORDER_FILE``.

It says ``ready``, waits for a line, then uploads everything with FtpHost.put, twice as many at a
time as there are connections, so that none lies idle; from the first connect to the goodbye. It
prints what it took.
"""

from __future__ import annotations

import asyncio
import gc
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mediawatch.clock import SystemClock
from mediawatch.config import FtpSettings
from mediawatch.hosts.ftp import FtpHost


async def _upload(settings: FtpSettings, files: Iterator[Path]) -> None:
    host = FtpHost(settings, clock=SystemClock())

    async def worker() -> None:
        for file in files:
            await host.put(file, file.name)

    try:
        async with asyncio.TaskGroup() as workers:
            for _ in range(2 * settings.connections):
                workers.create_task(worker())
    finally:
        await host.close()


def main() -> None:
    order: dict[str, Any] = json.loads(Path(sys.argv[1]).read_text("utf-8"))
    settings = FtpSettings(**order["settings"])
    files = sorted(Path(order["source"]).iterdir())
    gc.freeze()  # as the daemon does, once it is at work
    print("ready", flush=True)
    sys.stdin.readline()
    started, cpu = time.perf_counter(), time.process_time()
    asyncio.run(_upload(settings, iter(files)))
    taken = {"seconds": time.perf_counter() - started, "cpu": time.process_time() - cpu}
    print(json.dumps(taken))


if __name__ == "__main__":
    main()
