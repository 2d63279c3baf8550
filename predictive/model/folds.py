"""Expanding time folds inside the training part."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from predictive.model.partial import known_at
from predictive.model.thinned import in_sample

FEWEST_CLOSES = 20
"""A fold learns from, and is judged on, at least so many distinct closes where it can be arranged."""
FOLDS = 3


@dataclass(frozen=True)
class Fold:
    """What was known at `start` (microseconds) is learned from; the rows at the positions `valid` come later."""

    start: int
    valid: np.ndarray
    horizon: int

    def train(self, frame: pd.DataFrame) -> pd.DataFrame:
        """The examples before the start, with what was known of them then."""
        return known_at(frame, self.start, self.horizon)


def closes(frame: pd.DataFrame, rows: np.ndarray | None = None) -> int:
    """How many distinct won deals stand behind the positive labels."""
    deals = frame["deal_id"] if rows is None else frame["deal_id"].iloc[rows]
    return int(deals.nunique())


def time_folds(frame: pd.DataFrame, horizon: int) -> list[Fold]:
    """Up to three expanding folds over `frame` (`as_of`, `closed_at`, `deal_id`, `label`), judged parts one by one.

    The later part of the closes is cut into blocks of as-ofs with about equally many closes; each block is judged by
    what was known at its first as-of, where that is at least 20 closes. Of thinned examples the sample is judged in
    which everybody counts once.
    """
    at = frame["as_of"].to_numpy()
    positives = np.sort(at[frame["label"].to_numpy() == 1])
    if len(positives) < 2 * FEWEST_CLOSES:
        return []
    cuts = sorted({int(positives[int(len(positives) * share)]) for share in np.linspace(0.4, 1.0, FOLDS + 1)[:-1]})
    folds, everybody = [], in_sample(frame)
    for i, start in enumerate(cuts):
        end = cuts[i + 1] if i + 1 < len(cuts) else int(at.max()) + 1
        fold = Fold(start, np.flatnonzero((at >= start) & (at < end) & everybody), horizon)
        if closes(fold.train(frame)) >= FEWEST_CLOSES and closes(frame, fold.valid) > 0:
            folds.append(fold)
    return folds
