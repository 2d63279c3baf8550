"""Evidence that is weak by itself: ids, values that nearly all differ, and names that outcomes often go by."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np
import pandas as pd

from predictive.features.choose import CONTEXT
from predictive.leakage.suspects import Reason
from predictive.leakage.view import Column, View

FEW, MOSTLY, ALL = 50, 0.5, 0.99
"""Texts are nearly unique from half on, numbers only where practically all differ and are whole."""
WORDS = frozenset(
    {"churn", "churned", "closed", "closing", "contract", "conversion", "converted", "customer", "deal", "invoice",
     "invoiced", "lifecycle", "lost", "onboarding", "outcome", "renewal", "result", "signed", "stage", "status", "won"}
)  # fmt: skip
"""Words in the names of fields that CRMs and people fill in as a deal goes on."""


def find(view: View) -> Iterator[Reason]:
    """Nearly unique columns, and fields without a history that are named after the course of a deal."""
    for column in view.columns:
        if _nearly_unique(column):
            count = int(column.filled.sum())
            saw = f"{column.values.nunique():,} different values in {count:,} contacts, like an id"
            yield Reason(column.table, column.name, "nearly unique", saw, "low")
        if column.tracked or not column.filled.any():
            continue
        if column.table == "contacts" and column.name in CONTEXT:
            saw = "set by people as a deal goes on, and without a history, so its value is today's"
            yield Reason(column.table, column.name, "status without history", saw, "medium")
        elif words := sorted(WORDS & set(_words(column.name))):
            saw = f"its name speaks of a deal's course ({', '.join(words)}), and it has no history"
            yield Reason(column.table, column.name, "named like an outcome", saw, "low")


def _nearly_unique(column: Column) -> bool:
    values = column.values.dropna()
    distinct = values.nunique()
    if distinct <= FEW:
        return False
    if column.kind == "number":
        numbers = pd.to_numeric(values).to_numpy(dtype=float)
        return distinct >= ALL * len(values) and bool(np.all(numbers == np.floor(numbers)))
    return column.kind == "text" and distinct > MOSTLY * len(values)


def _words(name: str) -> list[str]:
    """The words of a column's name.

    >>> _words("dealStage_isWon")
    ['deal', 'stage', 'is', 'won']
    """
    return re.findall(r"[a-z]+", re.sub(r"([a-z])([A-Z])", r"\1 \2", name).lower())
