"""What `predictive` is compared with: other learners on the same encoded matrix, with settings as people use them.

A competitor is a function of training rows (n, p), with NaN for missing, labels (n,) and rows to score (m, p) that
returns probabilities (m,). Training rows are in order of time. One thread each, so that seconds can be compared.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

Competitor = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]
EDGE = 1e-6


def constant(_: np.ndarray, label: np.ndarray, later: np.ndarray) -> np.ndarray:
    """The base rate of the training part, for everyone."""
    return np.full(len(later), label.mean())


def naive_bayes(X: np.ndarray, label: np.ndarray, later: np.ndarray) -> np.ndarray:
    """Every column in five bins, and one for missing; columns taken for independent."""
    from sklearn.naive_bayes import CategoricalNB

    shown = [j for j in range(X.shape[1]) if not np.isnan(X[:, j]).all()]
    gaps = np.isnan(X).any(axis=0)  # where training has none, a gap would weigh as much as it is unheard of
    cuts = {j: np.unique(np.nanquantile(X[:, j], [0.2, 0.4, 0.6, 0.8])) for j in shown}

    def binned(rows: np.ndarray) -> np.ndarray:
        columns = [np.where(np.isnan(rows[:, j]) & gaps[j], 5, np.searchsorted(c, rows[:, j])) for j, c in cuts.items()]
        return np.column_stack(columns)

    return CategoricalNB(min_categories=6).fit(binned(X), label).predict_proba(binned(later))[:, 1]


def logistic(X: np.ndarray, label: np.ndarray, later: np.ndarray) -> np.ndarray:
    """scikit-learn's defaults, after imputing means with indicators and standardising."""
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    model = make_pipeline(SimpleImputer(add_indicator=True), StandardScaler(), LogisticRegression(max_iter=2_000))
    return model.fit(X, label).predict_proba(later)[:, 1]


def lightgbm(X: np.ndarray, label: np.ndarray, later: np.ndarray) -> np.ndarray:
    """LightGBM's defaults."""
    return _booster().fit(X, label).predict_proba(later)[:, 1]


def lightgbm_isotonic(X: np.ndarray, label: np.ndarray, later: np.ndarray) -> np.ndarray:
    """LightGBM's defaults on the first three quarters, isotonic calibration on the last."""
    from sklearn.isotonic import IsotonicRegression

    cut = len(X) * 3 // 4
    model = _booster().fit(X[:cut], label[:cut])
    curve = IsotonicRegression(out_of_bounds="clip").fit(model.predict_proba(X[cut:])[:, 1], label[cut:])
    return curve.predict(model.predict_proba(later)[:, 1])


def flaml(seconds: float) -> Competitor:
    """FLAML's search for the least log loss within a budget, with its defaults."""

    def fit(X: np.ndarray, label: np.ndarray, later: np.ndarray) -> np.ndarray:
        from flaml import AutoML

        search = AutoML()
        # As a frame, so that FLAML fills gaps for the learners that cannot have any.
        search.fit(
            X_train=pd.DataFrame(X), y_train=label.astype(int), task="classification", metric="log_loss",
            time_budget=seconds, n_jobs=1, seed=7, verbose=0,
            estimator_list=["lgbm", "xgboost", "rf", "extra_tree", "lrl1"],
        )  # fmt: skip
        return search.predict_proba(pd.DataFrame(later))[:, 1]

    return fit


def competitors(flaml_seconds: float) -> dict[str, Competitor]:
    """All of them by name."""
    found: dict[str, Competitor] = {
        "constant": constant,
        "naive_bayes": naive_bayes,
        "logistic": logistic,
        "lightgbm": lightgbm,
        "lightgbm_isotonic": lightgbm_isotonic,
    }
    return found | ({"flaml": flaml(flaml_seconds)} if flaml_seconds > 0 else {})


def probabilities(competitor: Competitor, X: np.ndarray, label: np.ndarray, later: np.ndarray) -> np.ndarray:
    """A competitor's probabilities, kept off 0 and 1, where a log loss has no end."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # theirs, not ours to act on
        return np.clip(competitor(X, label, later), EDGE, 1 - EDGE)


def _booster() -> Any:
    from lightgbm import LGBMClassifier

    return LGBMClassifier(n_jobs=1, random_state=7, verbosity=-1)
