"""Who newly entered pursue, and until when to respond."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import pandas as pd

from predictive.actions import Action, action_for, actions_of
from predictive.config import Config
from predictive.nights import entries, live, standing


@dataclass(frozen=True)
class Notice:
    """A contact that newly entered pursue on the night `entered_at`; `due` is when to have responded (ISO 8601).

    `due` counts from when the score was written, as nobody could know earlier; None without a response time.
    """

    contact_id: str
    entered_at: str
    due: str | None
    action: str
    owner: str
    cell: str | None
    tier: str
    probability: float
    override: str | None
    reasons: str
    model_version: str

    def as_dict(self) -> dict[str, Any]:
        """The fields as JSON knows them."""
        return asdict(self)


def notices_at(history: pd.DataFrame, night: pd.Timestamp, config: Config) -> tuple[Notice, ...]:
    """Those who newly entered pursue on a night, the highest probability first."""
    found = entries(live(history))
    return _told(found[found["night"] == night], config)


def waiting(history: pd.DataFrame, config: Config, *, since: pd.Timestamp, known: frozenset[str]) -> tuple[Notice, ...]:
    """Those who entered after the night `since`, or on it and are not `known` by id, and are in pursue still."""
    rows = live(history)
    found = entries(rows)
    new = (found["night"] > since) | ((found["night"] == since) & ~found["contact_id"].isin(known))
    now = standing(rows, rows["night"].max()) if len(rows) else rows
    still = set(now.loc[now["quadrant"].eq("pursue") & ~now["holdout"], "contact_id"])
    chosen = found[new & found["contact_id"].isin(still)]
    return _told(chosen.drop_duplicates("contact_id", keep="last"), config)


def _told(rows: pd.DataFrame, config: Config) -> tuple[Notice, ...]:
    actions = actions_of(config)
    ordered = rows.sort_values(["probability", "contact_id"], ascending=[False, True])
    return tuple(_notice(row, actions) for _, row in ordered.iterrows())


def _notice(row: pd.Series[Any], actions: dict[str, Action]) -> Notice:
    action = action_for(actions, row["quadrant"], _text(row["cell"]))
    due = None if action.respond_within is None else _iso(row["scored_at"] + action.respond_within)
    return Notice(
        contact_id=str(row["contact_id"]),
        entered_at=_iso(row["night"]),
        due=due,
        action=action.in_words,
        owner=action.owner,
        cell=_text(row["cell"]),
        tier=str(row["tier"]),
        probability=float(row["probability"]),
        override=_text(row["override"]),
        reasons=str(row["reasons"]),
        model_version=str(row["model_version"]),
    )


def _iso(at: pd.Timestamp) -> str:
    return at.isoformat(timespec="seconds").replace("+00:00", "Z")


def _text(value: Any) -> str | None:
    return None if pd.isna(value) else str(value)
