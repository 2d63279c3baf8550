"""Contacts that show what a score is made of: typical ones, and those that surprise."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from predictive.report.work import Contact, busy, to_contact
from predictive.tables import TIERS

SURPRISES = 3
FEWEST = 20
"""Contacts below which none can be called surprising."""


@dataclass(frozen=True)
class Examples:
    """`typical`: per tier the contact in its middle. `overlooked`: the model ranks them high, the rules low;
    `overrated`: the other way round. Both are empty where the rules tell nobody apart.
    """  # noqa: D205 - the three belong together

    typical: tuple[Contact, ...]
    overlooked: tuple[Contact, ...]
    overrated: tuple[Contact, ...]


def find_examples(scores: pd.DataFrame) -> Examples:
    """The examples among the current scores without an open deal; none is allowed."""
    free = scores[~busy(scores)]
    typical = [_middle(free[free["tier"] == tier]) for tier in TIERS]
    shown = tuple(to_contact(row) for rows in typical for row in rows.to_dict("records"))
    if len(free) < FEWEST or free["rule_score"].nunique() < 2:
        return Examples(shown, (), ())
    gap = free["probability"].rank(pct=True) - free["rule_score"].rank(pct=True)
    up, down = (_largest(free, sign * gap.to_numpy(dtype=np.float64)) for sign in (1, -1))
    return Examples(shown, up, down)


def _middle(rows: pd.DataFrame) -> pd.DataFrame:
    """The row with the median probability; none of none."""
    order = np.argsort(rows["probability"].to_numpy(dtype=np.float64), kind="stable")
    return rows.iloc[order[len(order) // 2 : len(order) // 2 + 1]]


def _largest(rows: pd.DataFrame, gap: np.ndarray) -> tuple[Contact, ...]:
    """The contacts with the largest gaps, the largest first."""
    chosen = np.argsort(-gap, kind="stable")[:SURPRISES]
    return tuple(to_contact(row) for row in rows.iloc[chosen].to_dict("records"))
