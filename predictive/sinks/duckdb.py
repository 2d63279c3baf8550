"""Scores into tables of a DuckDB database file, which may hold other tables: those are never touched.

A night is one transaction. DuckDB lets one process at a time open a database for writing.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import duckdb
import pandas as pd

from predictive.config import DuckdbSink
from predictive.errors import ConfigError, DataError
from predictive.sinks.changes import (
    CHANGES,
    Kept,
    compare,
    definition,
    drop_temporary,
    insert_run,
    is_past,
    listed,
    quote,
    rebuild,
    run_row,
    same_slot,
)
from predictive.sinks.contract import RUN_COLUMNS, SCORE_COLUMNS, Difference, Night, to_frame

COLUMNS = {"": SCORE_COLUMNS, "_history": SCORE_COLUMNS, "_runs": RUN_COLUMNS}
"""What follows the configured table name in the name of each table, and its columns."""

UPSERT = f"""
WHEN MATCHED AND c.change = 'left' THEN DELETE
WHEN MATCHED THEN UPDATE SET {", ".join(f"{quote(n)} = c.{quote(n)}" for n in SCORE_COLUMNS)}
WHEN NOT MATCHED THEN INSERT ({listed(SCORE_COLUMNS)}) VALUES ({listed(SCORE_COLUMNS, "c.")})
"""


@dataclass(frozen=True)
class ScoreTables:
    """A :class:`~predictive.sinks.contract.Sink` of three tables: `table`, `table`_history and `table`_runs.

    `table` is a name or `schema.name`. What is missing (folder, file, schema, tables) is created by the first write.
    """

    path: Path
    schema: str
    table: str

    @classmethod
    def from_config(cls, config: DuckdbSink) -> ScoreTables:
        """Raises :class:`~predictive.errors.ConfigError` for a table name of more than two parts, or an empty one."""
        *schema, table = config.table.split(".")
        if len(schema) > 1 or not all([*schema, table]):
            raise ConfigError(f"sink.table: {config.table!r} is not a table name; write name or schema.name")
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
            with _attached(con, self.path, read_only=False) as database, _transaction(con, self.path):
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
        return self._read("current", SCORE_COLUMNS, "contact_id")

    def read_history(self) -> pd.DataFrame:
        """See :meth:`predictive.sinks.contract.Sink.read_history`."""
        return self._read("history", SCORE_COLUMNS, "contact_id, as_of, scored_at")

    def read_runs(self) -> pd.DataFrame:
        """See :meth:`predictive.sinks.contract.Sink.read_runs`."""
        return self._read("runs", RUN_COLUMNS, "scored_at")

    def _read(self, which: str, columns: dict[str, str], order: str) -> pd.DataFrame:
        with duckdb.connect() as con, self._readable(con) as kept:
            query = f"SELECT {listed(columns)} FROM {getattr(kept, which)} ORDER BY {order}"  # noqa: S608 - quoted names
            return to_frame(con.execute(query).to_arrow_table())

    @contextmanager
    def _readable(self, con: Any) -> Iterator[Kept]:
        """The tables as they are; an empty temporary table stands in for one that is missing."""
        if not self.path.exists():
            yield Kept(*(_stand_in(con, suffix) for suffix in COLUMNS))
            return
        with _attached(con, self.path, read_only=True) as database:
            yield Kept(
                *(
                    self._name(database, suffix) if self._exists(con, database, suffix) else _stand_in(con, suffix)
                    for suffix in COLUMNS
                )
            )

    def _created(self, con: Any, database: str) -> Kept:
        """The tables, created where they are missing."""
        con.execute(f"CREATE SCHEMA IF NOT EXISTS {database}.{quote(self.schema)}")
        for suffix, columns in COLUMNS.items():
            if not self._exists(con, database, suffix):
                con.execute(f"CREATE TABLE {self._name(database, suffix)} ({definition(columns)})")
        return Kept(*(self._name(database, suffix) for suffix in COLUMNS))

    def _name(self, database: str, suffix: str) -> str:
        return f"{database}.{quote(self.schema)}.{quote(self.table + suffix)}"

    def _exists(self, con: Any, database: str, suffix: str) -> bool:
        """Whether a table is there. One that is not ours (other columns, a view) is an error."""
        here = [database.strip('"').replace('""', '"'), self.schema, self.table + suffix]
        where = "WHERE database_name = $1 AND lower(schema_name) = lower($2)"
        found = dict(
            con.execute(
                f"SELECT column_name, data_type FROM duckdb_columns() {where} AND lower(table_name) = lower($3)",  # noqa: S608 - a constant
                here,
            ).fetchall()
        )
        views = con.execute(f"SELECT count(*) FROM duckdb_views() {where} AND lower(view_name) = lower($3)", here)  # noqa: S608 - a constant
        problem = "is a view" if views.fetchone()[0] else _mismatch(found, COLUMNS[suffix]) if found else None
        if problem is not None:
            raise DataError(
                f"{self.path}: the table {self.schema}.{self.table}{suffix} {problem}, so it does not hold scores of "
                "this version; nothing was written. Name another table in sink.table, or rename this one"
            )
        return bool(found)


def _mismatch(found: dict[str, str], wanted: dict[str, str]) -> str | None:
    """What is wrong with a table's columns, if anything."""
    for name, kind in wanted.items():
        if name not in found:
            return f'has no column "{name}" ({kind})'
        if found[name] != kind:
            return f'has a column "{name}" of type {found[name]}, not {kind}'
    further = [name for name in found if name not in wanted]
    return f'has a further column "{further[0]}"' if further else None


def _compare(con: Any, staged: str, kept: Kept, night: Night) -> Difference:
    past = is_past(con, kept.runs, night)
    base = rebuild(con, kept, night) if past else kept.current
    return compare(con, staged, base, night, past=past)


def _apply(con: Any, kept: Kept, night: Night, *, past: bool) -> None:
    """Carry :data:`CHANGES` over to the current scores and the history."""
    if not past:
        con.execute(f"MERGE INTO {kept.current} AS t USING {CHANGES} AS c ON t.contact_id = c.contact_id {UPSERT}")
    slot = {name: night.stamps[name] for name in ("as_of", "model_version")} | {"past": past}
    con.execute(
        f"DELETE FROM {kept.history} WHERE run_id IN ({same_slot(kept.runs)})"  # noqa: S608 - quoted names
        f" AND contact_id IN (SELECT contact_id FROM {CHANGES})",
        slot,
    )
    con.execute(
        f"INSERT INTO {kept.history} ({listed(SCORE_COLUMNS)}) SELECT {listed(SCORE_COLUMNS)} FROM {CHANGES}"  # noqa: S608 - quoted names
    )


def _stand_in(con: Any, suffix: str) -> str:
    name = quote(f"predictive_no{suffix}")
    con.execute(f"CREATE OR REPLACE TEMP TABLE {name} ({definition(COLUMNS[suffix])})")
    return name


@contextmanager
def _transaction(con: Any, path: Path) -> Iterator[None]:
    con.execute("BEGIN")
    try:
        yield
        con.execute("COMMIT")
    except BaseException as error:
        # A failed COMMIT has ended the transaction already, and what went wrong first is what to tell.
        with suppress(duckdb.Error):
            con.execute("ROLLBACK")
        if isinstance(error, duckdb.IOException):
            raise DataError(f"{path}: cannot be written, nothing was changed: {_first_line(error)}") from None
        raise


@contextmanager
def _attached(con: Any, path: Path, *, read_only: bool) -> Iterator[str]:
    """The quoted name under which `con` sees the database file.

    A process can attach a file once. Where `con` has it already (its source is the same file) that name serves, and
    where it has it for reading only, it is detached for as long as it is written.
    """
    held = _held(con, path)
    if held is not None and (read_only or not held[1]):
        yield quote(held[0])
        return
    if held is not None:
        con.execute(f"DETACH {quote(held[0])}")
    name = quote(f"sink_{uuid4().hex}" if held is None else held[0])
    try:
        _attach(con, path, name, read_only=read_only)
        try:
            yield name
        finally:
            con.execute(f"DETACH {name}")
    finally:
        if held is not None:
            _attach(con, path, name, read_only=True)


def _held(con: Any, path: Path) -> tuple[str, bool] | None:
    """Name and read-only mark of the database in `con` that is this file."""
    attached = con.execute("SELECT database_name, readonly, path FROM duckdb_databases() WHERE path IS NOT NULL")
    return next(
        ((name, only) for name, only, file in attached.fetchall() if path.exists() and os.path.samefile(file, path)),
        None,
    )


def _attach(con: Any, path: Path, name: str, *, read_only: bool) -> None:
    try:
        if not read_only:
            path.parent.mkdir(parents=True, exist_ok=True)
        # Without the type DuckDB guesses from the content, and may download an extension for it.
        con.execute(f"ATTACH ? AS {name} (TYPE duckdb{', READ_ONLY' if read_only else ''})", [str(path)])
    except (duckdb.Error, OSError) as error:
        holder = re.search(r"\(PID (\d+)\)", str(error))
        who = f"is open in another process{f' ({holder[1]})' if holder else ''}" if "lock" in str(error) else None
        raise DataError(
            f"{path}: {who or f'cannot be opened as a DuckDB database: {_first_line(error)}'}; nothing was written. "
            + ("Close it there, then run again" if who else "Name another file in sink.path, or put this one right")
        ) from None


def _first_line(error: BaseException) -> str:
    return str(error).splitlines()[0]
