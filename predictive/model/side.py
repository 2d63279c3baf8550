"""One calibrated model on one set of features, and the recipe that it is fitted by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from predictive.features.catalog import Feature
from predictive.model import trees
from predictive.model.calibration import AS_IT_COMES, Calibration
from predictive.model.encode import Encoder, fit_encoder
from predictive.model.linear import STRENGTHS, Linear, fit_linear
from predictive.model.logistic import expit, level_of
from predictive.model.partial import offset_of
from predictive.model.thinned import weight_of


@dataclass(frozen=True)
class Recipe:
    """How a model is fitted: what the folds chose.

    `weight` is the share of the trees' log-odds, the rest is the logistic regression's; `calibration` bends the sum.
    `rounds` is 0 where the folds had too few closes to try trees. `monotone` names features with which the log-odds may
    only rise (1) or fall (-1). `auc` is the out-of-fold ROC-AUC with its standard error, None without folds.
    """

    rounds: int = trees.DEFAULT_ROUNDS
    strength: float = STRENGTHS[0]
    weight: float = 0.0
    calibration: Calibration = AS_IT_COMES
    shape: trees.Shape = trees.DEFAULT
    monotone: tuple[tuple[str, int], ...] = ()
    auc: tuple[float, float] | None = None

    def to_json(self) -> dict[str, Any]:
        """Plain values, for the bundle and for MLflow."""
        flat: dict[str, Any] = asdict(self)
        bent = flat.pop("calibration")
        return {**flat, "calibration": bent.pop("name"), **bent}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Recipe:
        """The inverse of :meth:`to_json`."""
        flat = dict(value)
        flat["shape"] = trees.Shape(**flat["shape"])
        flat["monotone"] = tuple((name, sign) for name, sign in flat["monotone"])
        bent = Calibration(flat.pop("calibration"), **{name: flat.pop(name) for name in ("slope", "shift", "bend")})
        return cls(**{**flat, "calibration": bent, "auc": None if flat["auc"] is None else tuple(flat["auc"])})


@dataclass(frozen=True)
class SideModel:
    """A fitted recipe. `booster` is None where the weight of the trees is 0, `linear` where it is 1.

    `base` is the log-odds that the trees start from.
    """

    encoder: Encoder
    recipe: Recipe
    booster: Any
    linear: Linear | None
    base: float

    def raw(self, X: np.ndarray) -> np.ndarray:
        """Log-odds before calibration, of shape (n,), for encoded rows."""
        return self._sum(X, self._linear_parts(X))

    def log_odds(self, frame: pd.DataFrame) -> np.ndarray:
        """Calibrated log-odds of shape (n,) for a frame with the columns of the features."""
        return self.recipe.calibration.apply(self.raw(self.encoder.transform(frame)))

    def probability(self, frame: pd.DataFrame) -> np.ndarray:
        """Calibrated probability of shape (n,), in (0, 1)."""
        return expit(self.log_odds(frame))

    def contributions(self, frame: pd.DataFrame) -> np.ndarray:
        """Each feature's part in the uncalibrated log-odds, of shape (n, features)."""
        X = self.encoder.transform(frame)
        return self._contributions(X, self._linear_parts(X))

    def explained(self, frame: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
        """:meth:`probability` and :meth:`contributions`, with what both need worked out once."""
        X = self.encoder.transform(frame)
        parts = self._linear_parts(X)
        return expit(self.recipe.calibration.apply(self._sum(X, parts))), self._contributions(X, parts)

    def _linear_parts(self, X: np.ndarray) -> np.ndarray | None:
        return None if self.linear is None else self.linear.contributions(X)

    def _sum(self, X: np.ndarray, parts: np.ndarray | None) -> np.ndarray:
        out = np.zeros(len(X))
        if self.booster is not None:
            out += self.recipe.weight * (self.base + trees.log_odds(self.booster, X))
        if self.linear is not None and parts is not None:
            out += (1 - self.recipe.weight) * self.linear.sum_of(parts)
        return out

    def _contributions(self, X: np.ndarray, parts: np.ndarray | None) -> np.ndarray:
        each = np.zeros(X.shape)
        if self.booster is not None:
            each += self.recipe.weight * trees.contributions(self.booster, X)
        if parts is not None:
            each += (1 - self.recipe.weight) * parts
        first = np.flatnonzero(np.diff(self.encoder.source, prepend=-1))
        return np.add.reduceat(each, first, axis=1)


def fit_side(features: Sequence[Feature], frame: pd.DataFrame, recipe: Recipe, *, seed: int) -> SideModel:
    """Fit a recipe on the rows of `frame` (`label`, the features' columns); both labels must be present.

    Where some are not mature, `frame` has their `offset` (see :func:`~predictive.model.partial.known_at`), and where
    some were left out, the weights of :mod:`predictive.model.thinned`.
    """
    label, offset = frame["label"].to_numpy(dtype=float), offset_of(frame)
    encoder = fit_encoder(features, frame)
    weight = weight_of(frame)
    X, base, signs = encoder.transform(frame), level_of(label, offset, weight), encoder.signs(recipe.monotone)
    booster = linear = None
    if recipe.weight > 0:
        learned = trees.Learned(X, label, base + offset, signs, weight)
        booster = trees.fit_trees(learned, rounds=recipe.rounds, shape=recipe.shape, seed=seed)
    if recipe.weight < 1:
        linear = fit_linear(X, label, offset, strength=recipe.strength, signs=signs, weight=weight)
    return SideModel(encoder, recipe, booster, linear, base)
