"""Candidate definitions: regions of fit × interest or of points, each with its size and what closed in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import betainc

from predictive.evaluation.capacity import weeks_of
from predictive.evaluation.closed import Closed, closed, effective
from predictive.evaluation.clusters import encode
from predictive.evaluation.counts import holm
from predictive.evaluation.intervals import plain

LIFTS = (0.5, 1.0, 1.5, 2.0, 3.0, 4.0)
POINTS = tuple(range(5, 100, 5))
LUCK = 0.05


@dataclass(frozen=True)
class Bounds:
    """Where a region begins: fit and interest strictly above lifts of the base rate, or at least so many `points`."""

    fit: float | None = None
    interest: float | None = None
    points: int | None = None

    @property
    def in_words(self) -> str:
        """The region, as a condition on a contact.

        >>> Bounds(fit=1.5, interest=1.0).in_words
        'fit above 1.5 × and interest above 1 × the average'
        """
        if self.points is not None:
            return f"{self.points} points or more"
        return f"fit above {self.fit:g} × and interest above {self.interest:g} × the average"


@dataclass(frozen=True)
class Region:
    """A region: `per_week` contacts enter it, `result` is what became of them, `lift` their rate over the average's.

    A contact counts once, the first time that it is in the region, as in :mod:`predictive.evaluation.capacity`; it
    closed if a deal was won within the horizon from then. `caught` is the share of all closes (distinct deals) whose
    contact was in the region at some as-of less than a horizon before, `contacts` the share of all contacts. `luck` is
    the chance of a rate so far above the average were the region like everybody, adjusted for all regions (Holm).
    """

    bounds: Bounds
    per_week: float
    result: Closed
    lift: float
    caught: float
    contacts: float
    luck: float

    @property
    def above_average(self) -> bool:
        """Whether its close rate is significantly above the average."""
        return self.luck < LUCK

    def as_dict(self) -> dict[str, Any]:
        """The fields as JSON knows them; NaN becomes None."""
        return {name: plain(value) for name, value in asdict(self).items()} | {"above_average": self.above_average}


def judge_regions(rows: pd.DataFrame, *, base_rate: float | None) -> tuple[Region, ...]:
    """Every candidate region that somebody is in, on later examples; `base_rate` is what lifts multiply.

    `rows` holds one row per example: `contact_id`, `as_of` (microseconds), `label`, `deal_id`, `cluster`, `rule_score`,
    and `fit` and `interest` as the model gave them (NaN or without a `base_rate`: points only).
    """
    rows = rows.sort_values(["as_of", "contact_id"], kind="stable", ignore_index=True)
    weeks, average = weeks_of(rows["as_of"].to_numpy()), float(_first(rows)["label"].mean())
    everyone, deals = rows["contact_id"].nunique(), rows.loc[rows["label"] == 1, "deal_id"].nunique()
    found, chances = [], []
    for bounds in _candidates(rows, base_rate):
        inside = rows[_inside(rows, bounds, base_rate)]
        if inside.empty:
            continue
        mine = _first(inside)
        result = closed(mine["label"], mine["cluster"])
        caught = inside.loc[inside["label"] == 1, "deal_id"].nunique() / max(deals, 1)
        chances.append(_luck(mine, average))
        lift = result.rate / average if average > 0 else np.nan
        found.append((bounds, len(mine) / weeks, result, lift, caught, len(mine) / everyone))
    return tuple(Region(*numbers, luck) for numbers, luck in zip(found, holm(chances), strict=True))


def best_sized(regions: Sequence[Region]) -> tuple[Region, ...]:
    """The regions that no other one beats: none that is no larger holds more closes; the smallest first."""
    ordered = sorted(regions, key=lambda r: (r.per_week, -r.caught, r.bounds.in_words))
    kept: list[Region] = []
    for region in ordered:
        if not kept or region.caught > kept[-1].caught:
            kept.append(region)
    return tuple(kept)


def _candidates(rows: pd.DataFrame, base_rate: float | None) -> list[Bounds]:
    points = [Bounds(points=p) for p in POINTS]
    if base_rate is None or rows[["fit", "interest"]].isna().any(axis=None):
        return points
    return [Bounds(fit=f, interest=i) for f, i in product(LIFTS, LIFTS)] + points


def _inside(rows: pd.DataFrame, bounds: Bounds, base_rate: float | None) -> np.ndarray:
    if bounds.points is not None:
        return np.asarray(rows["rule_score"] >= bounds.points)
    assert base_rate is not None  # noqa: S101 - else there are no such candidates
    assert bounds.fit is not None  # noqa: S101 - a region is of points or of both axes
    assert bounds.interest is not None  # noqa: S101 - likewise
    high = (rows["fit"] > bounds.fit * base_rate) & (rows["interest"] > bounds.interest * base_rate)
    return np.asarray(high)


def _first(rows: pd.DataFrame) -> pd.DataFrame:
    return rows[~rows.duplicated("contact_id")]


def _luck(mine: pd.DataFrame, average: float) -> float:
    """P(at least so many closes) were the rate the average: binomial, at the effective number of contacts."""
    y = mine["label"].to_numpy(dtype=float)
    n = effective(y, encode(mine["cluster"].to_numpy(), len(y)))
    k = float(y.mean()) * n
    return 1.0 if k == 0 or not 0 < average < 1 else float(betainc(k, n - k + 1, average))
