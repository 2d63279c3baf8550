"""What changed between the last two nights: who came, who left, and who moved from one quadrant or tier to another."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from predictive.nights import live, standing_runs
from predictive.tables import QUADRANTS, TIERS

COLUMNS = ["contact_id", "probability", "quadrant", "tier"]


@dataclass(frozen=True)
class Move:
    """A quadrant or tier: how many contacts entered it since the night before, new ones included, and how many left."""

    name: str
    entered: int
    left: int


@dataclass(frozen=True)
class Changes:
    """The newest night against the one before it (`since`, an ISO time).

    `expected` and `expected_before` are all closes to be expected. `model_before` is another model that scored the
    night before, None where it was the same. `risen` and `fallen` contacts are in a higher or lower tier.
    """

    since: str
    new: int
    left: int
    risen: int
    fallen: int
    quadrants: tuple[Move, ...]
    tiers: tuple[Move, ...]
    expected: float
    expected_before: float
    model_before: str | None


def read_changes(scores: pd.DataFrame, history: pd.DataFrame, runs: pd.DataFrame) -> Changes | None:
    """Compare the newest night with the one before; None where there is no earlier one.

    `scores`, `history` and `runs` are what :class:`predictive.sinks.Sink` reads; the history holds changes only.
    """
    standing = standing_runs(runs).sort_values(["as_of", "scored_at"])
    nights = standing.drop_duplicates("as_of", keep="last")
    if len(nights) < 2:
        return None
    last, before = nights.iloc[-1], nights.iloc[-2]
    tonight, then = _since(live(history), last["as_of"])
    both = tonight.merge(then, on="contact_id", how="left", suffixes=("", "_before"))
    there, was = both["probability"].notna(), both["probability_before"].notna()
    rank = {name: i for i, name in enumerate(reversed(TIERS))}
    ranks = [both[name].map(rank).astype("Float64") for name in ("tier", "tier_before")]
    steps = (ranks[0] - ranks[1])[there & was]
    now = float(scores["probability"].sum())
    versions = (str(last["model_version"]), str(before["model_version"]))
    return Changes(
        since=pd.Timestamp(before["as_of"]).isoformat(),
        new=int((there & ~was).sum()),
        left=int((was & ~there).sum()),
        risen=int((steps > 0).sum()),
        fallen=int((steps < 0).sum()),
        quadrants=_moves(both, "quadrant", QUADRANTS),
        tiers=_moves(both, "tier", TIERS),
        expected=now,
        expected_before=now - float(both["probability"].sum()) + float(both["probability_before"].sum()),
        model_before=None if versions[0] == versions[1] else versions[1],
    )


def _since(history: pd.DataFrame, night: pd.Timestamp) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The contacts whose scores changed in a night: as they are since, and as they were before.

    `history` is what :func:`~predictive.nights.live` gives.
    """
    now, earlier = history["night"] == night, history["night"] < night
    mine = history.loc[now, "contact_id"]
    parts = history[now], history[earlier & history["contact_id"].isin(mine)]
    tonight, then = (rows.drop_duplicates("contact_id", keep="last")[COLUMNS] for rows in parts)
    return tonight, then


def _moves(both: pd.DataFrame, column: str, names: tuple[str, ...]) -> tuple[Move, ...]:
    after = both[column].where(both["probability"].notna(), None)
    before = both[f"{column}_before"].where(both["probability_before"].notna(), None)
    moved = after.ne(before)
    return tuple(Move(n, int((moved & after.eq(n)).sum()), int((moved & before.eq(n)).sum())) for n in names)
