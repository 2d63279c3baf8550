"""Lists as people see them: how many are on each, who came and left last night, and the members with their scores."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import pandas as pd

from predictive.config import Config
from predictive.errors import ConfigError, nearest
from predictive.lists.evaluate import static_ids

SHOWN = ("probability", "tier", "quadrant", "stage", "rule_score", "holdout")
"""The columns of scores that go with a member."""


def held_out(found: pd.DataFrame) -> int:
    """How many of :func:`members` are in the holdout, which no workflow should reach."""
    return int(found["holdout"].eq(other=True).sum())


@dataclass(frozen=True)
class Listed:
    """One list or tag: how many are on it, and how many came and left in the newest night.

    `feeds` is its workflow; `unknown` are ids of a static list that no contact had.
    """

    name: str
    kind: Literal["active", "static", "tag"]
    feeds: str | None
    members: int
    entered: int
    left: int
    unknown: tuple[str, ...] = ()


def overview(config: Config, membership: pd.DataFrame, night: datetime) -> tuple[Listed, ...]:
    """Every list of the configuration, then every tag, by name; `night` is the as-of of the newest one."""
    tags = sorted({n for n in membership["list"].unique() if str(n).startswith("#")} | set(config.tags or {}))
    found = []
    for name in [*sorted(config.lists), *tags]:
        mine = membership[membership["list"] == name]
        choice = config.lists.get(name)
        now = mine[mine["left_at"].isna()]
        ids = static_ids(name, choice) if choice is not None and choice.is_static else []
        on_it = set(now["contact_id"])
        found.append(
            Listed(
                name=name,
                kind="tag" if choice is None else "static" if choice.is_static else "active",
                feeds=None if choice is None else choice.feeds,
                members=len(now),
                entered=int((now["entered_at"] == night).sum()),
                left=int((mine["left_at"] == night).sum()),
                unknown=tuple(i for i in ids if i not in on_it),
            )
        )
    return tuple(found)


def members(config: Config, membership: pd.DataFrame, scores: pd.DataFrame, *, at: datetime | None) -> pd.DataFrame:
    """Who is on each list, or was at an instant: `list`, `contact_id`, `entered_at`, `left_at`, `feeds`, and scores.

    By list, highest probability first. Scores are the current ones, missing for contacts without.
    """
    if at is None:
        on_it = membership[membership["left_at"].isna()]
    else:
        ended = membership["left_at"].notna() & (membership["left_at"] <= at)
        on_it = membership[(membership["entered_at"] <= at) & ~ended]
    feeds = {name: choice.feeds for name, choice in config.lists.items()}
    on_it = on_it.assign(feeds=on_it["list"].map(feeds).astype("object"))
    joined = on_it.merge(scores[["contact_id", *SHOWN]], on="contact_id", how="left")
    return joined.sort_values(["list", "probability", "contact_id"], ascending=[True, False, True], ignore_index=True)


def check_name(name: str, shown: tuple[Listed, ...]) -> None:
    """Refuse the name of no list and no tag."""
    names = [one.name for one in shown]
    if name not in names:
        raise ConfigError(f"no list has the name {name!r}; {nearest(name, names)}")
