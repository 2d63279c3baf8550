"""Choosing a recipe on expanding time folds: rounds, regularisation, blend and calibration, by out-of-fold log loss."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from predictive.features.catalog import Feature
from predictive.model import trees
from predictive.model.encode import fit_encoder
from predictive.model.folds import Fold, closes
from predictive.model.linear import STRENGTHS, fit_linear
from predictive.model.side import Recipe

FEWEST_CLOSES_FOR_TREES = 20
"""A fold with fewer distinct closes to learn from fits no trees; if any fold is such, the model is logistic."""
FEWEST_ROUNDS = 50
"""Fewer rounds at this slow rate are hardly a model: a fold that asks for them met a change of the market."""


def choose_recipe(features: Sequence[Feature], frame: pd.DataFrame, folds: Sequence[Fold], *, seed: int) -> Recipe:
    """Rounds, strength, blend and calibration with the least out-of-fold log loss; careful defaults without folds."""
    from joblib import Parallel, delayed

    if not folds:
        return Recipe()
    results = Parallel(n_jobs=-1, prefer="threads")(delayed(_try)(features, frame, fold, seed) for fold in folds)
    sizes = np.array([len(f.valid) for f in folds], dtype=float)
    strength = STRENGTHS[int(np.argmin(sizes @ np.array([[_loss(z, r.label) for z in r.linear] for r in results])))]
    linear = np.concatenate([r.linear[STRENGTHS.index(strength)] for r in results])
    label = np.concatenate([r.label for r in results])
    fold_of = np.repeat(np.arange(len(folds)), sizes.astype(int))
    recipe = Recipe(strength=strength, rounds=0)
    blend = linear
    if all(r.booster is not None for r in results):
        curve = np.average([r.by_round for r in results], axis=0, weights=sizes)
        rounds = max(int(np.argmin(curve)) + 1, FEWEST_ROUNDS)
        tree = np.concatenate([r.booster.predict(r.X, raw_score=True, num_iteration=rounds) for r in results])
        weight = choose_weight(label, tree, linear, fold_of)
        recipe = replace(recipe, rounds=rounds, weight=weight)
        blend = weight * tree + (1 - weight) * linear
    slope, shift = choose_calibration(label, blend, fold_of)
    return replace(recipe, slope=slope, shift=shift, auc=_auc(label, blend, fold_of))


@dataclass(frozen=True)
class _Tried:
    label: np.ndarray
    linear: list[np.ndarray]
    booster: Any
    X: np.ndarray
    by_round: np.ndarray


def _try(features: Sequence[Feature], frame: pd.DataFrame, fold: Fold, seed: int) -> _Tried:
    """Everything that is compared, learned on one fold's training rows and judged on its valid rows."""
    train, valid = frame.iloc[fold.train], frame.iloc[fold.valid]
    encoder = fit_encoder(features, train)
    X, judged = encoder.transform(train), encoder.transform(valid)
    label = train["label"].to_numpy(dtype=float)
    truth = valid["label"].to_numpy(dtype=float)
    linear = [fit_linear(X, label, strength=s).log_odds(judged) for s in STRENGTHS]
    if closes(frame, fold.train) < FEWEST_CLOSES_FOR_TREES:
        return _Tried(truth, linear, None, judged, np.empty(0))
    booster, by_round = trees.fit_until_worse(X, label, judged, truth, seed=seed)
    return _Tried(truth, linear, booster, judged, by_round)


def _losses(z: np.ndarray, label: np.ndarray) -> np.ndarray:
    return np.asarray(np.logaddexp(0.0, z) - label * z)


def _loss(z: np.ndarray, label: np.ndarray) -> float:
    return float(_losses(z, label).mean())


def _clearly_better(new: np.ndarray, old: np.ndarray, fold_of: np.ndarray) -> bool:
    """Whether the losses `new` are below `old` by two standard errors of their difference, and in each of two folds.

    One fold is one change of the market, however many rows it has: it cannot tell a better model from a lucky one.
    """
    gain = old - new
    folds = np.unique(fold_of)
    everywhere = all(gain[fold_of == fold].mean() > 0 for fold in folds)
    return bool(len(folds) > 1 and everywhere and gain.mean() > 2 * gain.std() / np.sqrt(len(gain)))


def choose_weight(label: np.ndarray, tree: np.ndarray, linear: np.ndarray, fold_of: np.ndarray) -> float:
    """The share of the trees: one half, unless one of the two alone is clearly better out of fold.

    The plain average is hard to beat and safe; fitted weights hurt when the market drifts.
    """
    half = _losses((tree + linear) / 2, label)
    alone = {1.0: _losses(tree, label), 0.0: _losses(linear, label)}
    weight = min(alone, key=lambda w: float(alone[w].mean()))
    return weight if _clearly_better(alone[weight], half, fold_of) else 0.5


def choose_calibration(label: np.ndarray, z: np.ndarray, fold_of: np.ndarray) -> tuple[float, float]:
    """(slope, shift) of the log-odds: Platt's if clearly better on folds later than it was fitted on, else none."""
    later = fold_of > fold_of.min()
    if not later.any():
        return 1.0, 0.0
    calibrated = z.copy()
    for fold in np.unique(fold_of)[1:]:
        slope, shift = fit_platt(label[fold_of < fold], z[fold_of < fold])
        calibrated[fold_of == fold] = shift + slope * z[fold_of == fold]
    if _clearly_better(_losses(calibrated[later], label[later]), _losses(z[later], label[later]), fold_of[later]):
        return fit_platt(label, z)
    return 1.0, 0.0


def fit_platt(label: np.ndarray, z: np.ndarray) -> tuple[float, float]:
    """Slope and shift of a logistic regression of the label on the log-odds (Platt 1999), hardly regularised.

    Without both labels there is nothing to fit: (1, 0).
    """
    from sklearn.linear_model import LogisticRegression

    if len(np.unique(label)) < 2:
        return 1.0, 0.0
    fitted = LogisticRegression(C=100.0).fit(z[:, None], label)
    return float(fitted.coef_[0, 0]), float(fitted.intercept_[0])


def _auc(label: np.ndarray, z: np.ndarray, fold_of: np.ndarray) -> tuple[float, float] | None:
    """ROC-AUC, averaged over the folds by their pairs, and its standard error (Hanley and McNeil 1982)."""
    from sklearn.metrics import roc_auc_score

    found, pairs = [], []
    for fold in np.unique(fold_of):
        mine = fold_of == fold
        n, m = float(label[mine].sum()), float((1 - label[mine]).sum())
        if n > 0 and m > 0:
            found.append(float(roc_auc_score(label[mine], z[mine])))
            pairs.append(n * m)
    if not found:
        return None
    auc, n, m = float(np.average(found, weights=pairs)), float(label.sum()), float((1 - label).sum())
    q1, q2 = auc / (2 - auc), 2 * auc**2 / (1 + auc)
    variance = (auc * (1 - auc) + (n - 1) * (q1 - auc**2) + (m - 1) * (q2 - auc**2)) / (n * m)
    return auc, float(np.sqrt(max(variance, 0.0)))
