"""DuckDB as a place for scores: the tables of a database file, and those of the working database.

DuckDB lets one process at a time open a database for writing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from predictive.errors import DataError
from predictive.sinks.attach import attached, transaction
from predictive.sinks.changes import drop_temporary
from predictive.sinks.database import Database, definition, listed, quote
from predictive.store import in_memory

TYPES = {name: name for name in ("VARCHAR", "DOUBLE", "BIGINT", "BOOLEAN", "TIMESTAMP")}


@dataclass(frozen=True)
class Attached:
    """A :class:`~predictive.sinks.database.Database`: the one attached to `con` under a name; none for None."""

    con: Any
    name: str | None = None
    place: str = "the working database"

    @property
    def types(self) -> Mapping[str, str]:
        """See :class:`~predictive.sinks.database.Database`."""
        return TYPES

    def execute(self, sql: str) -> None:
        """See :class:`~predictive.sinks.database.Database`."""
        self.con.execute(sql)

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """See :class:`~predictive.sinks.database.Database`."""
        found: list[tuple[Any, ...]] = self.con.execute(sql).fetchall()
        return found

    def read(self, sql: str, columns: Mapping[str, str]) -> Any:
        """See :class:`~predictive.sinks.database.Database`."""
        return self.con.sql(f"SELECT {listed(columns)} FROM ({sql}) AS q").to_arrow_table()  # noqa: S608 - quoted names

    def stage(self, con: Any, name: str, columns: Mapping[str, str]) -> str:  # noqa: ARG002 - it is there already
        """See :class:`~predictive.sinks.database.Database`."""
        return quote(name)

    def drop(self, name: str) -> None:
        """See :class:`~predictive.sinks.database.Database`."""
        self.con.execute(f"DROP TABLE IF EXISTS temp.main.{quote(name)}")

    def describe(self, schema: str | None, table: str) -> dict[str, str | None] | None:
        """See :class:`~predictive.sinks.database.Database`."""
        here = [self.name, schema or "main", table]
        where = "WHERE database_name = $1 AND lower(schema_name) = lower($2)"
        columns = f"SELECT column_name, data_type FROM duckdb_columns() {where} AND lower(table_name) = lower($3)"  # noqa: S608 - a constant
        views = f"SELECT view_name FROM duckdb_views() {where} AND lower(view_name) = lower($3)"  # noqa: S608 - a constant
        if self.con.execute(views, here).fetchall():
            raise DataError(
                f"{self.place}: the table {table} is a view; nothing was written. Name another table in sink.table"
            )
        return dict(self.con.execute(columns, here).fetchall()) or None

    def full_name(self, schema: str | None, table: str) -> str:
        """See :class:`~predictive.sinks.database.Database`."""
        return ".".join(quote(part) for part in (self.name or "temp", schema or "main", table))

    def create(self, schema: str | None, table: str, columns: Mapping[str, str]) -> None:
        """See :class:`~predictive.sinks.database.Database`."""
        if schema is not None:
            self.con.execute(f"CREATE SCHEMA IF NOT EXISTS {quote(self.name or 'temp')}.{quote(schema)}")
        self.con.execute(f"CREATE TABLE {self.full_name(schema, table)} ({definition(columns)})")


@dataclass(frozen=True)
class DuckdbFile:
    """A :class:`~predictive.sinks.database.Store`: a DuckDB database file."""

    path: Path

    @contextmanager
    def writing(self, con: Any) -> Iterator[Database]:
        """See :class:`~predictive.sinks.database.Store`."""
        with attached(con, self.path, read_only=False) as name, clean(con) as local, transaction(con, self.path):
            yield Attached(local.con, name, str(self.path))

    @contextmanager
    def reading(self, con: Any | None) -> Iterator[Database]:
        """See :class:`~predictive.sinks.database.Store`."""
        with working(con) as mine, clean(mine) as local:
            if not self.path.exists():
                yield local
                return
            with attached(mine, self.path, read_only=True) as name:
                yield Attached(mine, name, str(self.path))


@contextmanager
def working(con: Any | None) -> Iterator[Any]:
    """The working database, or one for the length of the block."""
    if con is not None:
        yield con
        return
    with in_memory() as own:
        yield own


@contextmanager
def clean(con: Any) -> Iterator[Attached]:
    """The working database, without our temporary tables at the end."""
    local = Attached(con)
    try:
        yield local
    finally:
        drop_temporary(local)
