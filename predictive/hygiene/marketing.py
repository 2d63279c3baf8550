"""Whom one need not pay for as a marketing contact: proposals with a reason, and what they would cost in closes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import poisson

from predictive.clock import DAY
from predictive.config import Config
from predictive.evaluation.clusters import encode, variance
from predictive.features.choose_behaviour import grouped
from predictive.hygiene.words import BOUNCED, OPTED_OUT, all_types, last_times, local, types_like
from predictive.tables import Tables

YEAR = 365 * DAY
SAYS = "says it is not to be marketed to"
ALREADY = f"marketing status {SAYS}"
REASONS = (
    "staff or partner",
    "bounced",
    "opted out",
    "nothing for a year, and unlikely to close",
    "low fit and low interest",
)
"""In order: a contact has the first that applies."""


@dataclass(frozen=True)
class Proposal:
    """Contacts that need not be marketing contacts, for one reason.

    `expected` is the number of closes that go with them, as the sum of their probabilities; `low` and `high` bound the
    number that such probabilities bring about, 95 times in 100. `unscored` of them have no probability.
    """

    reason: str
    contacts: int
    unscored: int
    expected: float
    low: float
    high: float


def propose(tables: Tables, config: Config, night: int, scores: pd.DataFrame, verdicts: pd.DataFrame) -> pd.DataFrame:
    """One row per contact to take out: `contact_id`, `reason`, `probability` (missing without a score).

    `scores` are the current ones, `verdicts` those of :func:`predictive.tonight.verdicts`. Contacts that are no
    marketing contacts already are left out. Customers and contacts with an open deal are proposed only where no e-mail
    reaches them, or where they are staff or partners.
    """
    done = local(_done(tables, config, night))
    times = ["created_at", "any", "email", "bounced", "opted_out", "forms"]
    done[times] = done[times].astype("Float64").to_numpy(dtype=float, na_value=np.nan)
    frame = verdicts[["contact_id", "why"]].merge(done, on="contact_id", how="left", validate="one_to_one")
    kept = scores[["contact_id", "probability", "quadrant", "tier", "stage"]]
    frame = frame.merge(kept, on="contact_id", how="left", validate="one_to_one")
    why = frame["why"].fillna("")
    there = ~why.eq("not created yet") & ~why.eq(ALREADY)
    free = frame["probability"].notna() & why.eq("") & ~frame["stage"].isin(["customer", "opportunity"])
    idle = (frame["created_at"] <= night - YEAR) & ~(frame["any"] > night - YEAR)
    applies = [
        why.str.endswith(SAYS),
        frame["bounced"].notna() & ~(frame["email"] > frame["bounced"]),
        frame["opted_out"].notna() & ~(frame["forms"] > frame["opted_out"]),
        free & idle & frame["tier"].eq("low"),
        free & frame["quadrant"].eq("disengage"),
    ]
    masks = [(a & there).to_numpy(dtype=bool) for a in applies]
    which = np.select(masks, range(len(REASONS)), default=len(REASONS))
    frame = frame.assign(reason=np.array([*REASONS, None], dtype=object)[which])
    columns = ["contact_id", "account_id", "reason", "probability"]
    return frame.loc[which < len(REASONS), columns].reset_index(drop=True)


def summed(proposed: pd.DataFrame) -> tuple[Proposal, ...]:
    """What :func:`propose` found, by reason; and all of it as the last, where there is any."""
    parts = [(reason, proposed[proposed["reason"] == reason]) for reason in REASONS]
    found = [_summed(reason, rows) for reason, rows in parts if len(rows)]
    return (*found, _summed("all of these", proposed)) if found else ()


def _done(tables: Tables, config: Config, night: int) -> Any:
    types = all_types(tables)
    groups = grouped(types, config.features.groups)
    of = {
        "email": groups.get("email", []),
        "bounced": types_like(types, BOUNCED),
        "opted_out": types_like(types, OPTED_OUT),
        "forms": groups.get("forms", []),
    }
    contacts = tables.contacts.select("contact_id", "created_at", "account_id")
    return contacts.join(last_times(tables, night, of), on="contact_id", how="left")


def _summed(reason: str, rows: pd.DataFrame) -> Proposal:
    scored = rows[rows["probability"].notna()]
    probabilities = scored["probability"].to_numpy(dtype=float)
    expected = float(probabilities.sum())
    low = high = 0.0
    if expected > 0:
        # Colleagues are taken to share their luck wholly, which makes the interval the widest.
        codes = encode(scored["account_id"].fillna(scored["contact_id"]).to_numpy(dtype=str), len(scored))
        spread = max(1.0, variance(probabilities, codes, 1.0) / expected)
        low, high = (spread * float(poisson.ppf(q, expected / spread)) for q in (0.025, 0.975))
    return Proposal(reason, len(rows), len(rows) - len(scored), expected, low, high)
