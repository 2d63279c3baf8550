"""Whom a person should look at: contacts on which two views of the same contact are far apart."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd

from predictive.config import AgeSnapshots, Config
from predictive.model.bundle import Bundle
from predictive.model.scoring import log_odds
from predictive.nights import live, live_nights, standing, uncorrected_axes
from predictive.quadrants import Cuts, cuts_of
from predictive.review.causes import Causes, find_causes
from predictive.sinks import Sink
from predictive.tables import Tables

LOW_FIT, APART, JUMP = "low fit, very interested", "model and rules far apart", "jump since last night"
KINDS = (LOW_FIT, APART, JUMP)
VERY = 2.0
"""Very interested is so many times the cut of interest; with a grid, its column 1."""
FAR = 0.5
"""Model and rules are far apart where their percentiles differ by so much."""
ODDS = 1.5
"""A jump multiplies or divides the odds by at least this, and moves the probability by half the base rate …"""
POINTS = 20
"""… or moves the rule score by so many points."""
IN_HAND = ("opportunity", "customer")
"""Stages of contacts whom somebody works already."""


@dataclass(frozen=True)
class ReviewItem:
    """A contact to look at; the `kinds` of reason, and `why` in a sentence for each, in the same order.

    `stake` is how far its probability is from what the other view of it says (low fit: interest; far apart: the
    probability at the rules' percentile; jump: last night's), the farthest of them: what the list is ordered by.
    `name` is None unless `review.names` is set.
    """

    contact_id: str
    name: str | None
    kinds: tuple[str, ...]
    why: tuple[str, ...]
    stake: float
    probability: float
    fit: float | None
    interest: float | None
    quadrant: str
    tier: str
    stage: str
    rule_score: int

    def as_dict(self) -> dict[str, Any]:
        """The fields as JSON knows them."""
        return asdict(self)


def review_list(con: Any, tables: Tables, config: Config, bundle: Bundle, sink: Sink) -> tuple[ReviewItem, ...]:
    """The contacts of the newest night where a person should look, most important first, at most `review.per_week`.

    Left out are the holdout, contacts with a person's decision in force, and those with a deal open or won. A night
    scored by another model than the night before has no jumps: everybody's score moved. `con` is the working database
    that `tables` live in; `bundle` the model of the newest night.
    """
    scores = sink.read_current()
    if scores.empty:
        return ()
    cuts = cuts_of(bundle.cuts, bundle.spread, config)
    views = [_low_fit(scores, cuts), _apart(scores)]
    jumps = _jumps(scores, sink, cuts, ages=isinstance(config.snapshots, AgeSnapshots))
    found = pd.concat([*views, jumps.assign(kind=JUMP)[["contact_id", "kind", "stake", "why"]]], ignore_index=True)
    looked_at = scores[~scores["holdout"] & scores["override"].isna() & ~scores["stage"].isin(IN_HAND)]
    found = found[found["contact_id"].isin(looked_at["contact_id"])]
    ranked = found.groupby("contact_id")["stake"].max().reset_index()
    ranked = ranked.sort_values(["stake", "contact_id"], ascending=[False, True]).head(config.review.per_week)
    causes: dict[str, Causes] = {}
    chosen = jumps[jumps["contact_id"].isin(ranked["contact_id"])]
    if len(chosen) and set(scores["model_version"]) == {bundle.version}:
        causes = find_causes(con, tables, config, bundle, chosen)
    names = _names(tables, ranked["contact_id"].tolist()) if config.review.names else {}
    rows = scores.set_index("contact_id")
    return tuple(
        _item(str(i), rows.loc[i], found[found["contact_id"] == i], float(stake), causes.get(str(i)), names.get(str(i)))
        for i, stake in zip(ranked["contact_id"], ranked["stake"], strict=True)
    )


def _low_fit(scores: pd.DataFrame, cuts: Cuts) -> pd.DataFrame:
    fit, interest = uncorrected_axes(scores)
    line = cuts.interest_grid[0] if cuts.interest_grid is not None else VERY * cuts.interest
    rows = scores[(fit <= cuts.fit) & (interest > line)]
    why = [
        f"fit is low ({f:.1%}), but interest is very high ({i:.1%})"
        for f, i in zip(rows["fit"], rows["interest"], strict=True)
    ]
    return _found(rows, LOW_FIT, (rows["interest"] - rows["probability"]).abs().to_numpy(dtype=float), why)


def _apart(scores: pd.DataFrame) -> pd.DataFrame:
    """Percentiles are those of the middle of a tie; the stake is what the probability would be were the rules right."""
    n = len(scores)
    model, rules = ((scores[c].rank() - 0.5).to_numpy(dtype=float) / n for c in ("probability", "rule_score"))
    expected = np.quantile(scores["probability"].to_numpy(dtype=float), np.clip(rules, 0, 1))
    far = np.abs(model - rules) >= FAR
    rows = scores[far]
    why = [
        f"the model puts it above {m:.0%} of contacts, the rules above {r:.0%} ({points} points)"
        for m, r, points in zip(model[far], rules[far], rows["rule_score"], strict=True)
    ]
    return _found(rows, APART, np.abs(expected[far] - rows["probability"].to_numpy(dtype=float)), why)


def _jumps(scores: pd.DataFrame, sink: Sink, cuts: Cuts, *, ages: bool) -> pd.DataFrame:
    """Contacts whose score jumped since the night before: what both nights said, and the as-ofs to explain."""
    nights = live_nights(sink.read_runs())
    columns = ["contact_id", "stake", "why", "before", "after", "points", "from", "to"]
    if len(nights) < 2:
        return pd.DataFrame(columns=columns).astype({"contact_id": "str", "stake": "float64"})
    before = standing(live(sink.read_history()), nights[-2])
    both = scores.merge(before, on=["contact_id", "model_version"], suffixes=("", "_before"))
    now, then = (both[c].to_numpy(dtype=float) for c in ("probability", "probability_before"))
    both = both.assign(points=both["rule_score"] - both["rule_score_before"])
    points = both["points"].abs().to_numpy(dtype=float)
    odds = np.abs(log_odds(now) - log_odds(then)) >= np.log(ODDS)
    both = both[(odds & (np.abs(now - then) >= cuts.base_rate / 2)) | (points >= POINTS)]
    # A score that did not change keeps the stamp of the night that wrote it; the features are those of the night.
    at = {
        "from": both["as_of_before"] if ages else pd.Series(nights[-2], index=both.index),
        "to": both["as_of"] if ages else pd.Series(nights[-1], index=both.index),
    }
    why = [
        f"{a:.1%} → {b:.1%}" + (f" ({p} → {q} points)" if p != q else "") + f" since {nights[-2]:%Y-%m-%d}"
        for a, b, p, q in zip(
            both["probability_before"], both["probability"], both["rule_score_before"], both["rule_score"], strict=True
        )
    ]
    found = _found(both, JUMP, (both["probability"] - both["probability_before"]).abs().to_numpy(dtype=float), why)
    micros = {name: times.dt.as_unit("us").astype("int64").to_numpy() for name, times in at.items()}
    of = {"before": "probability_before", "after": "probability", "points": "points"}
    ends = {name: both[column].to_numpy() for name, column in of.items()}
    return found.assign(**ends, **micros)[columns]


def _found(rows: pd.DataFrame, kind: str, stake: np.ndarray, why: list[str]) -> pd.DataFrame:
    ids = rows["contact_id"].to_numpy()
    return pd.DataFrame({"contact_id": ids, "kind": kind, "stake": stake, "why": why})


def _names(tables: Tables, ids: list[str]) -> dict[str, str]:
    rows = tables.contacts.filter(nw.col("contact_id").is_in(ids)).select("contact_id", "name").collect().rows()
    return {str(i): str(name) for i, name in rows if name is not None}


def _item(
    contact: str,
    row: pd.Series[Any],
    found: pd.DataFrame,
    stake: float,
    causes: Causes | None,
    name: str | None,
) -> ReviewItem:
    ordered = found.sort_values("stake", ascending=False, kind="stable")
    said = [
        f"{why}{causes.in_words}" if kind == JUMP and causes is not None else str(why)
        for kind, why in zip(ordered["kind"], ordered["why"], strict=True)
    ]
    fit, interest = (None if pd.isna(row[axis]) else float(row[axis]) for axis in ("fit", "interest"))
    return ReviewItem(
        contact_id=contact,
        name=name,
        kinds=tuple(map(str, ordered["kind"])),
        why=tuple(said),
        stake=stake,
        probability=float(row["probability"]),
        fit=fit,
        interest=interest,
        quadrant=str(row["quadrant"]),
        tier=str(row["tier"]),
        stage=str(row["stage"]),
        rule_score=int(row["rule_score"]),
    )
