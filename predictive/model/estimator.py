"""The trained model for notebooks: a fitted scikit-learn classifier over frames of raw features."""

from __future__ import annotations

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, ClassifierMixin

from predictive.model.side import SideModel


class LeadScorer(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn publishes no types
    """A fitted classifier: `predict_proba` of closing within the horizon, for a frame with the model's features.

    Pass it a frame with the columns ``feature_names_in_``; levels are text, numbers may be missing.
    """

    def __init__(self, model: SideModel) -> None:
        self.model = model

    @property
    def classes_(self) -> np.ndarray:
        """0, not closing, and 1, closing."""
        return np.array([0, 1])

    @property
    def feature_names_in_(self) -> np.ndarray:
        """The columns that a frame must have."""
        return np.array([f.name for f in self.model.encoder.features], dtype=object)

    def predict_proba(self, X: pd.DataFrame) -> np.ndarray:
        """Probabilities of shape (n, 2), calibrated, summing to 1."""
        closing = self.model.probability(X)
        return np.column_stack([1 - closing, closing])

    def predict(self, X: pd.DataFrame) -> np.ndarray:
        """1 where closing is more likely than not; lists are better sorted by `predict_proba`."""
        return np.asarray((self.model.probability(X) > 0.5).astype(int))
