"""SQLite as a place for scores. Times are texts such as ``2026-11-22T00:00:00.000000Z``, which sort as they should."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from predictive.errors import DataError
from predictive.sinks.database import Database, definition, listed, quote
from predictive.sinks.duckdb import clean, working
from predictive.sinks.rows import arrow_types, rows_of, to_arrow

TYPES = {"VARCHAR": "TEXT", "DOUBLE": "REAL", "BIGINT": "INTEGER", "BOOLEAN": "INTEGER", "TIMESTAMP": "TEXT"}
TIME = "strftime({}, '%Y-%m-%dT%H:%M:%S.%fZ')"
FULL = "nothing was changed. See to space and permissions, then run again"


@dataclass(frozen=True)
class SqliteDatabase:
    """A :class:`~predictive.sinks.database.Database` over a connection of `sqlite3`."""

    connection: sqlite3.Connection
    place: str

    @property
    def types(self) -> Mapping[str, str]:
        """See :class:`~predictive.sinks.database.Database`."""
        return TYPES

    def execute(self, sql: str) -> None:
        """See :class:`~predictive.sinks.database.Database`."""
        self.connection.execute(sql)

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """See :class:`~predictive.sinks.database.Database`."""
        return self.connection.execute(sql).fetchall()

    def read(self, sql: str, columns: Mapping[str, str]) -> Any:
        """See :class:`~predictive.sinks.database.Database`."""
        cursor = self.connection.execute(f"SELECT {listed(columns)} FROM ({sql}) AS q")  # noqa: S608 - quoted names
        return to_arrow(cursor.fetchmany, columns, _column)

    def stage(self, con: Any, name: str, columns: Mapping[str, str]) -> str:
        """See :class:`~predictive.sinks.database.Database`."""
        cells = ", ".join(TIME.format(quote(c)) if kind == "TIMESTAMP" else quote(c) for c, kind in columns.items())
        key = ", PRIMARY KEY (contact_id)" if "contact_id" in columns else ""
        self.drop(name)
        self.execute(f"CREATE TEMPORARY TABLE {quote(name)} ({definition(columns, self.types)}{key})")
        marks = ", ".join("?" * len(columns))
        for block in rows_of(con, name, columns, cells):
            self.connection.executemany(f"INSERT INTO {quote(name)} VALUES ({marks})", block)  # noqa: S608 - a quoted name
        return quote(name)

    def drop(self, name: str) -> None:
        """See :class:`~predictive.sinks.database.Database`."""
        self.execute(f"DROP TABLE IF EXISTS temp.{quote(name)}")

    def describe(self, schema: str | None, table: str) -> dict[str, str | None] | None:
        """See :class:`~predictive.sinks.database.Database`; columns of SQLite have no types that bind."""
        if schema not in (None, "main"):
            raise DataError(f"{self.place}: SQLite has no schema {schema!r}; write the name alone in sink.table")
        query = "SELECT type FROM main.sqlite_master WHERE lower(name) = lower(?) AND type IN ('table', 'view')"
        kinds = [kind for (kind,) in self.connection.execute(query, [table])]
        if kinds == ["view"]:
            raise DataError(
                f"{self.place}: the table {table} is a view; nothing was written. Name another table in sink.table"
            )
        found = self.connection.execute("SELECT name FROM pragma_table_info(?, 'main')", [table]).fetchall()
        return {name: None for (name,) in found} or None

    def full_name(self, schema: str | None, table: str) -> str:  # noqa: ARG002 - there is one schema
        """See :class:`~predictive.sinks.database.Database`."""
        return f"main.{quote(table)}"

    def create(self, schema: str | None, table: str, columns: Mapping[str, str]) -> None:
        """See :class:`~predictive.sinks.database.Database`."""
        key = ", PRIMARY KEY (contact_id)" if "left_at" in columns else ""
        self.execute(f"CREATE TABLE {self.full_name(schema, table)} ({definition(columns, self.types)}{key})")
        if "night" in columns:
            self.execute(f"CREATE INDEX main.{quote(table + '_by_night')} ON {quote(table)} (night)")


@dataclass(frozen=True)
class SqliteFile:
    """A :class:`~predictive.sinks.database.Store`: a SQLite database file."""

    path: Path
    wait: float = 30

    @contextmanager
    def writing(self, con: Any) -> Iterator[Database]:
        """See :class:`~predictive.sinks.database.Store`."""
        with self._opened("rwc") as connection, clean(con):
            # Pages stay in memory until the end, so that readers are kept out only while they are written.
            connection.execute("PRAGMA cache_spill = OFF")
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield SqliteDatabase(connection, str(self.path))
                connection.execute("COMMIT")
            except BaseException:
                # Some errors have ended the transaction already, and what went wrong first is what to tell.
                with suppress(sqlite3.Error):
                    connection.execute("ROLLBACK")
                raise

    @contextmanager
    def reading(self, con: Any | None) -> Iterator[Database]:
        """See :class:`~predictive.sinks.database.Store`."""
        with working(con) as mine, clean(mine) as empty:
            if not self.path.exists():
                yield empty
                return
            # Not mode=ro: what a killed process left must be taken back before anybody reads.
            with self._opened("rw") as connection:
                connection.execute("BEGIN")
                yield SqliteDatabase(connection, str(self.path))

    @contextmanager
    def _opened(self, mode: str) -> Iterator[sqlite3.Connection]:
        try:
            if mode == "rwc":
                self.path.parent.mkdir(parents=True, exist_ok=True)
            uri = f"{self.path.absolute().as_uri()}?mode={mode}"
            with closing(sqlite3.connect(uri, uri=True, timeout=self.wait, isolation_level=None)) as connection:
                yield connection
        except (sqlite3.Error, OSError) as error:
            raise DataError(f"{self.path}: {self._words(error)}") from None

    def _words(self, error: Exception) -> str:
        text = str(error)
        if "locked" in text:
            return (
                f"another program has this database locked, and had for {self.wait:g} seconds; nothing "
                "was written. Run again when it is done"
            )
        if "not a database" in text:
            return "is no SQLite database; nothing was written. Name another file in sink.path"
        return f"cannot be written: {text}; {FULL}"


def _column(kind: str, cells: Sequence[Any]) -> Any:
    import pyarrow as pa

    if kind == "TIMESTAMP":
        return pa.array(cells, pa.string()).cast(pa.timestamp("us", tz="UTC")).cast(pa.timestamp("us"))
    if kind == "BOOLEAN":
        cells = [None if c is None else bool(c) for c in cells]
    return pa.array(cells, arrow_types()[kind])
