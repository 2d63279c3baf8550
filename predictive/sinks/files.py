"""Scores into Parquet or CSV files: the current ones, a folder with the history (a file per night), a list of runs.

A run replaces its files together (:mod:`predictive.sinks.journal`); the runs are a CSV file for both kinds.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd

from predictive.clock import iso, to_micros
from predictive.config import FileSink
from predictive.errors import DataError
from predictive.sinks.changes import (
    CHANGES,
    compare,
    drop_temporary,
    insert_run,
    is_past,
    listed,
    rebuild,
    run_row,
)
from predictive.sinks.contract import HISTORY_COLUMNS, RUN_COLUMNS, SCORE_COLUMNS, Difference, Night
from predictive.sinks.formats import FORMATS, load
from predictive.sinks.frames import to_frame
from predictive.sinks.journal import Journal

CURRENT, HISTORY, RUNS, SLOT = "predictive_current", "predictive_history", "predictive_runs", "predictive_slot"
"""Temporary tables that the files are read into."""


@dataclass(frozen=True)
class ScoreFiles:
    """A :class:`~predictive.sinks.contract.Sink` of files: for `scores.csv` also `scores_history/`, `scores_runs.csv`.

    `kind` is parquet or csv. What is missing is created by the first write.
    """

    path: Path
    kind: str

    @classmethod
    def from_config(cls, config: FileSink) -> ScoreFiles:
        """The sink of its part of a configuration."""
        return cls(path=config.path, kind=config.kind)

    @property
    def _folder(self) -> Path:
        return self.path.with_name(f"{self.path.stem}_history")

    @property
    def _runs(self) -> Path:
        return self.path.with_name(f"{self.path.stem}_runs.csv")

    @property
    def _journal(self) -> Journal:
        return Journal(folder=self._folder, beside=(self.path, self._runs))

    def preview(self, con: Any, staged: str, night: Night) -> Difference:
        """See :meth:`predictive.sinks.contract.Sink.preview`."""
        with _clean(con):
            return self._compare(con, staged, night)[0]

    def write(self, con: Any, staged: str, night: Night) -> Difference:
        """See :meth:`predictive.sinks.contract.Sink.write`."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with self._journal.locked(), _clean(con):
                difference, base = self._compare(con, staged, night)
                self._journal.commit(self._prepare(con, base, night, difference))
                return difference
        except (OSError, duckdb.IOException) as error:
            raise DataError(
                f"{self.path}: cannot be written: {str(error).splitlines()[0]}. The scores are as they were or as they "
                "should be; close programs that have them open, see to space and permissions, and run again"
            ) from None

    def read_current(self) -> pd.DataFrame:
        """See :meth:`predictive.sinks.contract.Sink.read_current`."""
        with duckdb.connect() as con:
            return to_frame(con, self._load_current(con), SCORE_COLUMNS, "contact_id")

    def read_history(self) -> pd.DataFrame:
        """See :meth:`predictive.sinks.contract.Sink.read_history`."""
        with duckdb.connect() as con:
            return to_frame(con, self._load_history(con), HISTORY_COLUMNS, "contact_id, night, scored_at")

    def read_runs(self) -> pd.DataFrame:
        """See :meth:`predictive.sinks.contract.Sink.read_runs`."""
        with duckdb.connect() as con:
            return to_frame(con, self._load_runs(con), RUN_COLUMNS, "scored_at")

    def _compare(self, con: Any, staged: str, night: Night) -> tuple[Difference, str]:
        """The difference, and the quoted name of the table of scores that the night was compared with."""
        runs = self._load_runs(con)
        past = is_past(con, runs, night)
        base = rebuild(con, self._load_history(con), night) if past else self._load_current(con)
        return compare(con, staged, base, night, past=past), base

    def _prepare(self, con: Any, base: str, night: Night, difference: Difference) -> list[Path]:
        """Write the new versions of the files that change under their temporary names; returns the files."""
        files = []
        write = FORMATS[self.kind].write
        if difference.written:
            slot = self._folder / f"{_slot(night, past=difference.past)}.{self.kind}"
            earlier = load(con, self.kind, [slot] if slot.exists() else [], HISTORY_COLUMNS, SLOT)
            files.append(slot)
            write(con, _overlay(earlier, HISTORY_COLUMNS), HISTORY_COLUMNS, self._journal.temporary(slot))
        if not difference.past and (difference.written or not self.path.exists()):
            files.append(self.path)
            query = _overlay(base, SCORE_COLUMNS, "WHERE change <> 'left'")
            write(con, query, SCORE_COLUMNS, self._journal.temporary(self.path))
        row = run_row(con, f'"{RUNS}"', night, difference)
        if row is not None:
            files.append(self._runs)
            insert_run(con, f'"{RUNS}"', row)
            query = f'SELECT {listed(RUN_COLUMNS)} FROM "{RUNS}" ORDER BY scored_at'  # noqa: S608 - constants
            FORMATS["csv"].write(con, query, RUN_COLUMNS, self._journal.temporary(self._runs))
        return files

    def _load_current(self, con: Any) -> str:
        file = self._journal.committed(self.path)
        return load(con, self.kind, [file] if file.exists() else [], SCORE_COLUMNS, CURRENT)

    def _load_history(self, con: Any) -> str:
        waiting = [file for file in self._journal.pending() if file.parent == self._folder]
        files = sorted({*self._folder.glob(f"*.{self.kind}"), *waiting})
        return load(con, self.kind, [self._journal.committed(file) for file in files], HISTORY_COLUMNS, HISTORY)

    def _load_runs(self, con: Any) -> str:
        file = self._journal.committed(self._runs)
        return load(con, "csv", [file] if file.exists() else [], RUN_COLUMNS, RUNS)


def _overlay(base: str, columns: dict[str, str], which: str = "") -> str:
    """SQL for a table with the changed contacts (`which` of them) in place of what it had for them, by contact."""
    return (
        f"(SELECT {listed(columns)} FROM {base} WHERE contact_id NOT IN (SELECT contact_id FROM {CHANGES})"  # noqa: S608 - quoted names
        f" UNION ALL SELECT {listed(columns)} FROM {CHANGES} {which}) ORDER BY contact_id"
    )


def _slot(night: Night, *, past: bool) -> str:
    """The name of a night's file: the same for the same as-of, model version and kind of run, and for no other.

    The digits at the end keep apart versions that differ only in letters that file names cannot hold or tell apart.
    """
    version = re.sub(r"[^A-Za-z0-9._-]+", "-", night.model_version)[:60]
    digits = hashlib.sha256(night.model_version.encode()).hexdigest()[:8]
    return f"{iso(to_micros(night.as_of)).replace(':', '')}_{version}_{digits}{'_past' if past else ''}"


@contextmanager
def _clean(con: Any) -> Iterator[None]:
    """Drop the temporary tables at the end."""
    try:
        yield
    finally:
        drop_temporary(con)
        for name in (CURRENT, HISTORY, RUNS, SLOT):
            con.execute(f"DROP TABLE IF EXISTS temp.main.{name}")
