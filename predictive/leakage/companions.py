"""Evidence against a column by that against another: known only where a column is that only closes have.

What is entered together, or joined from one table, leaks together, however few contacts have it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from predictive.leakage.contrast import FEWEST, LUCK
from predictive.leakage.numbers import chance, wilson
from predictive.leakage.suspects import Reason
from predictive.leakage.view import View, share

ALWAYS, ALWAYS_LOW = 0.95, 0.7
RARE = 0.5
"""A column that most contacts have says nothing about those which go with it."""


def find(view: View, sure: Collection[str]) -> Iterator[Reason]:
    """Columns known (almost) only where one of the columns with a key in `sure` is."""
    leaks = [c for c in view.columns if c.key in sure and 0 < share(c.filled.sum(), len(c.filled)) < RARE]
    tests = max(1, len(view.columns) * len(leaks))
    for column in view.columns:
        filled = column.filled
        count = int(filled.sum())
        if column.key in sure or column.tracked or count < FEWEST:
            continue
        for leak in leaks:
            both = int((filled & leak.filled).sum())
            inside = wilson(both, count)
            luck = chance(both, count, share(leak.filled.sum(), len(filled)))
            if inside.value >= ALWAYS and inside.low >= ALWAYS_LOW and luck <= LUCK / tests:
                saw = f"known for {count:,} contacts, {both:,} of them among those with {leak.name}, which is a leak"
                yield Reason(column.table, column.name, "filled together with a leak", saw, "high")
                break
