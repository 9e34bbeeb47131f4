"""What a child of the nursery does otherwise than its users' daemons: it is watched while it works,
dies when it is told to, or lives in a world that is arranged for it.

All of it is done from outside, by replacing functions: the product knows nothing of it.
"""

from __future__ import annotations

import asyncio
import contextvars
import errno
import itertools
import os
import sys
from asyncio.base_events import BaseEventLoop
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mediawatch import crash, daemon
from mediawatch.alerts.sender import Sender
from mediawatch.clock import SystemClock
from mediawatch.graph import verdicts
from mediawatch.graph.client import GraphClient
from mediawatch.graph.rupload import Rupload
from mediawatch.hosts.ftp_client import FtpClient
from mediawatch.hosts.ftp_session import FtpSession
from mediawatch.journal.database import NewRows
from mediawatch.journal.sqlite import SqliteJournal
from mediawatch.maintenance import alerts, first_comments
from mediawatch.pipeline import filing, filing_rename, publish, reconcile, standing

if TYPE_CHECKING:
    from tests.support.nursery import Order

_FTP_EFFECTS = ("RNTO", "DELE", "MKD")
#: Files whose writing is no effect: logs, locks, and SQLite's own, which is seen as commits.
_NO_EFFECT = (".log", "lock", "output.txt")


def prepare(order: Order) -> None:
    """Arrange everything that the order asks for. Called in the child, before it starts."""
    # One converter is enough, and its start costs as much as a daemon's.
    os.cpu_count = lambda: 1
    for name, told in order.alter.items():
        ALTERATIONS[name](told)
    if order.die_after is not None:
        _die_after(order.die_after)
    if order.record is not None:
        _record(Path(order.record), order.folder)


def _before_each_point(act: Callable[[str], None]) -> None:
    passed = crash.at

    def at(point: str) -> None:
        act(point)
        passed(point)

    crash.at = at


def _die_after(passages: int) -> None:
    left = [None] * passages

    def count(_: str) -> None:
        if left:
            left.pop()  # atomic, in whichever thread
        else:
            crash.die()

    _before_each_point(count)


# Watching: a line for each point and each effect, with the strand of work that it belongs to, so
# that what goes on side by side is told apart.

_strand: ContextVar[int] = ContextVar("strand", default=0)
_meddling: ContextVar[bool] = ContextVar("meddling", default=False)


def _record(file: Path, folder: str) -> None:
    log = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)

    def write(kind: str, what: str, strand: int | None = None) -> None:
        if not _meddling.get():
            told = f"{_strand.get() if strand is None else strand} {kind} {what}\n"
            os.write(log, told.encode(errors="backslashreplace"))

    def effect(what: str, strand: int | None = None) -> None:
        write("effect", what, strand)

    os.write(log, b"start\n")
    _number_the_strands()
    _before_each_point(lambda point: write("point", point))
    _watch_files(folder, effect)
    _watch_journal(effect)
    _watch_requests(effect)


def _number_the_strands() -> None:
    """Each task is a strand; a thread that it waits for belongs to it."""
    create_task = BaseEventLoop.create_task
    numbers = itertools.count(1)

    def numbered(loop: Any, coro: Any, *, name: Any = None, context: Any = None) -> Any:
        context = context or contextvars.copy_context()
        context.run(_strand.set, next(numbers))
        return create_task(loop, coro, name=name, context=context)

    BaseEventLoop.create_task = numbered


def _watch_files(folder: str, effect: Callable[[str], None]) -> None:
    def ours(path: object) -> bool:
        text = os.fsdecode(path) if isinstance(path, str | bytes | os.PathLike) else ""
        return text.startswith(folder) and not text.endswith(_NO_EFFECT)

    def hear(event: str, args: tuple[Any, ...]) -> None:
        if event == "open":
            path, _, flags = args
            if ours(path) and isinstance(flags, int) and flags & os.O_CREAT:
                effect(f"write {os.fsdecode(path)}")
        elif event in {"os.rename", "os.link"}:
            source, target = args[:2]
            if ours(source) and os.path.lexists(source):
                effect(f"{event[3:]} {os.fsdecode(source)} {os.fsdecode(target)}")
        elif event == "os.remove" and ours(args[0]) and os.path.lexists(args[0]):
            effect(f"remove {os.fsdecode(args[0])}")
        elif event == "os.rmdir" and ours(args[0]) and not _holds_something(args[0]):
            effect(f"rmdir {os.fsdecode(args[0])}")

    sys.addaudithook(hear)
    # Called through ctypes, so no hook hears of it.
    renameat2 = filing_rename._renameat2

    def heard(source: Path, target: Path) -> None:
        renameat2(source, target)
        effect(f"rename {source} {target}")

    filing_rename._renameat2 = heard


def _holds_something(folder: str) -> bool:
    try:
        return any(Path(folder).iterdir())
    except OSError:
        return True


def _watch_journal(effect: Callable[[str, int], None]) -> None:
    """Commits are made in a thread of their own: told is who asked for them."""
    apply, one = SqliteJournal.apply, SqliteJournal._one
    strands: dict[int, int] = {}

    async def applied(journal: SqliteJournal, statements: Any) -> Any:
        strands[id(statements)] = _strand.get()
        return await apply(journal, statements)

    def written(journal: SqliteJournal, connection: Any, statements: Any) -> Any:
        driver = connection.connection.dbapi_connection
        before = driver.total_changes
        result = one(journal, connection, statements)
        if driver.total_changes != before:
            writes = [s if isinstance(s, NewRows) else s.sql for s in statements]
            tables = sorted({str(write.table.name) for write in writes})
            effect(f"commit {' '.join(tables)}", strands[id(statements)])
        return result

    SqliteJournal.apply = applied
    SqliteJournal._one = written


def _watch_requests(effect: Callable[[str], None]) -> None:
    exchange, final, packet = GraphClient._exchange, FtpSession._final_reply, FtpSession._packet
    command, upload = FtpClient.command, Rupload._exchange

    async def sent(client: GraphClient, method: str, path: str, *rest: Any) -> Any:
        try:
            return await exchange(client, method, path, *rest)
        finally:
            # Who is cancelled does nothing more, whatever became of it.
            if method == "POST" and not isinstance(sys.exception(), asyncio.CancelledError):
                effect(f"graph {path}")

    async def uploaded(rupload: Rupload, *told: Any) -> Any:
        try:
            return await upload(rupload, *told)
        finally:
            if not isinstance(sys.exception(), asyncio.CancelledError):
                effect("graph ig-api-upload")

    async def stored(session: FtpSession, limit: float) -> None:
        await final(session, limit)
        effect("ftp STOR")

    async def packed(session: FtpSession, *commands: str) -> Any:
        answers = await packet(session, *commands)
        if any(text.startswith(_FTP_EFFECTS) for text in commands):
            effect(f"ftp {' + '.join(commands)}")
        return answers

    send = Sender.send

    async def told(sender: Sender, *what: Any) -> Any:
        try:
            return await send(sender, *what)
        finally:
            if not isinstance(sys.exception(), asyncio.CancelledError):
                effect("alert")

    async def commanded(client: FtpClient, text: Any = None, *rest: Any, **more: Any) -> Any:
        answer = await command(client, text, *rest, **more)
        if str(text).startswith(_FTP_EFFECTS):
            effect(f"ftp {text}")
        return answer

    GraphClient._exchange = sent
    Rupload._exchange = uploaded
    Sender.send = told
    FtpSession._final_reply = stored
    FtpSession._packet = packed
    FtpClient.command = commanded


# Worlds.


def _other_disk(folder: str) -> None:
    """That folder lies on another disk."""
    rename = filing.rename_no_replace

    def refused(source: Path, target: Path, *, links: bool) -> None:
        if str(target).startswith(folder) and not str(source).startswith(folder):
            raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))
        rename(source, target, links=links)

    filing.rename_no_replace = refused


def _old_system(_: object) -> None:
    """A file system without hard links, under a kernel without renameat2."""

    def refused(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))

    os.link = refused
    filing_rename._renameat2 = refused


def _quick(seconds: float) -> None:
    """Whatever waits is as impatient as that: housekeepers, who stands in line, who looks again."""
    daemon.RENEW_EVERY = daemon.CLEAN_EVERY = seconds
    publish.IN_LINE = seconds
    daemon.LINKS_EVERY = daemon.SWEEP_EVERY = daemon.COMMENTS_EVERY = seconds
    daemon.ALERTS_EVERY = daemon.TIDY_EVERY = seconds
    alerts.PACE = alerts.Pace(
        gather=seconds, gap=seconds, patience=seconds, over=seconds, retries=(seconds,)
    )
    first_comments.QUIET = seconds
    reconcile.READ_AGAIN = (seconds,)
    reconcile.READ_AGAIN_AFTER = ((3600.0, seconds),)
    reconcile.ABSENT_FOR = 10 * seconds
    standing.CATCH_UP_GAP = seconds
    blocked = verdicts.TABLE[4, 2207051]
    verdicts.TABLE[4, 2207051] = replace(blocked, retry_after=10 * seconds)


def _meddle(told: dict[str, str]) -> None:
    """Somebody else meddles with ``path``, once: what to ``do`` (append, remove), and ``at`` which
    point."""
    path, left = Path(told["path"]), [None]

    def act(point: str) -> None:
        if point == told["at"] and left:
            left.pop()
            _meddling.set(True)
            if told["do"] == "remove":
                path.unlink()
            else:
                path.write_bytes(path.read_bytes() + b"more")
            _meddling.set(False)

    _before_each_point(act)


def _clock_set_back(at: str) -> None:
    """Somebody sets the clock back by an hour when that point is passed."""
    back = [0.0]
    now = SystemClock.now

    def act(point: str) -> None:
        if point == at:
            back[0] = 3600.0

    SystemClock.now = lambda clock: now(clock) - back[0]
    _before_each_point(act)


def _sabotage(name: str) -> None:
    """The daemon is wrong on purpose (tests/chaos/sabotage.py)."""
    from tests.chaos.sabotage import SABOTAGE

    SABOTAGE[name]()


ALTERATIONS: dict[str, Callable[[Any], None]] = {
    "other-disk": _other_disk,
    "old-system": _old_system,
    "quick": _quick,
    "sabotage": _sabotage,
    "meddle": _meddle,
    "clock-set-back": _clock_set_back,
}
