"""The tables of a Spark sink in the catalog of a session, and the one append that makes a run count."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
from pyspark.sql import functions as F  # noqa: N812 - the name that all of Spark's documentation uses

from predictive.errors import DataError
from predictive.sinks.contract import HISTORY_COLUMNS, SCORE_COLUMNS
from predictive.sinks.runs import Runs, runs_of
from predictive.spark.columns import ARROW, CHANGES, COLUMNS, COPIES, HISTORY, RUNS, TYPES, gathered, nothing
from predictive.spark.views import WROTE, current_query, history_query

KEPT = 3
"""Copies of the current scores that are kept: whoever reads an older one while a run commits can finish."""
STALE = timedelta(days=7)
"""After so long what a run left without commit is cleared; before, the run may still be going on."""
LATER = "undone"
"""The column of the runs that the first version did not write."""


@dataclass(frozen=True)
class Standing:
    """The runs that count, and what the newest of them says; see :data:`COLUMNS`."""

    known: Runs = field(default_factory=Runs)
    written: str = ""
    shows: str | None = None
    undone: tuple[str, ...] = ()


@dataclass(frozen=True)
class Catalog:
    """The tables and views of the sink `table`; methods take the Spark session."""

    table: str

    def name(self, suffix: str) -> str:
        """The quoted name of a table or view."""
        *schema, table = self.table.split(".")
        return ".".join(f"`{part}`" for part in (*schema, table + suffix))

    def standing(self, con: Any) -> Standing:
        """The runs as they are now."""
        columns = COLUMNS[RUNS]
        naive = {**ARROW, "TIMESTAMP": pa.timestamp("us")}
        found = gathered(self.rows(con, RUNS).where(WROTE), columns)
        rows = found.cast(pa.schema([(name, naive[kind]) for name, kind in columns.items()])).to_pylist()
        if not rows:
            return Standing()
        rows.sort(key=lambda row: row["scored_at"])
        newest = rows[-1]
        return Standing(runs_of(rows), newest["written"], newest["shows"], tuple(newest["undone"] or ()))

    def copy(self, con: Any, shows: str | None) -> Any:
        """The scores that a run shows."""
        return self.rows(con, COPIES).where(F.col("written") == F.lit(shows)).select(*SCORE_COLUMNS)

    def history(self, con: Any) -> Any:
        """What the view of the history shows, whether it is there or not."""
        if not self._there(con):
            return nothing(con, HISTORY_COLUMNS)
        runs = self.name(RUNS)
        if LATER not in con.table(runs).columns:
            runs = f"(SELECT *, CAST(NULL AS {TYPES['VARCHAR[]']}) AS {LATER} FROM {runs})"  # noqa: S608 - quoted names
        return con.sql(history_query(self.name(CHANGES), runs))

    def rows(self, con: Any, suffix: str) -> Any:
        """A table as it is, with all its columns; empty where no run may have written yet."""
        if not self._there(con):
            return nothing(con, COLUMNS[suffix])
        found = con.table(self.name(suffix))
        missing = F.lit(None).cast(TYPES["VARCHAR[]"])
        return found if LATER in found.columns or suffix != RUNS else found.withColumn(LATER, missing)

    def insert(self, suffix: str, rows: Any) -> None:
        """Append rows to a table."""
        rows.select(*COLUMNS[suffix]).write.insertInto(self.name(suffix))

    def commit(self, con: Any, row: Mapping[str, Any], seen: Standing) -> None:
        """Append the row of a run to the runs, unless another one counts since they were `seen`.

        One file by one task: the row is there whole, or not at all. A run that began before the newest one that counts
        is refused too: it would not be the newest, so nobody would see what it wrote.
        """
        newest = self.standing(con).written
        if newest != seen.written or row["written"] <= newest:
            raise DataError(
                f"{self.table}: another run wrote its scores while this one worked; nothing was written. Run again"
            )
        self.add_run(con, row)

    def add_run(self, con: Any, row: Mapping[str, Any]) -> None:
        """Append a row to the runs, whatever came since."""
        columns = COLUMNS[RUNS]
        schema = pa.schema([(name, ARROW[kind]) for name, kind in columns.items()])
        table = pa.Table.from_pylist([{name: row.get(name) for name in columns}], schema=schema)
        self.insert(RUNS, con.createDataFrame(table).coalesce(1))

    def clear(self, con: Any, now: datetime) -> None:
        """Drop older copies, and what runs that never counted left long ago.

        The copy that stands is the newest of those that were ever shown, since a rollback writes one of its own.
        """
        runs = self.rows(con, RUNS).select("written", "shows").collect()
        counted = {row["written"] for row in runs}
        shown = {row["shows"] for row in runs if row["shows"] is not None}
        latest = set(sorted(shown, reverse=True)[:KEPT])
        stale = _digits(now - STALE)
        for suffix, keep in ((COPIES, latest), (CHANGES, counted)):
            there = {row["written"] for row in self.rows(con, suffix).select("written").distinct().collect()}
            for name in sorted(there - keep):
                if name in counted or name < stale:
                    self._drop(con, suffix, name)

    def create(self, con: Any) -> None:
        """What is missing, created, and what an earlier version made, brought up to date.

        Raises :class:`~predictive.errors.DataError` for a table that is not ours (other columns).
        """
        for suffix, columns in COLUMNS.items():
            name = self.name(suffix)
            listed = ", ".join(f"`{column}` {TYPES[kind]}" for column, kind in columns.items())
            parts = "" if suffix == RUNS else " PARTITIONED BY (written)"
            con.sql(f"CREATE TABLE IF NOT EXISTS {name} ({listed}){parts}")
            found = con.table(name).columns
            if [*found, LATER] == list(columns):
                con.sql(f"ALTER TABLE {name} ADD COLUMNS (`{LATER}` {TYPES[columns[LATER]]})")
            elif found != list(columns):
                raise DataError(
                    f"{self.table}{suffix}: a table of other columns ({', '.join(found)}), so it does not hold scores "
                    "of this version; nothing was written. Name another one in sink.table, or rename this one"
                )
        self._view(con, "", current_query(self.name(COPIES), self.name(RUNS)))
        self._view(con, HISTORY, history_query(self.name(CHANGES), self.name(RUNS)))

    def _view(self, con: Any, suffix: str, query: str) -> None:
        name = self.name(suffix)
        con.sql(f"CREATE VIEW IF NOT EXISTS {name} AS {query}")
        text = con.sql(f"DESCRIBE TABLE EXTENDED {name}").where("col_name = 'View Text'").first()
        if text is None or text["data_type"] != query:
            # In one step, where CREATE OR REPLACE would drop the view first, under the eyes of whoever reads it.
            con.sql(f"ALTER VIEW {name} AS {query}")

    def _there(self, con: Any) -> bool:
        """Whether a run may have written here; what other sessions wrote since is seen."""
        if not con.catalog.tableExists(self.name(RUNS)):
            return False
        for suffix in COLUMNS:
            if con.catalog.tableExists(self.name(suffix)):
                con.catalog.refreshTable(self.name(suffix))
        return True

    def _drop(self, con: Any, suffix: str, written: str) -> None:
        """Drop what one run wrote; its name is digits and letters, made here."""
        table = self.name(suffix)
        described = con.sql(f"DESCRIBE TABLE EXTENDED {table}").where("col_name = 'Provider'").first()
        if described is not None and described["data_type"].lower() in ("delta", "iceberg"):
            con.sql(f"DELETE FROM {table} WHERE written = '{written}'")  # noqa: S608 - see above
        else:
            con.sql(f"ALTER TABLE {table} DROP IF EXISTS PARTITION (written = '{written}')")


def new_name(at: datetime) -> str:
    """What a run of that time is called in `written`: names are in the order of time, and another for each attempt."""
    return f"{_digits(at)}_{uuid.uuid4().hex}"


def _digits(time: datetime) -> str:
    return f"{time.astimezone(UTC):%Y%m%dT%H%M%S%f}"
