"""Which way a feature moves the score: more of a number, or which value of a text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol

import numpy as np
import pandas as pd

from predictive.evaluation.importance import Model

ROWS = 2_000
FEWEST = 10
"""Rows that a value needs before anything is said of it."""
CLEAR = 0.3
"""Rank correlation of value and part from which the direction is clear."""
ENDS = 3


class Feature(Protocol):
    """What is needed of a feature: its column, and whether that holds numbers or text."""

    @property
    def name(self) -> str:
        """Its column."""

    @property
    def kind(self) -> str:
        """The kind of its values: number or text."""


@dataclass(frozen=True)
class Effect:
    """Which way a feature moves the log-odds.

    Of a number `rising` says whether more of it speaks for a close, None where that is not clear. Of a text `levels`
    are the three values that speak most against a close and the three that speak most for it, in this order, with
    their mean part of the log-odds.
    """

    rising: bool | None
    levels: tuple[tuple[str, float], ...]

    def as_dict(self) -> dict[str, Any]:
        """The fields as JSON knows them."""
        return asdict(self)


def effects(model: Model, features: Sequence[Feature], frame: pd.DataFrame, *, seed: int) -> dict[str, Effect]:
    """The effect of each feature by its name, on up to 2,000 rows of `frame`.

    `model` gives each feature's part of the log-odds, (n, features), in the order of `features`.
    """
    rows = frame.sample(min(len(frame), ROWS), random_state=seed)
    parts = model.contributions(rows)
    return {f.name: effect(rows[f.name], parts[:, i], kind=f.kind) for i, f in enumerate(features)}


def effect(values: pd.Series[Any], parts: np.ndarray, *, kind: str) -> Effect:
    """The effect of one feature from its `values` and parts of the log-odds, (n,) each.

    >>> effect(pd.Series([1, 2, 3] * 9), np.array([-0.1, 0.0, 0.2] * 9), kind="number").rising
    True
    >>> effect(pd.Series(["web", "fair"] * 10), np.array([-0.1, 0.2] * 10), kind="text").levels
    (('web', -0.1), ('fair', 0.2))
    """
    if kind != "text":
        return Effect(_direction(pd.to_numeric(values, errors="coerce"), parts), ())
    known = pd.DataFrame({"value": values.to_numpy(dtype=object), "part": parts}).dropna()
    means = known.groupby(known["value"].astype(str))["part"].agg(["size", "mean"])
    told = means[means["size"] >= FEWEST]["mean"].sort_values(kind="stable")
    ends = told if len(told) <= 2 * ENDS else pd.concat([told.head(ENDS), told.tail(ENDS)])
    return Effect(None, tuple((str(value), round(float(part), 6)) for value, part in ends.items()))


def _direction(values: pd.Series[Any], parts: np.ndarray) -> bool | None:
    """Whether parts rise with the values, by Spearman's rank correlation over the rows with a value."""
    known = values.notna().to_numpy()
    ranks = [pd.Series(np.asarray(x, dtype=float)[known]).rank().to_numpy() for x in (values, parts)]
    if known.sum() < FEWEST or any(np.ptp(r) == 0 for r in ranks):
        return None
    found = float(np.corrcoef(ranks[0], ranks[1])[0, 1])
    return None if abs(found) < CLEAR else found > 0
