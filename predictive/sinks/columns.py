"""Scores into columns of the contact table itself: the score table carried over, wherever a row differs from it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from predictive.errors import DataError, nearest
from predictive.sinks.contract import KEPT_COLUMNS
from predictive.sinks.database import Database, quote

FITTING = {
    "VARCHAR": r"varchar|text|char|citext|bpchar|string",
    "DOUBLE": r"double|real|float|numeric|decimal",
    "BIGINT": r"double|real|float|numeric|decimal|(big|small|tiny|huge)?int",
    "TIMESTAMP": r"timestamp|date|datetime",
    "BOOLEAN": r"bool",
}
"""Per type of a score, how the types begin of columns that can hold it."""


@dataclass(frozen=True)
class ContactColumns:
    """The contact table, its column `key` with the contact's id, and (score, column) for each column to write.

    Missing columns are made if `create` says so. A contact without a row in the score table has no scores here either.
    """

    schema: str | None
    table: str
    key: str
    columns: tuple[tuple[str, str], ...]
    create: bool

    def check(self, db: Database, *, create: bool) -> None:
        """Make missing columns, if that is allowed and `create`.

        Raises :class:`~predictive.errors.DataError` for a table that is missing, lacks a column, or has one of a type
        that cannot hold the score.
        """
        found = self._found(db)
        if self.key not in found:
            raise DataError(f"{self._shown(db)} has no column {self.key!r} (sink.key); {nearest(self.key, found)}")
        for score, column in self.columns:
            kind = KEPT_COLUMNS[score]
            if column not in found:
                if not self.create:
                    raise DataError(
                        f"{self._shown(db)} has no column {column!r} for {score}; nothing was written. Add it, name "
                        "another in sink.columns, or allow it with sink.create_columns: true"
                    )
                if create:
                    name = db.full_name(self.schema, self.table)
                    db.execute(f"ALTER TABLE {name} ADD COLUMN {quote(column)} {db.types[kind]}")
                continue
            has = found[column]
            if has is not None and re.match(FITTING[kind], has, re.IGNORECASE) is None:
                raise DataError(
                    f"{self._shown(db)}: the column {column!r} of type {has} cannot hold {score} ({kind}); nothing was "
                    "written. Name another column in sink.columns"
                )

    def without_row(self, db: Database, staged: str) -> int:
        """How many staged contacts the table does not have."""
        contacts, key = db.full_name(self.schema, self.table), self._key(db, "c")
        query = f"SELECT count(*) FROM {staged} AS s WHERE NOT EXISTS (SELECT 1 FROM {contacts} AS c WHERE {key} = s.contact_id)"  # noqa: S608, E501 - quoted names
        return int(db.rows(query)[0][0])

    def write(self, db: Database, current: str) -> None:
        """Carry the score table over: one statement for contacts that are in it, one for those that are not."""
        found, contacts = self._found(db), db.full_name(self.schema, self.table)
        values = {column: _value(db, score, found[column]) for score, column in self.columns}
        assigned = ", ".join(f"{quote(column)} = {value}" for column, value in values.items())
        changed = " OR ".join(
            f"{_comparable(db, score, column)} IS DISTINCT FROM {values[column]}" for score, column in self.columns
        )
        key = self._key(db, "t")
        db.execute(
            f"UPDATE {contacts} AS t SET {assigned} FROM {current} AS s WHERE {key} = s.contact_id AND ({changed})"  # noqa: S608 - quoted names
        )
        empty = ", ".join(f"{quote(column)} = NULL" for column in values)
        filled = " OR ".join(f"t.{quote(column)} IS NOT NULL" for column in values)
        db.execute(
            f"UPDATE {contacts} AS t SET {empty} WHERE ({filled})"  # noqa: S608 - quoted names
            f" AND NOT EXISTS (SELECT 1 FROM {current} AS s WHERE s.contact_id = {key})"
        )

    def _key(self, db: Database, prefix: str) -> str:
        return f"CAST({prefix}.{quote(self.key)} AS {db.types['VARCHAR']})"

    def _found(self, db: Database) -> Mapping[str, str | None]:
        found = db.describe(self.schema, self.table)
        if found is None:
            raise DataError(
                f"{self._shown(db)} is not there; nothing was written. Name the contact table in sink.table"
            )
        return found

    def _shown(self, db: Database) -> str:
        return f"{db.place}: the table {'.'.join(filter(None, [self.schema, self.table]))}"


def _value(db: Database, score: str, has: str | None) -> str:
    """A score as the column holds it. Texts are not cast, which would cut them short without a word."""
    cell = f"s.{quote(score)}"
    return cell if has is None or KEPT_COLUMNS[score] == "VARCHAR" else f"CAST({cell} AS {db.types.get(has, has)})"


def _comparable(db: Database, score: str, column: str) -> str:
    cell = f"t.{quote(column)}"
    return f"CAST({cell} AS {db.types['VARCHAR']})" if KEPT_COLUMNS[score] == "VARCHAR" else cell
