"""What the sinks into tables need of a database, and the SQL that is the same in all of them.

Statements carry names, quoted, and no values: the values of a night stand in a temporary table of one row. That leaves
one way of binding values per database, the copying of rows into a temporary table.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

from predictive.errors import DataError
from predictive.sinks.contract import FIRST_COLUMNS


class Database(Protocol):
    """A database inside a transaction.

    `place` says where it is, without secrets. `types` gives its name for each DuckDB type of
    :mod:`predictive.sinks.contract`. Temporary tables end with the transaction or with :meth:`drop`.
    """

    @property
    def place(self) -> str:
        """See above."""

    @property
    def types(self) -> Mapping[str, str]:
        """See above."""

    def execute(self, sql: str) -> None:
        """Run a statement."""

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """What a query gives: counts and texts."""

    def read(self, sql: str, columns: Mapping[str, str]) -> Any:
        """What a query gives, as an Arrow table of these columns; times are naive UTC."""

    def stage(self, con: Any, name: str, columns: Mapping[str, str]) -> str:
        """Copy a table of the DuckDB connection `con` to a temporary one of that name; how statements name it."""

    def drop(self, name: str) -> None:
        """Drop a temporary table, if it is there."""

    def describe(self, schema: str | None, table: str) -> dict[str, str | None] | None:
        """The columns of a table and their types, as DuckDB's where there is an equal one; None if there is no table.

        Raises :class:`~predictive.errors.DataError` for what is no table.
        """

    def full_name(self, schema: str | None, table: str) -> str:
        """A table as statements name it."""

    def create(self, schema: str | None, table: str, columns: Mapping[str, str]) -> None:
        """Create a score table, its schema too if it is missing."""


class Store(Protocol):
    """Where a database is, and how to open it."""

    def writing(self, con: Any) -> AbstractContextManager[Database]:
        """The database for one transaction, all or nothing, in which no other run can write scores.

        `con` is the working database. Raises :class:`~predictive.errors.DataError` for all that the user can fix.
        """

    def reading(self, con: Any | None) -> AbstractContextManager[Database]:
        """The database as it is at one instant, empty if it is not there; `con` is the working database, if any."""


def quote(name: str) -> str:
    """An SQL identifier.

    >>> print(quote('a"b'))
    "a""b"
    """
    return '"' + name.replace('"', '""') + '"'


def listed(columns: Sequence[str] | Mapping[str, str], prefix: str = "") -> str:
    """Columns as SQL names them, each after `prefix`.

    >>> listed({"run_id": "VARCHAR", "rows": "BIGINT"}, "r.")
    'r."run_id", r."rows"'
    """
    return ", ".join(prefix + quote(name) for name in columns)


def definition(columns: Mapping[str, str], types: Mapping[str, str] | None = None) -> str:
    """Columns with their types, as CREATE TABLE wants them; `types` gives other names for the types.

    >>> definition({"rows": "BIGINT"}, {"BIGINT": "INTEGER"})
    '"rows" INTEGER'
    """
    return ", ".join(f"{quote(name)} {kind if types is None else types[kind]}" for name, kind in columns.items())


def differs(columns: Sequence[str], one: str, other: str) -> str:
    """SQL that tells whether two rows differ in any of the columns.

    >>> differs(["tier"], "s", "b")
    's."tier" IS DISTINCT FROM b."tier"'
    """
    return " OR ".join(f"{one}.{quote(name)} IS DISTINCT FROM {other}.{quote(name)}" for name in columns)


def mismatch(found: Mapping[str, str | None], wanted: Mapping[str, str], *, older: bool = True) -> str | None:
    """What is wrong with columns that were found, if anything; the type None is any type.

    Columns that `older` versions did not have may be missing.

    >>> mismatch({"run_id": "INTEGER"}, {"run_id": "VARCHAR"})
    'has a column "run_id" of type INTEGER, not VARCHAR'
    """
    for name, kind in wanted.items():
        if name not in found:
            if older and name not in FIRST_COLUMNS:
                continue
            return f'has no column "{name}" ({kind})'
        if found[name] not in (None, kind):
            return f'has a column "{name}" of type {found[name]}, not {kind}'
    further = [name for name in found if name not in wanted]
    return f'has a further column "{further[0]}"' if further else None


def completed(name: str, found: Mapping[str, str | None], columns: Mapping[str, str], types: Mapping[str, str]) -> str:
    """The rows of a table (a quoted name) in all of `columns`, as a subquery; a column that it lacks is empty."""
    cells = (quote(c) if c in found else f"CAST(NULL AS {types[kind]}) AS {quote(c)}" for c, kind in columns.items())
    return f"(SELECT {', '.join(cells)} FROM {name})"  # noqa: S608 - quoted names


def nothing(columns: Mapping[str, str], types: Mapping[str, str]) -> str:
    """A subquery without rows that has the columns."""
    cells = ", ".join(f"CAST(NULL AS {types[kind]}) AS {quote(c)}" for c, kind in columns.items())
    return f"(SELECT {cells} WHERE 1 = 0)"


def fill(db: Database, table: str, columns: Mapping[str, str], query: str) -> str:
    """Make a temporary table of these columns out of a query; its quoted name."""
    db.drop(table)
    db.execute(f"CREATE TEMPORARY TABLE {quote(table)} ({definition(columns, db.types)})")
    db.execute(f"INSERT INTO {quote(table)} ({listed(columns)}) {query}")
    return quote(table)


def bind(con: Any, db: Database, table: str, columns: Mapping[str, str], rows: Sequence[Mapping[str, Any]]) -> str:
    """Make a temporary table of rows of values; how statements name it."""
    con.execute(f"CREATE OR REPLACE TEMPORARY TABLE {quote(table)} ({definition(columns)})")
    marks = ", ".join(f"${name}" for name in columns)
    for row in rows:
        con.execute(f"INSERT INTO {quote(table)} VALUES ({marks})", {name: row[name] for name in columns})  # noqa: S608 - a quoted name
    return db.stage(con, table, columns)


def checked(where: str, found: Mapping[str, str | None], columns: Mapping[str, str]) -> None:
    """Raise :class:`~predictive.errors.DataError` for a table that does not hold our scores."""
    problem = mismatch(found, columns)
    if problem is not None:
        raise DataError(
            f"{where} {problem}, so it does not hold scores of this version; nothing was written. Name another table "
            "in sink.table, or rename this one"
        )
