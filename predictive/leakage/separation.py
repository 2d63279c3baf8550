"""Evidence: one attribute separates those who closed from others far better than the weaker ones do together."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from predictive.leakage.numbers import Floats, Interval, Ints, distance, separation, strictness, target_scores, together
from predictive.leakage.suspects import Confidence, Reason
from predictive.leakage.view import Column, View

PARTS = 16
"""Numbers are cut into so many parts of equal size, so that any shape of dependence counts, and missing is a value."""
ALONE = 0.9
"""No honest attribute of a contact reaches this ROC-AUC; most stay below 0.65."""
HIGH, HIGH_TIMES = 0.78, 2.0
MEDIUM, MEDIUM_TIMES = 0.72, 1.5
"""The lower bound of the ROC-AUC, and how many times as far apart the attribute puts the two groups (d′) as the weaker
ones do together. Measured: the length of a call 0.81 and 3 to 6 times; the best honest attribute of four sets 0.61."""
TRACKED, TRACKED_ALONE = 0.85, 0.97
"""With a history, a value is as old as it says. A lifecycle stage of then may honestly say a lot, so more is asked."""


@dataclass(frozen=True)
class Told:
    """What one column says about closes: its score per row, and its separation within cohorts."""

    column: Column
    score: Floats
    auc: Interval


def find(view: View, sure: Collection[str]) -> Iterator[Reason]:
    """Attributes that separate too well by themselves; those with a key in `sure` are leaks, and no yardstick."""
    if not view.enough or not view.columns:
        return
    z = strictness(len(view.columns))
    honest: list[Told] = []
    # The weakest first: of two leaks that are much alike, the second is not measured by the first.
    for told in sorted((_tell(view, column, z) for column in view.columns), key=lambda t: (t.auc.low, t.column.key)):
        weaker = _comparable(told.column, honest)
        confidence = None
        if told.auc.low >= MEDIUM:
            rest = _reach(view, weaker)
            confidence = judged(told.auc, rest, tracked=told.column.tracked)
            if confidence is not None:
                saw = _in_words(told.auc, rest, len(weaker))
                yield Reason(told.column.table, told.column.name, "separates too well", saw, confidence)
        if confidence is None and told.column.key not in sure:
            honest.append(told)


def _comparable(column: Column, honest: list[Told]) -> list[Told]:
    """An attribute without a history is compared with its like: what changed along with the contact says more."""
    return [t for t in honest if column.tracked or not t.column.tracked]


def _in_words(auc: Interval, rest: float, weaker: int) -> str:
    beside = f", where the {weaker} weaker attributes reach {rest:.2f} together" if weaker and auc.low < ALONE else ""
    return (
        f"by itself it separates closes from others of the same time with a ROC-AUC of {auc.value:.2f} (at least "
        f"{auc.low:.2f}){beside}"
    )


def judged(auc: Interval, rest: float, *, tracked: bool) -> Confidence | None:
    """How suspicious a separation is beside what weaker columns reach together (`rest`, a ROC-AUC)."""
    times = distance(auc.value) / max(distance(rest), 0.05)
    if tracked:
        if auc.low >= TRACKED_ALONE:
            return "high"
        return "medium" if auc.low >= TRACKED and times >= MEDIUM_TIMES else None
    if auc.low >= ALONE or (auc.low >= HIGH and times >= HIGH_TIMES):
        return "high"
    return "medium" if times >= MEDIUM_TIMES else None


def _tell(view: View, column: Column, z: float) -> Told:
    score = target_scores(_codes(column), view.residual, view.fold)
    return Told(column, score, separation(score, view.won, view.cohort, z=z))


def _reach(view: View, weaker: list[Told]) -> float:
    """The ROC-AUC of the weaker columns together."""
    if not weaker:
        return 0.5
    said = together(np.column_stack([t.score for t in weaker]), view.residual, view.fold)
    return max(0.5, *(t.auc.value for t in weaker), separation(said, view.won, view.cohort, z=1.0).value)


def _codes(column: Column) -> Ints:
    """Levels numbered from 1, and 0 where the value is not known."""
    values = column.values
    if column.kind in ("number", "time"):
        numbers = pd.to_numeric(values).astype(float)
        if numbers.nunique() > PARTS:
            parts = pd.qcut(numbers.rank(method="average"), PARTS, labels=False, duplicates="drop")
            return parts.fillna(-1).to_numpy().astype(np.int64) + 1
        values = numbers
    return values.factorize()[0].astype(np.int64) + 1
