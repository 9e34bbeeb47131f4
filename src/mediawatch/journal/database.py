"""The one door for writes, and what a read gives back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from sqlalchemy import Delete, Insert, RowMapping, Select, Table, Update

Row = RowMapping


@dataclass(frozen=True, slots=True)
class Statement:
    """A write, and how many rows it must touch (None: any number).

    With a list of ``values`` it is run once for each, ``rows`` counts what all of them touch, and
    no row is given back; many new rows are written quicker as ``NewRows``. On the hot path ``sql``
    is made once and used with ``values`` for its parameters: building a statement anew costs more
    than running it.
    """

    sql: Insert | Update | Delete
    rows: int | None = None
    values: Mapping[str, Any] | Sequence[Mapping[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class NewRows:
    """New rows of one table: for each column that differs, its values, one for each row; and the
    values of the columns in ``shared``, which all have.

    A storm of files is written so: the values go to the database column by column, and not through
    a statement that is looked at anew for each row.
    """

    table: Table
    columns: Mapping[str, Sequence[Any]]
    shared: Mapping[str, Any]


Write = Statement | NewRows


class Journal(Protocol):
    """The truth. One implementation a database; the same statements for all."""

    async def apply(self, statements: Sequence[Write]) -> list[list[Row]]:
        """Write all statements in one durable transaction, or none of them.

        Returns, for each statement, the rows that it gave back (``RETURNING``).
        Raises Conflict when one touches another number of rows than it requires or breaks a
        uniqueness, and JournalError when the database cannot be written. When the caller is
        cancelled the transaction still ends whole.
        """
        ...

    async def read(self, query: Select[Any], values: Mapping[str, Any] | None = None) -> list[Row]:
        """The rows of one query, from what is durably written.

        ``values`` for its parameters, where a query that is asked again and again is made once.
        """
        ...
