"""LightGBM with few leaves, a slow rate and strong regularisation; exact Shapley values of its log-odds."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from predictive.model.shapley import explainer

MOST_ROUNDS = 600
DEFAULT_ROUNDS = 100
BLOCK = 100_000
"""Rows per block of prediction: memory stays bounded, speed does not change."""


@dataclass(frozen=True)
class Shape:
    """LightGBM's parameters of those names; the defaults are good enough that a search is not needed.

    The depth stays at or below 8, which exact explanation in reasonable time needs.
    """

    learning_rate: float = 0.04
    num_leaves: int = 15
    max_depth: int = 6
    min_data_in_leaf: int = 40
    lambda_l2: float = 10.0
    feature_fraction: float = 0.5
    bagging_fraction: float = 0.8


DEFAULT = Shape()


def parameters(shape: Shape, signs: np.ndarray, *, seed: int) -> dict[str, Any]:
    """LightGBM's parameters; `signs` (p,) are 1 where the log-odds may only rise with a column, -1 where only fall."""
    constraints = {"monotone_constraints": signs.tolist()} if signs.any() else {}
    return (
        asdict(shape)
        | constraints
        | {
            "objective": "binary",
            "bagging_freq": 1,
            "max_bin": 127,
            "seed": seed,
            "deterministic": True,
            "force_col_wise": True,
            "num_threads": 1,
            "verbosity": -1,
        }
    )


@dataclass(frozen=True)
class Learned:
    """Encoded rows (n, p) with labels (n,), the log-odds (n,) that trees start from and add to, and `signs` (p,).

    `weight` (n,) is that of thinned examples; without it every row counts once.
    """

    X: np.ndarray
    label: np.ndarray
    start: np.ndarray
    signs: np.ndarray
    weight: np.ndarray | None = None


def fit_until_worse(train: Learned, judged: Learned, *, shape: Shape = DEFAULT, seed: int) -> tuple[Any, np.ndarray]:
    """A booster, and the log loss on `judged` after each of 600 rounds.

    Fitting stops when 50 rounds have brought nothing; the loss then stays what it was.
    """
    import lightgbm

    losses: dict[str, Any] = {}
    data = lightgbm.Dataset(train.X, train.label, weight=train.weight, init_score=train.start, params={"verbosity": -1})
    valid = data.create_valid(judged.X, judged.label, init_score=judged.start)
    watch = [lightgbm.early_stopping(50, verbose=False), lightgbm.record_evaluation(losses)]
    booster = lightgbm.train(
        parameters(shape, train.signs, seed=seed) | {"metric": "binary_logloss"}, data, num_boost_round=MOST_ROUNDS,
        valid_sets=[valid], callbacks=watch, keep_training_booster=True,
    )  # fmt: skip
    curve = np.array(losses["valid_0"]["binary_logloss"])
    return booster, np.pad(curve, (0, MOST_ROUNDS - len(curve)), mode="edge")


def fit_trees(train: Learned, *, rounds: int, shape: Shape = DEFAULT, seed: int) -> Any:
    """A `lightgbm.Booster` of `rounds` trees; its log-odds are to be added to those that it started from."""
    import lightgbm

    data = lightgbm.Dataset(train.X, train.label, weight=train.weight, init_score=train.start, params={"verbosity": -1})
    return lightgbm.train(parameters(shape, train.signs, seed=seed), data, num_boost_round=rounds)


def log_odds(booster: Any, X: np.ndarray) -> np.ndarray:
    """Log-odds of shape (n,), in blocks."""
    blocks = [booster.predict(X[i : i + BLOCK], raw_score=True) for i in range(0, len(X), BLOCK)]
    return np.concatenate(blocks) if blocks else np.empty(0)


def contributions(booster: Any, X: np.ndarray) -> np.ndarray:
    """Path-dependent Shapley values of the log-odds, of shape (n, p); the remainder to the log-odds is a constant.

    Lundberg et al. (2020), computed by woodelf; equal to LightGBM's own `pred_contrib`, and about ten times as fast.
    """
    names = booster.feature_name()
    explain = explainer(booster)
    blocks = [explain(pd.DataFrame(X[i : i + BLOCK], columns=names)) for i in range(0, len(X), BLOCK)]
    return np.concatenate(blocks).astype(np.float64) if blocks else np.empty(X.shape)
