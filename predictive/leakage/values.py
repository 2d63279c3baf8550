"""Evidence: a value that (nearly) nobody has but those who closed, such as the status customer."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from predictive.leakage.contrast import FEWEST, LIKELY, Contrast, contrast, only_closed
from predictive.leakage.numbers import Ints
from predictive.leakage.suspects import Confidence, Reason
from predictive.leakage.view import Column, View
from predictive.sources.origin import shown

MOST_LEVELS = 30
"""Values looked at per column: those that most contacts that closed have."""
NEARLY_ALL, TIMES = 0.8, 8.0
MOST = 0.5


def find(view: View) -> Iterator[Reason]:
    """The value of each column that goes with a close the most, where it does so suspiciously."""
    if not view.enough:
        return
    # Where nobody else has any value, each value says the same again.
    columns = [c for c in view.columns if contrast(view, c.filled, tests=1).precision.value < LIKELY]
    levels = [(column, *_levels(column)) for column in columns]
    tests = sum(min(len(names), MOST_LEVELS) for _, _, names in levels)
    for column, codes, names in levels:
        best = _best(view, column, codes, len(names), tests)
        if best is not None:
            confidence, found, code = best
            value = f"the value {names[code]} stands with" if code > 0 else "not known for"
            yield Reason(column.table, column.name, "a value of closes only", f"{value} {found.in_words}", confidence)


def _best(view: View, column: Column, codes: Ints, levels: int, tests: int) -> tuple[Confidence, Contrast, int] | None:
    """The surest of the first `levels` codes, of equally sure ones that of most contacts that closed."""
    common = np.bincount(codes[view.won], minlength=levels)[:levels]
    best: tuple[Confidence, Contrast, int] | None = None
    for code in np.argsort(-common, kind="stable")[:MOST_LEVELS]:
        if common[code] < FEWEST or (best is not None and best[0] == "high"):
            break
        found = contrast(view, codes == code, tests=tests)
        sure = only_closed(found, tests=tests) or (None if column.tracked else _mostly(found))
        if sure is not None and (best is None or sure == "high"):
            best = (sure, found, int(code))
    return best


def _mostly(found: Contrast) -> Confidence | None:
    """Most of those who closed have it, and hardly anybody else. A good source of leads may come near half: medium."""
    if found.times.low < TIMES or found.closed < MOST * found.of_closed:
        return None
    return "high" if found.closed >= NEARLY_ALL * found.of_closed else "medium"


def _levels(column: Column) -> tuple[Ints, list[str]]:
    """The code of each row's value (0: not known), and the values as text; of many numbers only whether it is known."""
    codes, values = column.values.factorize(sort=True)
    if column.kind in ("number", "time") and len(values) > MOST_LEVELS:
        return (codes >= 0).astype(np.int64), [""]
    return codes.astype(np.int64) + 1, ["", *(shown(value) for value in values)]
