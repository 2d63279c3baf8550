"""Contacts that show what a score is made of: typical ones, and those that surprise."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from predictive.report.work import BUSY, Contact, to_contact
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
    ordered = scores[~scores["stage"].isin(BUSY)].sort_values(["probability", "contact_id"], ascending=[False, True])
    typical = []
    for tier in TIERS:
        rows = ordered[ordered["tier"] == tier]
        if len(rows):
            typical.append(to_contact(rows.iloc[len(rows) // 2].to_dict()))
    if len(ordered) < FEWEST or ordered["rule_score"].nunique() < 2:
        return Examples(tuple(typical), (), ())
    gap = ordered["probability"].rank(pct=True) - ordered["rule_score"].rank(pct=True)
    up, down = (gap.sort_values(ascending=a, kind="stable").index[:SURPRISES] for a in (False, True))
    chosen = [tuple(to_contact(row) for row in ordered.loc[index].to_dict("records")) for index in (up, down)]
    return Examples(tuple(typical), *chosen)
