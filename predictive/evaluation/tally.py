"""A weighted sample counted at each distinct probability: what every metric is a function of.

:func:`rank` sorts a sample once; :meth:`Ranking.tally` then costs one pass per set of weights, which is what makes a
bootstrap (weights are multiplicities) cheap. Examples that share a probability have no order among themselves, so
whatever cuts a ranked list cuts them in proportion: that is the expected value over all ways of breaking the tie, and
it never depends on the order of rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

Vector = NDArray[np.float64]

CLIP = 1e-15
"""Probabilities are kept this far from 0 and 1 before a logarithm is taken, so that one sure miss costs 34.5 nats."""


@dataclass(frozen=True, eq=False)
class Tally:
    """A weighted sample, counted at each of its k distinct probabilities, the highest first.

    `probabilities`, `closes` (weight of the examples labelled 1) and `others` (weight of the rest) are float64 (k,).
    Weights may be 0.
    """

    probabilities: Vector
    closes: Vector
    others: Vector

    @cached_property
    def total(self) -> Vector:
        """The weight of all examples at each distinct probability, float64 (k,)."""
        return self.closes + self.others

    @cached_property
    def logits(self) -> Vector:
        """The log-odds of the probabilities, kept :data:`CLIP` from 0 and 1, float64 (k,)."""
        p = np.clip(self.probabilities, CLIP, 1 - CLIP)
        return np.asarray(np.log(p) - np.log1p(-p))

    @cached_property
    def _listed(self) -> tuple[Vector, Vector]:
        """Closes and examples down to each distinct probability, from none."""
        return running(self.closes), running(self.total)

    def worked(self, shares: Vector) -> Vector:
        """The share of closes among the top `shares` (each 0 to 1) of the list; NaN where there are no closes."""
        closes, total = self._listed
        if not closes[-1] > 0:
            return np.full(shares.shape, np.nan)
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


def mean(losses: Vector, tally: Tally) -> float:
    """Losses (k,), already weighted, per example; NaN without weight."""
    total = float(tally.total.sum())
    return float(losses.sum()) / total if total > 0 else np.nan


def running(values: Vector) -> Vector:
    """Cumulative sums with a leading 0, (k + 1,)."""
    return np.concatenate((np.zeros(1), np.cumsum(values)))


def _first_wrong(name: str, values: Vector, *, ok: NDArray[np.bool_], allowed: str) -> None:
    if not ok.all():
        row = int(np.argmin(ok))
        raise ValueError(f"{name}: row {row} is {values[row]}; allowed are {allowed}")
