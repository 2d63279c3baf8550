"""Choosing a recipe on expanding time folds: rounds, regularisation, blend and calibration, by out-of-fold log loss."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
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
from predictive.model.search import Grown, search_shape
from predictive.model.side import Recipe
from predictive.model.thinned import weight_of

FEWEST_CLOSES_FOR_TREES = 20
"""A fold with fewer distinct closes to learn from fits no trees; if any fold is such, the model is logistic."""
FIRST = Recipe()
"""A logistic regression with careful defaults."""
FEWEST_ROUNDS = 50
"""Fewer rounds at this slow rate are hardly a model: a fold that asks for them met a change of the market."""


def choose_recipe(
    features: Sequence[Feature],
    frame: pd.DataFrame,
    folds: Sequence[Fold],
    *,
    seed: int,
    start: Recipe = FIRST,
    search: float | None = None,
) -> Recipe:
    """Rounds, strength, blend and calibration with the least out-of-fold log loss; careful defaults without folds.

    `start` has what is not chosen: the shape of the trees, and what is monotone. With `search`, in seconds, the shape
    is searched for.
    """
    if not folds:
        return start
    tried = _in_parallel([(_try, (features, frame, fold, start), {}) for fold in folds])
    label = np.concatenate([t.judged.label for t in tried])
    offset = np.concatenate([t.judged.start for t in tried])
    fold_of = np.repeat(np.arange(len(tried)), [len(t.judged.label) for t in tried])
    candidates = [np.concatenate([t.linear[i] for t in tried]) for i in range(len(STRENGTHS))]
    best = int(np.argmin([losses(z + offset, label).mean() for z in candidates]))
    recipe = replace(start, strength=STRENGTHS[best], rounds=0)
    blend = linear = candidates[best]
    if all(t.enough for t in tried):
        grow = partial(_grow, tried, seed=seed)
        found = grow(start.shape)
        if search is not None:
            found = search_shape(grow, partial(_blended, linear, label, offset), found, search, seed=seed)
        weight = choose_weight(label, found.log_odds, linear, fold_of, offset)
        recipe = replace(recipe, rounds=found.rounds, weight=weight, shape=found.shape)
        blend = weight * found.log_odds + (1 - weight) * linear
    calibration = choose_calibration(label, blend, fold_of, offset)
    return replace(recipe, calibration=calibration, auc=_auc(label, blend, fold_of))


@dataclass(frozen=True)
class _Tried:
    """One fold: `judged` holds the offsets of its judged rows as their start, `linear` their log-odds by strength."""

    train: trees.Learned
    judged: trees.Learned
    base: float
    linear: list[np.ndarray]
    enough: bool


def _try(features: Sequence[Feature], frame: pd.DataFrame, fold: Fold, start: Recipe) -> _Tried:
    """What was known at one fold's start and what came later, encoded; and the logistic regressions."""
    train, valid = fold.train(frame), frame.iloc[fold.valid]
    encoder = fit_encoder(features, train)
    label, offset = train["label"].to_numpy(dtype=float), offset_of(train)
    weight = weight_of(train)
    X, base, signs = encoder.transform(train), level_of(label, offset, weight), encoder.signs(start.monotone)
    judged = trees.Learned(encoder.transform(valid), valid["label"].to_numpy(dtype=float), offset_of(valid), signs)
    fits = [fit_linear(X, label, offset, strength=s, signs=signs, weight=weight) for s in STRENGTHS]
    learned = trees.Learned(X, label, base + offset, signs, weight)
    return _Tried(learned, judged, base, [f.log_odds(judged.X) for f in fits], closes(train) >= FEWEST_CLOSES_FOR_TREES)


def _grow(tried: Sequence[_Tried], shape: trees.Shape, *, seed: int) -> Grown:
    how = {"shape": shape, "seed": seed}
    judged = [replace(t.judged, start=t.base + t.judged.start) for t in tried]
    jobs = [(trees.fit_until_worse, (t.train, j), how) for t, j in zip(tried, judged, strict=True)]
    found = _in_parallel(jobs)
    curve = np.average([by_round for _, by_round in found], axis=0, weights=[len(t.judged.label) for t in tried])
    rounds = max(int(np.argmin(curve)) + 1, FEWEST_ROUNDS)
    parts = [
        t.base + booster.predict(t.judged.X, raw_score=True, num_iteration=rounds)
        for t, (booster, _) in zip(tried, found, strict=True)
    ]
    return Grown(shape, rounds, np.concatenate(parts))


def _blended(linear: np.ndarray, label: np.ndarray, offset: np.ndarray, tree: np.ndarray) -> float:
    return float(losses((tree + linear) / 2 + offset, label).mean())


def _in_parallel(jobs: list[Any]) -> list[Any]:
    from joblib import Parallel
    from threadpoolctl import threadpool_limits

    # Threads within threads wait for each other: a third of the time and of the processor went into that.
    with threadpool_limits(limits=1, user_api="blas"):
        return list(Parallel(n_jobs=-1, prefer="threads")(jobs))


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
