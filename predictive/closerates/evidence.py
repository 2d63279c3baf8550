"""How something goes with closing: rate, lift, lift for equal time at risk, and how probable that is by luck.

Older contacts have had more time to do anything, and markets move, so a contact is held against others of its stratum:
those as old, at about the same time. The test is conditional and exact: how many of those who have it closed, given how
many closed in each stratum, is a sum of hypergeometric numbers (Fisher 1935; stratified, the exact form of Mantel and
Haenszel 1959, doi:10.1093/jnci/22.4.719). Contacts of one account may close with one deal. How alike they are is
measured once (:func:`~predictive.evaluation.clusters.likeness`), and what a test finds, in standard errors, is divided
by the root of the design effect that follows (Kish 1965); a rate counts that many fewer contacts. Without accounts that
share anything, it stays exact.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.stats import false_discovery_control, hypergeom, norm

from predictive.evaluation import wilson
from predictive.evaluation.clusters import Codes, encode, likeness

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]
BANDS = 5
"""Strata by age of the record, and by time: so many of equal size each."""
MOST_EXACT = 2_000
"""Closes above which the normal distribution stands in for the exact one; they hardly differ then."""


@dataclass(frozen=True, eq=False)
class Sample:
    """Contacts at their as-ofs with what came of them: `label` (n,) 0 or 1, `stratum` and `cluster` codes (n,) from 0.

    `rate` (n,) is the share that closed in each row's stratum; `alike` says how alike clusters are, 0 to 1.
    """

    label: Floats
    stratum: Codes
    cluster: Codes
    rate: Floats
    alike: float

    @property
    def average(self) -> float:
        """The share that closed."""
        return float(self.label.mean())


@dataclass(frozen=True)
class Evidence:
    """What is known of those who have something.

    `closed` of the `contacts` closed, which is the `rate` with its 95 % interval `low` to `high`. `lift` is the rate
    over the average, `adjusted_lift` over the average of contacts of the same strata. `p` is two-sided.
    """

    contacts: int
    closed: int
    rate: float
    low: float
    high: float
    lift: float
    adjusted_lift: float
    p: float


def sample(label: ArrayLike, stratum: ArrayLike, cluster: ArrayLike) -> Sample:
    """Prepare (n,) labels, strata and ids of clusters for :func:`evidence`."""
    y = np.asarray(label, dtype=np.float64)
    strata = np.unique(np.asarray(stratum), return_inverse=True)[1].astype(np.intp)
    codes = encode(cluster, len(y))
    closed, size = np.bincount(strata, y), np.bincount(strata)
    rate = (closed / size)[strata]
    return Sample(y, strata, codes, rate, likeness(y, rate, codes) if len(y) else 0.0)


def strata(frame: pd.DataFrame) -> Codes:
    """The stratum of each row: fifths of `record_age_days` within fifths of the `as_of`s; (n,) codes."""
    age = _bands(frame["record_age_days"].to_numpy(dtype=float))
    return _bands(frame["as_of"].to_numpy(dtype=float)) * BANDS + age


def evidence(of: Sample, having: Bools) -> Evidence:
    """The evidence of the rows for which `having` (n,) is true; at least one is.

    >>> found = evidence(sample([1, 1, 0, 0, 0, 0], [0] * 6, range(6)), np.array([True, True] + [False] * 4))
    >>> found.closed, found.lift, round(found.p, 3)
    (2, 3.0, 0.133)
    """
    contacts, closed = int(having.sum()), int(of.label[having].sum())
    rate, expected = closed / contacts, float(of.rate[having].sum())
    members = np.bincount(of.cluster[having])
    alike = 1 + of.alike * float((members * (members - 1)).sum()) / contacts
    low, high = wilson(rate, contacts / alike)
    lift = rate / of.average if of.average > 0 else np.nan
    adjusted = closed / expected if expected > 0 else np.nan
    return Evidence(contacts, closed, rate, low, high, lift, adjusted, _p(of, having, closed))


def scores(of: Sample, havings: Sequence[Bools]) -> Floats:
    """The score statistic z of each of many (m,): positive where those who have it close more; fast, not exact."""
    found = np.zeros(len(havings))
    size = np.bincount(of.stratum)
    variance = of.rate * (1 - of.rate) * (size / np.maximum(size - 1, 1))[of.stratum]
    spread = np.sqrt(of.rate * (1 - of.rate))
    for i, having in enumerate(havings):
        share = (np.bincount(of.stratum, having, len(size)) / size)[of.stratum]
        apart = having - share
        total = float((apart**2 * variance).sum())
        gap = float((apart * (of.label - of.rate)).sum())
        if total > 0:
            found[i] = gap / np.sqrt(total * _design(of, apart * spread))
    return found


def benjamini_hochberg(p: Sequence[float]) -> list[float]:
    """Chances adjusted for looking so often: the false discovery rate at which each holds, in their order.

    Benjamini and Hochberg 1995 (doi:10.1111/j.2517-6161.1995.tb02031.x); also right where tests lean the same way, as
    overlapping windows do (Benjamini and Yekutieli 2001, doi:10.1214/aos/1013699998).

    >>> benjamini_hochberg([0.01, 0.5, 0.02])
    [0.03, 0.5, 0.03]
    """
    return [float(q) for q in false_discovery_control(np.minimum(p, 1.0), method="bh")] if len(p) else []


def _p(of: Sample, having: Bools, closed: int) -> float:
    size, share = np.bincount(of.stratum), np.bincount(of.stratum, having)
    closes = np.bincount(of.stratum, of.label)
    told = (share > 0) & (share < size) & (closes > 0) & (closes < size)
    if not told.any():
        return 1.0
    sure = int(closes[share == size].sum())  # strata in which everybody has it tell nothing
    counts = [(int(n), int(k), int(m)) for n, k, m in zip(size[told], closes[told], share[told], strict=True)]
    full = (closes == size) & (share > 0) & (share < size)
    observed = closed - sure - int(share[full].sum())
    p = _exact(counts, observed) if closes.sum() <= MOST_EXACT else _normal(counts, observed)
    spread = np.sqrt(of.rate * (1 - of.rate))
    design = _design(of, (having - (share / size)[of.stratum]) * spread)
    return p if design == 1 else float(min(1.0, 2 * norm.sf(norm.isf(p / 2) / np.sqrt(design))))


def _exact(counts: Sequence[tuple[int, int, int]], observed: int) -> float:
    """Twice the smaller tail of a sum of hypergeometric numbers: (size, closes, having) per stratum."""
    chance, lowest = np.ones(1), 0
    for size, closes, having in counts:
        low = max(0, closes + having - size)
        steps = np.arange(low, min(closes, having) + 1)
        chance, lowest = np.convolve(chance, hypergeom.pmf(steps, size, closes, having)), lowest + low
    at = observed - lowest
    return float(min(1.0, 2 * min(chance[: at + 1].sum(), chance[at:].sum())))


def _normal(counts: Sequence[tuple[int, int, int]], observed: int) -> float:
    """The same by the normal distribution, with the correction for continuity."""
    size, closes, having = np.array(counts, dtype=float).T
    mean = having * closes / size
    variance = mean * (1 - closes / size) * (size - having) / (size - 1)
    gap = max(abs(observed - float(mean.sum())) - 0.5, 0.0)
    return float(min(1.0, 2 * norm.sf(gap / np.sqrt(variance.sum()))))


def _design(of: Sample, part: Floats) -> float:
    """By how much clusters that are alike raise the variance of a sum of rows with these standard deviations."""
    alone = float((part**2).sum())
    together = float((np.bincount(of.cluster, part) ** 2).sum())
    return max(1.0, 1 + of.alike * (together - alone) / alone) if alone > 0 else 1.0


def _bands(values: Floats) -> Codes:
    """Fifths of the values, ties together; (n,) codes from 0."""
    if len(values) == 0:
        return np.zeros(0, dtype=np.intp)
    edges = np.unique(np.quantile(values, np.arange(1, BANDS) / BANDS))
    return np.asarray(np.searchsorted(edges, values, side="left"), dtype=np.intp)
