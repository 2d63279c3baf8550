"""Where the rows of one table come from, and how to name a single row of them to a person."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, TypeAlias

import duckdb

from predictive.config import TableSource
from predictive.errors import DataError
from predictive.sources import csvfile
from predictive.tables import Note

Connection: TypeAlias = duckdb.DuckDBPyConnection
Relation: TypeAlias = duckdb.DuckDBPyRelation


@dataclass(frozen=True)
class Part:
    """One file that holds rows. `shown` names it as its owner knows it, `path` is what is read in its place.

    `dialect` is None for Parquet.
    """

    shown: str
    path: Path
    columns: tuple[str, ...]
    dialect: csvfile.Dialect | None = None


@dataclass(frozen=True)
class Since:
    """Rows whose `column` of the source is at or after `low`, and those that have none.

    `low` is a number, or a time: naive where the column is. Of a text `low` is a date, which is compared with the first
    ten characters.
    """

    column: str
    low: int | datetime | str


@dataclass(frozen=True)
class Fetch:
    """Ways to read a part of a table: `rows` since a point (None: all of them), and how many lie `before` one."""

    rows: Callable[[Since | None], Relation]
    before: Callable[[Since], int]


@dataclass(frozen=True)
class Origin:
    """The rows of one table as the source holds them.

    `label` says where they are from. `untyped` means that every column is text only because the format knows nothing
    else, so that types may be inferred. `parts` are the files that the rows are read from; `located` says that rows
    number through them in order (the rows of a query do not). Where `fetch` is given, `rows` only shows the columns:
    the table is read incrementally from somewhere else, and `fetch` brings the rows.
    """

    label: str
    rows: Relation
    untyped: bool
    parts: tuple[Part, ...] = ()
    located: bool = False
    notes: tuple[Note, ...] = ()
    fetch: Fetch | None = None


Opener = Callable[[str, TableSource], Origin]
"""Finds the rows of a canonical table, given its name and its part of the configuration."""
OpenSource = Callable[[Any, Connection], AbstractContextManager[Opener]]
"""Opens a source for as long as its tables are read."""


def quote(name: str) -> str:
    """A name as an SQL identifier.

    >>> print(quote('the "real" size'))
    "the ""real"" size"
    """
    return '"' + name.replace('"', '""') + '"'


def first(rows: Relation) -> tuple[Any, ...]:
    """The first row of a relation that has one."""
    return tuple(rows.limit(1).fetchall()[0])


def shown(value: object) -> str:
    """A value as messages may print it: cut to 40 characters, and never an e-mail address.

    >>> shown("31/12/2018"), shown("jane@example.com")
    ("'31/12/2018'", "'j…@…'")
    """
    text = str(value)
    if "@" in text:
        text = f"{text[0]}…@…"
    return f"'{text[:40]}…'" if len(text) > 40 else f"'{text}'"


def read_part(con: Connection, part: Part) -> Relation:
    """The rows of one part, in order."""
    if part.dialect is None:
        return con.read_parquet([str(part.path)])
    return csvfile.read(con, [part.path], part.columns, part.dialect)


def place(con: Connection, origin: Origin, row: int) -> str:
    """Where the row with this number (from 1, over all parts) is, for a person to look it up."""
    if not origin.located:
        return f"row {row:,} of {origin.label}"
    for part in origin.parts:
        if len(origin.parts) > 1:
            (held,) = first(read_part(con, part).aggregate("count(*)"))
            if row > held:
                row -= held
                continue
        line = None if part.dialect is None else csvfile.line_of(part.path, part.dialect, row)
        return f"{part.shown}, row {row:,}" + ("" if line is None else f", line {line:,} of the file")
    return origin.label


def faults(con: Connection, parts: tuple[Part, ...]) -> list[str]:
    """What is wrong with the files themselves: rows of another width, unreadable or cut off."""
    return [f"{part.shown}: {fault}" for part in parts if (fault := _fault(con, part)) is not None]


def _fault(con: Connection, part: Part) -> str | None:
    if part.dialect is not None:
        return csvfile.fault(part.path, part.dialect, len(part.columns))
    try:
        first(read_part(con, part).aggregate("max(hash(columns(*)))"))
    except duckdb.OutOfMemoryException:
        raise
    except duckdb.Error as error:
        return unreadable("Parquet", error)
    return None


def unreadable(what: str, error: Exception) -> str:
    """Why a file cannot be read, in one line."""
    return f"not a readable {what} file; it may be cut off: export or copy it again ({reason(error)})"


def reason(error: Exception) -> str:
    """What DuckDB says of a failure, without e-mail addresses that a value may hold.

    >>> reason(ValueError("Could not convert string 'jane@example.com' to INT32"))
    'Could not convert string …@… to INT32'
    """
    lines = [line.strip() for line in str(error).splitlines()]
    return re.sub(r"\S+@\S+", "…@…", " ".join(line for line in lines if line))


def run_query(con: Connection, query: str, where: str) -> Relation:
    """The rows of a query that the configuration gives at the path `where`."""
    try:
        statements = con.extract_statements(query)
        if [statement.type for statement in statements] != [duckdb.StatementType.SELECT]:
            raise DataError(f"{where}: a query gives rows: write one SELECT")
        return con.sql(query)
    except duckdb.Error as error:
        raise DataError(f"{where}: the query cannot be run: {reason(error)}") from None
