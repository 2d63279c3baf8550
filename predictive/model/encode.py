"""From raw features to the columns that a learner takes: numbers only, missing stays missing (NaN).

A category becomes one column per level that enough training rows have, and one for all other levels. Target statistics
of earlier rows were measured beside this on real leads, and lost: with few closes they say more than they know.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from predictive.features.catalog import Feature, from_json, is_text, to_json

FEWEST_ROWS = 10
"""Levels that fewer training rows have are pooled."""
MOST_LEVELS = 25


@dataclass(frozen=True)
class Encoder:
    """The encoding of a feature set, learned from training rows: per category the levels with a column of their own."""

    features: tuple[Feature, ...]
    levels: dict[str, tuple[str, ...]]

    @property
    def source(self) -> np.ndarray:
        """For each column of the matrix the position of the feature that it comes from, int64 of shape (p,)."""
        widths = [len(self.levels[f.name]) + 1 if f.name in self.levels else 1 for f in self.features]
        return np.repeat(np.arange(len(self.features)), widths)

    def signs(self, monotone: Sequence[tuple[str, int]]) -> np.ndarray:
        """For each column of the matrix the sign that `monotone` has for its feature, 0 without one: int64 (p,)."""
        wanted = dict(monotone)
        return np.asarray(np.array([wanted.get(f.name, 0) for f in self.features], dtype=np.int64)[self.source])

    def transform(self, frame: pd.DataFrame) -> np.ndarray:
        """Encode rows: float64 of shape (n, p); NaN where a value is missing, in all columns of a category."""
        out = np.empty((len(frame), len(self.source)))
        at = 0
        for feature in self.features:
            if feature.name in self.levels:
                block = _one_hot(frame[feature.name], self.levels[feature.name])
                out[:, at : at + block.shape[1]] = block
                at += block.shape[1]
            else:
                out[:, at] = frame[feature.name].to_numpy(dtype=np.float64, na_value=np.nan)
                at += 1
        return out

    def to_json(self) -> dict[str, Any]:
        """Plain values, for the bundle."""
        return {"features": [to_json(f) for f in self.features], "levels": {k: list(v) for k, v in self.levels.items()}}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Encoder:
        """The inverse of :meth:`to_json`."""
        levels = {k: tuple(v) for k, v in value["levels"].items()}
        return cls(tuple(from_json(f) for f in value["features"]), levels)


def fit_encoder(features: Sequence[Feature], frame: pd.DataFrame) -> Encoder:
    """Learn which levels have a column of their own: the most frequent 25 of those with at least 10 rows."""
    levels: dict[str, tuple[str, ...]] = {}
    for feature in features:
        if is_text(feature):
            counts = (
                frame[feature.name]
                .dropna()
                .astype(str)
                .value_counts()
                .sort_index()
                .sort_values(ascending=False, kind="stable")
            )
            levels[feature.name] = tuple(sorted(counts[counts >= FEWEST_ROWS].index[:MOST_LEVELS]))
    return Encoder(tuple(features), levels)


def _one_hot(values: pd.Series[Any], own: tuple[str, ...]) -> np.ndarray:
    codes = pd.Index(own, dtype="str").get_indexer(pd.Index(values))
    out = np.zeros((len(values), len(own) + 1))
    out[np.arange(len(values)), np.where(codes < 0, len(own), codes)] = 1.0
    out[values.isna().to_numpy()] = np.nan
    return out
