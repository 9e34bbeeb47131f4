"""The demo from start to end: neighbours, daemon, samples, table, and the place to look."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console
from rich.live import Live

from mediawatch import daemon
from mediawatch.demo.neighbours import Neighbours, neighbours, settings_for
from mediawatch.demo.progress import Observer, Progress
from mediawatch.demo.samples import Ending, samples
from mediawatch.demo.table import progress_table
from mediawatch.log import open_log

#: Seconds between two looks, and until a sample that has not ended counts as stuck.
LOOK = 0.1
STUCK_AFTER = 90.0
#: Seconds between the pieces of a file that is written slowly.
PIECE = 0.5


async def show(console: Console, *, once: bool, pause: float) -> bool:
    """Run the demo; whether every sample ended as it should.

    With ``once`` it leaves then; otherwise it stays until it is told to stop.
    """
    stop = asyncio.Event()
    with daemon.stop_signals(stop):
        showing = asyncio.create_task(_show(console, once=once, pause=pause))
        stopping = asyncio.create_task(stop.wait())
        await asyncio.wait({showing, stopping}, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        if not showing.done():
            showing.cancel()
            await asyncio.wait({showing})
        return showing.cancelled() or await showing


async def _show(console: Console, *, once: bool, pause: float) -> bool:
    with _folder(console) as root:
        async with neighbours(root / "host") as place:
            settings = settings_for(place, root)
            inbox = settings.inboxes.first.folder
            inbox.mkdir(parents=True)
            log = open_log(settings.log, settings.secret_values())
            console.print(f"📂 Samples are dropped into [bold]{inbox}[/]", soft_wrap=True)
            console.print(f"🎭 What is published shows at [bold]{place.graph_url}[/]")
            async with daemon.running(settings, log) as running:
                rows = [Progress(sample) for sample in samples()]
                await _watch(console, running, rows, inbox, pause)
                _sum_up(console, rows, place, inbox)
                if not once:
                    console.print("   Ctrl-C ends the demo and removes its folder.")
                    await asyncio.Event().wait()
        return all(row.as_it_should for row in rows)


async def _watch(
    console: Console, running: daemon.Daemon, rows: list[Progress], inbox: Path, pause: float
) -> None:
    clock = running.app.clock
    observer = Observer(running, running.app.settings, clock)
    with Live(console=console, refresh_per_second=10, transient=False) as live:
        dropping = asyncio.create_task(_drop_all(rows, inbox, pause))
        try:
            end = clock.monotonic() + STUCK_AFTER
            while not all(row.ended for row in rows) and clock.monotonic() < end:
                await asyncio.sleep(LOOK)
                await observer.look(rows)
                live.update(progress_table(rows, clock.monotonic(), console.width))
            await dropping
        finally:
            dropping.cancel()
            await asyncio.gather(dropping, return_exceptions=True)


async def _drop_all(rows: list[Progress], inbox: Path, pause: float) -> None:
    writing = []
    for row in rows:
        files = await asyncio.to_thread(row.sample.files)
        writing.append(asyncio.create_task(_drop(row, inbox, files)))
        if not row.sample.slow:
            await writing[-1]
        await asyncio.sleep(pause)
    await asyncio.gather(*writing)


async def _drop(row: Progress, inbox: Path, files: dict[str, bytes]) -> None:
    loop = asyncio.get_running_loop()
    row.dropped_at = loop.time()
    for name, data in files.items():
        (inbox / name).parent.mkdir(exist_ok=True)
        with (inbox / name).open("wb") as file:
            for number, piece in enumerate(row.sample.pieces(data)):
                if number:
                    await asyncio.sleep(PIECE)
                file.write(piece)
                file.flush()
                row.size += len(piece)
    row.whole_at = loop.time()


def _sum_up(console: Console, rows: list[Progress], place: Neighbours, inbox: Path) -> None:
    good = sum(row.as_it_should for row in rows)
    published = [row for row in rows if row.ending is Ending.PUBLISHED]
    console.print()
    console.print(
        f"{'✅' if good == len(rows) else '❌'} {good} of {len(rows)} samples ended as they should,"
        f" {len(published)} of them on (simulated) Instagram."
    )
    for row in rows:
        if not row.as_it_should:
            console.print(f"   ❌ {row.sample.name}: should be {row.sample.ends}. {row.told}")
    console.print(f"   Look at [bold]{place.graph_url}[/] and into [bold]{inbox.parent}[/]")


@contextlib.contextmanager
def _folder(console: Console) -> Iterator[Path]:
    """A folder of its own, removed when all went well."""
    root = Path(tempfile.mkdtemp(prefix="mediawatch-demo-"))
    try:
        yield root
    except (asyncio.CancelledError, KeyboardInterrupt):
        shutil.rmtree(root, ignore_errors=True)
        raise
    except BaseException:
        console.print(f"   The demo's folder is kept: {root}")
        raise
    else:
        shutil.rmtree(root, ignore_errors=True)
