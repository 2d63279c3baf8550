"""Clusters: examples of one account or contact resemble each other, and every interval has to know how much."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from predictive.evaluation.tally import Vector

Codes = NDArray[np.intp]


def encode(groups: ArrayLike, n: int) -> Codes:
    """Cluster ids as numbers from 0, (n,), in sorted order, so that resamples do not depend on the order of rows.

    Raises:
        ValueError: Not n ids, or an id is missing.
    """
    ids = np.asarray(groups)
    if ids.shape != (n,):
        raise ValueError(f"groups have the shape {ids.shape}, but there are {n} examples")
    missing = np.asarray(pd.isna(ids))
    if missing.any():
        raise ValueError(
            f"groups: row {int(np.argmax(missing))} has no id; give each example its account or contact id"
        )
    return np.unique(ids, return_inverse=True)[1].astype(np.intp)


def likeness(labels: Vector, probabilities: Vector, codes: Codes) -> float:
    """How alike the outcomes within clusters are, beyond what the probabilities explain: 0 not at all, 1 wholly.

    The covariance of y - p within clusters, as a share of the largest that the probabilities allow, which is
    min(p, q) - p q for two examples (Fréchet-Hoeffding). A moment estimate, kept within 0 and 1.

    >>> likeness(np.array([1.0, 1, 0, 0]), np.full(4, 0.5), np.array([0, 0, 1, 1]))
    1.0
    """
    residual = labels - probabilities
    by_cluster = np.bincount(codes, residual)
    found = float((by_cluster**2).sum() - (residual**2).sum())
    most = float(_pairs(probabilities, codes).sum())
    return min(max(found / most, 0.0), 1.0) if most > 0 else 0.0


def variance(probabilities: Vector, codes: Codes, alike: float) -> float:
    """The variance of the number of closes if the probabilities are right and clusters are `alike` (0 to 1)."""
    own = float((probabilities * (1 - probabilities)).sum())
    return own + alike * float(_pairs(probabilities, codes).sum())


def simulated(probabilities: Vector, codes: Codes, alike: float, *, seed: int, times: int) -> Iterator[Vector]:
    """Outcomes (n,), 0 or 1, `times` over, as they would be were each probability right.

    An example has an outcome of its own, or, with the chance `alike`, its whole cluster has one luck in common. Each
    example then closes with its own probability, and pairs covary as :func:`likeness` measures it.
    """
    random = np.random.default_rng(seed)
    clusters = int(codes.max(initial=-1)) + 1
    for _ in range(times):
        own, common = random.random(len(codes)), random.random(clusters)
        together = random.random(clusters) < alike
        luck = np.where(together[codes], common[codes], own)
        yield (luck < probabilities).astype(np.float64)


def _pairs(probabilities: Vector, codes: Codes) -> Vector:
    """Per cluster the largest covariance within it: the sum of min(p, q) - p q over ordered pairs; (clusters,)."""
    order = np.lexsort((probabilities, codes))
    p, code = probabilities[order], codes[order]
    size = np.bincount(code)
    first = np.concatenate((np.zeros(1, dtype=np.intp), np.cumsum(size)[:-1]))
    # The i-th lowest of m is the smaller one in m - 1 - i pairs.
    larger = size[code] - 1 - (np.arange(len(p)) - first[code])
    smallest = np.bincount(code, 2 * p * larger)
    return np.asarray(smallest - (np.bincount(code, p) ** 2 - np.bincount(code, p**2)), dtype=np.float64)
