"""Tables from a DuckDB database file, opened read-only for as long as they are read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import duckdb

from predictive.config import DuckdbSource, TableSource
from predictive.errors import DataError, nearest
from predictive.sources.origin import Connection, Opener, Origin, quote, reason, run_query

ALIAS = quote("predictive source")
"""The attached database; a name that no schema has, since a query may start with the name of one."""


@contextmanager
def attached(con: Connection, path: str) -> Iterator[None]:
    """Another database, read-only if it is a file, as the place where names are looked up; detached at the end."""
    home, schema = con.execute("SELECT current_database(), current_schema()").fetchone() or ("memory", "main")
    try:
        con.execute(f"ATTACH $1 AS {ALIAS}" + ("" if path == ":memory:" else " (READ_ONLY)"), [path])
    except duckdb.Error as error:
        raise DataError(f"source.path: {path}: cannot be opened as a DuckDB database: {reason(error)}") from None
    try:
        con.execute(f"USE {ALIAS}")
        yield
    finally:
        con.execute(f"USE {quote(home)}.{quote(schema)}")
        con.execute(f"DETACH {ALIAS}")


@contextmanager
def open_duckdb(source: DuckdbSource, con: Connection) -> Iterator[Opener]:
    """Opens a source of kind `duckdb`: yields a function that finds the rows of a table."""
    if not source.path.is_file():
        raise DataError(f"source.path: {source.path}: no such file")

    def open_table(table: str, spec: TableSource) -> Origin:
        where = f"source.tables.{table}"
        if spec.query is not None:
            rows = run_query(con, spec.query, f"{where}.query")
            return Origin(f"the result of {where}.query", rows, untyped=False)
        name = str(spec.table)
        try:
            return Origin(f"table {name}", con.table(name), untyped=False)
        except duckdb.Error:
            hint = _hint(con, name)
            raise DataError(f"{where}.table: {source.path} has no table {name!r}; {hint}") from None

    with attached(con, str(source.path)):
        yield open_table


def _hint(con: Connection, name: str) -> str:
    """The tables and views of the attached database that are nearest to a name."""
    rows = con.execute(
        "SELECT CASE WHEN table_schema = 'main' THEN table_name ELSE table_schema || '.' || table_name END"
        " FROM information_schema.tables WHERE table_catalog = current_database()"
    )
    return nearest(name, (found for (found,) in rows.fetchall()))
