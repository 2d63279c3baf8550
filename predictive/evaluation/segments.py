"""Where is the model wrong? Predicted against actual closes by segment and by month, luck told from error."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from predictive.evaluation.clusters import encode, likeness
from predictive.evaluation.counts import LUCK, Count, count, holm
from predictive.evaluation.intervals import plain

MOST_LEVELS = 8
OTHER, UNKNOWN = "other", "not known"


@dataclass(frozen=True)
class Group:
    """One level of one segment (or one month): its closes, the share of it `listed`, and whether it is `off`.

    `listed` is the share of the group among the top tenth of the whole list: who is selected. `off` says that luck does
    not explain the difference of predicted and actual closes, with at most a 5 % chance that any group at all is called
    off by mistake: `count.luck` is adjusted for all groups together (Holm).
    """

    by: str
    level: str
    count: Count
    listed: float
    off: bool

    def as_dict(self) -> dict[str, Any]:
        """The fields as JSON knows them; NaN becomes None."""
        return {name: plain(value) for name, value in asdict(self).items()}


def by_group(
    labels: ArrayLike,
    probabilities: ArrayLike,
    columns: Mapping[str, pd.Series[Any]],
    *,
    groups: ArrayLike,
    deals: pd.Series[Any],
) -> tuple[Group, ...]:
    """Every level of every column, in the order of columns and levels.

    Args:
        labels: (n,), 0 or 1.
        probabilities: (n,), 0 to 1.
        columns: by name (n,) values; text by its 8 most frequent levels, numbers by quarters of the sample. A column
            with one level only says nothing and is left out.
        groups: (n,) ids of the clusters.
        deals: (n,) ids of the won deals, missing where there is none, so that closes are distinct deals.

    >>> where = {"source": pd.Series(["web", "fair"] * 50)}
    >>> p, won = np.full(100, 0.3), np.array([1, 0] * 30 + [0, 0] * 20)
    >>> deals = pd.Series(np.where(won == 1, np.arange(100).astype(str), None))
    >>> [(g.level, g.count.closes, g.off) for g in by_group(won, p, where, groups=range(100), deals=deals)]
    [('fair', 0, True), ('web', 30, True)]
    """
    y, p = np.asarray(labels, dtype=np.float64), np.asarray(probabilities, dtype=np.float64)
    codes = encode(groups, len(y))
    alike = likeness(y, p, codes)
    top = _top_tenth(p)
    found = []
    for name, values in columns.items():
        levels = as_levels(values.reset_index(drop=True))
        for level in sorted(levels.unique()) if levels.nunique() > 1 else []:
            mine = (levels == level).to_numpy()
            closes = int(pd.Series(deals.to_numpy()[mine & (y == 1)]).nunique())
            part = count(y[mine], p[mine], np.unique(codes[mine], return_inverse=True)[1], alike=alike, closes=closes)
            found.append(Group(name, level, part, float(top[mine].mean()), off=False))
    adjusted = holm([g.count.luck for g in found])
    return tuple(
        replace(g, count=replace(g.count, luck=luck), off=luck < LUCK) for g, luck in zip(found, adjusted, strict=True)
    )


def as_levels(values: pd.Series[Any]) -> pd.Series[Any]:
    """The level of each value, in words; a number's says its range, after a digit that keeps ranges in order.

    >>> as_levels(pd.Series([1.0, 2, 3, 4, None])).tolist()
    ['1: up to 1.75', '2: 1.75 to 2.5', '3: 2.5 to 3.25', '4: above 3.25', 'not known']
    """
    if pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values):
        return _ranges(values.astype("float64"))
    text = values.astype("object").where(values.notna(), UNKNOWN).astype(str)
    common = text.value_counts().sort_index().sort_values(ascending=False, kind="stable").index[:MOST_LEVELS]
    return text.where(text.isin(common), OTHER)


def _ranges(values: pd.Series[Any]) -> pd.Series[Any]:
    cuts = np.unique(values.dropna().quantile([0.25, 0.5, 0.75])) if values.notna().any() else np.empty(0)
    # A cut that all values lie on one side of would make an empty range.
    cuts = cuts[cuts < values.max()]
    if len(cuts) == 0:
        return pd.Series(np.where(values.isna(), UNKNOWN, "any"), index=values.index, dtype="object")
    inner = [f"{a:,g} to {b:,g}" for a, b in pairwise(cuts)]
    names = [f"{i}: {x}" for i, x in enumerate([f"up to {cuts[0]:,g}", *inner, f"above {cuts[-1]:,g}"], start=1)]
    place = np.searchsorted(cuts, values.to_numpy(), side="left").clip(0, len(cuts))
    told = np.where(values.isna(), UNKNOWN, np.array(names, dtype=object)[place])
    return pd.Series(told, index=values.index, dtype="object")


def _top_tenth(p: np.ndarray) -> np.ndarray:
    """How much of each example is in the top tenth of the list, 0 to 1: tied examples in proportion."""
    ranks = pd.Series(-p).rank(method="min").to_numpy() - 1
    size = pd.Series(p).groupby(p).transform("size").to_numpy()
    return np.asarray(np.clip((len(p) / 10 - ranks) / size, 0.0, 1.0))
