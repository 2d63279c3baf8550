"""The scoring model: probability, fit and interest from one frame of features, with reasons that add up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from predictive.features.catalog import Feature, Side
from predictive.model.folds import Fold
from predictive.model.recipe import FIRST, choose_recipe
from predictive.model.side import Recipe, SideModel, fit_side

SIDES: tuple[Side, ...] = ("fit", "interest")
PART_SEEDS = {"probability": 0, "fit": 1, "interest": 2}


@dataclass(frozen=True)
class Recipes:
    """One recipe for each of the three probabilities; None for an axis that is null, with `why_null` saying why."""

    probability: Recipe
    fit: Recipe | None
    interest: Recipe | None
    why_null: dict[str, str]


@dataclass(frozen=True)
class ScoringModel:
    """The three calibrated models of a bundle. `fit` or `interest` is None where that axis is null."""

    probability: SideModel
    fit: SideModel | None
    interest: SideModel | None

    def score(self, frame: pd.DataFrame) -> pd.DataFrame:
        """`probability`, `fit`, `interest` in (0, 1) (NaN for a null axis), for a frame of raw features."""
        parts = {name: getattr(self, name) for name in ("probability", *SIDES)}
        empty = np.full(len(frame), np.nan)
        return pd.DataFrame(
            {name: empty if model is None else model.probability(frame) for name, model in parts.items()},
            index=frame.index,
        )

    def explained(self, frame: pd.DataFrame) -> tuple[pd.DataFrame, np.ndarray]:
        """What :meth:`score` gives, and the contributions (n, features) to the probability's log-odds."""
        probability, contributions = self.probability.explained(frame)
        empty = np.full(len(frame), np.nan)
        fit, interest = (empty if model is None else model.probability(frame) for model in (self.fit, self.interest))
        found = {"probability": probability, "fit": fit, "interest": interest}
        return pd.DataFrame(found, index=frame.index), contributions


def choose_recipes(
    features: Sequence[Feature],
    frame: pd.DataFrame,
    folds: Sequence[Fold],
    *,
    seed: int,
    start: Recipe = FIRST,
    search: float | None = None,
) -> Recipes:
    """Choose how each of the three models is fitted, on time folds of the training part.

    An axis without features is null, and so is one whose out-of-fold ROC-AUC is not above one half by two standard
    errors: it would place contacts in quadrants by chance. `start` and `search` are those of
    :func:`~predictive.model.recipe.choose_recipe`; what is found for the probability shapes the trees of the axes too.
    """
    probability = choose_recipe(
        features, frame, folds, seed=seed + PART_SEEDS["probability"], start=start, search=search
    )
    shaped = replace(start, shape=probability.shape)
    chosen: dict[str, Recipe | None] = {}
    why: dict[str, str] = {}
    for side in SIDES:
        mine = [f for f in features if f.side == side]
        recipe = None
        if mine:
            recipe = choose_recipe(mine, frame, folds, seed=seed + PART_SEEDS[side], start=shaped)
        if recipe is None:
            why[side] = f"there are no features of {side}"
        elif recipe.auc is None:
            why[side] = "too few closes to tell whether it discriminates"
        elif recipe.auc[0] - 2 * recipe.auc[1] <= 0.5:
            why[side] = f"it does not discriminate out of time (ROC-AUC {recipe.auc[0]:.2f} ± {2 * recipe.auc[1]:.2f})"
        chosen[side] = None if side in why else recipe
    return Recipes(probability, chosen["fit"], chosen["interest"], why)


def fit_model(features: Sequence[Feature], frame: pd.DataFrame, recipes: Recipes, *, seed: int) -> ScoringModel:
    """Fit the recipes on all rows of `frame`."""
    fitted: dict[str, SideModel | None] = {}
    for side in SIDES:
        recipe: Recipe | None = getattr(recipes, side)
        mine = [f for f in features if f.side == side]
        fitted[side] = None if recipe is None else fit_side(mine, frame, recipe, seed=seed + PART_SEEDS[side])
    probability = fit_side(features, frame, recipes.probability, seed=seed + PART_SEEDS["probability"])
    return ScoringModel(probability, fitted["fit"], fitted["interest"])


def log_odds(probability: np.ndarray) -> np.ndarray:
    """log(p / (1 − p)), for p in (0, 1).

    >>> log_odds(np.array([0.5])).tolist()
    [0.0]
    """
    return np.asarray(np.log(probability) - np.log1p(-probability))
