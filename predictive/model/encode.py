"""From raw features to the columns that a learner takes: numbers only, missing stays missing (NaN).

A category becomes one column per level that enough training rows have, one for all other levels, and, when it has many
levels, a target statistic: the smoothed log-odds of closing of the rows with the same level that came before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from predictive.features.catalog import Feature, from_json, is_text, to_json

FEWEST_ROWS = 20
"""Levels that fewer training rows have are pooled."""
MOST_LEVELS = 25
MANY_LEVELS = 10
"""From this many levels on, a category also gets a target statistic."""
PRIOR_ROWS = 20.0
"""How many rows at the overall rate are added to a level's own before its rate is taken (m-estimate)."""


@dataclass(frozen=True)
class Levels:
    """How one category is encoded: the levels with a column of their own, and each level's target statistic."""

    own: tuple[str, ...]
    statistic: dict[str, float]
    default: float


@dataclass(frozen=True)
class Encoder:
    """The encoding of a feature set, learned from training rows.

    `columns` names each output column, `source` the position in `features` that it comes from.
    """

    features: tuple[Feature, ...]
    levels: dict[str, Levels]
    columns: tuple[str, ...]
    source: tuple[int, ...]

    def transform(self, frame: pd.DataFrame) -> np.ndarray:
        """Encode rows as scoring does: float64 of shape (n, len(columns)); NaN where a value is missing."""
        statistics = {name: _statistic(frame[name], levels) for name, levels in self.levels.items() if levels.statistic}
        return self._assemble(frame, statistics)

    def _assemble(self, frame: pd.DataFrame, statistics: dict[str, np.ndarray]) -> np.ndarray:
        parts: list[np.ndarray] = []
        for feature in self.features:
            if feature.name in self.levels:
                parts.append(_one_hot(frame[feature.name], self.levels[feature.name].own))
                if feature.name in statistics:
                    parts.append(statistics[feature.name][:, None])
            else:
                parts.append(frame[feature.name].to_numpy(dtype=np.float64, na_value=np.nan)[:, None])
        return np.concatenate(parts, axis=1) if parts else np.empty((len(frame), 0))

    def to_json(self) -> dict[str, Any]:
        """Plain values, for the bundle."""
        levels = {k: {"own": v.own, "statistic": v.statistic, "default": v.default} for k, v in self.levels.items()}
        return {"features": [to_json(f) for f in self.features], "levels": levels}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Encoder:
        """The inverse of :meth:`to_json`."""
        levels = {k: Levels(tuple(v["own"]), v["statistic"], v["default"]) for k, v in value["levels"].items()}
        return _encoder(tuple(from_json(f) for f in value["features"]), levels)


def fit_encoder(features: Sequence[Feature], frame: pd.DataFrame, label: np.ndarray) -> tuple[Encoder, np.ndarray]:
    """Learn an encoding, and encode the training rows themselves: (encoder, float64 matrix).

    The target statistic of a training row counts only rows with an earlier `as_of`, so that its own label is not in it.
    """
    levels: dict[str, Levels] = {}
    statistics: dict[str, np.ndarray] = {}
    rate = float(np.clip(label.mean(), 1e-6, 1 - 1e-6)) if len(label) else 0.5
    for feature in features:
        if not is_text(feature):
            continue
        values = frame[feature.name]
        counts = values.dropna().value_counts()
        common = counts[counts >= FEWEST_ROWS]
        own = tuple(sorted(map(str, common.sort_values(ascending=False, kind="stable").index[:MOST_LEVELS])))
        statistic: dict[str, float] = {}
        if len(counts) >= MANY_LEVELS:
            statistic = _level_log_odds(values, label, rate)
            statistics[feature.name] = _earlier_log_odds(frame["as_of"], values, label, rate)
        levels[feature.name] = Levels(own, statistic, _log_odds(rate))
    encoder = _encoder(tuple(features), levels)
    return encoder, encoder._assemble(frame, statistics)  # noqa: SLF001 - its own constructor


def _encoder(features: tuple[Feature, ...], levels: dict[str, Levels]) -> Encoder:
    columns: list[str] = []
    source: list[int] = []
    for i, feature in enumerate(features):
        names = [feature.name]
        if feature.name in levels:
            own = levels[feature.name]
            names = [f"{feature.name}={level}" for level in own.own] + [f"{feature.name}=(other)"]
            names += [f"{feature.name}~closing"] if own.statistic else []
        columns += names
        source += [i] * len(names)
    return Encoder(features, levels, tuple(columns), tuple(source))


def _one_hot(values: pd.Series[Any], own: tuple[str, ...]) -> np.ndarray:
    codes = pd.Categorical(values, categories=list(own)).codes
    out = np.zeros((len(values), len(own) + 1))
    out[np.arange(len(values)), np.where(codes < 0, len(own), codes)] = 1.0
    out[values.isna().to_numpy()] = np.nan
    return out


def _log_odds(rate: float) -> float:
    return float(np.log(rate / (1 - rate)))


def _smoothed(closes: np.ndarray, rows: np.ndarray, rate: float) -> np.ndarray:
    shrunk = (closes + PRIOR_ROWS * rate) / (rows + PRIOR_ROWS)
    return np.log(shrunk / (1 - shrunk))


def _level_log_odds(values: pd.Series[Any], label: np.ndarray, rate: float) -> dict[str, float]:
    grouped = pd.Series(label, index=values.index, dtype=float).groupby(values.astype(object)).agg(["sum", "count"])
    odds = _smoothed(grouped["sum"].to_numpy(), grouped["count"].to_numpy(), rate)
    return {str(level): float(v) for level, v in zip(grouped.index, odds, strict=True)}


def _earlier_log_odds(as_of: pd.Series[Any], values: pd.Series[Any], label: np.ndarray, rate: float) -> np.ndarray:
    """Ordered target statistics (Prokhorenkova et al. 2018, section 3.2); rows of one time do not see each other."""
    table = pd.DataFrame({"at": as_of.to_numpy(), "level": values.to_numpy(), "label": label.astype(float)})
    per = table.dropna().groupby(["level", "at"], sort=True)["label"].agg(["sum", "count"])
    before = per.groupby(level="level").cumsum() - per
    joined = table.join(before, on=["level", "at"])
    odds = _smoothed(joined["sum"].to_numpy(), joined["count"].to_numpy(), rate)
    return np.asarray(odds)


def _statistic(values: pd.Series[Any], levels: Levels) -> np.ndarray:
    found = values.map(levels.statistic).to_numpy(dtype=float, na_value=np.nan)
    unseen = np.isnan(found) & values.notna().to_numpy()
    return np.where(unseen, levels.default, found)
