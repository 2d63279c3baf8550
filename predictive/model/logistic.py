"""Logistic regression with offsets: log-odds known beforehand, that a fit adds to and does not change."""

from __future__ import annotations

import numpy as np


def expit(x: np.ndarray) -> np.ndarray:
    """1 / (1 + exp(−x)), without overflow."""
    return np.asarray(np.exp(-np.logaddexp(0.0, -x)))


def losses(z: np.ndarray, label: np.ndarray) -> np.ndarray:
    """The log loss of each example, of shape (n,), for its log-odds and label."""
    return np.asarray(np.logaddexp(0.0, z) - label * z)


def fit_logistic(
    design: np.ndarray,
    label: np.ndarray,
    offset: np.ndarray,
    *,
    strength: float,
    signs: np.ndarray | None = None,
    weight: np.ndarray | None = None,
) -> tuple[float, np.ndarray]:
    """Intercept and coefficients (p,) on `design` (n, p), with an L2 penalty on the coefficients, by L-BFGS.

    `strength` is scikit-learn's C: the inverse of the penalty. Both labels must be present. A coefficient may not be
    negative where `signs` (p,) is 1, nor positive where it is -1. An example with the `weight` 2 (n,) counts as two.
    """
    from scipy.optimize import minimize

    each = np.ones(len(label)) if weight is None else weight
    n = float(each.sum())
    penalty = 1 / (strength * n)

    def loss(at: np.ndarray) -> tuple[float, np.ndarray]:
        z = offset + at[0] + design @ at[1:]
        residual = each * (expit(z) - label) / n
        gradient = np.concatenate([[residual.sum()], design.T @ residual + penalty * at[1:]])
        return float((each * losses(z, label)).sum() / n + penalty * (at[1:] ** 2).sum() / 2), gradient

    start = np.zeros(design.shape[1] + 1)
    start[0] = level_of(label, offset, weight)
    # Gradients are those of the mean loss; scikit-learn stops at the same size.
    open_ends = {0: (None, None), 1: (0.0, None), -1: (None, 0.0)}
    bounds = None if signs is None or not signs.any() else [(None, None), *(open_ends[int(s)] for s in signs)]
    found = minimize(
        loss, start, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": 1_000, "gtol": 1e-6, "ftol": 1e-14}
    )
    return float(found.x[0]), np.asarray(found.x[1:])


def level_of(label: np.ndarray, offset: np.ndarray, weight: np.ndarray | None = None) -> float:
    """The intercept that, with the offsets alone, predicts as many closes as there are; both labels are present.

    An example with the `weight` 2 (n,) counts as two.

    >>> round(level_of(np.array([0, 0, 0, 1]), np.zeros(4)), 6) == round(float(np.log(1 / 3)), 6)
    True
    """
    each = np.ones(len(label)) if weight is None else weight
    rate = np.average(label, weights=each)
    level = float(np.log(rate) - np.log1p(-rate)) - float(np.average(offset, weights=each))
    for _ in range(100):
        p = expit(offset + level)
        step = float(np.clip((each * (label - p)).sum() / (each * p * (1 - p)).sum(), -1, 1))
        level += step
        if abs(step) < 1e-12:
            break
    return level
