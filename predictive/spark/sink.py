"""Scores into tables of the Spark catalog: whole copies per run, and one small append that makes a run count.

Spark has no transaction over several tables, so a night is written where nobody looks, and then counts all at once:

- `table`_copies holds whole copies of the current scores, a partition for each run that changed something;
- `table`_changes holds the history, a partition for each run;
- `table`_runs has one row per run that counts. Appending it, one file by one task, is the commit;
- the views `table` and `table`_history show what the runs that count have written, and nothing else.

What a run that died before its commit left behind is never seen, and cleared by a later run.
"""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pandas as pd
import pyarrow as pa
from pyspark.errors import PySparkException
from pyspark.sql import functions as F  # noqa: N812 - the name that all of Spark's documentation uses

from predictive.clock import to_micros
from predictive.config import SparkSink
from predictive.errors import ConfigError, DataError
from predictive.lists import why_none
from predictive.sinks.changes import COMPARED
from predictive.sinks.contract import HISTORY_COLUMNS, RUN_COLUMNS, SCORE_COLUMNS, Difference, Night, Restored
from predictive.sinks.frames import choose, plain
from predictive.sinks.runs import outcome_of, run_row
from predictive.spark.session import get_session
from predictive.tables import TIERS

WROTE = "outcome <> 'refused'"
"""Which runs wrote scores."""
KEPT = 3
"""Copies of the current scores that are kept: whoever reads an older one while a run commits can finish."""
STALE = timedelta(days=7)
"""After so long what a run left without commit is cleared; before, the run may still be going on."""
TYPES = {"VARCHAR": "string", "DOUBLE": "double", "BIGINT": "bigint", "BOOLEAN": "boolean", "TIMESTAMP": "timestamp"}
COPIES, CHANGES, RUNS, HISTORY = "_copies", "_changes", "_runs", "_history"
COLUMNS = {
    COPIES: {**SCORE_COLUMNS, "written": "VARCHAR"},
    CHANGES: {**HISTORY_COLUMNS, "written": "VARCHAR"},
    RUNS: {**RUN_COLUMNS, "written": "VARCHAR", "shows": "VARCHAR"},
}
"""The columns of each table. `written` names the run that wrote the row, beginning with its time; `shows` the run whose
copy is current since."""


@dataclass(frozen=True)
class SparkTables:
    """A :class:`~predictive.sinks.contract.Sink` in the catalog of a Spark session.

    `staged` is a temporary view, and `con` the session. What is missing is created by the first write.
    """

    table: str

    @classmethod
    def from_config(cls, config: SparkSink) -> SparkTables:
        """The sink of its part of a configuration, where `table` is a name of the catalog, such as `crm.scores`."""
        if re.fullmatch(r"\w+(\.\w+){0,2}", config.table, re.ASCII) is None:
            raise ConfigError(
                f"sink.table: {config.table!r} is not the name of a Spark table; write name or schema.name, in "
                "letters, digits and _"
            )
        return cls(config.table)

    @property
    def keeps_lists(self) -> bool:
        """See :class:`predictive.sinks.contract.Sink`."""
        return False

    def preview(self, con: Any, staged: str, night: Night) -> Difference:
        """See :meth:`predictive.sinks.contract.Sink.preview`."""
        return self._compare(con, staged, night)[0]

    def write(self, con: Any, staged: str, night: Night, members: str | None = None) -> Difference:  # noqa: ARG002 - keeps none
        """See :meth:`predictive.sinks.contract.Sink.write`."""
        try:
            self._create(con)
            before = self._newest(con)
            difference, changes, base = self._compare(con, staged, night)
            if difference.written or not self._known(con, night):
                written = _name_of(night)
                shows = self._prepare(changes, base, difference, written, before)
                self._commit(con, night, difference, written, shows, before)
                self._clear(con, night)
            return difference
        except PySparkException as error:
            raise DataError(
                f"{self.table}: cannot be written: {str(error).splitlines()[0]}. The scores are as they were or as "
                "they should be; run again"
            ) from error

    def read_current(self) -> pd.DataFrame:
        """See :meth:`predictive.sinks.contract.Sink.read_current`."""
        return _gathered(self._current(get_session()), SCORE_COLUMNS, ["contact_id"])

    def read_history(self, columns: Sequence[str] | None = None, since: datetime | None = None) -> pd.DataFrame:
        """See :meth:`predictive.sinks.contract.Sink.read_history`."""
        rows = self._history(get_session())
        kept = rows if since is None else rows.where(F.col("night") >= F.lit(since))
        return _gathered(kept, choose(columns), ["contact_id", "night", "scored_at"], ends=True)

    def read_runs(self, *, refused: bool = False) -> pd.DataFrame:
        """See :meth:`predictive.sinks.contract.Sink.read_runs`."""
        rows = self._rows(get_session(), RUNS)
        return _gathered(rows if refused else rows.where(WROTE), RUN_COLUMNS, ["scored_at"])

    def read_lists(self) -> pd.DataFrame:
        """No lists are kept on Spark: raises :class:`~predictive.errors.DataError`."""
        raise DataError(f"{self.table}: {why_none('spark')}")

    def refuse(self, con: Any, night: Night, rows: int) -> None:
        """See :meth:`predictive.sinks.contract.Sink.refuse`."""
        self._create(con)
        nobody = Difference(rows=rows, new=0, changed=0, unchanged=0, left=0, by_tier=(), past=False)
        before = self._newest(con)
        shows = None if before is None else before["shows"]
        self._add_run(con, night, nobody, outcome="refused", written=_name_of(night), shows=shows)

    def rollback(self, con: Any, to: str | None, *, run_id: str, now: datetime) -> Restored:  # noqa: ARG002 - a protocol's
        """Not on Spark: raises :class:`~predictive.errors.DataError`, which says what to do instead."""
        raise DataError(
            f"{self.table}: a sink of kind spark cannot be rolled back; score the night again with the model before "
            f"(--model), or read an earlier copy in {self.table}{COPIES}"
        )

    def _compare(self, con: Any, staged: str, night: Night) -> tuple[Difference, Any, Any]:
        """The difference; the changes, with `change` beside the columns of the history; what they were compared with.

        See :mod:`predictive.sinks.changes`, which does the same in DuckDB.
        """
        newest = self._rows(con, RUNS).where(WROTE).where("NOT past").agg(F.unix_micros(F.max("as_of"))).first()[0]
        past = newest is not None and to_micros(night.as_of) < newest
        base = self._rebuilt(con, night) if past else self._current(con)
        scores = con.table(staged)
        changes = _changes(scores, base, night, past=past).localCheckpoint(eager=True)
        by_change = _counts(changes, "change")
        new, changed, left = (by_change.get(name, 0) for name in ("new", "changed", "left"))
        rows = scores.count()
        sides = (base, scores, changes.where("change <> 'left'"))
        before, after, moved = (_counts(frame, "tier") for frame in sides)
        by_tier = tuple((tier, before.get(tier, 0), after.get(tier, 0), moved.get(tier, 0)) for tier in TIERS)
        return Difference(rows, new, changed, rows - new - changed, left, by_tier, past), changes, base

    def _prepare(self, changes: Any, base: Any, difference: Difference, written: str, before: Any) -> str | None:
        """Write what the run changes where nobody looks; the run whose copy is to be current."""
        shows = None if before is None else str(before["shows"])
        if difference.written:
            self._insert(CHANGES, changes.withColumn("written", F.lit(written)))
        if difference.past or not difference.written:
            return shows
        # An overlay: who has not changed keeps the stamps of the run that scored them last.
        kept = base.join(changes.select("contact_id"), "contact_id", "left_anti").select(*SCORE_COLUMNS)
        copy = kept.unionByName(changes.where("change <> 'left'").select(*SCORE_COLUMNS))
        self._insert(COPIES, copy.withColumn("written", F.lit(written)))
        return written

    def _commit(
        self, con: Any, night: Night, difference: Difference, written: str, shows: str | None, before: Any
    ) -> None:
        newest = self._newest(con)
        if (None if newest is None else newest["written"]) != (None if before is None else before["written"]):
            raise DataError(
                f"{self.table}: another run wrote its scores while this one worked; nothing was written. Run again"
            )
        self._add_run(con, night, difference, outcome=outcome_of(night), written=written, shows=shows)

    def _add_run(
        self, con: Any, night: Night, difference: Difference, *, outcome: str, written: str, shows: str | None
    ) -> None:
        """Append one row to the runs, in one file by one task: it is there whole, or not at all."""
        row = run_row(night, difference, outcome=outcome, seconds=time.monotonic() - night.began)
        row |= {"written": written, "shows": shows}
        columns = COLUMNS[RUNS]
        schema = pa.schema([(name, _ARROW[columns[name]]) for name in columns])
        table = pa.Table.from_pylist([{name: row.get(name) for name in columns}], schema=schema)
        self._insert(RUNS, con.createDataFrame(table).coalesce(1))

    def _clear(self, con: Any, night: Night) -> None:
        """Drop older copies, and what runs that never counted left long ago."""
        runs = self._rows(con, RUNS)
        counted = {row["written"] for row in runs.select("written").collect()}
        shown = {row["shows"] for row in runs.orderBy(F.desc("scored_at")).select("shows").dropna().collect()}
        latest = set(sorted(shown, reverse=True)[:KEPT])
        stale = f"{night.scored_at - STALE:%Y%m%dT%H%M%S%f}"
        for suffix, keep in ((COPIES, latest), (CHANGES, counted)):
            there = {row["written"] for row in self._rows(con, suffix).select("written").distinct().collect()}
            for name in sorted(there - keep):
                if name in counted or name < stale:
                    self._drop(con, suffix, name)

    def _drop(self, con: Any, suffix: str, written: str) -> None:
        """Drop what one run wrote; the names of runs are digits and letters, made here."""
        table = self._name(suffix)
        described = con.sql(f"DESCRIBE TABLE EXTENDED {table}").where("col_name = 'Provider'").first()
        if described is not None and described["data_type"].lower() in ("delta", "iceberg"):
            con.sql(f"DELETE FROM {table} WHERE written = '{written}'")  # noqa: S608 - see above
        else:
            con.sql(f"ALTER TABLE {table} DROP IF EXISTS PARTITION (written = '{written}')")

    def _create(self, con: Any) -> None:
        """What is missing, created; a table that is not ours (other columns) is an error."""
        for suffix, columns in COLUMNS.items():
            listed = ", ".join(f"`{name}` {TYPES[kind]}" for name, kind in columns.items())
            parts = "" if suffix == RUNS else " PARTITIONED BY (written)"
            con.sql(f"CREATE TABLE IF NOT EXISTS {self._name(suffix)} ({listed}){parts}")
            found = con.table(self._name(suffix)).columns
            if found != list(columns):
                raise DataError(
                    f"{self.table}{suffix}: a table of other columns ({', '.join(found)}), so it does not hold scores "
                    "of this version; nothing was written. Name another one in sink.table, or rename this one"
                )
        con.sql(f"CREATE VIEW IF NOT EXISTS {self._name('')} AS {self._current_sql()}")
        con.sql(f"CREATE VIEW IF NOT EXISTS {self._name(HISTORY)} AS {self._history_sql()}")

    def _current_sql(self) -> str:
        newest = f"(SELECT max_by(shows, scored_at) FROM {self._name(RUNS)})"  # noqa: S608 - quoted names
        return f"SELECT {_listed(SCORE_COLUMNS)} FROM {self._name(COPIES)} WHERE written = {newest}"  # noqa: S608 - likewise

    def _history_sql(self) -> str:
        # A run that repeats a night with another outcome stands for the earlier one.
        nth = "row_number() OVER (PARTITION BY contact_id, night, model_version, past ORDER BY scored_at DESC)"
        counted = f"SELECT written FROM {self._name(RUNS)}"  # noqa: S608 - quoted names
        rows = f"SELECT *, {nth} AS nth FROM {self._name(CHANGES)} WHERE written IN ({counted})"  # noqa: S608 - likewise
        return f"SELECT {_listed(HISTORY_COLUMNS)} FROM ({rows}) WHERE nth = 1"  # noqa: S608 - likewise

    def _current(self, con: Any) -> Any:
        return con.sql(self._current_sql()) if self._there(con) else _nothing(con, SCORE_COLUMNS)

    def _history(self, con: Any) -> Any:
        return con.sql(self._history_sql()) if self._there(con) else _nothing(con, HISTORY_COLUMNS)

    def _rows(self, con: Any, suffix: str) -> Any:
        return con.table(self._name(suffix)) if self._there(con) else _nothing(con, COLUMNS[suffix])

    def _rebuilt(self, con: Any, night: Night) -> Any:
        """The scores of a past night: what past runs of that night and model wrote, over what was current then."""
        at, version = F.lit(night.as_of), F.lit(night.model_version)
        mine = F.col("past") & (F.col("night") == at) & (F.col("model_version") == version)
        rows = self._history(con).where((~F.col("past") & (F.col("night") <= at)) | mine)
        newest = F.max_by(F.struct("*"), F.struct("past", "night", "scored_at")).alias("newest")
        found = rows.groupBy("contact_id").agg(newest).select("newest.*")
        return found.where("probability IS NOT NULL").select(*SCORE_COLUMNS)

    def _newest(self, con: Any) -> Any:
        """The row of the newest run that counts; None where there is none."""
        return self._rows(con, RUNS).orderBy(F.desc("scored_at")).first()

    def _known(self, con: Any, night: Night) -> bool:
        same = (F.col("as_of") == F.lit(night.as_of)) & (F.col("model_version") == F.lit(night.model_version))
        return self._rows(con, RUNS).where(WROTE).where(same).first() is not None

    def _there(self, con: Any) -> bool:
        """Whether a run may have written here; what other sessions wrote since is seen."""
        if not con.catalog.tableExists(self._name(RUNS)):
            return False
        for suffix in COLUMNS:
            if con.catalog.tableExists(self._name(suffix)):
                con.catalog.refreshTable(self._name(suffix))
        return True

    def _insert(self, suffix: str, rows: Any) -> None:
        rows.select(*COLUMNS[suffix]).write.insertInto(self._name(suffix))

    def _name(self, suffix: str) -> str:
        """The quoted name of a table or view."""
        *schema, table = self.table.split(".")
        return ".".join(f"`{part}`" for part in (*schema, table + suffix))


_ARROW = {
    "VARCHAR": pa.string(),
    "DOUBLE": pa.float64(),
    "BIGINT": pa.int64(),
    "BOOLEAN": pa.bool_(),
    "TIMESTAMP": pa.timestamp("us", "UTC"),
}


def _changes(scores: Any, base: Any, night: Night, *, past: bool) -> Any:
    s, b = scores.alias("s"), base.alias("b")
    stamps = {name: F.lit(value) for name, value in _aware(night).items()} | {"contact_id": F.col("b.contact_id")}
    columns = [
        (F.coalesce(F.col(f"s.{c}"), stamps[c]) if c in stamps else F.col(f"s.{c}")).alias(c) for c in SCORE_COLUMNS
    ]
    equal = F.lit(True)  # noqa: FBT003 - takes it by position only
    for name in COMPARED:
        equal = equal & F.col(f"s.{name}").eqNullSafe(F.col(f"b.{name}"))
    none, fresh = F.col("s.contact_id").isNull(), F.col("b.contact_id").isNull()
    change = F.when(none, "left").when(fresh, "new").otherwise("changed").alias("change")
    joined = s.join(b, F.col("s.contact_id") == F.col("b.contact_id"), "full_outer").where(none | fresh | ~equal)
    more = {"night": F.lit(night.as_of), "past": F.lit(past), "undone": F.lit(False)}  # noqa: FBT003 - as above
    return joined.select(*columns, *(value.alias(name) for name, value in more.items()), change)


def _aware(night: Night) -> dict[str, Any]:
    """The stamps of a night, with aware times: Spark takes naive ones to be those of its session."""
    return {**night.stamps, "as_of": night.as_of, "scored_at": night.scored_at}


def _name_of(night: Night) -> str:
    return f"{night.scored_at:%Y%m%dT%H%M%S%f}_{night.run_id}"


def _counts(frame: Any, column: str) -> dict[str, int]:
    return {row[column]: row["count"] for row in frame.groupBy(column).count().collect()}


def _listed(columns: dict[str, str]) -> str:
    return ", ".join(f"`{name}`" for name in columns)


def _nothing(con: Any, columns: dict[str, str]) -> Any:
    return con.createDataFrame([], ", ".join(f"`{name}` {TYPES[kind]}" for name, kind in columns.items()))


def _gathered(frame: Any, columns: dict[str, str], order: Sequence[str], *, ends: bool = False) -> pd.DataFrame:
    """A table on the driver, as :func:`predictive.sinks.frames.to_frame` gives those of a database."""
    arrow = frame.orderBy(*order).select(*columns).toArrow()
    arrow = arrow.cast(pa.schema([(name, _ARROW[kind]) for name, kind in columns.items()]))
    return plain(arrow, columns, ends=ends)
