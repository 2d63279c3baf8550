"""Putting the scores of an earlier run back."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

from predictive.sinks.changes import COMPARED, compare, put_back, rebuild_run, set_night
from predictive.sinks.contract import STAMPS, Difference, Night, Restored
from predictive.sinks.database import Database
from predictive.sinks.runs import Run, Runs, run_row


def rollback(
    con: Any,
    db: Database,
    current: str,
    history: str,
    known: Runs,
    to: str | None,
    *,
    run_id: str,
    now: datetime,
    keep_left: bool,
) -> tuple[Restored, dict[str, Any] | None]:
    """See :meth:`predictive.sinks.contract.Sink.rollback`; what it did, and the row for the runs, if it needs one."""
    target = known.find(to)
    night = night_back(target, run_id=run_id, now=now)
    set_night(con, db, night.stamps)
    state = rebuild_run(con, db, history, known.undone_by(target.run_id), keep_left=keep_left)
    scored = f"(SELECT * FROM {state} AS b WHERE b.left_at IS NULL)"  # noqa: S608 - a quoted name
    difference = compare(db, scored, current, past=False, columns=(*COMPARED, *STAMPS))
    put_back(db, current, history, state)
    restored = Restored(str(known.standing), target.run_id, night.as_of, target.model_version, difference)
    return restored, None if target.run_id == known.standing else row_back(night, difference, target)


def night_back(target: Run, *, run_id: str, now: datetime) -> Night:
    """The night that putting a run back counts as: that of the run, with what the next one is compared with."""
    as_of = target.as_of.replace(tzinfo=UTC)
    return Night(run_id, as_of, now, target.model_version, target.eligible, profile=target.profile)


def row_back(night: Night, difference: Difference, target: Run) -> dict[str, Any]:
    """The row of :func:`night_back` in the runs."""
    row = run_row(night, difference, outcome="rolled back", seconds=time.monotonic() - night.began)
    return {**row, "restores": target.run_id}
