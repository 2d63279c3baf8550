"""Scores into tables of a DuckDB database file, which may hold other tables: those are never touched.

A night is one transaction. DuckDB lets one process at a time open a database for writing.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd

from predictive.config import DuckdbSink
from predictive.errors import ConfigError, DataError
from predictive.sinks.attach import attached, transaction
from predictive.sinks.changes import (
    CHANGES,
    compare,
    definition,
    drop_temporary,
    insert_run,
    is_past,
    listed,
    mismatch,
    quote,
    rebuild,
    run_row,
)
from predictive.sinks.contract import HISTORY_COLUMNS, RUN_COLUMNS, SCORE_COLUMNS, Difference, Night
from predictive.sinks.frames import to_frame

UPSERT = f"""
WHEN MATCHED AND c.change = 'left' THEN DELETE
WHEN MATCHED THEN UPDATE SET {", ".join(f"{quote(n)} = c.{quote(n)}" for n in SCORE_COLUMNS)}
WHEN NOT MATCHED THEN INSERT ({listed(SCORE_COLUMNS)}) VALUES ({listed(SCORE_COLUMNS, "c.")})
"""  # noqa: S608 - quoted names


@dataclass(frozen=True)
class Kept:
    """The three tables of a sink as quoted SQL names."""

    current: str
    history: str
    runs: str


SUFFIXES = {"": SCORE_COLUMNS, "_history": HISTORY_COLUMNS, "_runs": RUN_COLUMNS}
"""What follows the configured name in the name of each table of :class:`Kept`, in its order, and the columns."""


@dataclass(frozen=True)
class ScoreTables:
    """A :class:`~predictive.sinks.contract.Sink` of three tables: `table`, `table`_history and `table`_runs.

    What is missing (folder, file, schema, tables) is created by the first write.
    """

    path: Path
    schema: str
    table: str

    @classmethod
    def from_config(cls, config: DuckdbSink) -> ScoreTables:
        """The sink of its part of a configuration, where `table` is a name or `schema.name`.

        Raises :class:`~predictive.errors.ConfigError` for a name of more than two parts, or with an empty one.
        """
        *schema, table = config.table.split(".")
        if len(schema) > 1 or not all([*schema, table]):
            raise ConfigError(f"sink.table: {config.table!r} is not the name of a table; write name or schema.name")
        return cls(path=config.path, schema=schema[0] if schema else "main", table=table)

    def preview(self, con: Any, staged: str, night: Night) -> Difference:
        """See :meth:`predictive.sinks.contract.Sink.preview`."""
        try:
            with self._readable(con) as kept:
                return _compare(con, staged, kept, night)
        finally:
            drop_temporary(con)

    def write(self, con: Any, staged: str, night: Night) -> Difference:
        """See :meth:`predictive.sinks.contract.Sink.write`."""
        try:
            with attached(con, self.path, read_only=False) as database, transaction(con, self.path):
                kept = self._created(con, database)
                difference = _compare(con, staged, kept, night)
                if difference.written:
                    _apply(con, kept, night, past=difference.past)
                row = run_row(con, kept.runs, night, difference)
                if row is not None:
                    insert_run(con, kept.runs, row)
                return difference
        finally:
            drop_temporary(con)

    def read_current(self) -> pd.DataFrame:
        """See :meth:`predictive.sinks.contract.Sink.read_current`."""
        with duckdb.connect() as con, self._readable(con) as kept:
            return to_frame(con, kept.current, SCORE_COLUMNS, "contact_id")

    def read_history(self) -> pd.DataFrame:
        """See :meth:`predictive.sinks.contract.Sink.read_history`."""
        with duckdb.connect() as con, self._readable(con) as kept:
            return to_frame(con, kept.history, HISTORY_COLUMNS, "contact_id, night, scored_at")

    def read_runs(self) -> pd.DataFrame:
        """See :meth:`predictive.sinks.contract.Sink.read_runs`."""
        with duckdb.connect() as con, self._readable(con) as kept:
            return to_frame(con, kept.runs, RUN_COLUMNS, "scored_at")

    @contextmanager
    def _readable(self, con: Any) -> Iterator[Kept]:
        """The tables as they are; an empty temporary table stands in for one that is missing."""
        stand_ins = {suffix: quote(f"predictive_no{suffix}") for suffix in SUFFIXES}
        for suffix, columns in SUFFIXES.items():
            con.execute(f"CREATE OR REPLACE TEMP TABLE {stand_ins[suffix]} ({definition(columns)})")
        try:
            if not self.path.exists():
                yield Kept(*stand_ins.values())
                return
            with attached(con, self.path, read_only=True) as database:
                found = {s: self._name(database, s) for s in SUFFIXES if self._exists(con, database, s)}
                yield Kept(*{**stand_ins, **found}.values())
        finally:
            for name in stand_ins.values():
                con.execute(f"DROP TABLE temp.main.{name}")

    def _created(self, con: Any, database: str) -> Kept:
        """The tables, created where they are missing."""
        con.execute(f"CREATE SCHEMA IF NOT EXISTS {quote(database)}.{quote(self.schema)}")
        for suffix, columns in SUFFIXES.items():
            if not self._exists(con, database, suffix):
                con.execute(f"CREATE TABLE {self._name(database, suffix)} ({definition(columns)})")
        return Kept(*(self._name(database, suffix) for suffix in SUFFIXES))

    def _name(self, database: str, suffix: str) -> str:
        return f"{quote(database)}.{quote(self.schema)}.{quote(self.table + suffix)}"

    def _exists(self, con: Any, database: str, suffix: str) -> bool:
        """Whether a table is there. One that is not ours (other columns, a view) is an error."""
        here = [database, self.schema, self.table + suffix]
        where = "WHERE database_name = $1 AND lower(schema_name) = lower($2)"
        columns = f"SELECT column_name, data_type FROM duckdb_columns() {where} AND lower(table_name) = lower($3)"  # noqa: S608 - a constant
        views = f"SELECT view_name FROM duckdb_views() {where} AND lower(view_name) = lower($3)"  # noqa: S608 - a constant
        found = dict(con.execute(columns, here).fetchall())
        problem = "is a view" if con.execute(views, here).fetchall() else mismatch(found, SUFFIXES[suffix])
        if found and problem is not None:
            raise DataError(
                f"{self.path}: the table {self.schema}.{self.table}{suffix} {problem}, so it does not hold scores of "
                "this version; nothing was written. Name another table in sink.table, or rename this one"
            )
        return bool(found)


def _compare(con: Any, staged: str, kept: Kept, night: Night) -> Difference:
    past = is_past(con, kept.runs, night)
    base = rebuild(con, kept.history, night) if past else kept.current
    return compare(con, staged, base, night, past=past)


def _apply(con: Any, kept: Kept, night: Night, *, past: bool) -> None:
    """Carry :data:`CHANGES` over to the current scores and the history."""
    if not past:
        con.execute(f"MERGE INTO {kept.current} AS t USING {CHANGES} AS c ON t.contact_id = c.contact_id {UPSERT}")
    con.execute(
        f"DELETE FROM {kept.history} WHERE night = $1 AND model_version = $2 AND past = $3"  # noqa: S608 - quoted names
        f" AND contact_id IN (SELECT contact_id FROM {CHANGES})",
        [night.stamps["as_of"], night.model_version, past],
    )
    columns = listed(HISTORY_COLUMNS)
    con.execute(f"INSERT INTO {kept.history} ({columns}) SELECT {columns} FROM {CHANGES}")  # noqa: S608 - quoted names
