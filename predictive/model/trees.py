"""LightGBM with few leaves, a slow rate and strong regularisation; exact Shapley values of its log-odds."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

MOST_ROUNDS = 600
DEFAULT_ROUNDS = 100
BLOCK = 100_000
"""Rows per block of prediction: memory stays bounded, speed does not change."""


def parameters(seed: int) -> dict[str, Any]:
    """LightGBM's parameters. The depth stays at or below 8, which exact explanation in reasonable time needs."""
    return {
        "objective": "binary",
        "learning_rate": 0.04,
        "num_leaves": 15,
        "max_depth": 6,
        "min_data_in_leaf": 40,
        "lambda_l2": 10.0,
        "feature_fraction": 0.5,
        "bagging_fraction": 0.8,
        "bagging_freq": 1,
        "max_bin": 127,
        "seed": seed,
        "deterministic": True,
        "force_row_wise": True,
        "num_threads": 1,
        "verbosity": -1,
    }


def fit_trees(X: np.ndarray, label: np.ndarray, *, rounds: int, seed: int) -> Any:
    """A `lightgbm.Booster` of `rounds` trees on float64 (n, p), NaN for missing, and labels 0 or 1."""
    import lightgbm

    data = lightgbm.Dataset(X, label, params={"verbosity": -1})
    return lightgbm.train(parameters(seed), data, num_boost_round=rounds)


def log_odds(booster: Any, X: np.ndarray) -> np.ndarray:
    """Log-odds of shape (n,), in blocks."""
    blocks = [booster.predict(X[i : i + BLOCK], raw_score=True) for i in range(0, len(X), BLOCK)]
    return np.concatenate(blocks) if blocks else np.empty(0)


def loss_by_round(booster: Any, X: np.ndarray, label: np.ndarray, *, step: int = 10) -> np.ndarray:
    """Mean log loss on (X, label) after every `step` rounds, of shape (MOST_ROUNDS // step,).

    Where LightGBM found nothing more to split before that, the loss stays what it was.
    """
    raw = np.zeros(len(X))
    losses = []
    for start in range(0, MOST_ROUNDS, step):
        if start < booster.current_iteration():
            raw = raw + booster.predict(X, raw_score=True, start_iteration=start, num_iteration=step)
        losses.append(float(np.mean(np.logaddexp(0.0, raw) - label * raw)))
    return np.array(losses)


def contributions(booster: Any, X: np.ndarray) -> np.ndarray:
    """Path-dependent Shapley values of the log-odds, of shape (n, p); the remainder to the log-odds is a constant.

    Lundberg et al. (2020), computed by woodelf; equal to LightGBM's own `pred_contrib`, and about ten times as fast.
    """
    from woodelf import WoodelfExplainer

    names = booster.feature_name()
    explainer = WoodelfExplainer(booster)
    blocks = [
        explainer.shap_values(pd.DataFrame(X[i : i + BLOCK], columns=names), verbose=False)
        for i in range(0, len(X), BLOCK)
    ]
    return np.concatenate(blocks).astype(np.float64) if blocks else np.empty(X.shape)
