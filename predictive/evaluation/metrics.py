"""How good probabilities are: discrimination, calibration and lift, with weights and with ties treated exactly.

Every metric is a function of one :class:`~predictive.evaluation.tally.Tally`: the weight of closes and of other
examples at each distinct probability.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from predictive.evaluation.calibration import (
    calibration_error,
    calibration_error_debiased,
    calibration_in_large,
    calibration_intercept,
    calibration_slope,
)
from predictive.evaluation.corp import discrimination, miscalibration, uncertainty
from predictive.evaluation.tally import CLIP, Tally, Vector, as_weights, mean, rank

Better = Literal["lower", "higher", "one", "zero"]


def log_loss(tally: Tally) -> float:
    """Mean negative log-likelihood in nats, probabilities clipped to [1e-15, 1 - 1e-15]; 0 is best (Good 1952)."""
    p = np.clip(tally.probabilities, CLIP, 1 - CLIP)
    return mean(-tally.closes * np.log(p) - tally.others * np.log1p(-p), tally)


def brier(tally: Tally) -> float:
    """Mean squared difference of probability and label, 0 to 1, 0 is best (Brier 1950)."""
    p = tally.probabilities
    return mean(tally.closes * (1 - p) ** 2 + tally.others * p**2, tally)


def roc_auc(tally: Tally) -> float:
    """The chance that a close is ranked above another example, ties counting half; NaN with one class.

    0.5 is chance, 1 is best (Hanley & McNeil 1982, doi:10.1148/radiology.143.1.7063747).
    """
    closes, others = float(tally.closes.sum()), float(tally.others.sum())
    if not (closes > 0 and others > 0):
        return np.nan
    above = np.cumsum(tally.closes) - tally.closes / 2
    return float((tally.others / others * (above / closes)).sum())


def average_precision(tally: Tally) -> float:
    """Precision at each distinct probability, averaged over the closes found there; NaN without closes.

    The base rate is chance, 1 is best. A step function, not the trapezoid, which flatters (Davis & Goadrich 2006,
    doi:10.1145/1143844.1143874).
    """
    closes = float(tally.closes.sum())
    if not closes > 0:
        return np.nan
    found, listed = np.cumsum(tally.closes), np.cumsum(tally.total)
    precision = np.divide(found, listed, out=np.zeros_like(found), where=listed > 0)
    return float((tally.closes / closes * precision).sum())


def lift(share: float) -> Callable[[Tally], float]:
    """Closes in the top `share` of the list per close in as many taken blindly; 1 is chance, 1 / share the most.

    Tied examples, and the one that the cut goes through, count in proportion. NaN without closes.
    """
    return lambda tally: float(tally.worked(np.array([share]))[0]) / share


def gain(share: float) -> Callable[[Tally], float]:
    """The share of all closes that working the top `share` of the list finds, 0 to 1; NaN without closes."""
    return lambda tally: float(tally.worked(np.array([share]))[0])


@dataclass(frozen=True)
class Metric:
    """A metric: what people call it, which values are `better`, and how a :class:`Tally` gives it.

    Calling one takes labels (n,), probabilities (n,) and weights (n,) or None, and returns a float, NaN where the
    metric is undefined (see :func:`rank` for what is an error).

    >>> METRICS["roc_auc"]([0, 1, 0, 1], [0.1, 0.4, 0.4, 0.8])
    0.875
    """

    label: str
    better: Better
    measure: Callable[[Tally], float]

    def __call__(self, labels: ArrayLike, probabilities: ArrayLike, weights: ArrayLike | None = None) -> float:
        """Measure one sample."""
        ranking = rank(labels, probabilities)
        return self.measure(ranking.tally(as_weights(weights, len(ranking.order))))

    def merit(self, values: Vector) -> Vector:
        """Values turned so that higher is better: as they are, negated, or minus their distance from 1 or 0."""
        if self.better in ("one", "zero"):
            return -np.abs(values - (self.better == "one"))
        return values if self.better == "higher" else -values


METRICS: dict[str, Metric] = {
    "log_loss": Metric("log loss", "lower", log_loss),
    "brier": Metric("Brier score", "lower", brier),
    "roc_auc": Metric("ROC AUC", "higher", roc_auc),
    "average_precision": Metric("average precision", "higher", average_precision),
    "lift_at_5": Metric("lift in the top 5 %", "higher", lift(0.05)),
    "lift_at_10": Metric("lift in the top 10 %", "higher", lift(0.10)),
    "lift_at_20": Metric("lift in the top 20 %", "higher", lift(0.20)),
    "gain_at_5": Metric("closes found in the top 5 %", "higher", gain(0.05)),
    "gain_at_10": Metric("closes found in the top 10 %", "higher", gain(0.10)),
    "gain_at_20": Metric("closes found in the top 20 %", "higher", gain(0.20)),
    "miscalibration": Metric("miscalibration part of the Brier score", "lower", miscalibration),
    "discrimination": Metric("discrimination part of the Brier score", "higher", discrimination),
    "uncertainty": Metric("uncertainty part of the Brier score", "lower", uncertainty),
    "calibration_in_large": Metric("predicted over actual closes", "one", calibration_in_large),
    "calibration_intercept": Metric("calibration intercept", "zero", calibration_intercept),
    "calibration_slope": Metric("calibration slope", "one", calibration_slope),
    "calibration_error": Metric("calibration error", "lower", calibration_error),
    "calibration_error_debiased": Metric("calibration error without noise", "lower", calibration_error_debiased),
}
"""Every metric, by the name that it has in results."""


def gain_curve(labels: ArrayLike, probabilities: ArrayLike) -> tuple[tuple[float, float], ...]:
    """Points (share of the list worked from the top, share of closes found), 101 of them from (0, 0) to (1, 1).

    Tied examples count in proportion. Empty where there are no closes.

    >>> gain_curve([1, 0], [0.9, 0.1])[50]
    (0.5, 1.0)
    """
    ranking = rank(labels, probabilities)
    shares = np.arange(101) / 100
    found = ranking.tally(np.ones(len(ranking.order))).worked(shares)
    return () if np.isnan(found).any() else tuple(zip(shares.tolist(), found.tolist(), strict=True))
