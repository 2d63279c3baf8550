"""Whether points have inflated: the same kind of contacts has more points than it had, and closes no more."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd

from predictive.clock import DAY, iso
from predictive.config import Config
from predictive.features.build import build, totals_in
from predictive.features.cut import Known, cut
from predictive.features.daily import add_up
from predictive.features.deals import wins
from predictive.features.snapshots import Moment, existing, judge
from predictive.rules.language import Rules
from predictive.rules.reading import all_kinds
from predictive.rules.scoring import rule_features, score_rules, stage
from predictive.tables import Tables

STEP, MONTHS = 30, 13
"""The as-ofs that are looked at: so many, so many days apart."""
AGES = (30, 90, 180, 365)
"""Where bands of the age of the record begin, in days: contacts of one band are of the same kind."""
GREW = 1.2
"""Points that grew by less than a fifth have not inflated."""
FEWEST = 20
"""A band with fewer contacts in a month says nothing."""


@dataclass(frozen=True)
class Month:
    """The points at one as-of, of those who were eligible: `mean` is their mean score.

    `same_kind` is the mean at the newest mix of the ages of the record that every month has (None: there are none).
    `stages` are shares, by points alone; `closed` is the share of those at MQL or above who closed within the horizon
    (None: not known yet, or nobody).
    """

    as_of: str
    contacts: int
    mean: float
    same_kind: float | None
    stages: dict[str, float]
    closed: float | None

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return asdict(self)


def monthly(rules: Rules, tables: Tables, config: Config, *, until: int) -> list[Month]:
    """The points of everybody who was eligible, every 30 days of the year before `until` (microseconds)."""
    features = rule_features(rules, all_kinds(tables))
    reference = tables.contacts.select("contact_id", reference=nw.lit(until, nw.Int64))
    # Whole days before one reference, so that what people did is added up once for all of them.
    history = add_up(tables, reference, totals_in(features))
    looks = []
    for back in range(STEP * (MONTHS - 1), -1, -STEP):
        who = existing(tables, Moment(instant=until - back * DAY)).with_columns(shift=nw.lit(back, nw.Int64))
        known = cut(tables, tables.keep(who, "at"), totals_in(features), history=history)
        looks.append(_look(rules, tables, config, replace(known, contacts=tables.keep(known.contacts, "contacts"))))
    looks = [look for look in looks if len(look)]
    if not looks:
        return []
    # Bands that some month lacks would make its mean one of other contacts.
    full = [set(counts[counts >= FEWEST].index) for counts in (look["band"].value_counts() for look in looks)]
    mix = looks[-1]["band"].value_counts()
    mix = mix[mix.index.isin(set.intersection(*full))]
    return [_month(rules, look, mix, until - config.horizon_micros) for look in looks]


def verdict(months: list[Month]) -> str:
    """Whether the points have inflated from the first quarter of the months to the last, in a sentence."""
    told = [m.same_kind for m in months if m.same_kind is not None]
    if len(told) < 4:
        return "there are too few months to say whether points have inflated"
    size = max(2, len(told) // 4)
    before, after = float(np.mean(told[:size])), float(np.mean(told[-size:]))
    moved = f"contacts of the same age of record had {before:.1f} points on average, and have {after:.1f}"
    if before <= 0 or after / before < GREW:
        return f"points have not inflated: {moved}"
    closed = [m.closed for m in months if m.closed is not None]
    half = len(closed) // 2
    if half and np.mean(closed[half:]) >= GREW * np.mean(closed[:half]):
        return f"points have grown, and so has the share that closes: {moved}"
    return f"points have inflated: {moved}, without closing more; raise thresholds, or give points a window or decay"


def _look(rules: Rules, tables: Tables, config: Config, known: Known) -> pd.DataFrame:
    """Everybody eligible at an instant: `score`, `band` of record age, `as_of`, `closed` within the horizon."""
    kinds = all_kinds(tables)
    judged = judge(known, tables, config, training=True).filter(nw.col("why").is_null()).select("contact_id")
    made = known.contacts.select("contact_id", "created_at")
    frame = _local(build(known, rule_features(rules, kinds)).join(judged, on="contact_id").join(made, on="contact_id"))
    at = frame["as_of"].to_numpy(dtype="int64")
    start = int(at[0]) if len(at) else 0
    later = (nw.col("closed_at") > start) & (nw.col("closed_at") <= start + config.horizon_micros)
    won = wins(tables, config).filter(later)
    closed = set(_local(won.select("contact_id").unique())["contact_id"])
    return pd.DataFrame(
        {
            "score": score_rules(rules, frame, kinds).score,
            "band": np.searchsorted(AGES, (at - frame["created_at"].to_numpy(dtype="int64")) / DAY, side="right"),
            "as_of": at,
            "closed": frame["contact_id"].isin(closed).to_numpy(),
        }
    )


def _month(rules: Rules, look: pd.DataFrame, mix: pd.Series[int], mature: int) -> Month:
    at = int(look["as_of"].iloc[0])
    bands = look.groupby("band")["score"].agg(["mean", "size"])
    usable = bands[(bands["size"] >= FEWEST) & bands.index.isin(mix.index)]
    weights = mix.reindex(usable.index)
    # Bands that the month lacks are left out; where they are most of today's, the month says nothing.
    known = weights.sum() > 0.8
    same = float((usable["mean"] * weights).sum() / weights.sum()) if known else None
    named = pd.Series(stage(look["score"].to_numpy(), rules.stages)).value_counts(normalize=True)
    high = look[look["score"] >= rules.stages.MQL]
    closed = float(high["closed"].mean()) if at <= mature and len(high) else None
    stages = {name: float(named.get(name, 0.0)) for name in ("visitor", "prospect", "MQL", "SQL")}
    return Month(iso(at), len(look), float(look["score"].mean()), same, stages, closed)


def _local(frame: nw.LazyFrame[Any]) -> pd.DataFrame:
    return pd.DataFrame(frame.collect(backend="pandas").to_native())
