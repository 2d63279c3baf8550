"""Scores into Parquet or CSV files: the current ones, a folder with the history (a file per night), lists, and runs.

A run replaces its files together (:mod:`predictive.sinks.journal`); the runs are a CSV file for both kinds.
"""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd

from predictive.clock import iso, to_micros
from predictive.config import FileSink
from predictive.errors import DataError
from predictive.sinks import changes, membership
from predictive.sinks.contract import (
    HISTORY_COLUMNS,
    RUN_COLUMNS,
    SCORE_COLUMNS,
    Difference,
    Night,
    Restored,
)
from predictive.sinks.database import listed, quote
from predictive.sinks.duckdb import Attached, clean
from predictive.sinks.export import Export
from predictive.sinks.formats import FORMATS, load
from predictive.sinks.frames import choose, history_query, to_frame
from predictive.sinks.journal import Journal
from predictive.sinks.rollback import rollback
from predictive.sinks.runs import Runs, add_run, outcome_of, read_runs, run_row
from predictive.store import in_memory

CURRENT, HISTORY, RUNS, SLOT = "predictive_current", "predictive_history", "predictive_runs", "predictive_slot"
LISTS = "predictive_lists"
"""Temporary tables that the files are read into."""


@dataclass(frozen=True)
class Loaded:
    """The files in the working database: its tables as statements name them, and the runs."""

    db: Attached
    current: str
    history: str
    runs: str
    known: Runs


@dataclass(frozen=True)
class ScoreFiles:
    """A :class:`~predictive.sinks.contract.Sink` of files: for `scores.csv` also `scores_history/`, `scores_runs.csv`.

    The membership of lists is in `scores_lists.csv`. `kind` is parquet or csv. What is missing is created by the first
    write. With `export`, `path` is a file for the import tool of a CRM, and the scores are in `scores_scores.csv`.
    """

    path: Path
    kind: str
    export: Export | None = None

    @classmethod
    def from_config(cls, config: FileSink) -> ScoreFiles:
        """The sink of its part of a configuration."""
        return cls(path=config.path, kind=config.kind, export=Export.from_config(config))

    @property
    def _current(self) -> Path:
        return self.path if self.export is None else self.path.with_name(f"{self.path.stem}_scores.{self.kind}")

    @property
    def _folder(self) -> Path:
        return self.path.with_name(f"{self.path.stem}_history")

    @property
    def _runs(self) -> Path:
        return self.path.with_name(f"{self.path.stem}_runs.csv")

    @property
    def _lists(self) -> Path:
        return self.path.with_name(f"{self.path.stem}_lists{self.path.suffix}")

    @property
    def _journal(self) -> Journal:
        return Journal(folder=self._folder, beside=tuple({self.path, self._current, self._runs, self._lists}))

    @property
    def keeps_lists(self) -> bool:
        """See :class:`predictive.sinks.contract.Sink`."""
        return True

    def preview(self, con: Any, staged: str, night: Night) -> Difference:
        """See :meth:`predictive.sinks.contract.Sink.preview`."""
        with _clean(con) as db:
            return self._compare(db, staged, night)[0]

    def write(self, con: Any, staged: str, night: Night, members: str | None = None) -> Difference:
        """See :meth:`predictive.sinks.contract.Sink.write`."""
        with self._writing(con) as db:
            difference, loaded, base = self._compare(db, staged, night)
            files = []
            if difference.written:
                files.append(self._prepare_slot(con, night, past=difference.past))
            if not difference.past and (difference.written or not self._current.exists()):
                files += self._prepare_current(con, _overlay(base, SCORE_COLUMNS, "WHERE change <> 'left'"))
            if members is not None and not difference.past:
                files += self._prepare_lists(db, lambda kept: membership.update(con, db, kept, members))[1]
            if difference.written or not loaded.known.knows(night):
                seconds = time.monotonic() - night.began
                row = run_row(night, difference, outcome=outcome_of(night), seconds=seconds)
                files.append(self._prepare_runs(loaded, row))
            self._journal.commit(files)
            return difference

    def refuse(self, con: Any, night: Night, rows: int) -> None:
        """See :meth:`predictive.sinks.contract.Sink.refuse`."""
        nobody = Difference(rows=rows, new=0, changed=0, unchanged=0, left=0, by_tier=(), past=False)
        with self._writing(con) as db:
            row = run_row(night, nobody, outcome="refused", seconds=time.monotonic() - night.began)
            self._journal.commit([self._prepare_runs(self._load(db), row)])

    def rollback(self, con: Any, to: str | None, *, run_id: str, now: datetime) -> Restored:
        """See :meth:`predictive.sinks.contract.Sink.rollback`."""
        with self._writing(con) as db:
            loaded = self._load(db)
            before = con.execute(f"SELECT DISTINCT run_id, undone FROM {loaded.history}").fetchall()  # noqa: S608 - a constant
            con.execute(f"ALTER TABLE {loaded.current} ADD COLUMN left_at TIMESTAMP")
            restored, row = rollback(
                con, db, loaded.current, loaded.history, loaded.known, to, run_id=run_id, now=now, keep_left=False
            )
            stays, files = self._prepare_lists(db, lambda kept: membership.take_back(db, kept))
            restored = replace(restored, stays=stays)
            if row is None and not restored.difference.written and not stays:
                return restored
            files += self._prepare_undone(con, loaded.history, dict(before))
            current = f"SELECT {listed(SCORE_COLUMNS)} FROM {loaded.current} ORDER BY contact_id"  # noqa: S608 - quoted names
            files += self._prepare_current(con, current)
            if row is not None:
                files.append(self._prepare_runs(loaded, row))
            self._journal.commit(files)
            return restored

    def read_current(self) -> pd.DataFrame:
        """See :meth:`predictive.sinks.contract.Sink.read_current`."""
        with in_memory() as con, _clean(con) as db:
            query = f"SELECT * FROM {self._load_current(con)} AS c ORDER BY contact_id"  # noqa: S608 - a constant
            return to_frame(db, query, SCORE_COLUMNS, ends=False)

    def read_history(self, columns: Sequence[str] | None = None, since: datetime | None = None) -> pd.DataFrame:
        """See :meth:`predictive.sinks.contract.Sink.read_history`; the files of earlier nights are not opened."""
        chosen = choose(columns)
        with in_memory() as con, _clean(con) as db:
            return to_frame(db, history_query(self._load_history(con, since), chosen, since), chosen, ends=True)

    def read_runs(self, *, refused: bool = False) -> pd.DataFrame:
        """See :meth:`predictive.sinks.contract.Sink.read_runs`."""
        with in_memory() as con, _clean(con) as db:
            which = "" if refused else " WHERE outcome IS DISTINCT FROM 'refused'"
            query = f"SELECT * FROM {self._load_runs(con)} AS r{which} ORDER BY scored_at"  # noqa: S608 - a constant
            return to_frame(db, query, RUN_COLUMNS, ends=False)

    def read_lists(self) -> pd.DataFrame:
        """See :meth:`predictive.sinks.contract.Sink.read_lists`."""
        with in_memory() as con:
            return membership.stays_of(con.sql(f"FROM {self._load_lists(con)}").to_arrow_table())

    @contextmanager
    def _writing(self, con: Any) -> Iterator[Attached]:
        """The working database, while nobody else can write the files."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with self._journal.locked(), _clean(con) as db:
                yield db
        except (OSError, duckdb.IOException) as error:
            raise DataError(
                f"{self.path}: cannot be written: {str(error).splitlines()[0]}. The scores are as they were or as they "
                "should be; close programs that have them open, see to space and permissions, and run again"
            ) from None

    def _load(self, db: Attached) -> Loaded:
        runs = self._load_runs(db.con)
        return Loaded(db, self._load_current(db.con), self._load_history(db.con), runs, read_runs(db, runs))

    def _compare(self, db: Attached, staged: str, night: Night) -> tuple[Difference, Loaded, str]:
        """The difference, what the files hold, and the name of the scores that the night was compared with."""
        con = db.con
        changes.check_staged(con, staged)
        loaded = self._load(db)
        changes.set_night(con, db, night.stamps)
        past = loaded.known.is_past(night)
        if past:
            base = changes.rebuild_past(db, loaded.history)
        else:
            base = f"(SELECT *, NULL::TIMESTAMP AS left_at FROM {loaded.current})"  # noqa: S608 - a constant
        return changes.compare(db, quote(staged), base, past=past), loaded, base

    def _prepare_slot(self, con: Any, night: Night, *, past: bool) -> Path:
        """Write the night's new file of the history under its temporary name; the file."""
        slot = self._folder / f"{_slot(night.as_of, night.model_version, past=past)}.{self.kind}"
        earlier = load(con, self.kind, [slot] if slot.exists() else [], HISTORY_COLUMNS, SLOT)
        query = _overlay(earlier, HISTORY_COLUMNS, keep="undone")
        FORMATS[self.kind].write(con, query, HISTORY_COLUMNS, self._journal.temporary(slot))
        return slot

    def _prepare_current(self, con: Any, query: str) -> list[Path]:
        """Write new current scores, out of a query, under temporary names; their files."""
        FORMATS[self.kind].write(con, query, SCORE_COLUMNS, self._journal.temporary(self._current))
        if self.export is None:
            return [self._current]
        self.export.write(con, f"({query})", self._journal.temporary(self.path))
        return [self._current, self.path]

    def _prepare_undone(self, con: Any, history: str, before: dict[str, bool]) -> Iterator[Path]:
        """Write the files of the history whose rows a rollback has taken back or put back; these files."""
        query = f"SELECT DISTINCT night, model_version, run_id, undone FROM {history} WHERE NOT past ORDER BY ALL"  # noqa: S608 - a constant
        moved = {
            (night, version) for night, version, run, undone in con.execute(query).fetchall() if undone != before[run]
        }
        for night, version in sorted(moved):
            slot = self._folder / f"{_slot(night.replace(tzinfo=UTC), version, past=False)}.{self.kind}"
            con.execute(
                f"CREATE OR REPLACE TEMP TABLE {quote(SLOT)} AS FROM {history}"
                " WHERE NOT past AND night = $1 AND model_version = $2",
                [night, version],
            )
            rows = f"SELECT {listed(HISTORY_COLUMNS)} FROM {quote(SLOT)} ORDER BY contact_id"  # noqa: S608 - constants
            FORMATS[self.kind].write(con, rows, HISTORY_COLUMNS, self._journal.temporary(slot))
            yield slot

    def _prepare_runs(self, loaded: Loaded, row: dict[str, Any]) -> Path:
        """Write the runs with one more row under their temporary name; their file."""
        add_run(loaded.db.con, loaded.db, loaded.runs, row)
        query = f"SELECT {listed(RUN_COLUMNS)} FROM {loaded.runs} ORDER BY scored_at"  # noqa: S608 - constants
        FORMATS["csv"].write(loaded.db.con, query, RUN_COLUMNS, self._journal.temporary(self._runs))
        return self._runs

    def _prepare_lists(self, db: Attached, change: Callable[[str], int]) -> tuple[int, list[Path]]:
        """Change the membership, and write its new file under its temporary name; how many stays change, and the file.

        No file where nothing changes.
        """
        kept = self._load_lists(db.con)
        changed = change(kept)
        if not changed and self._lists.exists():
            return 0, []
        columns = membership.LIST_COLUMNS
        query = f"SELECT {listed(columns)} FROM {kept} ORDER BY list, contact_id, entered_at"  # noqa: S608 - quoted names
        FORMATS[self.kind].write(db.con, query, columns, self._journal.temporary(self._lists))
        return changed, [self._lists]

    def _load_lists(self, con: Any) -> str:
        file = self._journal.committed(self._lists)
        return load(con, self.kind, [file] if file.exists() else [], membership.LIST_COLUMNS, LISTS)

    def _load_current(self, con: Any) -> str:
        file = self._journal.committed(self._current)
        return load(con, self.kind, [file] if file.exists() else [], SCORE_COLUMNS, CURRENT)

    def _load_history(self, con: Any, since: datetime | None = None) -> str:
        waiting = [file for file in self._journal.pending() if file.parent == self._folder]
        files = sorted({*self._folder.glob(f"*.{self.kind}"), *waiting})
        if since is not None:
            first = f"{since.astimezone(UTC):%Y-%m-%d}"
            files = [file for file in files if file.name[: len(first)] >= first]
        return load(con, self.kind, [self._journal.committed(file) for file in files], HISTORY_COLUMNS, HISTORY)

    def _load_runs(self, con: Any) -> str:
        file = self._journal.committed(self._runs)
        return load(con, "csv", [file] if file.exists() else [], RUN_COLUMNS, RUNS)


def _overlay(base: str, columns: dict[str, str], which: str = "", *, keep: str = "FALSE") -> str:
    """SQL for a table with the changed contacts (`which` of them) in place of what it had for them, by contact.

    Rows of the table for which `keep` holds stay in any case.
    """
    changed = quote(changes.CHANGES)
    return (
        f"(SELECT {listed(columns)} FROM {base} AS b"  # noqa: S608 - quoted names
        f" WHERE {keep} OR contact_id NOT IN (SELECT contact_id FROM {changed})"
        f" UNION ALL SELECT {listed(columns)} FROM {changed} {which}) ORDER BY contact_id"
    )


def _slot(night: datetime, version: str, *, past: bool) -> str:
    """The name of a night's file: the same for the same as-of, model version and kind of run, and for no other.

    The digits at the end keep apart versions that differ only in letters that file names cannot hold or tell apart.
    """
    readable = re.sub(r"[^A-Za-z0-9._-]+", "-", version)[:60]
    digits = hashlib.sha256(version.encode()).hexdigest()[:8]
    return f"{iso(to_micros(night)).replace(':', '')}_{readable}_{digits}{'_past' if past else ''}"


@contextmanager
def _clean(con: Any) -> Iterator[Attached]:
    """The working database; our temporary tables are dropped at the end."""
    with clean(con) as db:
        try:
            yield db
        finally:
            for name in (CURRENT, HISTORY, RUNS, SLOT, LISTS):
                db.drop(name)
