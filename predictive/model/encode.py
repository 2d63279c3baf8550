"""From raw features to the columns that a learner takes: numbers only, missing stays missing (NaN).

A category becomes one column per level that enough training rows have, and one for all other levels. Where too many do,
as with job titles, the words that several levels share ("vp", "marketing") have columns too. Target statistics of
earlier rows were measured beside this on real leads, and lost: with few closes they say more than they know.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from predictive.features.catalog import Feature, from_json, is_text, to_json

FEWEST_ROWS = 10
"""Levels that fewer training rows have are pooled."""
MOST_LEVELS = 25
MOST_WORDS = 40


@dataclass(frozen=True)
class Encoder:
    """The encoding of a feature set, learned from training rows: per category its levels and words with a column."""

    features: tuple[Feature, ...]
    levels: dict[str, tuple[str, ...]]
    words: dict[str, tuple[str, ...]]

    @property
    def source(self) -> np.ndarray:
        """For each column of the matrix the position of the feature that it comes from, int64 of shape (p,)."""
        return np.repeat(np.arange(len(self.features)), [self._width(f.name) for f in self.features])

    def _width(self, name: str) -> int:
        return len(self.levels[name]) + 1 + len(self.words.get(name, ())) if name in self.levels else 1

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
                parts = [_one_hot(frame[feature.name], self.levels[feature.name])]
                if feature.name in self.words:
                    parts.append(_has_words(frame[feature.name], self.words[feature.name]))
                block = np.hstack(parts)
                out[:, at : at + block.shape[1]] = block
                at += block.shape[1]
            else:
                out[:, at] = frame[feature.name].to_numpy(dtype=np.float64, na_value=np.nan)
                at += 1
        return out

    def to_json(self) -> dict[str, Any]:
        """Plain values, for the bundle."""
        texts = {name: {k: list(v) for k, v in getattr(self, name).items()} for name in ("levels", "words")}
        return {"features": [to_json(f) for f in self.features], **texts}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Encoder:
        """The inverse of :meth:`to_json`."""
        levels, words = ({k: tuple(v) for k, v in value[name].items()} for name in ("levels", "words"))
        return cls(tuple(from_json(f) for f in value["features"]), levels, words)


def fit_encoder(features: Sequence[Feature], frame: pd.DataFrame) -> Encoder:
    """Learn which levels have a column of their own: the most frequent 25 of those with at least 10 rows.

    Where more have so many, words with at least 10 rows that at least two levels share have one too, at most 40.
    """
    levels: dict[str, tuple[str, ...]] = {}
    words: dict[str, tuple[str, ...]] = {}
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
            often = counts[counts >= FEWEST_ROWS]
            levels[feature.name] = tuple(sorted(often.index[:MOST_LEVELS]))
            shared = _shared_words(counts) if len(often) > MOST_LEVELS else ()
            words |= {feature.name: shared} if shared else {}
    return Encoder(tuple(features), levels, words)


def _shared_words(counts: pd.Series[int]) -> tuple[str, ...]:
    """The words that stand in several levels and in enough rows; `counts` are the rows of each level."""
    rows: Counter[str] = Counter()
    levels: Counter[str] = Counter()
    for level, count in counts.items():
        found = _words(str(level))
        rows.update(dict.fromkeys(found, int(count)))
        levels.update(found)
    kept = [(-n, word) for word, n in rows.items() if n >= FEWEST_ROWS and levels[word] > 1]
    return tuple(sorted(word for _, word in sorted(kept)[:MOST_WORDS]))


def _words(text: str) -> set[str]:
    return set(re.findall(r"\w+", text.lower()))


def _has_words(values: pd.Series[Any], words: tuple[str, ...]) -> np.ndarray:
    """1 where a text has a word, of shape (n, words); NaN where it is missing."""
    codes, texts = pd.factorize(values)
    inside = [_words(str(text)) for text in texts]
    table = np.array([[float(word in found) for word in words] for found in inside] + [[np.nan] * len(words)])
    return table[codes]


def _one_hot(values: pd.Series[Any], own: tuple[str, ...]) -> np.ndarray:
    codes = pd.Index(own, dtype="str").get_indexer(pd.Index(values))
    out = np.zeros((len(values), len(own) + 1))
    out[np.arange(len(values)), np.where(codes < 0, len(own), codes)] = 1.0
    out[values.isna().to_numpy()] = np.nan
    return out
