"""Membership in a DuckDB file, in a file beside the scores, or in any database that Python can talk to."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd

from predictive.errors import DataError
from predictive.lists.membership import (
    COME,
    GONE,
    LIST_COLUMNS,
    Memberships,
    apply_changes,
    drop_changes,
    find_changes,
)
from predictive.sinks.attach import attached, transaction
from predictive.sinks.changes import definition, listed, mismatch, quote
from predictive.sinks.duckdb import ScoreTables
from predictive.sinks.files import ScoreFiles
from predictive.sinks.formats import FORMATS, load
from predictive.sinks.frames import to_frame
from predictive.sinks.journal import Journal

ORDER = '"list", contact_id, entered_at'
KEPT = "list_kept"
"""Temporary table that membership is read into where DuckDB does not hold it."""


@dataclass(frozen=True)
class ListTables:
    """Membership in the table `table` of a DuckDB file, which the first night creates."""

    path: Path
    schema: str
    table: str

    def read(self) -> pd.DataFrame:
        """See :class:`~predictive.lists.membership.Memberships`."""
        with duckdb.connect() as con:
            if self.path.exists():
                with attached(con, self.path, read_only=True) as database:
                    if self._exists(con, database):
                        return to_frame(con, self._name(database), LIST_COLUMNS, ORDER)
            con.execute(f"CREATE TEMP TABLE {KEPT} ({definition(LIST_COLUMNS)})")
            return to_frame(con, KEPT, LIST_COLUMNS, ORDER)

    def update(self, con: Any, members: str, night: Any) -> int:
        """See :class:`~predictive.lists.membership.Memberships`."""
        try:
            with attached(con, self.path, read_only=False) as database, transaction(con, self.path):
                if not self._exists(con, database):
                    con.execute(f"CREATE SCHEMA IF NOT EXISTS {quote(database)}.{quote(self.schema)}")
                    con.execute(f"CREATE TABLE {self._name(database)} ({definition(LIST_COLUMNS)})")
                changed = find_changes(con, self._name(database), members, night)
                if changed:
                    apply_changes(con, self._name(database))
                return changed
        finally:
            drop_changes(con)

    def _name(self, database: str) -> str:
        return f"{quote(database)}.{quote(self.schema)}.{quote(self.table)}"

    def _exists(self, con: Any, database: str) -> bool:
        """Whether the table is there. One that is not ours is an error."""
        query = """SELECT column_name, data_type FROM duckdb_columns() WHERE database_name = $1
            AND lower(schema_name) = lower($2) AND lower(table_name) = lower($3)"""
        found = dict(con.execute(query, [database, self.schema, self.table]).fetchall())
        problem = mismatch(found, LIST_COLUMNS) if found else None
        if problem is not None:
            raise DataError(
                f"{self.path}: the table {self.schema}.{self.table} {problem}, so it does not hold the membership of "
                "lists; no list was written. Name another table in sink.table, or rename this one"
            )
        return bool(found)


@dataclass(frozen=True)
class ListFiles:
    """Membership in one file, `kind` parquet or csv; `folder` is where the scores' history and their lock are."""

    path: Path
    kind: str
    folder: Path

    def read(self) -> pd.DataFrame:
        """See :class:`~predictive.lists.membership.Memberships`."""
        with duckdb.connect() as con:
            return to_frame(con, self._load(con), LIST_COLUMNS, ORDER)

    def update(self, con: Any, members: str, night: Any) -> int:
        """See :class:`~predictive.lists.membership.Memberships`."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with self._journal.locked():
                kept = self._load(con)
                changed = find_changes(con, kept, members, night)
                if changed or not self.path.exists():
                    apply_changes(con, kept)
                    query = f"SELECT {listed(LIST_COLUMNS)} FROM {kept} ORDER BY {ORDER}"  # noqa: S608 - quoted names
                    FORMATS[self.kind].write(con, query, LIST_COLUMNS, self._journal.temporary(self.path))
                    self._journal.commit([self.path])
                return changed
        except (OSError, duckdb.IOException) as error:
            raise DataError(
                f"{self.path}: cannot be written: {str(error).splitlines()[0]}. The lists are as they were or as they "
                "should be; see to space and permissions, and run again"
            ) from None
        finally:
            drop_changes(con)
            con.execute(f"DROP TABLE IF EXISTS temp.main.{KEPT}")

    @property
    def _journal(self) -> Journal:
        return Journal(folder=self.folder, beside=(self.path,))

    def _load(self, con: Any) -> str:
        file = self._journal.committed(self.path)
        return load(con, self.kind, [file] if file.exists() else [], LIST_COLUMNS, KEPT)


@dataclass(frozen=True)
class ListRows:
    """Membership in a table of any database with a DB-API connection: times are ISO texts, as every one takes them.

    Args:
        connect: opens a connection.
        table: the table's name as that database quotes it.
        mark: what stands for a value in its SQL, such as ``?`` or ``%s``.
    """

    connect: Callable[[], Any]
    table: str
    mark: str

    def read(self) -> pd.DataFrame:
        """See :class:`~predictive.lists.membership.Memberships`."""
        with duckdb.connect() as con, self._open() as connection:
            return to_frame(con, self._load(con, connection), LIST_COLUMNS, ORDER)

    def update(self, con: Any, members: str, night: Any) -> int:
        """See :class:`~predictive.lists.membership.Memberships`."""
        names, marks = listed(LIST_COLUMNS), ", ".join([self.mark] * len(LIST_COLUMNS))
        key = " AND ".join(f"{quote(name)} = {self.mark}" for name in list(LIST_COLUMNS)[:3])
        try:
            with self._open() as connection:
                changed = find_changes(con, self._load(con, connection), members, night)
                gone, come = (_texts(con, table) for table in (GONE, COME))
                cursor = connection.cursor()
                cursor.executemany(f"DELETE FROM {self.table} WHERE {key}", [row[:3] for row in gone])  # noqa: S608 - quoted names
                cursor.executemany(f"INSERT INTO {self.table} ({names}) VALUES ({marks})", come)  # noqa: S608 - likewise
                connection.commit()
                return changed
        finally:
            drop_changes(con)
            con.execute(f"DROP TABLE IF EXISTS temp.main.{KEPT}")

    def _open(self) -> AbstractContextManager[Any]:
        # A connection that is closed before its commit takes everything back.
        return closing(self.connect())

    def _load(self, con: Any, connection: Any) -> str:
        columns = ", ".join(f"{quote(name)} VARCHAR(64)" for name in LIST_COLUMNS)
        cursor = connection.cursor()
        cursor.execute(f"CREATE TABLE IF NOT EXISTS {self.table} ({columns.replace('(64)', '(255)', 2)})")
        cursor.execute(f"SELECT {listed(LIST_COLUMNS)} FROM {self.table}")  # noqa: S608 - quoted names
        rows = pd.DataFrame(cursor.fetchall(), columns=list(LIST_COLUMNS), dtype="str")
        con.register("_rows", rows)
        con.execute(f"CREATE OR REPLACE TEMP TABLE {KEPT} ({definition(LIST_COLUMNS)})")
        con.execute(f"INSERT INTO {KEPT} FROM _rows")
        con.unregister("_rows")
        return KEPT


STORES: dict[type, Callable[[Any], Memberships]] = {
    ScoreTables: lambda sink: ListTables(sink.path, sink.schema, f"{sink.table}_lists"),
    ScoreFiles: lambda sink: ListFiles(
        sink.path.with_name(f"{sink.path.stem}_lists{sink.path.suffix}"),
        sink.kind,
        sink.path.with_name(f"{sink.path.stem}_history"),
    ),
}
"""Per class of sink, where membership is kept beside its scores."""


def beside(sink: Any) -> Memberships | None:
    """Where membership is kept for a sink; None for a sink of somebody else's, which keeps no lists."""
    make = STORES.get(type(sink))
    return None if make is None else make(sink)


def _texts(con: Any, table: str) -> list[tuple[Any, ...]]:
    columns = ", ".join(f"CAST({quote(name)} AS VARCHAR)" for name in LIST_COLUMNS)
    found: list[tuple[Any, ...]] = con.execute(f"SELECT {columns} FROM {table}").fetchall()  # noqa: S608 - quoted names
    return found
