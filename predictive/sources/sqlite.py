"""Reading a SQLite file with Python's own driver, in one read transaction (of a WAL, too)."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from predictive.config import SecretUrl
from predictive.errors import ConnectionLostError, DataError, nearest
from predictive.sources import landing
from predictive.sources.casting import as_clock
from predictive.sources.origin import Connection, Since, first, quote, reason
from predictive.sources.pyrows import ROWS
from predictive.sources.reader import condition

WAIT = 30.0
"""Seconds to wait for a writer that holds the file."""


@dataclass(frozen=True)
class Sqlite:
    """A :class:`~.reader.Reader` of SQLite. `file` is its connection, inside the transaction.

    `declared` are the types that tables declare, by the query for the table; SQLite does not keep to them.
    """

    file: sqlite3.Connection
    path: str
    declared: dict[str, dict[str, str]] = field(default_factory=dict)

    def tables(self) -> list[tuple[str, str]]:
        """See :class:`~.reader.Reader`."""
        return [("", name) for (name,) in self._rows("SELECT name FROM sqlite_master WHERE type IN ('table', 'view')")]

    def select(self, table: str) -> str:
        """See :class:`~.reader.Reader`."""
        names = [name for _, name in self.tables()]
        if table not in names:
            raise DataError(f"{self.path} has no table {table!r}; {nearest(table, names)}")
        select = f"SELECT * FROM {quote(table)}"
        self.declared[select] = dict(self._rows("SELECT name, upper(type) FROM pragma_table_info(?)", (table,)))
        return select

    def columns(self, select: str) -> tuple[str, ...]:
        """See :class:`~.reader.Reader`."""
        with closing(self._run(f"SELECT * FROM (\n{select}\n) LIMIT 0")) as cursor:
            return tuple(column for column, *_ in cursor.description)

    def land(self, con: Connection, target: str, select: str, columns: Mapping[str, bool], since: Since | None) -> None:
        """See :class:`~.reader.Reader`."""
        query = f"SELECT {', '.join(map(quote, columns)) or 'NULL AS nothing'} FROM (\n{select}\n)"
        low = () if since is None else (_low(since),)
        if since is not None:
            query += f" WHERE {condition(quote(since.column), since, '?')}"
        with closing(self._run(query, low)) as cursor:
            landing.land_rows(con, target, tuple(columns) or ("nothing",), self._chunks(cursor))
        self._declared(con, target, select, [name for name, attribute in columns.items() if attribute])

    def before(self, select: str, since: Since) -> int:
        """See :class:`~.reader.Reader`."""
        wanted = condition(quote(since.column), since, "?")
        return int(self._rows(f"SELECT count(*) FROM (\n{select}\n) WHERE NOT {wanted}", (_low(since),))[0][0])

    def _declared(self, con: Connection, target: str, select: str, columns: list[str]) -> None:
        """Make booleans and times of columns that are declared so, where all their values are; SQLite has neither."""
        declared = self.declared.get(select, {})
        rows = con.table(target)
        held = dict(zip(rows.columns, map(str, rows.types), strict=True))
        for name in columns:
            type_, value = declared.get(name, ""), quote(name)
            if type_.startswith("BOOL") and held[name] == "BIGINT":
                wrong, wanted, how = f"{value} NOT IN (0, 1)", "BOOLEAN", f"CAST({value} AS BOOLEAN)"
            elif type_.startswith(("DATE", "TIMESTAMP")) and held[name] == "VARCHAR":
                at, offset = as_clock(value, "text")
                # With an offset it stays text: a column may hold both, and a time has one zone or none.
                wrong = f"{value} IS NOT NULL AND (({at}) IS NULL OR ({offset}) IS NOT NULL)"
                wanted, how = "TIMESTAMP", f"make_timestamp({at})"
            else:
                continue
            if not first(con.table(target).aggregate(f"count(*) FILTER ({wrong})"))[0]:
                con.execute(f"ALTER TABLE {target} ALTER {value} TYPE {wanted} USING {how}")

    def _chunks(self, cursor: sqlite3.Cursor) -> Iterator[list[Any]]:
        try:
            while rows := cursor.fetchmany(ROWS):
                yield rows
        except sqlite3.Error as error:
            raise _explained(self.path, error) from None

    def _run(self, query: str, values: tuple[Any, ...] = ()) -> sqlite3.Cursor:
        try:
            return self.file.execute(query, values)
        except (sqlite3.Error, sqlite3.Warning) as error:
            raise _explained(self.path, error) from None

    def _rows(self, query: str, values: tuple[Any, ...] = ()) -> list[Any]:
        with closing(self._run(query, values)) as cursor:
            return [row for chunk in self._chunks(cursor) for row in chunk]


@contextmanager
def open_sqlite(url: SecretUrl) -> Iterator[Sqlite]:
    """Open the file read-only and begin the transaction; both end with the block."""
    path = url.path
    if not path.is_file():
        raise DataError(f"source.url: {path}: no such file")
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, isolation_level=None, timeout=WAIT)) as file:
        reader = Sqlite(file, str(path))
        try:
            file.execute("BEGIN")
            # A transaction sees the moment of its first read, not of its BEGIN.
            file.execute("SELECT count(*) FROM sqlite_master").fetchone()
        except sqlite3.Error as error:
            if _is_busy(error):
                raise _explained(str(path), error) from None
            said = "cannot be opened as a SQLite database"
            raise DataError(f"source.url: {path}: {said}: {reason(error)}") from None
        yield reader


def _explained(path: str, error: Exception) -> DataError:
    if _is_busy(error):
        return ConnectionLostError(f"{path} is locked by another program; run this again when that is done")
    return DataError(f"the query cannot be run: {reason(error)}")


def _is_busy(error: Exception) -> bool:
    return "locked" in str(error) or "busy" in str(error)


def _low(since: Since) -> Any:
    """The value to compare with: SQLite has no times, so a column is compared with them as text."""
    return since.low.isoformat(sep=" ") if isinstance(since.low, datetime) else since.low
