"""What a measured number may be by luck: intervals from a bootstrap that resamples whole clusters.

Examples of one account (or, without accounts, of one contact) are not independent: they share colleagues, seasons and
deals. Drawing rows one by one would pretend that they are and give intervals that are too narrow, so clusters are drawn
with replacement and all rows of a drawn cluster come along (Field & Welsh 2007, doi:10.1111/j.1467-9868.2007.00593.x).
A resample is a vector of weights: how often each row's cluster was drawn. Intervals are the 2.5 and 97.5 percentiles of
a number over the resamples (Efron 1979, doi:10.1214/aos/1176344552; Efron & Tibshirani 1993, chapter 13). With fewer
than about 20 closes they are too narrow: in simulations they held the truth 83 to 95 times in 100.

Numbers that noise itself makes larger are the exception. For the calibration error, a resample adds noise to what is
already a sum of absolute noise, so the percentiles of a perfectly calibrated model never hold its true error, 0. But
the error cannot be further from the truth than the excesses of its ten bins are, in absolute terms and added up (the
triangle inequality), and those are free of that bias. The 95th percentile of that sum, between resamples and the
sample, is how far the interval reaches to either side: it holds the truth about 95 times in 100 where the true error is
0, and more often elsewhere. Likewise for its debiased form, with the root mean square in place of the sum; there the
mean square of what resampling adds is also the noise of whole clusters that the estimate itself leaves out.

For the miscalibration and discrimination parts of the Brier score, the sample's own noise is up to twice what
resampling adds on average, in simulations, as isotonic regression fits a resample's noise less freely. So the
percentiles are moved down by three times that, and the interval then made to hold the number itself.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from joblib import Parallel, delayed
from numpy.typing import ArrayLike, NDArray

from predictive.evaluation.calibration import BINS, bin_excess, rms_gap
from predictive.evaluation.clusters import Codes, encode
from predictive.evaluation.metrics import METRICS
from predictive.evaluation.tally import Ranking, Vector, as_weights, rank

Matrix = NDArray[np.float64]

REPLICATES = 500
MOST_UNDEFINED = 0.05
"""The largest share of resamples in which a number may be undefined before its interval is."""
NOISY = ("calibration_error", "calibration_error_debiased", "miscalibration", "discrimination")
"""Metrics that are never negative, and that noise makes larger."""
DEBIASED = list(METRICS).index("calibration_error_debiased")
BLOCK = 20
"""Resamples per parallel task: enough work to be worth a thread's while."""


@dataclass(frozen=True)
class Estimate:
    """A number and its 95 % interval; NaN where undefined.

    The bounds are NaN where more than 5 % of the resamples left the number undefined (as with fewer than about four
    closes): leaving those out would make the interval a guess. Fewer are left out.
    """

    value: float
    low: float
    high: float

    def as_dict(self) -> dict[str, Any]:
        """The fields as JSON knows them; NaN becomes None."""
        return {name: plain(value) for name, value in asdict(self).items()}


@dataclass(frozen=True)
class Evaluation:
    """How good one set of probabilities is: n examples, their closes, the base rate, an estimate for each metric."""

    n: int
    closes: int
    base_rate: float
    values: dict[str, Estimate]

    def as_dict(self) -> dict[str, Any]:
        """The fields as JSON knows them; NaN becomes None."""
        return {name: plain(value) for name, value in asdict(self).items()}


def evaluate(
    labels: ArrayLike,
    probabilities: ArrayLike,
    *,
    groups: ArrayLike,
    seed: int,
    replicates: int = REPLICATES,
    weights: ArrayLike | None = None,
    closes: int | None = None,
    n_jobs: int = -1,
) -> Evaluation:
    """Every metric of :data:`~predictive.evaluation.metrics.METRICS` with its interval.

    Args:
        labels: (n,), 0 or 1.
        probabilities: (n,), 0 to 1.
        groups: (n,) ids of the clusters that are resampled: account, else contact.
        seed: Makes the resamples. The same seed and clusters make the same ones, whatever the probabilities.
        replicates: The number of resamples.
        weights: (n,), ≥ 0, where examples stand for more or fewer than one; they multiply the resamples.
        closes: Distinct won deals behind the labels. Without it, the clusters with at least one label of 1 are counted,
            which are never more than the deals.
        n_jobs: Threads, as joblib counts them; no result depends on it.

    Raises:
        ValueError: Arrays of different lengths, or values outside what is stated above.

    >>> found = evaluate([0, 1, 0, 1], [0.1, 0.4, 0.4, 0.8], groups=["a", "b", "c", "d"], seed=7)
    >>> found.closes, found.values["roc_auc"].value
    (2, 0.875)
    """
    ranking = rank(labels, probabilities)
    w = as_weights(weights, len(ranking.order))
    codes = encode(groups, len(w))
    measure = measurer(ranking, w)
    draws = resampled(measure, codes=codes, seed=seed, replicates=replicates, weights=w, n_jobs=n_jobs)
    return evaluation(ranking, draws, codes=codes, weights=w, closes=closes)


def resampled(
    measure: Callable[[Vector], Vector],
    *,
    codes: Codes,
    seed: int,
    replicates: int,
    weights: Vector,
    n_jobs: int,
) -> Matrix:
    """What `measure` (weights (n,) to numbers (m,)) finds on each resample of clusters: float64 (replicates, m).

    `codes` (n,) are cluster numbers from 0 (:func:`encode`); as many clusters are drawn as there are. Resample i
    depends on nothing but the seed, i and the number of clusters.
    """
    clusters = int(codes.max(initial=-1)) + 1

    def one(replicate: int) -> Vector:
        rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(replicate,)))
        times = np.bincount(rng.integers(max(clusters, 1), size=clusters), minlength=clusters)
        return measure(weights * times[codes])

    def block(start: int) -> list[Vector]:
        return [one(i) for i in range(start, min(start + BLOCK, replicates))]

    found = Parallel(n_jobs=n_jobs, require="sharedmem")(delayed(block)(i) for i in range(0, replicates, BLOCK))
    rows = [row for part in found for row in part]
    return np.array(rows).reshape(replicates, len(rows[0]) if rows else len(measure(weights)))


def measurer(ranking: Ranking, weights: Vector) -> Callable[[Vector], Vector]:
    """A function from resampled weights (n,) to m + 3 numbers: the m metrics in order, and three about bins.

    These are how far the bins of the calibration error are from those under the sample's own `weights`, as the sum of
    absolute differences and as root mean square, and the root mean square gap itself.
    """
    excess = bin_excess(ranking.tally(weights))

    def measure(resample: Vector) -> Vector:
        tally = ranking.tally(resample)
        moved = bin_excess(tally) - excess
        about_bins = (np.abs(moved).sum(), np.sqrt(BINS * (moved**2).sum()), rms_gap(tally))
        return np.array([*(metric.measure(tally) for metric in METRICS.values()), *about_bins])

    return measure


def settled(values: Vector, draws: Matrix) -> Vector:
    """What :func:`measurer`'s function found on the sample, (m + 3,), the debiased calibration error put right.

    The noise that it leaves out is that of whole clusters, as the resamples `draws` (replicates, m + 3) show it.
    """
    noise = draws[np.isfinite(draws[:, -2]), -2]
    if len(noise) == 0 or not np.isfinite(values[DEBIASED]):
        return values
    out = values.copy()
    out[DEBIASED] = np.sqrt(max(values[-1] ** 2 - (noise**2).mean(), 0.0))
    return out


def evaluation(ranking: Ranking, draws: Matrix, *, codes: Codes, weights: Vector, closes: int | None) -> Evaluation:
    """Put an :class:`Evaluation` together from what :func:`measurer`'s function found, `draws` (replicates, m + 3)."""
    tally = ranking.tally(weights)
    total = float(weights.sum())
    values = estimates(settled(measurer(ranking, weights)(weights), draws), draws)
    floored = {name: replace(values[name], low=float(np.maximum(values[name].low, 0))) for name in NOISY}
    return Evaluation(
        n=len(weights),
        closes=count_closes(ranking, codes) if closes is None else closes,
        base_rate=float(tally.closes.sum()) / total if total > 0 else np.nan,
        values=values | floored,
    )


def estimates(values: Vector, draws: Matrix) -> dict[str, Estimate]:
    """One estimate per metric, from values (m + 3,) and resampled ones (replicates, m + 3), the bins last."""
    found = {
        name: Estimate(float(value), *percentiles(column, (0.025, 0.975)))
        for name, value, column in zip(METRICS, values[:-3], draws.T[:-3], strict=True)
    }
    for name in ("miscalibration", "discrimination"):
        found[name] = _less_noise(found[name], draws[:, list(METRICS).index(name)])
    error, (reach,) = found["calibration_error"].value, percentiles(draws[:, -3], (0.95,))
    (far,) = percentiles(draws[:, -2], (0.95,))
    debiased = found["calibration_error_debiased"].value
    return found | {
        "calibration_error": Estimate(error, error - reach, error + reach),
        "calibration_error_debiased": Estimate(debiased, float(values[-1]) - far, float(values[-1]) + far),
    }


def _less_noise(plain: Estimate, draws: Vector) -> Estimate:
    """The interval of a number that resampling adds to on average: see the module."""
    defined = draws[np.isfinite(draws)]
    if np.isnan(plain.low):
        return plain
    added = float(defined.mean()) - plain.value
    return Estimate(plain.value, min(plain.low - 3 * added, plain.value), max(plain.high - 3 * added, plain.value))


def percentiles(draws: Vector, shares: tuple[float, ...]) -> tuple[float, ...]:
    """Percentiles of resampled numbers (replicates,); NaN where over 5 % of them are undefined."""
    defined = draws[np.isfinite(draws)]
    if len(defined) == 0 or len(defined) < (1 - MOST_UNDEFINED) * len(draws):
        return (np.nan,) * len(shares)
    return tuple(np.quantile(defined, shares).tolist())


def count_closes(ranking: Ranking, codes: Codes) -> int:
    """The number of clusters with at least one label of 1."""
    return len(np.unique(codes[ranking.order][ranking.labels == 1]))


def plain(value: Any) -> Any:
    """A nested value as JSON knows it: NaN and infinities become None.

    >>> plain({"low": float("nan"), "n": 3})
    {'low': None, 'n': 3}
    """
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [plain(item) for item in value]
    return None if isinstance(value, float) and not np.isfinite(value) else value
