"""What there is to do: the current scores counted by quadrant, tier and stage, and the contacts at the top."""

from __future__ import annotations

import re
from collections.abc import Hashable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from predictive.config import CELLS
from predictive.nights import in_holdout
from predictive.quadrants import Cuts
from predictive.tables import QUADRANTS, STAGES, TIERS

TOP = 25
"""How many contacts are listed."""
HIGH_TIERS = TIERS[:2]
OPPORTUNITY = STAGES[4]
BUSY = STAGES[4:]
"""Stages of contacts that have an open deal, or have bought."""
MARKS = ["probability", "top", "open_deals", "held_out"]
"""The columns that a group sums up."""
MOST_REASONS = 4
LEAST_TELLING = 0.05
"""Below this part of the log-odds a reason moves the odds by less than 5 %, and would read as ×1.0."""
PART = re.compile(r"(?:(?:for|against): )?(?P<what>.*?) \((?P<log_odds>[+-]\d+\.\d\d)\)(?:[,;] |$)", re.DOTALL)


@dataclass(frozen=True)
class Group:
    """Contacts of one quadrant, tier or stage.

    `expected` is the number of them that will close within the horizon, as the sum of their probabilities; `top` are in
    tier very high or high, `open_deals` have an open deal already, `held_out` are in the holdout, which nobody works.
    """

    name: str
    contacts: int
    expected: float
    top: int
    open_deals: int
    held_out: int

    @property
    def probability(self) -> float | None:
        """The mean probability; None without contacts."""
        return self.expected / self.contacts if self.contacts else None


@dataclass(frozen=True)
class Reason:
    """A fact in words, and its part of the log-odds: above 0 it speaks for the contact."""

    what: str
    log_odds: float


@dataclass(frozen=True)
class Contact:
    """A contact of the list, by id: never a name or an address."""

    contact_id: str
    probability: float
    quadrant: str
    tier: str
    stage: str
    rule_score: int
    overridden: bool
    reasons: tuple[Reason, ...]


@dataclass(frozen=True)
class Reached:
    """A step of the funnel: contacts at this stage or a later one, and of those at the one before the share of them."""

    stage: str
    contacts: int
    conversion: float | None


@dataclass(frozen=True)
class Work:
    """The current scores, counted. Groups are in the order of :mod:`predictive.tables`, empty ones included.

    `models` are the versions that made the scores, `overridden` how many carry a person's decision. `cells` are those
    of the grid, A1 to D4; empty where none of the scores has one.
    """

    everyone: Group
    quadrants: dict[str, Group]
    tiers: dict[str, Group]
    stages: dict[str, Group]
    lowest: dict[str, float]
    """The probability from which each tier begins."""
    overridden: int
    models: tuple[str, ...]
    top: tuple[Contact, ...]
    cells: dict[str, Group]

    @property
    def by_tier(self) -> bool:
        """Whether there are no quadrants to go by, as when an axis is null."""
        return self.everyone.contacts == self.quadrants["unknown"].contacts

    @property
    def to_work(self) -> Group:
        """The contacts to work first: the quadrant pursue, or the two highest tiers where there are no quadrants."""
        if not self.by_tier:
            return self.quadrants["pursue"]
        groups = [self.tiers[name] for name in HIGH_TIERS]
        parts = ("contacts", "expected", "top", "open_deals", "held_out")
        return Group("to work", *(sum(getattr(g, part) for g in groups) for part in parts))

    @property
    def funnel(self) -> tuple[Reached, ...]:
        """The stages from the first on, each with those that are there or further."""
        counts = [self.stages[name].contacts for name in STAGES]
        reached = [sum(counts[i:]) for i in range(len(counts))]
        shares = [None, *(b / a if a else None for a, b in pairwise(reached))]
        return tuple(Reached(*step) for step in zip(STAGES, reached, shares, strict=True))


def count_work(scores: pd.DataFrame, cuts: Cuts) -> Work:
    """Count the current scores (:data:`predictive.tables.SCORES`; none is allowed).

    Contacts with an open deal are not listed, as sales has them already, nor are those in the holdout.
    """
    marks = scores.assign(
        top=scores["tier"].isin(HIGH_TIERS), open_deals=scores["stage"] == OPPORTUNITY, held_out=in_holdout(scores)
    )
    return Work(
        everyone=_group("all", marks),
        quadrants=_groups(marks, "quadrant", QUADRANTS),
        tiers=_groups(marks, "tier", TIERS),
        stages=_groups(marks, "stage", STAGES),
        lowest=dict(zip(TIERS, (*cuts.tiers, 0.0), strict=True)),
        overridden=int(scores["override"].notna().sum()),
        models=tuple(sorted(map(str, scores["model_version"].unique()))),
        top=tuple(to_contact(row) for row in highest(scores, TOP).to_dict("records")),
        cells=_groups(marks, "cell", CELLS) if scores["cell"].notna().any() else {},
    )


def busy(scores: pd.DataFrame) -> pd.Series[bool]:
    """Whether each contact has an open deal, or has bought: sales has it already."""
    return scores["stage"].isin(BUSY)


def highest(scores: pd.DataFrame, n: int) -> pd.DataFrame:
    """The `n` scores with the highest probability, equal ones by contact id: no open deal, and not in the holdout."""
    probability = scores["probability"].where(~busy(scores) & ~in_holdout(scores), -1.0).to_numpy(dtype=np.float64)
    # Only those that may be among them are sorted: a million rows take their time.
    least = np.partition(probability, -n)[-n] if len(scores) > n else 0.0
    candidates = scores[(probability >= least) & (probability >= 0)]
    return candidates.sort_values(["probability", "contact_id"], ascending=[False, True]).head(n)


def split_reasons(text: str) -> tuple[Reason, ...]:
    """The facts in a line of :func:`predictive.model.reasons.in_words`; "the rest" and "level" are left out.

    >>> split_reasons("for: page view: 3 in 30 days (+0.81); against: size: 9 (-0.33); the rest (+0.10); level (-3.20)")
    (Reason(what='page view: 3 in 30 days', log_odds=0.81), Reason(what='size: 9', log_odds=-0.33))
    """
    found = [Reason(m["what"], float(m["log_odds"])) for m in PART.finditer(text)]
    return tuple(r for r in found if r.what not in ("the rest", "level"))


def _groups(marks: pd.DataFrame, by: str, names: tuple[str, ...]) -> dict[str, Group]:
    """The contacts of each name in a column, empty groups included."""
    parts = marks.groupby(by)[MARKS].sum().assign(contacts=marks.groupby(by).size())
    empty = {name: Group(name, 0, 0.0, 0, 0, 0) for name in names}
    return empty | {
        str(name): Group(str(name), int(n), float(expected), int(top), int(deals), int(held))
        for name, expected, top, deals, held, n in parts.itertuples()
    }


def _group(name: str, marks: pd.DataFrame) -> Group:
    expected, top, deals, held = (marks[part].sum() for part in MARKS)
    return Group(name, len(marks), float(expected), int(top), int(deals), int(held))


def to_contact(row: dict[Hashable, Any]) -> Contact:
    """A row of the scores as a contact of a list."""
    return Contact(
        contact_id=str(row["contact_id"]),
        probability=float(row["probability"]),
        quadrant=str(row["quadrant"]),
        tier=str(row["tier"]),
        stage=str(row["stage"]),
        rule_score=int(row["rule_score"]),
        overridden=not pd.isna(row["override"]),
        reasons=_strongest(split_reasons(str(row["reasons"]))),
    )


def _strongest(reasons: tuple[Reason, ...]) -> tuple[Reason, ...]:
    """The few that matter, for and against, the strongest first."""
    telling = [r for r in reasons if abs(r.log_odds) >= LEAST_TELLING]
    return tuple(sorted(telling, key=lambda r: -abs(r.log_odds))[:MOST_REASONS])
