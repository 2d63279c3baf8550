"""Evidence: a value is known for those who closed and for hardly anybody else."""

from __future__ import annotations

from collections.abc import Iterator

from predictive.leakage.contrast import FEWEST, Contrast, contrast, only_closed
from predictive.leakage.suspects import Confidence, Reason
from predictive.leakage.view import View, share

MOST, TIMES = 0.5, 8.0
"""Known for at least half of those who closed, and this many times as often as for others: high. What salespeople fill
in after a win leaves gaps, and who closes after the day of the audit stands among the others, filled in already."""
SOME, SOME_TIMES = 0.25, 5.0
"""Less than that is something to know: people who bought before and do so again look the same."""


def find(view: View) -> Iterator[Reason]:
    """Attributes whose being known goes with a close."""
    if not view.enough:
        return
    tests = len(view.columns)
    for column in view.columns:
        filled = column.filled
        if filled.all() or not filled.any():
            continue
        found = contrast(view, filled, tests=tests)
        saw = f"known for {found.in_words}"
        only = only_closed(found, tests=tests)
        after = None if column.tracked else _after(found)
        if after == "high" and only != "high":
            yield Reason(column.table, column.name, "filled after the close", saw, "high")
        elif only is not None:
            yield Reason(column.table, column.name, "filled only for closes", saw, only)
        elif after is not None:
            yield Reason(column.table, column.name, "filled after the close", saw, after)


def _after(found: Contrast) -> Confidence | None:
    """How sure it is that most values are filled in after a close, though others have some too."""
    if found.closed < FEWEST:
        return None
    of_closed = share(found.closed, found.of_closed)
    if of_closed >= MOST and found.times.low >= TIMES:
        return "high"
    return "low" if of_closed >= SOME and found.times.low >= SOME_TIMES else None
