"""Choosing a recipe on expanding time folds: rounds, regularisation, blend and calibration, by out-of-fold log loss."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from predictive.features.catalog import Feature
from predictive.model import trees
from predictive.model.calibration import choose_calibration, clearly_better
from predictive.model.encode import fit_encoder
from predictive.model.folds import Fold, closes
from predictive.model.linear import STRENGTHS, fit_linear
from predictive.model.logistic import level_of, losses
from predictive.model.partial import offset_of
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
    label = np.concatenate([r.judged.label for r in results])
    offset = np.concatenate([r.judged.start for r in results])
    fold_of = np.repeat(np.arange(len(folds)), sizes.astype(int))
    candidates = [np.concatenate([r.linear[i] for r in results]) for i in range(len(STRENGTHS))]
    best = int(np.argmin([losses(z + offset, label).mean() for z in candidates]))
    recipe = Recipe(strength=STRENGTHS[best], rounds=0)
    blend = linear = candidates[best]
    if all(r.booster is not None for r in results):
        curve = np.average([r.by_round for r in results], axis=0, weights=sizes)
        rounds = max(int(np.argmin(curve)) + 1, FEWEST_ROUNDS)
        tree = np.concatenate([r.tree(rounds) for r in results])
        weight = choose_weight(label, tree, linear, fold_of, offset)
        recipe = replace(recipe, rounds=rounds, weight=weight)
        blend = weight * tree + (1 - weight) * linear
    calibration = choose_calibration(label, blend, fold_of, offset)
    return replace(recipe, calibration=calibration, auc=_auc(label, blend, fold_of))


@dataclass(frozen=True)
class _Tried:
    """`judged` holds the offsets of the judged rows as their start; everything else is without them."""

    judged: trees.Learned
    linear: list[np.ndarray]
    booster: Any
    base: float
    by_round: np.ndarray

    def tree(self, rounds: int) -> np.ndarray:
        """Log-odds of the judged rows after so many rounds."""
        return np.asarray(self.base + self.booster.predict(self.judged.X, raw_score=True, num_iteration=rounds))


def _try(features: Sequence[Feature], frame: pd.DataFrame, fold: Fold, seed: int) -> _Tried:
    """Everything that is compared, learned from what was known at one fold's start and judged on its valid rows."""
    train, valid = fold.train(frame), frame.iloc[fold.valid]
    encoder = fit_encoder(features, train)
    label, offset = train["label"].to_numpy(dtype=float), offset_of(train)
    X, base = encoder.transform(train), level_of(label, offset)
    judged = trees.Learned(encoder.transform(valid), valid["label"].to_numpy(dtype=float), offset_of(valid))
    linear = [fit_linear(X, label, offset, strength=s).log_odds(judged.X) for s in STRENGTHS]
    if closes(train) < FEWEST_CLOSES_FOR_TREES:
        return _Tried(judged, linear, None, base, np.empty(0))
    learned = trees.Learned(X, label, base + offset)
    booster, by_round = trees.fit_until_worse(learned, replace(judged, start=base + judged.start), seed=seed)
    return _Tried(judged, linear, booster, base, by_round)


def choose_weight(
    label: np.ndarray, tree: np.ndarray, linear: np.ndarray, fold_of: np.ndarray, offset: np.ndarray
) -> float:
    """The share of the trees: one half, unless one of the two alone is clearly better out of fold.

    The plain average is hard to beat and safe; fitted weights hurt when the market drifts.
    """
    half = losses((tree + linear) / 2 + offset, label)
    alone = {1.0: losses(tree + offset, label), 0.0: losses(linear + offset, label)}
    weight = min(alone, key=lambda w: float(alone[w].mean()))
    return weight if clearly_better(alone[weight], half, fold_of) else 0.5


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
