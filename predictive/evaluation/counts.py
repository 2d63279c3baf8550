"""Predicted against actual closes: whether a difference could be luck, also with few closes and with none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from scipy.special import gammainc, gammaincinv

from predictive.evaluation.clusters import Codes, variance
from predictive.evaluation.intervals import Estimate, plain
from predictive.evaluation.tally import Vector

LUCK = 0.05
"""The chance of being fooled that is accepted, over all groups that are looked at together."""


@dataclass(frozen=True)
class Count:
    """Closes predicted and closes that came, in one group of `n` examples.

    `closes` are distinct won deals; `actual` are examples that closed, which is what `predicted` (the sum of the
    probabilities) foretells. `ratio` is predicted over actual with its 95 % interval (1 is right; NaN without closes,
    with the lower bound still there). `luck` is the chance of a difference as large were each probability right.
    """

    n: int
    closes: int
    predicted: float
    actual: float
    ratio: Estimate
    luck: float

    def as_dict(self) -> dict[str, Any]:
        """The fields as JSON knows them; NaN becomes None."""
        return {name: plain(value) for name, value in asdict(self).items()}


def count(labels: Vector, probabilities: Vector, codes: Codes, *, alike: float, closes: int) -> Count:
    """Count one group, (n,) each; `codes` are its clusters, `alike` is their likeness (0 to 1).

    The number of closes is taken for D times a Poisson number, D being its variance over its mean if the probabilities
    are right (:func:`~predictive.evaluation.clusters.variance`): few closes keep their exact, lopsided interval
    (Garwood 1936, doi:10.1093/biomet/28.3-4.437), and clusters widen it. `luck` is two-sided and mid-P.

    >>> found = count(np.array([0.0, 0, 0, 0]), np.full(4, 0.5), np.arange(4), alike=0.0, closes=0)
    >>> round(found.ratio.low, 2), round(found.luck, 3)
    (1.08, 0.018)
    """
    predicted, actual = float(probabilities.sum()), float(labels.sum())
    if not predicted > 0:
        return Count(len(labels), closes, predicted, actual, Estimate(np.nan, np.nan, np.nan), float(actual == 0))
    spread = max(variance(probabilities, codes, alike) / predicted, 1e-9)
    low, high = (bound * spread for bound in poisson_interval(actual / spread))
    ratio = Estimate(_over(predicted, actual), predicted / high, _over(predicted, low))
    above = (_tail(actual / spread, predicted / spread) + _tail(actual / spread + 1, predicted / spread)) / 2
    return Count(len(labels), closes, predicted, actual, ratio, min(1.0, 2 * min(above, 1 - above)))


def poisson_interval(k: float) -> tuple[float, float]:
    """The 95 % interval of the mean behind a Poisson number `k` ≥ 0, not necessarily whole (Garwood 1936).

    >>> [round(bound, 2) for bound in poisson_interval(0)]
    [0.0, 3.69]
    """
    return (float(gammaincinv(k, 0.025)) if k > 0 else 0.0, float(gammaincinv(k + 1, 0.975)))


def holm(chances: Sequence[float]) -> list[float]:
    """Chances made to hold together: those of Holm 1979 (Scandinavian Journal of Statistics 6, 65-70), in their order.

    >>> holm([0.01, 0.5, 0.02])
    [0.03, 0.5, 0.04]
    """
    order = np.argsort(chances, kind="stable")
    stepped = np.array(chances, dtype=np.float64)[order] * np.arange(len(order), 0, -1)
    out = np.empty(len(order))
    out[order] = np.minimum(np.maximum.accumulate(stepped), 1.0) if len(order) else stepped
    return [float(x) for x in out]


def _tail(k: float, mean: float) -> float:
    """P(a Poisson number of this mean is at least k)."""
    return float(gammainc(k, mean)) if k > 0 else 1.0


def _over(predicted: float, actual: float) -> float:
    return predicted / actual if actual > 0 else np.nan
