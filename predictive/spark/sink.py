"""Scores into tables of the Spark catalog: whole copies per run, and one small append that makes a run count.

Spark has no transaction over several tables, so a night is written where nobody looks, and then counts all at once:

- `table`_copies holds whole copies of the current scores, a partition for each run that changed something;
- `table`_changes holds the history, a partition for each run;
- `table`_runs has one row per run that counts. Appending it, one file by one task, is the commit;
- the views `table` and `table`_history show what the runs that count have written, and nothing else.

A rollback is one such run: a copy of the scores as they were, and a row that says which runs are taken back. What a run
that died before its commit left behind is never seen, and cleared by a later run.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pandas as pd
from pyspark.errors import PySparkException
from pyspark.sql import functions as F  # noqa: N812 - the name that all of Spark's documentation uses

from predictive.config import SparkSink
from predictive.errors import ConfigError, DataError
from predictive.lists import why_none
from predictive.sinks.contract import RUN_COLUMNS, SCORE_COLUMNS, Difference, Night, Restored
from predictive.sinks.frames import choose, plain
from predictive.sinks.runs import outcome_of, run_row
from predictive.spark.catalog import Catalog, Standing, new_name
from predictive.spark.changes import compare, overlay, rebuild_past
from predictive.spark.columns import CHANGES, COPIES, RUNS, gathered
from predictive.spark.rollback import prepare
from predictive.spark.session import get_session
from predictive.spark.views import WROTE


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
        return self._compare(con, staged, night, self._catalog.standing(con))[0]

    def write(self, con: Any, staged: str, night: Night, members: str | None = None) -> Difference:  # noqa: ARG002 - keeps none
        """See :meth:`predictive.sinks.contract.Sink.write`."""
        with self._writing():
            self._catalog.create(con)
            seen = self._catalog.standing(con)
            difference, changes, base = self._compare(con, staged, night, seen)
            if difference.written or not seen.known.knows(night):
                row = self._prepare(changes, base, difference, night, seen)
                self._catalog.commit(con, row, seen)
                self._catalog.clear(con, night.scored_at)
            return difference

    def rollback(self, con: Any, to: str | None, *, run_id: str, now: datetime) -> Restored:
        """See :meth:`predictive.sinks.contract.Sink.rollback`."""
        with self._writing():
            seen = self._catalog.standing(con)
            restored, row = prepare(con, self._catalog, seen, to, run_id=run_id, now=now)
            if row is not None:
                self._catalog.commit(con, row, seen)
                self._catalog.clear(con, now)
            return restored

    def refuse(self, con: Any, night: Night, rows: int) -> None:
        """See :meth:`predictive.sinks.contract.Sink.refuse`."""
        nobody = Difference(rows=rows, new=0, changed=0, unchanged=0, left=0, by_tier=(), past=False)
        with self._writing():
            self._catalog.create(con)
            row = run_row(night, nobody, outcome="refused", seconds=time.monotonic() - night.began)
            self._catalog.add_run(con, {**row, "written": new_name(night.scored_at)})

    def read_current(self) -> pd.DataFrame:
        """See :meth:`predictive.sinks.contract.Sink.read_current`."""
        con = get_session()
        rows = self._catalog.copy(con, self._catalog.standing(con).shows)
        return plain(gathered(rows.orderBy("contact_id"), SCORE_COLUMNS), SCORE_COLUMNS, ends=False)

    def read_history(self, columns: Sequence[str] | None = None, since: datetime | None = None) -> pd.DataFrame:
        """See :meth:`predictive.sinks.contract.Sink.read_history`."""
        chosen, rows = choose(columns), self._catalog.history(get_session())
        kept = rows if since is None else rows.where(F.col("night") >= F.lit(since))
        return plain(gathered(kept.orderBy("contact_id", "night", "scored_at"), chosen), chosen, ends=True)

    def read_runs(self, *, refused: bool = False) -> pd.DataFrame:
        """See :meth:`predictive.sinks.contract.Sink.read_runs`."""
        rows = self._catalog.rows(get_session(), RUNS)
        kept = rows if refused else rows.where(WROTE)
        return plain(gathered(kept.orderBy("scored_at"), RUN_COLUMNS), RUN_COLUMNS, ends=False)

    def read_lists(self) -> pd.DataFrame:
        """No lists are kept on Spark: raises :class:`~predictive.errors.DataError`."""
        raise DataError(f"{self.table}: {why_none('spark')}")

    @property
    def _catalog(self) -> Catalog:
        return Catalog(self.table)

    def _compare(self, con: Any, staged: str, night: Night, seen: Standing) -> tuple[Difference, Any, Any]:
        """The difference, the rows that change, and what they were compared with."""
        past = seen.known.is_past(night)
        base = rebuild_past(self._catalog.history(con), night) if past else self._catalog.copy(con, seen.shows)
        return (*compare(con.table(staged), base, night, past=past), base)

    def _prepare(self, changes: Any, base: Any, difference: Difference, night: Night, seen: Standing) -> dict[str, Any]:
        """Write what the run changes where nobody looks; the row that makes it count."""
        written, shows = new_name(night.scored_at), seen.shows
        if difference.written:
            self._catalog.insert(CHANGES, changes.withColumn("written", F.lit(written)))
        if difference.written and not difference.past:
            self._catalog.insert(COPIES, overlay(base, changes).withColumn("written", F.lit(written)))
            shows = written
        row = run_row(night, difference, outcome=outcome_of(night), seconds=time.monotonic() - night.began)
        return {**row, "written": written, "shows": shows, "undone": seen.undone}

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """Whatever Spark says while it writes, said as an error that the user can act on."""
        try:
            yield
        except PySparkException as error:
            raise DataError(
                f"{self.table}: cannot be written: {str(error).splitlines()[0]}. The scores are as they were or as "
                "they should be; run again"
            ) from error
