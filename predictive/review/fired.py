"""Which sets of the manual rules moved the points of a contact from one night to the next."""

from __future__ import annotations

import numpy as np
import pandas as pd

from predictive.rules import Rules
from predictive.rules.compiling import Kinds, View
from predictive.rules.scoring import POINT, worth

MOST = 3


def sets_that_moved(
    rules: Rules, before: pd.DataFrame, after: pd.DataFrame, kinds: Kinds, *, points: np.ndarray
) -> list[tuple[str, ...]]:
    """Per row the sets that gave more than before where the score rose, less where it fell, the most telling first.

    `before` and `after` (n rows each, of the same contacts in order) hold the columns that the rules read; `points`
    (n,) is by how much the score moved. Each set is told by its name and what it added: at most three, none without a
    move.
    """
    views = View(before, kinds), View(after, kinds)
    given = [np.column_stack([worth(rule, view).given for rule in rules.sets]) / POINT for view in views]
    gained = given[1] - given[0]
    telling = gained * np.sign(points)[:, None]
    told = []
    for row in range(len(gained)):
        ranked = [i for i in np.argsort(-telling[row], kind="stable")[:MOST] if telling[row, i] >= 0.5]
        told.append(tuple(f"{rules.sets[i].name} {gained[row, i]:+.0f}" for i in ranked))
    return told
