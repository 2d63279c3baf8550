"""Examples as they were known at an instant: also those that had been followed for part of the horizon only.

Leaving out whoever has not been followed for the whole horizon throws away the newest months; calling them lost would
be wrong. An example followed for the time c tells whether it closed by c. Under proportional odds (Bennett 1983,
doi:10.1002/sim.4780020223) its log-odds of that are those of closing within the horizon, plus an offset that depends on
c alone; the offset comes from the share closed by c, estimated by Kaplan and Meier (1958) from all examples. So every
example is learned from with the label known by then and its offset, and what is learned is about the whole horizon.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from predictive.model.logistic import expit
from predictive.model.thinned import weight_of

SURE = 1e-6
"""Shares are kept this far from 0 and 1, where log-odds end."""


def known_at(frame: pd.DataFrame, at: int, horizon: int) -> pd.DataFrame:
    """The examples as of before `at`, with what was known of them then; times in microseconds.

    Args:
        frame: `as_of`, `closed_at` (of the first close in the horizon, else missing), `deal_id`, `label`, and more.
        at: the instant. Closes after it are unknown, and so the example counts as not closed *so far*.
        horizon: in microseconds.

    Returns:
        The rows with `label`, `deal_id` and `closed_at` as known at the instant, `followed` (microseconds, at most the
        horizon) and `offset` (log-odds of closing within `followed` minus those within the horizon; 0 if mature). Those
        followed for so short a time that nobody closes in it say nothing, and are left out.
    """
    rows = frame[frame["as_of"] < at]
    closed = rows["closed_at"].to_numpy(dtype=float, na_value=np.inf)
    start = rows["as_of"].to_numpy(dtype=np.int64)
    followed = np.minimum(horizon, at - start)
    label = closed <= start + followed
    time = np.where(label, closed - start, followed)
    share = share_closed(time, label, np.append(followed, horizon), weight_of(rows))
    mature = followed == horizon
    odds = _log_odds(share)
    known = rows.assign(
        label=label.astype(np.int64),
        deal_id=rows["deal_id"].where(label),
        closed_at=rows["closed_at"].where(label),
        followed=followed,
        offset=np.where(mature, 0.0, odds[:-1] - odds[-1]),
    )
    kept: pd.DataFrame = known[mature | (share[:-1] > 0)]
    return kept


def share_closed(time: np.ndarray, closed: np.ndarray, at: np.ndarray, weight: np.ndarray | None = None) -> np.ndarray:
    """The share that has closed by each of the times `at`, by Kaplan and Meier (1958, doi:10.2307/2281868).

    `time` (n,) is when each example closed, or until when it had been followed; `closed` (n,) says which. An example
    with the `weight` 2 (n,) counts as two.

    >>> time, closed = np.array([1.0, 2.0, 2.0, 3.0]), np.array([True, False, True, True])
    >>> share_closed(time, closed, np.array([0, 1, 2, 3])).tolist()
    [0.0, 0.25, 0.5, 1.0]
    """
    each = np.ones(len(time)) if weight is None else weight
    moments, which = np.unique(time[closed], return_inverse=True)
    if len(moments) == 0:
        return np.zeros(len(at))
    closes = np.bincount(which, weights=each[closed])
    order = np.argsort(time, kind="stable")
    before = np.concatenate([[0.0], np.cumsum(each[order])])
    at_risk = before[-1] - before[np.searchsorted(time[order], moments, side="left")]
    remaining = np.concatenate([[1.0], np.cumprod(1 - closes / at_risk)])
    return np.asarray(1 - remaining[np.searchsorted(moments, at, side="right")])


def offset_of(frame: pd.DataFrame) -> np.ndarray:
    """The offsets of examples, 0 where the frame has none: then all are mature."""
    return frame["offset"].to_numpy(dtype=float) if "offset" in frame else np.zeros(len(frame))


def of_the_rest(log_odds: np.ndarray, offset: np.ndarray) -> np.ndarray:
    """The log-odds (n,) that an example closes in the rest of its horizon, given that it had not when last seen.

    `log_odds` are those of closing within the horizon, `offset` those of :func:`known_at`; where that is 0, nothing had
    been seen, and the log-odds stay as they are.

    >>> of_the_rest(np.array([0.0, 0.0]), np.array([0.0, -np.log(3)])).round(6).tolist()
    [0.0, -0.693147]
    """
    seen = offset != 0
    whole, so_far = expit(log_odds), expit(log_odds + offset)
    share = np.where(seen, (whole - so_far) / np.maximum(1 - so_far, SURE), 0.5)
    return np.where(seen, _log_odds(share), log_odds)


def _log_odds(share: np.ndarray) -> np.ndarray:
    inside = np.clip(share, SURE, 1 - SURE)
    return np.asarray(np.log(inside) - np.log1p(-inside))
