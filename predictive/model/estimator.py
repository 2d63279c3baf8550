"""The model as a scikit-learn classifier: fitted on any frame of numbers and text, or taken out of a bundle."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import check_is_fitted, column_or_1d, validate_data

from predictive.features.catalog import Feature, attribute
from predictive.model.side import Recipe, SideModel, fit_side


class LeadScorer(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn publishes no types
    """A binary classifier: trees and a logistic regression on the same columns, averaged in log-odds.

    Fits a frame whose columns are numbers (missing allowed, infinity not) or text (one column per frequent level), or
    an array of numbers. What a bundle holds was fitted by the same code with the parameters that time folds chose:
    `predictive train --joblib` writes it as such an estimator.

    Args:
        strength: inverse L2 strength of the logistic regression, on standardised columns.
        rounds: trees.
        weight: the share of the trees in the log-odds, 0 to 1: at 0 there are none, at 1 there is nothing else.
        seed: of the trees.

    Attributes:
        classes_: the two labels, the second being the one that `predict_proba`'s second column is about.
        model_: the fitted :class:`~predictive.model.side.SideModel`.

    >>> frame = pd.DataFrame({"visits": [0, 1, 5, 9] * 25, "source": ["web", "fair"] * 50})
    >>> scorer = LeadScorer(weight=0.0).fit(frame, [0, 0, 1, 1] * 25)
    >>> scorer.predict(frame.head(4)).tolist()
    [0, 0, 1, 1]
    """

    def __init__(self, *, strength: float = 0.03, rounds: int = 100, weight: float = 0.5, seed: int = 7) -> None:
        self.strength = strength
        self.rounds = rounds
        self.weight = weight
        self.seed = seed

    @classmethod
    def of(cls, model: SideModel) -> LeadScorer:
        """The fitted estimator of a bundle's model; it takes frames with exactly the model's features as columns."""
        recipe = model.recipe
        made = cls(strength=recipe.strength, rounds=recipe.rounds, weight=recipe.weight)
        made.model_, made.classes_ = model, np.array([0, 1])
        made.feature_names_in_ = np.array([f.name for f in model.encoder.features], dtype=object)
        made.n_features_in_ = len(made.feature_names_in_)
        return made

    def fit(self, X: Any, y: ArrayLike) -> LeadScorer:
        """Fit on X, a frame or array (n, p), and y (n,), of exactly two labels.

        Raises:
            ValueError: X or y is not as said.
        """
        text = _text(X)
        # Two calls, since text must not be made numbers, nor numbers text.
        if text:
            _, y = validate_data(self, X, y, skip_check_array=True)
            if len(X) != len(np.asarray(y)):
                raise ValueError(f"X has {len(X)} rows, but y has {len(np.asarray(y))}")
            frame = X
        else:
            X, y = validate_data(self, X, y, dtype=np.float64, ensure_all_finite="allow-nan")
            frame = pd.DataFrame(X)
        label = self._labels(column_or_1d(y, warn=True))
        features = [_feature(i, "text" if name in text else "number") for i, name in enumerate(frame.columns)]
        rows = frame.set_axis([f.name for f in features], axis=1).assign(label=label)
        recipe = Recipe(rounds=self.rounds, strength=self.strength, weight=self.weight)
        self.model_ = fit_side(features, rows, recipe, seed=self.seed)
        return self

    def predict_proba(self, X: Any) -> np.ndarray:
        """Probabilities of the two `classes_`, (n, 2), summing to 1."""
        check_is_fitted(self)
        features = self.model_.encoder.features
        if any(f.kind == "text" for f in features):
            X = validate_data(self, X, reset=False, skip_check_array=True)
        else:
            X = validate_data(self, X, reset=False, dtype=np.float64, ensure_all_finite="allow-nan")
        frame = pd.DataFrame(X).set_axis([f.name for f in features], axis=1)
        second = self.model_.probability(frame)
        return np.column_stack([1 - second, second])

    def predict(self, X: Any) -> np.ndarray:
        """The more likely label of each row; lists are better sorted by `predict_proba`."""
        second = self.predict_proba(X)[:, 1]
        return np.asarray(self.classes_[(second > 0.5).astype(np.intp)])

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        tags.input_tags.allow_nan = True
        return tags

    def _labels(self, y: np.ndarray) -> np.ndarray:
        check_classification_targets(y)
        self.classes_, label = np.unique(y, return_inverse=True)
        if len(self.classes_) > 2:
            raise ValueError(f"Only binary classification is supported. The type of the target is {type_of_target(y)}.")
        if len(self.classes_) < 2:
            raise ValueError("LeadScorer needs samples of two classes, but y has one class only")
        return np.asarray(label, dtype=np.int64)


def _text(X: Any) -> set[Any]:
    """The columns of a frame that hold no numbers."""
    if not isinstance(X, pd.DataFrame):
        return set()
    return {name for name in X.columns if not pd.api.types.is_numeric_dtype(X[name])}


def _feature(place: int, kind: str) -> Feature:
    # Named by place: a column may be called "label", or be no text at all.
    return attribute(f"x{place}", kind="text" if kind == "text" else "number")
