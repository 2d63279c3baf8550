"""The list of runs: which one stands, and what the scores of a run are made of, rollbacks considered."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from predictive.errors import DataError
from predictive.sinks.contract import RUN_COLUMNS, Difference, Night
from predictive.sinks.database import Database, bind, listed

RUN = "predictive_run"
"""Temporary table with the row that is added to the runs."""

SHOWN = 5


@dataclass(frozen=True)
class Run:
    """A run that wrote scores; `after` is the run whose scores it changed. Times are naive UTC."""

    run_id: str
    as_of: datetime
    scored_at: datetime
    model_version: str
    past: bool
    eligible: int
    written: int
    profile: str | None
    after: str | None


@dataclass(frozen=True)
class Runs:
    """All runs that wrote scores, in order, by id; `standing` is the one whose scores are current, if any is.

    A rollback is no run that scores are made of: it makes an earlier run stand again.
    """

    by_id: dict[str, Run] = field(default_factory=dict)
    standing: str | None = None

    def line(self, run_id: str | None) -> list[Run]:
        """The runs that the scores of a run are made of, the newest first."""
        found = []
        while run_id is not None:
            found.append(self.by_id[run_id])
            run_id = found[-1].after
        return found

    def is_past(self, night: Night) -> bool:
        """Whether the night lies before the newest one that is current."""
        return any(night.stamps["as_of"] < run.as_of for run in self.line(self.standing))

    def knows(self, night: Night) -> bool:
        """Whether a run for that night by that model has been written, and not been taken back."""
        mine = [*self.line(self.standing), *(run for run in self.by_id.values() if run.past)]
        return any((r.as_of, r.model_version) == (night.stamps["as_of"], night.model_version) for r in mine)

    def undone_by(self, target: str) -> list[str]:
        """The runs that are not part of what the scores of the run `target` are made of."""
        kept = {run.run_id for run in self.line(target)}
        return [run.run_id for run in self.by_id.values() if not run.past and run.run_id not in kept]

    def find(self, to: str | None) -> Run:
        """The run to put back; see :meth:`predictive.sinks.contract.Sink.rollback`."""
        if self.standing is None:
            raise DataError("no run has written scores here, so there is nothing to put back")
        if to is None:
            earlier = [run for run in self.line(self.standing)[1:] if self._replaced(run) is None]
            if not earlier:
                raise DataError(f"{self.standing} is the first run; there is no earlier one to put back")
            return earlier[0]
        target = self._named(to)
        replaced = self._replaced(target)
        if replaced is not None:
            raise DataError(
                f"{target.run_id}: {_in_words(target, *replaced)}, so they cannot be put back. {self._known()}"
            )
        return target

    def _named(self, to: str) -> Run:
        current = [run for run in self.by_id.values() if not run.past]
        found = [run for run in current if run.run_id == to] or [r for r in current if to and r.run_id.startswith(to)]
        if len(found) != 1:
            what = "the beginning of more than one run" if found else "no run that wrote current scores"
            raise DataError(f"{to!r} is {what}. " + self._known())
        return found[0]

    def _replaced(self, target: Run) -> tuple[Run, Run] | None:
        """A run that the scores of `target` are made of, and a later one that took over its rows in the history.

        That is one of the same night and model which wrote on top of them, and is not in the scores of `target` itself.
        """
        made_of = self.line(target.run_id)
        for run in self.by_id.values():
            if run.past or not run.written or run in made_of:
                continue
            same = [r for r in made_of if (r.as_of, r.model_version) == (run.as_of, run.model_version)]
            below = self.line(run.run_id) if same else []
            for replaced in same:
                if replaced in below:
                    return replaced, run
        return None

    def _known(self) -> str:
        kept = [r for r in self.by_id.values() if not r.past and self._replaced(r) is None]
        shown = ", ".join(f"{run.run_id} ({run.as_of:%Y-%m-%d})" for run in kept[: -SHOWN - 1 : -1])
        return f"The newest that can be: {shown}"


def _in_words(target: Run, replaced: Run, later: Run) -> str:
    if replaced == target:
        return f"a later run of the same night, {later.run_id}, has replaced its scores"
    return f"{later.run_id}, a later run of the night of {replaced.run_id}, has replaced scores that it was made of"


def read_runs(db: Database, table: str) -> Runs:
    """The runs out of a table (as statements name it)."""
    query = f"SELECT {listed(RUN_COLUMNS)} FROM {table} AS r ORDER BY scored_at"  # noqa: S608 - quoted names
    return runs_of(db.read(query, RUN_COLUMNS).to_pylist())


def runs_of(rows: Iterable[Mapping[str, Any]]) -> Runs:
    """The runs out of rows of :data:`~predictive.sinks.contract.RUN_COLUMNS`, in the order of writing, in naive UTC."""
    by_id: dict[str, Run] = {}
    standing: str | None = None
    for row in rows:
        if row["outcome"] == "refused":
            continue
        if row["restores"] is not None:
            standing = row["restores"]
            continue
        # An id that comes again is the same run, written once more; it does not come after itself.
        again = by_id.get(row["run_id"])
        after = standing if again is None else again.after
        by_id[row["run_id"]] = Run(
            **{n: row[n] for n in ("run_id", "as_of", "scored_at", "model_version", "past", "eligible", "profile")},
            written=row["new"] + row["changed"] + row["left"],
            after=None if row["past"] else after,
        )
        if not row["past"]:
            standing = row["run_id"]
    return Runs(by_id, standing)


def run_row(night: Night, difference: Difference, *, outcome: str, seconds: float) -> dict[str, Any]:
    """The row of a night in the runs."""
    counts = {name: getattr(difference, name) for name in ("rows", "new", "changed", "left", "past")}
    more = {"seconds": round(seconds, 3), "outcome": outcome, "restores": None, "profile": night.profile}
    return {**night.stamps, "eligible": night.eligible, **counts, **more}


def add_run(con: Any, db: Database, table: str, row: dict[str, Any]) -> None:
    """Add a row to the runs.

    Raises :class:`~predictive.errors.DataError` where a run that began later is there, a rollback perhaps: runs count
    in the order in which they began, so this one would say that those scores stand, while its own do.
    """
    staged = bind(con, db, RUN, RUN_COLUMNS, [row])
    counts, began = "r.outcome IS DISTINCT FROM 'refused'", f"(SELECT s.scored_at FROM {staged} AS s)"  # noqa: S608 - quoted names
    later = db.rows(f"SELECT r.run_id FROM {table} AS r WHERE {counts} AND r.scored_at > {began} LIMIT 1")  # noqa: S608 - quoted names
    if later and row["outcome"] != "refused":
        raise DataError(
            f"another run wrote its scores while this one worked; nothing was written. Run again ({later[0][0]} began "
            "later than this one, or on a machine whose clock is ahead)"
        )
    db.execute(f"INSERT INTO {table} ({listed(RUN_COLUMNS)}) SELECT {listed(RUN_COLUMNS)} FROM {staged} AS r")  # noqa: S608 - quoted names


def outcome_of(night: Night) -> str:
    """The outcome of a night that is written."""
    return "forced" if night.forced else "written"


def named(runs: Sequence[str]) -> list[dict[str, str]]:
    """Ids of runs as rows."""
    return [{"run_id": run_id} for run_id in runs]
