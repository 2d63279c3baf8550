"""Close rates of groups, with intervals that know of accounts, and the difference between two of them."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from predictive.evaluation.clusters import Codes, encode
from predictive.evaluation.intervals import Estimate, plain
from predictive.evaluation.reliability import wilson
from predictive.evaluation.tally import Vector


@dataclass(frozen=True)
class Closed:
    """Of `n` contacts `closed` closed; the share with its 95 % interval, NaN where n is 0."""

    n: int
    closed: int
    rate: float
    low: float
    high: float

    def as_dict(self) -> dict[str, Any]:
        """The fields as JSON knows them; NaN becomes None."""
        return {name: plain(value) for name, value in asdict(self).items()}

    @property
    def in_words(self) -> str:
        """The rate with its interval, and what it is of.

        >>> closed([1, 0, 0, 0], ["a", "b", "c", "d"]).in_words
        '25.0% (4.6% to 69.9%; 1 of 4)'
        """
        if self.n == 0:
            return "– (nobody)"
        return f"{self.rate:.1%} ({self.low:.1%} to {self.high:.1%}; {self.closed:,} of {self.n:,})"


def closed(labels: ArrayLike, clusters: ArrayLike) -> Closed:
    """Count the closes of a group: `labels` (n,) are 0 or 1, `clusters` (n,) name each one's account.

    The interval is Wilson's (1927) at the number of independent contacts that would tell as much about the rate: its
    variance is that between clusters (Liang and Zeger 1986, doi:10.1093/biomet/73.1.13).
    """
    y = np.asarray(labels, dtype=np.float64)
    if len(y) == 0:
        return Closed(0, 0, np.nan, np.nan, np.nan)
    rate = float(y.mean())
    low, high = wilson(rate, effective(y, encode(clusters, len(y))))
    return Closed(len(y), int(y.sum()), rate, low, high)


def effective(labels: Vector, codes: Codes) -> float:
    """How many independent contacts would tell as much about the rate as these, (n,), in their clusters."""
    n, rate, size = len(labels), float(labels.mean()), np.bincount(codes)
    clusters = int((size > 0).sum())
    if clusters == n:
        return float(n)
    by_cluster = np.bincount(codes, labels - rate)
    variance = float((by_cluster**2).sum()) / n**2 * clusters / max(clusters - 1, 1)
    # Without any variation to learn from, assume the worst: that those of a cluster all do the same.
    return float(clusters) if variance == 0 else min(float(n), rate * (1 - rate) / variance)


def difference(a: Closed, b: Closed) -> Estimate:
    """The rate of `a` less that of `b`, with its 95 % interval made of theirs; NaN where one is empty.

    Newcombe 1998, method 10 (doi:10.1002/(SICI)1097-0258(19980430)17:8<873::AID-SIM779>3.0.CO;2-I).

    >>> found = difference(closed([1] * 56 + [0] * 14, range(70)), closed([1] * 48 + [0] * 32, range(80)))
    >>> f"{found.value:.4f} ({found.low:.4f} to {found.high:.4f})"
    '0.2000 (0.0524 to 0.3339)'
    """
    value = a.rate - b.rate
    below = float(np.hypot(a.rate - a.low, b.high - b.rate))
    above = float(np.hypot(a.high - a.rate, b.rate - b.low))
    return Estimate(value, value - below, value + above)
