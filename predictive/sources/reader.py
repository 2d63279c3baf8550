"""What a database has to offer to be read: a module per way of reading gives one, :mod:`.database` uses it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from predictive.sources.origin import Connection, Since


class Reader(Protocol):
    """An open database, all of whose reads see the same moment.

    Every method raises :class:`~predictive.errors.DataError` that says what the database refused, without credentials,
    and :class:`~predictive.errors.ConnectionLostError` once the connection is gone. A `select` is a query without a
    semicolon at its end.
    """

    def tables(self) -> Sequence[tuple[str, str]]:
        """Schema and name of every table and view; the schema is empty where there are none."""

    def select(self, table: str) -> str:
        """The query for all of a table, named as the configuration names it (with its schema where needed)."""

    def columns(self, select: str) -> tuple[str, ...]:
        """The names of a query's columns."""

    def land(self, con: Connection, target: str, select: str, columns: Mapping[str, bool], since: Since | None) -> None:
        """Make the table `target` in `con` of some columns of a query's rows, batch by batch.

        Those that are True are attributes, whose kind nothing but their type can tell.
        """

    def before(self, select: str, since: Since) -> int:
        """How many rows of a query are not `since` that point."""


def condition(column: str, since: Since, low: str) -> str:
    """The SQL condition of :class:`~.origin.Since`; `column` and `low` are SQL.

    >>> condition('"at"', Since("at", 3), "?")
    '("at" >= ? OR "at" IS NULL)'
    """
    compared = f"substr({column}, 1, 10)" if isinstance(since.low, str) else column
    return f"({compared} >= {low} OR {column} IS NULL)"
