"""Expanding time folds inside the training part."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

FEWEST_CLOSES = 20
"""A fold learns from, and is judged on, at least so many distinct closes where it can be arranged."""
FOLDS = 3


@dataclass(frozen=True)
class Fold:
    """Row positions to learn from and to judge on; `purged` says that no label window reaches into the judged part."""

    train: np.ndarray
    valid: np.ndarray
    purged: bool


def closes(frame: pd.DataFrame, rows: np.ndarray | None = None) -> int:
    """How many distinct won deals stand behind the positive labels."""
    deals = frame["deal_id"] if rows is None else frame["deal_id"].iloc[rows]
    return int(deals.nunique())


def time_folds(frame: pd.DataFrame, horizon: int) -> list[Fold]:
    """Up to three expanding folds over `frame` (`as_of`, `deal_id`, `label`), the judged parts following in time.

    The later part of the closes is cut into blocks of as-ofs with about equally many closes; each block is judged by
    what was learned before it: rows whose window (`horizon`, microseconds) ended by the block's first as-of, where at
    least 20 closes remain, else all earlier rows.
    """
    at = frame["as_of"].to_numpy()
    positives = np.sort(at[frame["label"].to_numpy() == 1])
    if len(positives) < 2 * FEWEST_CLOSES:
        return []
    cuts = sorted({int(positives[int(len(positives) * share)]) for share in np.linspace(0.4, 1.0, FOLDS + 1)[:-1]})
    folds = []
    for i, start in enumerate(cuts):
        end = cuts[i + 1] if i + 1 < len(cuts) else int(at.max()) + 1
        valid = np.flatnonzero((at >= start) & (at < end))
        purged = np.flatnonzero(at + horizon <= start)
        keep = closes(frame, purged) >= FEWEST_CLOSES
        train = purged if keep else np.flatnonzero(at < start)
        if closes(frame, train) >= FEWEST_CLOSES and closes(frame, valid) > 0:
            folds.append(Fold(train, valid, keep))
    return folds
