"""The statistics of the audit: shares, ratios and rank separation, with bounds that allow for many columns."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd

Floats: TypeAlias = npt.NDArray[np.float64]
Ints: TypeAlias = npt.NDArray[np.int64]
Bools: TypeAlias = npt.NDArray[np.bool_]
FOLDS = 5
PRIOR = 10.0
"""Contacts that a level's share of closes is shrunk by, so that rare levels say little."""


@dataclass(frozen=True)
class Interval:
    """A value with its lower and upper bound."""

    value: float
    low: float
    high: float


def wilson(hits: float, of: float, *, z: float = 1.96) -> Interval:
    """A share in [0, 1] with its score interval (Wilson 1927, doi:10.1080/01621459.1927.10502953).

    >>> found = wilson(20, 20)
    >>> round(found.value, 2), round(found.low, 2), round(found.high, 2)
    (1.0, 0.84, 1.0)
    """
    if of <= 0:
        return Interval(0.0, 0.0, 1.0)
    share = hits / of
    centre = share + z * z / (2 * of)
    spread = z * math.sqrt(share * (1 - share) / of + z * z / (4 * of * of))
    total = 1 + z * z / of
    return Interval(share, max(0.0, (centre - spread) / total), min(1.0, (centre + spread) / total))


def ratio(a: float, n: float, c: float, m: float, *, z: float) -> Interval:
    """How many times as often something holds for the first group (`a` of `n`) as for the second (`c` of `m`).

    Bounds on the log scale, with half a case added (Katz and others 1978, doi:10.2307/2530610).

    >>> round(ratio(40, 50, 10, 1000, z=1.96).low)
    41
    """
    a, c, n, m = a + 0.5, c + 0.5, n + 1, m + 1
    value = (a / n) / (c / m)
    error = math.sqrt((1 - a / n) / a + (1 - c / m) / c)
    return Interval(value, value * math.exp(-z * error), value * math.exp(z * error))


def odds_ratio(share: float, rate: float) -> float:
    """How many times the odds of `rate` those of `share` are; infinite where the share is 1 or the rate 0.

    >>> round(odds_ratio(0.9, 0.1)), odds_ratio(1.0, 0.1)
    (81, inf)
    """
    below = (1 - share) * rate
    return share * (1 - rate) / below if below > 0 else math.inf


def chance(hits: float, of: float, rate: float) -> float:
    """At most this probable: `hits` or more of `of` by luck, where each has the probability `rate`.

    The bound of Chernoff (1952, doi:10.1214/aoms/1177729330); 1 where there are no more than expected.

    >>> chance(10, 10, 0.1) < 1.01e-10, chance(1, 10, 0.1)
    (True, 1.0)
    """
    if of <= 0 or rate <= 0 or hits / of <= rate:
        return 1.0
    share = min(hits / of, 1.0)
    divergence = share * math.log(share / rate)
    if share < 1:
        divergence += (1 - share) * math.log((1 - share) / (1 - rate))
    return math.exp(-of * divergence)


def strictness(tests: int, *, error: float = 0.01) -> float:
    """How many standard errors a bound must keep away, so that all `tests` together err with this probability.

    >>> round(strictness(1), 2), round(strictness(100), 2)
    (2.33, 3.72)
    """
    return NormalDist().inv_cdf(1 - error / max(tests, 1))


def distance(auc: float) -> float:
    """The distance between the means of two normal distributions of variance 1 with this ROC-AUC (d′).

    >>> round(distance(0.5), 2), round(distance(0.76), 2)
    (0.0, 1.0)
    """
    return math.sqrt(2) * NormalDist().inv_cdf(min(max(auc, 1e-6), 1 - 1e-6))


def separation(score: Floats, won: Bools, cohort: Ints, *, z: float) -> Interval:
    """ROC-AUC of `score` within cohorts: each contact that closed against the others of its own time, ties half.

    What only tells one time from another, such as the state of the market, separates nobody within a cohort. All arrays
    have one entry per contact. The bounds are `z` standard errors away, by placements (DeLong and others 1988,
    doi:10.2307/2531595), and no less than the error without any separation: three contacts may be in order by luck.
    """
    frame = pd.DataFrame({"score": score, "won": won, "cohort": cohort})
    by = frame.groupby("cohort")["won"]
    winners, size = by.transform("sum").to_numpy(dtype=float), by.transform("size").to_numpy(dtype=float)
    usable = (winners > 0) & (winners < size)
    if not usable.any():
        return Interval(0.5, 0.0, 1.0)
    frame, winners, others = frame[usable], winners[usable], (size - winners)[usable]
    is_won = frame["won"].to_numpy(dtype=bool)
    within = frame.groupby("cohort")["score"].rank().to_numpy()
    among = frame.groupby(["cohort", "won"])["score"].rank().to_numpy()
    below = (within - among) / np.where(is_won, others, winners)
    place = np.where(is_won, below, 1 - below)
    centre = pd.Series(np.where(is_won, place, 0.0)).groupby(frame["cohort"].to_numpy()).transform("sum").to_numpy()
    n1, n0 = float(is_won.sum()), float((~is_won).sum())
    # A cohort weighs as much as it has contacts that closed.
    weight = np.where(is_won, 1.0, winners / others) / n1
    value = float((weight * place)[is_won].sum())
    placed = math.sqrt(float(np.square(weight * (place - centre / winners)).sum()))
    error = max(placed, math.sqrt((n1 + n0 + 1) / (12 * n1 * n0)))
    return Interval(value, max(0.0, value - z * error), min(1.0, value + z * error))


def folds_of(rows: int) -> Ints:
    """A fold from 0 to 4 for each of `rows`, equally many in each."""
    found: Ints = np.random.default_rng(0).permutation(rows) % FOLDS
    return found


def target_scores(codes: Ints, residual: Floats, fold: Ints) -> Floats:
    """Each row's level as the mean `residual` of that level in the other folds, shrunk towards 0.

    `codes` numbers the levels from 0. A level that the other folds lack scores 0.
    """
    size = int(codes.max()) + 1 if len(codes) else 0
    total, count = np.bincount(codes, residual, size), np.bincount(codes, minlength=size)
    scores = np.empty(len(codes))
    for k in range(FOLDS):
        mine = fold == k
        sums = total - np.bincount(codes[mine], residual[mine], size)
        counts = count - np.bincount(codes[mine], minlength=size)
        scores[mine] = (sums / (counts + PRIOR))[codes[mine]]
    return scores


def together(scores: Floats, residual: Floats, fold: Ints) -> Floats:
    """What the columns of `scores` (rows × columns) say together: their sum, weighted by what they say in other folds.

    As a discriminant of independent columns. No weight is negative: scores of columns that know nothing lean against
    the outcome, since each row's own fold is missing from its level's mean, and a free fit would use that.
    """
    spread = scores.std(axis=0)
    Z = scores / np.where(spread > 0, spread, 1.0)
    out = np.empty(len(residual))
    for k in range(FOLDS):
        mine = fold == k
        out[mine] = Z[mine] @ np.maximum(residual[~mine] @ Z[~mine], 0.0)
    return out
