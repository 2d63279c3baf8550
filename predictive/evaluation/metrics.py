"""How good probabilities are: discrimination, calibration and lift, with weights and with ties treated exactly.

Every metric is a function of one :class:`Tally`: the weight of closes and of other examples at each distinct
probability. :func:`rank` sorts a sample once; :meth:`Ranking.tally` then costs one pass per set of weights, which is
what makes a bootstrap (weights are multiplicities) cheap. Examples that share a probability have no order among
themselves, so whatever cuts a ranked list cuts them in proportion: that is the expected value over all ways of breaking
the tie, and it never depends on the order of rows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

Vector = NDArray[np.float64]
Better = Literal["lower", "higher", "one"]

CLIP = 1e-15
"""Probabilities are kept this far from 0 and 1 before a logarithm is taken, so that one sure miss costs 34.5 nats."""
BINS = 10
NEWTON_STEPS = 100
HALVINGS = 60


@dataclass(frozen=True, eq=False)
class Tally:
    """A weighted sample, counted at each of its k distinct probabilities, the highest first.

    `probabilities`, `closes` (weight of the examples labelled 1) and `others` (weight of the rest) are float64 (k,).
    Weights may be 0.
    """

    probabilities: Vector
    closes: Vector
    others: Vector

    @property
    def total(self) -> Vector:
        """The weight of all examples at each distinct probability, float64 (k,)."""
        return self.closes + self.others

    def worked(self, shares: Vector) -> Vector:
        """The share of closes among the top `shares` (each 0 to 1) of the list; NaN where there are no closes."""
        closes = _running(self.closes)
        if not closes[-1] > 0:
            return np.full(shares.shape, np.nan)
        total = _running(self.total)
        return np.asarray(np.interp(shares * total[-1], total, closes) / closes[-1], dtype=np.float64)


@dataclass(frozen=True, eq=False)
class Ranking:
    """A sample of n examples sorted once, by probability from the highest: see :func:`rank`.

    `order` (n,) are row numbers, `labels` (n,) is in that order, `starts` (k,) is where each of the k distinct
    `probabilities` begins.
    """

    order: NDArray[np.intp]
    starts: NDArray[np.intp]
    probabilities: Vector
    labels: Vector

    def tally(self, weights: Vector) -> Tally:
        """Count the sample under `weights`, float64 (n,), ≥ 0, in the original order of rows."""
        if len(self.order) == 0:
            return Tally(self.probabilities, np.zeros(0), np.zeros(0))
        ranked = weights[self.order]
        closes = np.add.reduceat(ranked * self.labels, self.starts)
        others = np.add.reduceat(ranked * (1.0 - self.labels), self.starts)
        return Tally(self.probabilities, closes, others)


def rank(labels: ArrayLike, probabilities: ArrayLike) -> Ranking:
    """Sort a sample by probability, once, to measure it under many weights.

    Args:
        labels: (n,), 0 or 1.
        probabilities: (n,), each from 0 to 1.

    Raises:
        ValueError: The shapes differ, a label is not 0 or 1, or a probability is missing or outside 0 to 1.

    >>> rank([0, 1, 1], [0.2, 0.7, 0.2]).tally(np.ones(3))
    Tally(probabilities=array([0.7, 0.2]), closes=array([1., 1.]), others=array([0., 1.]))
    """
    y, p = np.asarray(labels, dtype=np.float64), np.asarray(probabilities, dtype=np.float64)
    if y.ndim != 1 or y.shape != p.shape:
        raise ValueError(f"labels {y.shape} and probabilities {p.shape} must be one-dimensional and equally long")
    _first_wrong("labels", y, ok=(y == 0) | (y == 1), allowed="0 or 1")
    _first_wrong("probabilities", p, ok=(p >= 0) & (p <= 1), allowed="numbers from 0 to 1")
    order = np.argsort(-p, kind="stable")
    ranked = p[order]
    starts = np.flatnonzero(np.diff(ranked, prepend=np.inf))
    return Ranking(order, starts, ranked[starts], y[order])


def as_weights(weights: ArrayLike | None, n: int) -> Vector:
    """Weights as float64 (n,): 1 for each example where None is given.

    Raises:
        ValueError: Not (n,), or a weight is negative, missing or infinite.
    """
    if weights is None:
        return np.ones(n)
    w = np.asarray(weights, dtype=np.float64)
    if w.shape != (n,):
        raise ValueError(f"weights have the shape {w.shape}, but there are {n} examples")
    _first_wrong("weights", w, ok=np.isfinite(w) & (w >= 0), allowed="finite numbers of 0 or more")
    return w


def log_loss(tally: Tally) -> float:
    """Mean negative log-likelihood in nats, probabilities clipped to [1e-15, 1 - 1e-15]; 0 is best (Good 1952)."""
    p = np.clip(tally.probabilities, CLIP, 1 - CLIP)
    return _mean(-tally.closes * np.log(p) - tally.others * np.log1p(-p), tally)


def brier(tally: Tally) -> float:
    """Mean squared difference of probability and label, 0 to 1, 0 is best (Brier 1950)."""
    p = tally.probabilities
    return _mean(tally.closes * (1 - p) ** 2 + tally.others * p**2, tally)


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


def lift_at_10(tally: Tally) -> float:
    """Closes in the top tenth of the list per close in a tenth taken blindly; 1 is chance, 10 the most there can be.

    Tied examples, and the one that the cut goes through, count in proportion. NaN without closes.
    """
    return float(tally.worked(np.array([0.1]))[0]) / 0.1


def gain_at_20(tally: Tally) -> float:
    """The share of all closes that working the top fifth of the list finds, 0 to 1; NaN without closes."""
    return float(tally.worked(np.array([0.2]))[0])


def calibration_in_large(tally: Tally) -> float:
    """Mean probability divided by the actual rate: 1 is best, 2 promises twice what comes; NaN without closes."""
    closes = float(tally.closes.sum())
    return float((tally.total * tally.probabilities).sum()) / closes if closes > 0 else np.nan


def calibration_slope(tally: Tally) -> float:
    """The slope b of the maximum-likelihood fit logit P(close) = a + b · logit(probability); 1 is best.

    Below 1 the probabilities are too extreme, above 1 too timid, at 0 they say nothing (Cox 1958,
    doi:10.1093/biomet/45.3-4.562). Clipped like :func:`log_loss`. NaN where no finite maximum exists: one class, or
    probabilities that separate the classes (Albert & Anderson 1984, doi:10.1093/biomet/71.1.1).
    """
    p = np.clip(tally.probabilities, CLIP, 1 - CLIP)
    logits = np.log(p) - np.log1p(-p)
    of_closes, of_others = logits[tally.closes > 0], logits[tally.others > 0]
    if len(of_closes) == 0 or len(of_others) == 0:
        return np.nan
    # Sorted from the highest, so the ends are the extremes; overlap must be more than one shared value.
    if of_closes[-1] >= of_others[0] or of_others[-1] >= of_closes[0]:
        return np.nan
    return _logistic_slope(logits, tally.closes, tally.others)


def calibration_error(tally: Tally) -> float:
    """Expected calibration error: mean |mean probability - actual rate| over ten bins of equal weight; 0 is best.

    Each bin holds a tenth of the ranked list; tied examples are shared between bins in proportion (equal counts: Nguyen
    & O'Connor 2015, doi:10.18653/v1/D15-1182). It is never negative, so noise alone makes it positive, and more so in
    smaller samples.
    """
    return float(np.abs(bin_excess(tally)).sum())


def bin_excess(tally: Tally) -> Vector:
    """Predicted minus actual closes in each bin of :func:`calibration_error`, per example of the sample: (10,)."""
    total = _running(tally.total)
    if not total[-1] > 0:
        return np.full(BINS, np.nan)
    excess = _running(tally.total * tally.probabilities - tally.closes)
    at_cuts = np.interp(np.linspace(0, total[-1], BINS + 1), total, excess)
    return np.asarray(np.diff(at_cuts) / total[-1], dtype=np.float64)


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
        """Values turned so that higher is better: as they are, negated, or minus their distance from 1."""
        if self.better == "one":
            return -np.abs(values - 1)
        return values if self.better == "higher" else -values


METRICS: dict[str, Metric] = {
    "log_loss": Metric("log loss", "lower", log_loss),
    "brier": Metric("Brier score", "lower", brier),
    "roc_auc": Metric("ROC AUC", "higher", roc_auc),
    "average_precision": Metric("average precision", "higher", average_precision),
    "lift_at_10": Metric("lift in the top 10 %", "higher", lift_at_10),
    "gain_at_20": Metric("closes found in the top 20 %", "higher", gain_at_20),
    "calibration_in_large": Metric("predicted over actual closes", "one", calibration_in_large),
    "calibration_slope": Metric("calibration slope", "one", calibration_slope),
    "calibration_error": Metric("calibration error", "lower", calibration_error),
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


def _first_wrong(name: str, values: Vector, *, ok: NDArray[np.bool_], allowed: str) -> None:
    if not ok.all():
        row = int(np.argmin(ok))
        raise ValueError(f"{name}: row {row} is {values[row]}; allowed are {allowed}")


def _mean(losses: Vector, tally: Tally) -> float:
    total = float(tally.total.sum())
    return float(losses.sum()) / total if total > 0 else np.nan


def _running(values: Vector) -> Vector:
    return np.concatenate((np.zeros(1), np.cumsum(values)))


def _logistic_slope(x: Vector, closes: Vector, others: Vector) -> float:
    """The slope on `x` of a logistic regression of `closes` against `others`, by Newton's method with halved steps.

    The caller has made sure that a finite maximum exists; NaN if rounding keeps it from being reached all the same.
    """
    total = closes + others
    mean = (total * x).sum() / total.sum()
    scale = float(np.sqrt((total * (x - mean) ** 2).sum() / total.sum()))
    z = (x - mean) / scale
    at = np.array([np.log(closes.sum() / others.sum()), 0.0])
    height = _log_likelihood(at, z, closes, others)
    for _ in range(NEWTON_STEPS):
        step, promise = _newton_step(at, z, closes, others)
        if not np.isfinite(step).all():
            return np.nan
        if np.abs(step).max() < 1e-9 * max(1.0, abs(at[1])):
            return float(at[1] + step[1]) / scale
        for fraction in 0.5 ** np.arange(HALVINGS):
            new = _log_likelihood(at + fraction * step, z, closes, others)
            # Concave, so some fraction keeps a part of what the gradient promises (Armijo's rule). Near the top there
            # is only rounding left to gain, and a full step is right.
            if new >= height + 0.1 * fraction * promise - 1e-10 * abs(height):
                break
        at, height = at + fraction * step, new
    return np.nan


def _log_likelihood(at: Vector, z: Vector, closes: Vector, others: Vector) -> float:
    logit = at[0] + at[1] * z
    tail = np.log1p(np.exp(-np.abs(logit)))
    return -float((closes * (np.maximum(-logit, 0) + tail) + others * (np.maximum(logit, 0) + tail)).sum())


def _newton_step(at: Vector, z: Vector, closes: Vector, others: Vector) -> tuple[Vector, float]:
    """The step to the maximum of the local quadratic, and gradient × step; not finite where no curvature is left."""
    logit = at[0] + at[1] * z
    small = np.exp(-np.abs(logit))
    large, small = 1 / (1 + small), small / (1 + small)
    # Both sides from the small tail, since 1 - p has no digits left where p is near 1.
    p, q = np.where(logit > 0, large, small), np.where(logit > 0, small, large)
    residual, curvature = closes * q - others * p, (closes + others) * p * q
    bend = float(curvature.sum())
    # Around the mean under the curvature the two directions do not mix, which keeps digits that a determinant loses.
    middle = float((curvature * z).sum()) / bend if bend > 0 else np.nan
    spread = float((curvature * (z - middle) ** 2).sum())
    if not spread > 0:
        return np.full(2, np.nan), np.nan
    level, tilt = float(residual.sum()), float((residual * (z - middle)).sum())
    slope = tilt / spread
    return np.array([level / bend - middle * slope, slope]), level**2 / bend + tilt * slope
