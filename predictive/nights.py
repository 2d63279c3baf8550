"""The history of the scores that people saw: how things stood on a night, and who entered pursue when.

Runs for past nights are not in it: nobody saw them.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from predictive.clock import DAY
from predictive.model.drift import corrected
from predictive.model.scoring import log_odds

PROMPT = 2 * DAY
"""How long after its as-of (microseconds) a score may have been written and count: later ones may know what came."""


def is_prompt(as_of: pd.Series[Any], scored_at: pd.Series[Any]) -> pd.Series[bool]:
    """Whether scores were written at the time, and are what people worked with; both in microseconds."""
    age = scored_at - as_of
    return (age >= 0) & (age <= PROMPT)


def live(history: pd.DataFrame) -> pd.DataFrame:
    """The rows of nights that were current, one per contact and night: its last; by contact and night.

    What a rollback took back is not among them.

    `history` is what :meth:`predictive.sinks.contract.Sink.read_history` gives. `holdout` is boolean, and False where
    the row was written before there was one.
    """
    seen = ~history["past"].astype(bool) & ~history["undone"].astype(bool)
    rows = history[seen].sort_values(["contact_id", "night", "scored_at"], kind="stable")
    rows = rows.drop_duplicates(["contact_id", "night"], keep="last")
    return pd.DataFrame(rows.assign(holdout=in_holdout(rows))).reset_index(drop=True)


def in_holdout(rows: pd.DataFrame) -> pd.Series[bool]:
    """Whether each row of the history is of the holdout; rows from before there was one are not."""
    return rows["holdout"].eq(other=True).fillna(False).astype(bool)  # noqa: FBT003 - pandas' signature


def standing_runs(runs: pd.DataFrame) -> pd.DataFrame:
    """The runs that the current scores are made of: neither past, nor taken back by a rollback, nor one themselves.

    `runs` is what the sink's `read_runs` gives.
    """
    after: dict[str, Any] = {}
    newest = None
    ordered = runs[~runs["past"].astype(bool)].sort_values("scored_at", kind="stable")
    for run, restores in zip(ordered["run_id"], ordered["restores"], strict=True):
        if isinstance(restores, str):
            newest = restores
            continue
        # An id that comes again is the same run, written once more; it does not come after itself.
        after.setdefault(run, newest)
        newest = run
    line = set()
    while newest is not None:
        line.add(newest)
        newest = after.get(newest)
    return pd.DataFrame(ordered[ordered["run_id"].isin(line)])


def live_nights(runs: pd.DataFrame) -> list[pd.Timestamp]:
    """The as-ofs of the nights that stand, in order; `runs` is what the sink's `read_runs` gives."""
    return sorted(standing_runs(runs)["as_of"].unique())


def standing(rows: pd.DataFrame, night: pd.Timestamp) -> pd.DataFrame:
    """The scores as they stood on a night, one row per contact; `rows` is what :func:`live` gives."""
    newest = rows[rows["night"] <= night].drop_duplicates("contact_id", keep="last")
    return pd.DataFrame(newest[newest["probability"].notna()]).reset_index(drop=True)


def entries(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows of :func:`live` with which a contact newly entered pursue, decisions of people included.

    The first night of all has none, as there is nothing to compare it with; a contact that is scored for the first time
    later on enters. Contacts of the holdout never do: they are outside the actions.
    """
    before = rows.groupby("contact_id")["quadrant"].shift(1)
    new = rows["quadrant"].eq("pursue") & ~before.eq("pursue") & (rows["night"] > rows["night"].min())
    return pd.DataFrame(rows[new & rows["probability"].notna() & ~rows["holdout"]]).reset_index(drop=True)


def uncorrected_axes(rows: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Fit and interest as the model gave them, (n,) each, of scores: their correction is that of the probability."""
    probability, before = (rows[name].to_numpy(dtype=float) for name in ("probability", "uncorrected"))
    shift = np.where(probability == before, 0.0, log_odds(before) - log_odds(probability))
    fit, interest = (corrected(rows[name].to_numpy(dtype=float), shift) for name in ("fit", "interest"))
    return fit, interest
