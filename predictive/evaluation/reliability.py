"""The reliability diagram: predicted against actual closes in bins of equally many examples, with intervals."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from predictive.evaluation.clusters import Codes, encode
from predictive.evaluation.intervals import REPLICATES, plain, resampled
from predictive.evaluation.tally import Ranking, Vector, rank

Z95 = 1.959963984540054
"""The 97.5 percentile of the standard normal distribution."""


@dataclass(frozen=True)
class Bin:
    """One bin of a reliability diagram: mean probability, actual rate with its 95 % interval, examples and closes."""

    predicted: float
    actual: float
    low: float
    high: float
    n: int
    closes: int

    @property
    def as_predicted(self) -> bool:
        """Whether the interval of what happened holds what was predicted."""
        return self.low <= self.predicted <= self.high

    def as_dict(self) -> dict[str, Any]:
        """The fields as JSON knows them; NaN becomes None."""
        return {name: plain(value) for name, value in asdict(self).items()}


def reliability(
    labels: ArrayLike, probabilities: ArrayLike, *, groups: ArrayLike, seed: int, bins: int = 10
) -> tuple[Bin, ...]:
    """A reliability diagram: up to `bins` bins of equally many examples, the lowest probabilities first.

    Examples that share a probability stay together, so heavy ties make bins unequal or fewer. A bin's interval is
    :func:`wilson`'s at its effective number of examples, rate × (1 - rate) / variance, with the variance of the rate
    from the cluster bootstrap (Korn & Graubard 1998, Survey Methodology 24, 193-201): unlike percentiles it stays
    honest with few closes or none. `closes` counts clusters with at least one label of 1. `groups`, `seed` and errors
    are those of :func:`evaluate`.

    >>> [b.closes for b in reliability([0, 0, 1, 1], [0.1, 0.1, 0.4, 0.4], groups=[1, 2, 3, 3], seed=7)]
    [0, 1]
    """
    ranking = rank(labels, probabilities)
    y, p, n = np.asarray(labels, dtype=np.float64), np.asarray(probabilities, dtype=np.float64), len(ranking.order)
    codes, place = encode(groups, n), _equal_count_bins(ranking, bins)

    def rates(weights: Vector) -> Vector:
        size = np.bincount(place, weights, minlength=bins)
        hits = np.bincount(place, weights * y, minlength=bins)
        found: Vector = np.divide(hits, size, out=np.full(bins, np.nan), where=size > 0)
        return found

    draws = resampled(rates, codes=codes, seed=seed, replicates=REPLICATES, weights=np.ones(n), n_jobs=-1)
    return tuple(_bin(y[place == b], p[place == b], codes[place == b], draws[:, b]) for b in np.unique(place))


def wilson(rate: float, n: float) -> tuple[float, float]:
    """The 95 % score interval of a rate among n independent examples, n > 0, not necessarily whole (Wilson 1927).

    doi:10.1080/01621459.1927.10502953. Unlike the textbook's ± it is not empty where the rate is 0 or 1.

    >>> low, high = wilson(0.0, 10)
    >>> f"{low:.3f} to {high:.3f}"
    '0.000 to 0.278'
    """
    z2 = Z95**2 / n
    middle = (rate + z2 / 2) / (1 + z2)
    half = float(np.sqrt(z2 * rate * (1 - rate) + z2**2 / 4)) / (1 + z2)
    # At the ends the formula gives exactly 0 and 1, but rounding does not.
    return (0.0 if rate == 0 else middle - half, 1.0 if rate == 1 else middle + half)


def _equal_count_bins(ranking: Ranking, bins: int) -> Codes:
    """The bin of each row, (n,), in the original order: that of the middle of its run of equal probabilities."""
    n = len(ranking.order)
    sizes = np.diff(ranking.starts, append=n)
    # Counted from the lowest: bin 0 holds the lowest probabilities.
    middles = n - ranking.starts - sizes / 2
    place = np.empty(n, dtype=np.intp)
    place[ranking.order] = np.repeat((bins * middles / max(n, 1)).astype(np.intp), sizes)
    return place


def _bin(y: Vector, p: Vector, codes: Codes, draws: Vector) -> Bin:
    rate, clusters = float(y.mean()), len(np.unique(codes))
    low, high = wilson(rate, _effective(rate, len(y), clusters, draws))
    return Bin(float(p.mean()), rate, low, high, len(y), len(np.unique(codes[y == 1])))


def _effective(rate: float, n: int, clusters: int, draws: Vector) -> float:
    """How many independent examples would be as informative about the rate as these n in so many clusters."""
    if clusters == n:
        return n
    defined = draws[np.isfinite(draws)]
    variance = float(defined.var()) if clusters > 1 and len(defined) > 0 else 0.0
    # Without any variation to learn from, assume the worst: that the rows of a cluster all say the same.
    return clusters if variance == 0 else min(float(n), rate * (1 - rate) / variance)
