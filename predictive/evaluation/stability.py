"""Population stability: whether the inputs of today are those that the model learned from."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import pandas as pd
from scipy.stats import chi2

BINS = 10
MOST_LEVELS = 20


class Named(Protocol):
    """What is needed of a feature: its column, and whether that holds numbers or text."""

    @property
    def name(self) -> str:
        """Its column."""

    @property
    def kind(self) -> str:
        """The kind of its values: number or text."""


@dataclass(frozen=True)
class Shift:
    """How far a feature has moved: its population stability index, and what of it luck explains 99 times in 100.

    By custom (Siddiqi 2006, Credit Risk Scorecards) below 0.1 is stable, and above 0.25 has moved.
    """

    name: str
    psi: float
    noise: float


def profile(features: Iterable[Named], frame: pd.DataFrame) -> dict[str, Any]:
    """The distribution of each feature as plain values, for the bundle.

    A number: the inner edges of up to ten bins with equally many rows; text: its 20 most frequent levels. Both with the
    share of each bin or level, of the rest (text), and of missing values, and the number of rows.
    """
    found: dict[str, Any] = {}
    for feature in features:
        values = frame[feature.name]
        if feature.kind == "text":
            counts = values.dropna().astype(str).value_counts().sort_index().sort_values(ascending=False, kind="stable")
            shape: dict[str, Any] = {"levels": [str(level) for level in counts.index[:MOST_LEVELS]]}
        else:
            known = values.to_numpy(dtype=np.float64, na_value=np.nan)
            known = known[np.isfinite(known)]
            inner = np.quantile(known, np.linspace(0, 1, BINS + 1)[1:-1]) if len(known) else np.empty(0)
            shape = {"edges": np.unique(inner).tolist()}
        found[feature.name] = shape | {"shares": (_counts(shape, values) / max(len(values), 1)).tolist()}
    return {"rows": len(frame), "features": found}


def shifts(known: dict[str, Any], frame: pd.DataFrame) -> tuple[Shift, ...]:
    """How far each feature of a :func:`profile` has moved in `frame`, the most first.

    The index is the sum over bins of (q - p) log(q / p), half an example being added to every bin, so that an empty one
    is not infinite. Without any move it is about chi-square with one degree of freedom less than bins, times
    (1 / n + 1 / m) for n and m rows (Yurdakul 2018, Western Michigan University); `noise` is its 99th percentile.
    """
    n, m = known["rows"], len(frame)
    if n == 0 or m == 0:
        return ()
    found = []
    for name, shape in known["features"].items():
        before, now = np.array(shape["shares"]) * n, _counts(shape, frame[name])
        p, q = ((x + 0.5) / (x + 0.5).sum() for x in (before, now))
        freedom = max(int(((before > 0) | (now > 0)).sum()) - 1, 1)
        noise = float(chi2.ppf(0.99, freedom)) * (1 / n + 1 / m)
        found.append(Shift(name, float(((q - p) * np.log(q / p)).sum()), noise))
    return tuple(sorted(found, key=lambda s: (-s.psi, s.name)))


def _counts(shape: dict[str, Any], values: pd.Series[Any]) -> np.ndarray:
    """How many values fall in each bin or level, then the rest (text only), then missing ones."""
    missing = float(values.isna().sum())
    if "levels" in shape:
        place = pd.Index(shape["levels"], dtype="object").get_indexer(values.dropna().astype(str).astype("object"))
        size = len(shape["levels"])
        return np.append(np.bincount(np.where(place < 0, size, place), minlength=size + 1), missing).astype(np.float64)
    known = values.to_numpy(dtype=np.float64, na_value=np.nan)
    known = known[~np.isnan(known)]
    place = np.searchsorted(np.array(shape["edges"]), known, side="left")
    return np.append(np.bincount(place, minlength=len(shape["edges"]) + 1), missing).astype(np.float64)
