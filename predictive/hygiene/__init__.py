"""How clean and how alive a database is: numbers for people, with ids and never with contact details.

::

    tables ──► values, duplicates, decay, stuck ──► Hygiene ◄── marketing ◄── scores
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import narwhals as nw
import pandas as pd

from predictive.clock import DAY, iso
from predictive.config import Config
from predictive.engines import Frame
from predictive.hygiene.decay import Decay, measure_decay
from predictive.hygiene.duplicates import Duplicates, find_duplicates
from predictive.hygiene.marketing import Proposal, propose, summed
from predictive.hygiene.stuck import Stuck, find_stuck
from predictive.hygiene.values import Missing, find_contradictions, find_impossible, find_missing
from predictive.hygiene.words import last_times
from predictive.tables import Note, Tables
from predictive.tonight import verdicts

__all__ = ["Decay", "Duplicates", "Hygiene", "Missing", "Proposal", "Stuck", "examine", "proposals"]

TELLING = ("job_title", "country", "source", "account_industry", "account_employees")
"""Attributes that say who somebody is, where a database fills them at all."""
YEAR = 365 * DAY


@dataclass(frozen=True)
class Hygiene:
    """The state of a database as of a night (UTC, as text).

    `contacts` existed then; `known` of them have an address and enough attributes (`known_means` says which);
    `could_buy` are eligible, the others are counted by reason in `not_eligible`. `inactive` did nothing within a year,
    though older than that. `marketing` is empty where nothing is scored yet.
    """

    night: str
    contacts: int
    known: int
    known_means: str
    could_buy: int
    not_eligible: dict[str, int]
    inactive: int
    decay: tuple[Decay, ...]
    duplicates: tuple[Duplicates, ...]
    missing: tuple[Missing, ...]
    impossible: tuple[Note, ...]
    contradictions: tuple[Note, ...]
    stuck: tuple[Stuck, ...]
    marketing: tuple[Proposal, ...]

    def as_dict(self) -> dict[str, Any]:
        """The fields as JSON knows them."""
        return asdict(self)


def examine(
    tables: Tables, config: Config, night: int, *, scores: pd.DataFrame | None = None, now: int | None = None
) -> Hygiene:
    """Look a database over, as of a night.

    Args:
        tables: the canonical tables.
        config: says who is eligible, and which deals are whose.
        night: the as-of in microseconds.
        scores: the current scores, for proposals about marketing contacts.
        now: what lies after it is in the future (microseconds; default: the night).
    """
    judged = verdicts(tables, config, night)
    out = judged["why"].dropna()
    counts = {str(why): int(n) for why, n in out[out != "not created yet"].value_counts().sort_index().items()}
    there = int((judged["why"] != "not created yet").sum())
    known, means = _known(tables, night)
    proposed = None if scores is None or scores.empty else propose(tables, config, night, scores, judged)
    return Hygiene(
        night=iso(night),
        contacts=there,
        known=known,
        known_means=means,
        could_buy=there - sum(counts.values()),
        not_eligible=counts,
        inactive=_inactive(tables, night),
        decay=measure_decay(tables, night),
        duplicates=find_duplicates(tables),
        missing=find_missing(tables),
        impossible=find_impossible(tables, now=night if now is None else now),
        contradictions=find_contradictions(tables, config, night),
        stuck=find_stuck(tables, night),
        marketing=() if proposed is None else summed(proposed),
    )


def proposals(tables: Tables, config: Config, night: int, scores: pd.DataFrame) -> pd.DataFrame:
    """Whom one need not pay for: `contact_id`, `reason`, `probability` (missing without a score), by contact."""
    found = propose(tables, config, night, scores, verdicts(tables, config, night))
    return found[["contact_id", "reason", "probability"]].sort_values("contact_id", ignore_index=True)


def _known(tables: Tables, night: int) -> tuple[int, str]:
    """How many contacts are known, and what that means for these tables."""
    accounts = tables.accounts.select(
        "account_id", account_industry=nw.col("industry"), account_employees=nw.col("employees")
    )
    rows: Frame = tables.contacts.filter(nw.col("created_at") <= night).join(accounts, on="account_id", how="left")
    filled: Any = rows.select(nw.col(n).count() for n in ("email", *TELLING)).collect()
    used = [n for n in TELLING if int(filled[n][0])]
    least = (len(used) + 1) // 2
    has = nw.lit(0, nw.Int64)
    for name in used:
        has = has + (~nw.col(name).is_null()).cast(nw.Int64)
    enough, parts = has >= least, []
    if int(filled["email"][0]):
        enough, parts = enough & ~nw.col("email").is_null(), ["an e-mail address"]
    if used:
        named = ", ".join(n.replace("_", " ") for n in used)
        parts.append(f"at least {least} of {named}" if len(used) > 1 else named)
    count = int(rows.filter(enough).select(nw.len()).collect().item()) if parts else 0
    return count, " and ".join(parts) or "nothing: no such column is filled"


def _inactive(tables: Tables, night: int) -> int:
    old = tables.contacts.filter(nw.col("created_at") <= night - YEAR).select("contact_id")
    rows = old.join(last_times(tables, night, {}), on="contact_id", how="left")
    idle = nw.col("any").is_null() | (nw.col("any") <= night - YEAR)
    return int(rows.filter(idle).select(nw.len()).collect().item())
