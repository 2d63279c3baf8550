"""A well-regularised logistic regression on encoded columns: log-odds, and each column's part in them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from predictive.model.logistic import fit_logistic

STRENGTHS = (0.003, 0.03, 0.3)
"""The values of C (inverse L2 strength, on standardised columns, scikit-learn's meaning) that folds choose from."""


ROWS = 500
"""Rows that are worked on at once, so that they stay in the cache: more than twice as fast as all in one go."""


@dataclass(frozen=True)
class Linear:
    """log-odds = intercept + z · coef, where z are standardised columns and missing indicators.

    Numbers are compressed by sign(x)·log(1 + |x|) first, since counts and ages span orders of magnitude; a missing one
    stands at the training mean (z = 0), and its indicator says that it was missing. `mean`, `scale` and `shown` (the
    share of training rows with a value) have shape (p,), `coef` (p,) and `coef_missing` (p,).
    """

    intercept: float
    coef: np.ndarray
    coef_missing: np.ndarray
    mean: np.ndarray
    scale: np.ndarray
    shown: np.ndarray

    def log_odds(self, X: np.ndarray) -> np.ndarray:
        """Log-odds of shape (n,)."""
        return self.sum_of(self.contributions(X))

    def sum_of(self, parts: np.ndarray) -> np.ndarray:
        """The log-odds (n,) that the parts (n, p) of :meth:`contributions` sum to."""
        # Not a matrix product: BLAS would let the last bits depend on the other rows of the block.
        return np.asarray(self.intercept + parts.sum(axis=1))

    def contributions(self, X: np.ndarray) -> np.ndarray:
        """Each column's part, against a row with training means, of shape (n, p); they and the intercept sum up."""
        out = np.empty(X.shape)
        for start in range(0, len(X), ROWS):
            z, missing = _design(X[start : start + ROWS], self.mean, self.scale, self.shown)
            out[start : start + ROWS] = z * self.coef + missing * self.coef_missing
        return out

    def to_json(self) -> dict[str, Any]:
        """Plain values, for the bundle."""
        return {k: v.tolist() if isinstance(v, np.ndarray) else v for k, v in vars(self).items()}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Linear:
        """The inverse of :meth:`to_json`."""
        arrays = {k: np.array(value[k]) for k in ("coef", "coef_missing", "mean", "scale", "shown")}
        return cls(float(value["intercept"]), **arrays)


def fit_linear(
    X: np.ndarray,
    label: np.ndarray,
    offset: np.ndarray,
    *,
    strength: float,
    signs: np.ndarray | None = None,
    weight: np.ndarray | None = None,
) -> Linear:
    """Fit on float64 (n, p) with NaN for missing, labels 0 or 1 of shape (n,), both present, and offsets (n,).

    `signs` (p,) is 1 for a column with which the log-odds may only rise, and -1 where they may only fall.
    A row with the `weight` 2 (n,) counts as two, in the means too.
    """
    each = np.ones((len(X), 1)) if weight is None else weight[:, None]
    squeezed = _squeeze(X)
    present = ~np.isnan(squeezed)
    held = (each * present).sum(axis=0)
    shown = held / each.sum()
    count = np.maximum(held, 1)
    mean = (each * np.where(present, squeezed, 0.0)).sum(axis=0) / count
    spread = np.sqrt((each * np.where(present, squeezed - mean, 0.0) ** 2).sum(axis=0) / count)
    scale = np.where(spread > 1e-12, spread, 1.0)
    z, missing = _design(X, mean, scale, shown)
    informative = _distinct(missing)
    design = np.concatenate([z, missing[:, informative]], axis=1)
    free = np.zeros(int(informative.sum()))
    bound = None if signs is None else np.concatenate([signs, free])
    intercept, coef = fit_logistic(design, label, offset, strength=strength, signs=bound, weight=weight)
    coef_missing = np.zeros(X.shape[1])
    coef_missing[informative] = coef[X.shape[1] :]
    return Linear(intercept, coef[: X.shape[1]], coef_missing, mean, scale, shown)


def _distinct(missing: np.ndarray) -> np.ndarray:
    """Which indicators say something that none before them says: all levels of a category are missing together."""
    seen: set[bytes] = set()
    keep = np.zeros(missing.shape[1], dtype=bool)
    for column in np.flatnonzero(missing.any(axis=0)):
        key = (missing[:, column] > 0).tobytes()
        keep[column] = key not in seen
        seen.add(key)
    return keep


def _squeeze(X: np.ndarray) -> np.ndarray:
    return np.asarray(np.sign(X) * np.log1p(np.abs(X)))


def _design(X: np.ndarray, mean: np.ndarray, scale: np.ndarray, shown: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Standardised columns, and missing indicators centred on their training share."""
    squeezed = _squeeze(X)
    absent = np.isnan(squeezed)
    z = np.where(absent, 0.0, (squeezed - mean) / scale)
    seldom = (shown > 0.995) | (shown < 0.005)
    missing = np.where(seldom, 0.0, absent - (1.0 - shown))
    return z, missing
