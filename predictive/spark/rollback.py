"""Putting the scores of an earlier run back: a copy of them out of the history, and one row of the runs that shows it.

What is taken back stays where it is; the row of the runs names it.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pyspark.sql import functions as F  # noqa: N812 - the name that all of Spark's documentation uses

from predictive.sinks.changes import COMPARED
from predictive.sinks.contract import STAMPS, Restored
from predictive.sinks.rollback import night_back, row_back
from predictive.spark.catalog import Catalog, Standing, new_name
from predictive.spark.changes import compare, rebuild_run
from predictive.spark.columns import COPIES


def prepare(
    con: Any, catalog: Catalog, seen: Standing, to: str | None, *, run_id: str, now: datetime
) -> tuple[Restored, dict[str, Any] | None]:
    """Write the copy where nobody looks; what the rollback does, and the row that makes it count, if it needs one."""
    target = seen.known.find(to)
    catalog.create(con)
    night, undone = night_back(target, run_id=run_id, now=now), seen.known.undone_by(target.run_id)
    scores = rebuild_run(catalog.history(con), undone).localCheckpoint(eager=True)
    base = catalog.copy(con, seen.shows)
    difference, _ = compare(scores, base, night, past=False, columns=(*COMPARED, *STAMPS))
    restored = Restored(str(seen.known.standing), target.run_id, night.as_of, target.model_version, difference)
    if restored.stood == restored.run_id and not difference.written:
        return restored, None
    written = new_name(night.scored_at)
    catalog.insert(COPIES, scores.withColumn("written", F.lit(written)))
    row = row_back(night, difference, target)
    return restored, {**row, "written": written, "shows": written, "undone": undone}
