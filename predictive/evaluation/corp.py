"""CORP: what the probabilities would be if they were put right in order, by isotonic regression.

Dimitriadis, Gneiting & Jordan 2021, "Stable reliability diagrams for probabilistic classifiers", PNAS 118 (8),
doi:10.1073/pnas.2016191118. The recalibrated probabilities are the best that never fall where the probabilities rise
(pool adjacent violators); no bins are chosen by anyone. The Brier score of a sample is then exactly

    miscalibration - discrimination + uncertainty.

All three are at least 0. The first two are fitted to the sample itself, so noise adds to both, the more the smaller the
sample; :mod:`predictive.evaluation.intervals` allows for it.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import isotonic_regression

from predictive.evaluation.clusters import encode, likeness, simulated
from predictive.evaluation.tally import Tally, Vector, mean, rank

SIMULATIONS = 200
POINTS = 60
"""The most points of a curve; a drawing shows no more."""


def recalibrated(tally: Tally) -> Vector:
    """The share of closes at each distinct probability, made to fall as the probabilities do: (k,); NaN without weight.

    Where a probability has no weight, its neighbours speak for it.
    """
    seen = tally.total > 0
    if not seen.any():
        return np.full(tally.total.shape, np.nan)
    rates = tally.closes[seen] / tally.total[seen]
    fitted = isotonic_regression(rates, weights=tally.total[seen], increasing=False).x
    return np.asarray(fitted[np.maximum(np.cumsum(seen) - 1, 0)], dtype=np.float64)


def miscalibration(tally: Tally) -> float:
    """How much of the Brier score putting the probabilities right would save, 0 to 1; 0 is best."""
    right = recalibrated(tally)
    return max(_brier(tally, tally.probabilities) - _brier(tally, right), 0.0) if len(right) else np.nan


def discrimination(tally: Tally) -> float:
    """How much lower the Brier score of the recalibrated probabilities is than the base rate's, 0 to 1; 0 is chance."""
    right = recalibrated(tally)
    return max(uncertainty(tally) - _brier(tally, right), 0.0) if len(right) else np.nan


def uncertainty(tally: Tally) -> float:
    """The Brier score of the base rate r alone: r (1 - r), 0 to 0.25. It belongs to the sample, not to a model."""
    rate = mean(tally.closes, tally)
    return rate * (1 - rate)


@dataclass(frozen=True)
class Point:
    """One point of a reliability curve: a probability, what CORP makes of it, and where luck alone would leave it.

    `low` to `high` is the 95 % consistency band: recalibrated probabilities of calibrated forecasts lie in it 95 times
    in 100. A point outside is miscalibrated beyond luck.
    """

    predicted: float
    actual: float
    low: float
    high: float

    def as_dict(self) -> dict[str, Any]:
        """The fields, for JSON."""
        return asdict(self)


def corp_curve(
    labels: ArrayLike, probabilities: ArrayLike, *, groups: ArrayLike, seed: int, simulations: int = SIMULATIONS
) -> tuple[Point, ...]:
    """The reliability curve with its consistency band, at up to 60 of the probabilities, the lowest first.

    The band comes from outcomes that are simulated as if each probability were right. The paper draws examples one by
    one; here those of a cluster (`groups`, (n,) ids) resemble each other as much as they do in the sample
    (:func:`~predictive.evaluation.clusters.likeness`), else the band would be too narrow. Errors as for
    :func:`~predictive.evaluation.intervals.evaluate`. Empty without examples.

    >>> [(point.predicted, point.actual) for point in corp_curve([0, 0, 1], [0.1, 0.3, 0.2], groups=[1, 2, 3], seed=7)]
    [(0.1, 0.0), (0.2, 0.5), (0.3, 0.5)]
    """
    ranking = rank(labels, probabilities)
    n = len(ranking.order)
    if n == 0:
        return ()
    codes, p = encode(groups, n), np.asarray(probabilities, dtype=np.float64)
    places = _spread(ranking.starts, n)[::-1]
    ones = np.ones(n)
    actual = recalibrated(ranking.tally(ones))[places]
    alike = likeness(np.asarray(labels, dtype=np.float64), p, codes)
    draws = [
        # The probabilities stay, and so does their order.
        recalibrated(replace(ranking, labels=y[ranking.order]).tally(ones))[places]
        for y in simulated(p, codes, alike, seed=seed, times=simulations)
    ]
    low, high = np.quantile(draws, (0.025, 0.975), axis=0)
    found = np.stack([ranking.probabilities[places], actual, low, high], axis=1)
    return tuple(Point(*row) for row in found.tolist())


def _spread(starts: NDArray[np.intp], n: int) -> NDArray[np.intp]:
    """Up to POINTS of the distinct probabilities, with the ends, evenly spread over the examples; (m,), ascending."""
    wanted = np.linspace(0, n - 1, POINTS)
    places = np.searchsorted(starts, wanted, side="right") - 1
    return np.unique(np.r_[places, len(starts) - 1])


def _brier(tally: Tally, p: Vector) -> float:
    return mean(tally.closes * (1 - p) ** 2 + tally.others * p**2, tally)
