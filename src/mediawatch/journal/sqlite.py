"""The journal in one SQLite file: one writer thread, group commit, readers that only read.

Every commit is flushed to the disk (``synchronous=FULL``). That costs little, because all
transactions that wait at that moment share one commit, each in a savepoint of its own.
One connection writes and checkpoints, in one process: SQLite before 3.51.3 can damage a WAL
file when two do (sqlite.org: the WAL-reset bug).
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import queue
import sqlite3
import sys
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from sqlalchemy import Connection, Engine, Select, create_engine, insert
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError, StatementError
from sqlalchemy.pool import QueuePool

from mediawatch import crash
from mediawatch.errors import Conflict, JournalError
from mediawatch.journal import backup, putting_back
from mediawatch.journal.backup import complaint, flush
from mediawatch.journal.database import NewRows, Row, Write
from mediawatch.journal.files import OpenFiles, require_journal
from mediawatch.journal.migrate import migrate
from mediawatch.journal.trouble import damaged, moved, reason, suspect, unopened, unusable
from mediawatch.metrics import Metrics

#: Name of the journal in the data folder.
FILE_NAME = "journal.db"
#: Transactions that share one commit at the most.
GROUP = 256
#: Threads that read at the same time.
READERS = 2
#: Pages that the writer keeps in memory, in KiB: ids and contents are spread over all of an index.
CACHE = 16 << 10
#: Seconds that a transaction waits for another program to let go of the journal.
LOCK_PATIENCE = 5.0
#: Seconds that the check of a journal may take that was not closed well.
CHECK_LIMIT = 10.0

_Result = list[list[Row]] | BaseException
_Waiting = tuple[Sequence[Write], "asyncio.Future[list[list[Row]]]"]


def _engine(path: Path, *, read_only: bool) -> Engine:
    # A reader that comes late must not make an empty journal where there was one.
    address = f"{path.absolute().as_uri()}?mode={'rw' if read_only else 'rwc'}"

    def connect() -> sqlite3.Connection:
        connection = sqlite3.connect(
            address,
            uri=True,
            isolation_level=None,
            check_same_thread=False,
            timeout=LOCK_PATIENCE,
        )
        pragmas = (
            ["query_only=ON", "wal_autocheckpoint=0"]
            if read_only
            else ["journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", f"cache_size=-{CACHE}"]
        )
        try:
            for pragma in pragmas:
                connection.execute(f"PRAGMA {pragma}")
        except sqlite3.Error:
            connection.close()
            raise
        return connection

    # One connection for the writer, one for each thread that reads. In autocommit mode a reader
    # holds a snapshot only while it fetches.
    size = READERS if read_only else 1
    return create_engine(
        "sqlite://", creator=connect, poolclass=QueuePool, pool_size=size, max_overflow=0
    ).execution_options(isolation_level="AUTOCOMMIT")


class SqliteReader:
    """Reads a journal that another process may be writing."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._engine = _engine(path, read_only=True)
        self._threads = ThreadPoolExecutor(READERS, thread_name_prefix="journal-read")

    def open(self) -> None:
        """Open all that will ever be needed: the file may be gone later. Raises DBAPIError."""
        with contextlib.ExitStack() as stack:
            for _ in range(READERS):
                connection = stack.enter_context(self._engine.connect())
                # Only a read opens the write-ahead log.
                connection.exec_driver_sql("PRAGMA schema_version").fetchone()

    def read_now(self, query: Select[Any], values: Mapping[str, Any] | None = None) -> list[Row]:
        """The rows of one query, in the calling thread."""
        try:
            with self._engine.connect() as connection:
                return list(connection.execute(query, values).mappings())
        except DBAPIError as error:
            raise unusable(self.path, error, "read") from error

    async def read(self, query: Select[Any], values: Mapping[str, Any] | None = None) -> list[Row]:
        """The rows of one query, without blocking the loop."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, self.read_now, query, values)

    def close(self) -> None:
        """Wait for the queries under way, then let go of the file."""
        self._threads.shutdown(wait=True)
        self._engine.dispose()


class SqliteJournal:
    """The journal of one daemon. An async context manager: open, migrate, write, close."""

    def __init__(self, path: Path, metrics: Metrics | None = None) -> None:
        self.path = path
        #: Why it could not be written at the last try; None while all is well.
        self.problem: JournalError | None = None
        self._metrics = metrics or Metrics()
        self.commits = 0
        self.transactions = 0
        self._queue: queue.SimpleQueue[_Waiting | None] = queue.SimpleQueue()
        self._writer = threading.Thread(target=self._write_all, name="journal-write", daemon=True)
        self._engine = _engine(path, read_only=False)
        self._reader = SqliteReader(path)
        self._closed = False

    async def __aenter__(self) -> Self:
        self._loop = asyncio.get_running_loop()
        try:
            await asyncio.to_thread(self._open)
        except BaseException as error:
            self._reader.close()
            self._engine.dispose()
            if not isinstance(error, DBAPIError | sqlite3.Error | OSError):
                raise
            raise await asyncio.to_thread(unopened, self.path, error) from error
        self._writer.start()
        return self

    def _open(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        putting_back.finish(self.path.parent)
        if require_journal(self.path):
            self._check()
        if not self.path.exists():
            self._make()
        with self._engine.connect() as connection:
            migrate(connection, self.path)
            self._files = OpenFiles(self.path)
        self._reader.open()

    def _make(self) -> None:
        """A new journal, made aside: what a kill leaves must not look like one that was emptied."""
        aside = self.path.with_name(f"{self.path.name}.new")
        for end in ("", "-wal", "-shm"):
            aside.with_name(aside.name + end).unlink(missing_ok=True)
        engine = _engine(aside, read_only=False)
        try:
            with engine.connect() as connection:
                migrate(connection, aside)
        finally:
            engine.dispose()
        crash.at("journal.made")
        aside.replace(self.path)
        if sys.platform != "win32":
            flush(self.path.parent)
        crash.at("journal.placed")

    def _check(self) -> None:
        try:
            with self._engine.connect() as connection:
                found = complaint(_driver(connection), CHECK_LIMIT)
        finally:
            self._engine.dispose()  # closing it puts its files in order
        if found is not None:
            raise damaged(self.path, found)
        suspect(self.path).unlink(missing_ok=True)

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._closed = True
        self._queue.put(None)
        await asyncio.to_thread(self._writer.join)
        self._reader.close()
        self._engine.dispose()

    async def apply(self, statements: Sequence[Write]) -> list[list[Row]]:
        """See Journal.apply. With no statement it tries whether the journal can be written."""
        if self._closed or not self._writer.is_alive():
            raise _closed()
        waiting = self._loop.create_future()
        self._queue.put((statements, waiting))
        return await asyncio.shield(waiting)

    async def read(self, query: Select[Any], values: Mapping[str, Any] | None = None) -> list[Row]:
        """See Journal.read."""
        return await self._reader.read(query, values)

    async def back_up(self, now: float) -> backup.Backup | None:
        """Make the daily copy if it is due. Raises JournalError."""
        return await asyncio.to_thread(backup.make_if_due, self.path, now)

    # The writer thread.

    def _write_all(self) -> None:
        try:
            self._write_until_closed()
        finally:
            if not self._closed:
                self.problem = _closed()

    def _write_until_closed(self) -> None:
        with self._engine.connect() as connection:
            running = True
            while running:
                group: list[_Waiting] = []
                waiting = self._queue.get()
                while waiting is not None:
                    group.append(waiting)
                    if len(group) == GROUP:
                        break
                    try:
                        waiting = self._queue.get_nowait()
                    except queue.Empty:
                        break
                else:
                    running = False
                if group:
                    self._commit(connection, group)

    def _commit(self, connection: Connection, group: list[_Waiting]) -> None:
        results: list[_Result]
        began = time.perf_counter()
        try:
            results = self._in_one_commit(connection, group)
        except Exception as error:  # the thread must outlive a full disk
            self.problem = (
                error if isinstance(error, JournalError) else unusable(self.path, error, "written")
            )
            results = [self.problem] * len(group)
        else:
            self.problem = None
            self.commits += 1
            self.transactions += len(group)
            self._metrics.journal_commits.observe(time.perf_counter() - began)
            self._metrics.journal_transactions.inc(len(group))
        self._loop.call_soon_threadsafe(_hand_out, [w for _, w in group], results)

    def _in_one_commit(self, connection: Connection, group: list[_Waiting]) -> list[_Result]:
        database = _driver(connection)
        database.execute("BEGIN IMMEDIATE")
        try:
            results = [self._one(connection, statements) for statements, _ in group]
            if self.problem is not None:
                # Nothing but a page that is written shows that pages can be written again.
                (count,) = database.execute("PRAGMA user_version").fetchone()
                database.execute(f"PRAGMA user_version = {(count + 1) % 2**31}")
            self._require_files()
            database.execute("COMMIT")
        except BaseException:
            if database.in_transaction:
                database.execute("ROLLBACK")
            if self._files.only_log_is_gone():
                # What is committed lies in a file that nobody will find: bring it home.
                with contextlib.suppress(sqlite3.Error):
                    database.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
            raise
        return results

    def _require_files(self) -> None:
        if not self._files.in_place():
            raise moved(self.path)

    def _one(self, connection: Connection, statements: Sequence[Write]) -> _Result:
        database = _driver(connection)
        database.execute("SAVEPOINT one")
        try:
            found = [_execute(connection, statement) for statement in statements]
        except (Conflict, StatementError, sqlite3.Error, ValueError) as error:
            if isinstance(error, OperationalError | sqlite3.OperationalError):
                raise  # the database itself: it concerns the whole group
            database.execute("ROLLBACK TO one")
            database.execute("RELEASE one")
            if isinstance(error, IntegrityError | sqlite3.IntegrityError):
                return Conflict("The journal holds this already.", details_of=reason(error))
            return error if isinstance(error, Conflict) else unusable(self.path, error, "written")
        database.execute("RELEASE one")
        return found


def _closed() -> JournalError:
    return JournalError("The journal is closed.", remedy="Start mediawatch again.")


def _driver(connection: Connection) -> sqlite3.Connection:
    """The driver's own connection: SQLAlchemy's way of saying COMMIT costs more than a COMMIT."""
    driver = connection.connection.dbapi_connection
    assert isinstance(driver, sqlite3.Connection)  # noqa: S101 - this file is about SQLite
    return driver


def _execute(connection: Connection, statement: Write) -> list[Row]:
    if isinstance(statement, NewRows):
        _insert(connection, statement)
        return []
    result = connection.execute(statement.sql, statement.values or None)
    rows: list[Row] = list(result.mappings()) if result.returns_rows else []
    touched = len(rows) if result.returns_rows else result.rowcount
    if statement.rows is not None and touched != statement.rows:
        raise Conflict(
            "The journal moved on in the meantime.", touched=touched, required=statement.rows
        )
    return rows


def _insert(connection: Connection, new: NewRows) -> None:
    dialect, columns = connection.dialect, dict[str, Iterable[Any]]()
    for column in new.table.c:
        convert = column.type.bind_processor(dialect)
        if column.name in new.columns:
            values = new.columns[column.name]
            columns[column.name] = values if convert is None else map(convert, values)
        elif column.name in new.shared:
            value = new.shared[column.name]
            columns[column.name] = itertools.repeat(value if convert is None else convert(value))
    sql = str(insert(new.table).compile(dialect=dialect, column_keys=columns))
    _driver(connection).executemany(sql, zip(*columns.values(), strict=False))


def _hand_out(
    waiting: list[asyncio.Future[list[list[Row]]]],
    results: list[_Result],
) -> None:
    for future, result in zip(waiting, results, strict=True):
        if future.done():
            continue
        if isinstance(result, BaseException):
            future.set_exception(result)
            # A caller that was cancelled meanwhile does not come to fetch it.
            future.exception()
        else:
            future.set_result(result)
