"""Evidence: a value is known for old contacts and not for recent ones, because fewer of the recent have closed yet."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from predictive.leakage.contrast import FEWEST, contrast
from predictive.leakage.numbers import Bools, Floats, ratio, strictness
from predictive.leakage.suspects import Reason
from predictive.leakage.view import View

TIMES = 3.0
"""Known so many times as often for those who closed: a warning."""
EXPLAINED = 0.5
"""The outcome explains at least this part of the difference between old and recent."""


def find(view: View) -> Iterator[Reason]:
    """Attributes whose fill rate falls from old to recent contacts along with the closes."""
    if not view.enough:
        return
    tests = len(view.columns)
    old = np.arange(len(view.won)) < len(view.won) // 2
    for column in view.columns:
        filled = column.filled
        if column.tracked or filled.all() or (filled & view.won).sum() < FEWEST:
            continue
        tied = contrast(view, filled, tests=tests)
        before, after = int((filled & old).sum()), int((filled & ~old).sum())
        falls = ratio(before, int(old.sum()), after, int((~old).sum()), z=strictness(tests))
        if tied.times.low <= TIMES or falls.low <= 1 or _left(filled, old, view.won, view.weight) > 1 - EXPLAINED:
            continue
        saw = (
            f"known for {before / old.sum():.1%} of the older half of contacts and {after / (~old).sum():.1%} of the "
            f"recent, as fewer of those have closed"
        )
        yield Reason(column.table, column.name, "fill rate falls with closes", saw, "medium")


def _left(filled: Bools, old: Bools, won: Bools, weight: Floats) -> float:
    """What part of the difference in fill rate between old and recent remains among contacts of the same outcome."""

    def rate(rows: Bools) -> float:
        return float(np.average(filled[rows], weights=weight[rows])) if rows.any() else 0.0

    total = rate(old) - rate(~old)
    closed = float(weight[won].sum() / weight.sum())
    same = sum(w * (rate(old & side) - rate(~old & side)) for side, w in ((won, closed), (~won, 1 - closed)))
    return same / total if total > 0 else 1.0
