"""A bounded, seeded search for the shape of the trees, within a time budget: off unless it is asked for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from predictive.model.trees import Shape


@dataclass(frozen=True)
class Grown:
    """Trees of one shape on all folds: the rounds with the least out-of-fold loss, and their log-odds (n,) there."""

    shape: Shape
    rounds: int
    log_odds: np.ndarray


def search_shape(
    grow: Callable[[Shape], Grown], loss: Callable[[np.ndarray], float], first: Grown, seconds: float, *, seed: int
) -> Grown:
    """The best of the shapes that could be tried in so many seconds; `first` is the first of them.

    Args:
        grow: fits the trees of a shape on all folds.
        loss: the out-of-fold log loss of their log-odds.
        first: the trees of the default shape. Whatever is found is no worse on the folds.
        seconds: no trial is begun after them. How many there are depends on the machine; their order only on the seed.
        seed: of Optuna's sampler (Akiba et al. 2019, doi:10.1145/3292500.3330701), a tree of Parzen estimators.
    """
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    best = {loss(first.log_odds): first}

    def trial(suggest: Any) -> float:
        grown = grow(_suggested(suggest))
        found = loss(grown.log_odds)
        best.setdefault(found, grown)
        return found

    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=seed))
    study.enqueue_trial(asdict(first.shape))
    study.optimize(trial, timeout=seconds)
    return best[min(best)]


def _suggested(trial: Any) -> Shape:
    return Shape(
        learning_rate=trial.suggest_float("learning_rate", 0.01, 0.2, log=True),
        num_leaves=trial.suggest_int("num_leaves", 3, 63, log=True),
        max_depth=trial.suggest_int("max_depth", 2, 8),
        min_data_in_leaf=trial.suggest_int("min_data_in_leaf", 10, 400, log=True),
        lambda_l2=trial.suggest_float("lambda_l2", 0.1, 100.0, log=True),
        feature_fraction=trial.suggest_float("feature_fraction", 0.2, 1.0),
        bagging_fraction=trial.suggest_float("bagging_fraction", 0.5, 1.0),
    )
