"""What a run changes, and the scores of any night out of the history.

What :mod:`predictive.sinks.changes` does in a database, on frames of Spark.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pyspark.sql import functions as F  # noqa: N812 - the name that all of Spark's documentation uses

from predictive.sinks.changes import COMPARED
from predictive.sinks.contract import SCORE_COLUMNS, Difference, Night
from predictive.tables import TIERS


def rebuild_past(history: Any, night: Night) -> Any:
    """The scores of a past night: what past runs of that night and model wrote, over what was current then."""
    at, version = F.lit(night.as_of), F.lit(night.model_version)
    mine = F.col("past") & (F.col("night") == at) & (F.col("model_version") == version)
    return _rebuild(history.where((~F.col("past") & ~F.col("undone") & (F.col("night") <= at)) | mine))


def rebuild_run(history: Any, undone: Sequence[str]) -> Any:
    """The scores as they were after a run that knew nothing of the `undone` runs."""
    return _rebuild(history.where(~F.col("past") & ~F.col("run_id").isin(list(undone))))


def _rebuild(rows: Any) -> Any:
    """The last row of each contact, unless it marks the end."""
    newest = F.max_by(F.struct("*"), F.struct("past", "night", "scored_at")).alias("newest")
    found = rows.groupBy("contact_id").agg(newest).select("newest.*")
    return found.where("probability IS NOT NULL").select(*SCORE_COLUMNS)


def compare(
    scores: Any, base: Any, night: Night, *, past: bool, columns: Sequence[str] = COMPARED
) -> tuple[Difference, Any]:
    """What turns `base` into `scores`: the counts, and the rows, with `change` beside the columns of the history.

    `columns` are those in which rows are compared.
    """
    changes = _changes(scores, base, night, past=past, columns=columns).localCheckpoint(eager=True)
    by_change = _counts(changes, "change")
    new, changed, left = (by_change.get(name, 0) for name in ("new", "changed", "left"))
    rows = scores.count()
    sides = (base, scores, changes.where("change <> 'left'"))
    before, after, moved = (_counts(frame, "tier") for frame in sides)
    by_tier = tuple((tier, before.get(tier, 0), after.get(tier, 0), moved.get(tier, 0)) for tier in TIERS)
    return Difference(rows, new, changed, rows - new - changed, left, by_tier, past), changes


def overlay(base: Any, changes: Any) -> Any:
    """The scores after the changes: who has not changed keeps the stamps of the run that scored them last."""
    kept = base.join(changes.select("contact_id"), "contact_id", "left_anti").select(*SCORE_COLUMNS)
    return kept.unionByName(changes.where("change <> 'left'").select(*SCORE_COLUMNS))


def _changes(scores: Any, base: Any, night: Night, *, past: bool, columns: Sequence[str]) -> Any:
    s, b = scores.alias("s"), base.alias("b")
    # Aware times: Spark takes naive ones to be those of its session.
    stamps = {**night.stamps, "as_of": night.as_of, "scored_at": night.scored_at}
    given = {name: F.lit(value) for name, value in stamps.items()} | {"contact_id": F.col("b.contact_id")}
    cells = [(F.coalesce(F.col(f"s.{c}"), given[c]) if c in given else F.col(f"s.{c}")).alias(c) for c in SCORE_COLUMNS]
    equal = F.lit(True)  # noqa: FBT003 - takes it by position only
    for name in columns:
        equal = equal & F.col(f"s.{name}").eqNullSafe(F.col(f"b.{name}"))
    none, fresh = F.col("s.contact_id").isNull(), F.col("b.contact_id").isNull()
    change = F.when(none, "left").when(fresh, "new").otherwise("changed").alias("change")
    joined = s.join(b, F.col("s.contact_id") == F.col("b.contact_id"), "full_outer").where(none | fresh | ~equal)
    more = {"night": F.lit(night.as_of), "past": F.lit(past), "undone": F.lit(False)}  # noqa: FBT003 - as above
    return joined.select(*cells, *(value.alias(name) for name, value in more.items()), change)


def _counts(frame: Any, column: str) -> dict[str, int]:
    return {row[column]: row["count"] for row in frame.groupBy(column).count().collect()}
