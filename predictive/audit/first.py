"""Out of the history, the first score of each contact and month that was written at the time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd

from predictive.nights import in_holdout, is_prompt, standing_runs

NEEDED = (
    *("contact_id", "as_of", "scored_at", "probability", "model_version", "quadrant", "tier", "holdout"),
    *("night", "past", "undone"),
)
"""The columns of the history that are needed."""
LATE = "written more than two days after their as-of"
HINDSIGHT = "by a model that had learned from later outcomes, or of which that is not known"
COLUMNS = ["contact_id", "as_of", "scored_at", "probability", "model_version", "quadrant", "tier", "holdout"]


@dataclass(frozen=True)
class First:
    """`scores`: one row per contact and month.

    Their columns are `contact_id`, `as_of` and `scored_at` (microseconds), `probability`, `model_version`, `quadrant`,
    `tier`, `holdout` (boolean) and `month`. `left_out` counts the scores that do not qualify, by reason; runs for past
    nights are not in it, as nobody saw them, nor what a rollback took back.
    """

    scores: pd.DataFrame
    left_out: dict[str, int]


def first_scores(
    history: pd.DataFrame,
    runs: pd.DataFrame,
    *,
    timezone: str,
    ages: bool,
    knows: Callable[[str], int | None],
) -> First:
    """Find them.

    Args:
        history: what :meth:`~predictive.sinks.contract.Sink.read_history` gives. It holds changes only, so a score that
            a contact kept is its score of every later night too, until its next row.
        runs: what :meth:`~predictive.sinks.contract.Sink.read_runs` gives: which nights there were.
        timezone: that months are told in.
        ages: whether each contact has its own as-ofs (age snapshots): a kept score is then no new prediction.
        knows: for a model version, the instant (microseconds) until when it knew outcomes; None where unknown.
    """
    rows = _live(history)
    if not ages:
        rows = pd.concat([rows, *_kept(rows, _live(standing_runs(runs)), timezone)], ignore_index=True)
    rows = rows[rows["probability"].notna()].sort_values(["contact_id", "as_of", "scored_at"], kind="stable")
    rows = rows.drop_duplicates(["contact_id", "as_of", "model_version"])
    timely = is_prompt(rows["as_of"], rows["scored_at"])
    known = rows["model_version"].map({str(v): knows(str(v)) for v in rows["model_version"].unique()}).astype("Int64")
    honest = (known <= rows["as_of"]).fillna(False).astype(bool)  # noqa: FBT003 - pandas' signature
    left_out = {LATE: int((~timely).sum()), HINDSIGHT: int((timely & ~honest).sum())}
    rows = rows[timely & honest]
    rows = rows.assign(month=_month(rows["as_of"], timezone), holdout=in_holdout(rows))[[*COLUMNS, "month"]]
    scores = rows.drop_duplicates(["contact_id", "month"]).reset_index(drop=True)
    return First(scores, {why: n for why, n in left_out.items() if n})


def _live(frame: pd.DataFrame) -> pd.DataFrame:
    """The rows of nights that were current and not taken back, with times as microseconds."""
    live = frame[~frame["past"].astype(bool)]
    if "undone" in live:
        live = live[~live["undone"].astype(bool)]
    times = [name for name in ("as_of", "scored_at", "night") if name in live]
    return live.assign(**{name: live[name].dt.as_unit("us").astype("int64") for name in times})


def _kept(rows: pd.DataFrame, runs: pd.DataFrame, timezone: str) -> list[pd.DataFrame]:
    """For each month the scores that contacts still had at its first night, as of that night."""
    ordered = rows.sort_values(["contact_id", "night", "scored_at"], kind="stable")
    following = ordered.groupby("contact_id")["night"].shift(-1)
    nights = runs.sort_values(["as_of", "scored_at"]).assign(month=_month(runs["as_of"], timezone))
    found = []
    openings = nights.drop_duplicates("month")
    for as_of, scored_at in zip(openings["as_of"].tolist(), openings["scored_at"].tolist(), strict=True):
        still = (ordered["night"] < as_of) & ~(following <= as_of)
        found.append(ordered[still].assign(as_of=as_of, scored_at=scored_at, night=as_of))
    return found


def _month(at: pd.Series[Any], timezone: str) -> pd.Series[Any]:
    return pd.to_datetime(at, unit="us", utc=True).dt.tz_convert(ZoneInfo(timezone)).dt.strftime("%Y-%m")
