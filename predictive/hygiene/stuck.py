"""Contacts that sit in a lifecycle stage for longer than nine in ten of those who moved on."""

from __future__ import annotations

from dataclasses import dataclass

import narwhals as nw
import pandas as pd

from predictive.clock import DAY
from predictive.hygiene.words import EXAMPLES, local
from predictive.tables import Tables

STAGE = "lifecycle_stage"
FEWEST = 20
"""How many must have moved on before their time in a stage says what is long."""
SHARE = 0.9


@dataclass(frozen=True)
class Stuck:
    """One stage: contacts in it beyond `days`, the 90th percentile of the `moved_on` who left it."""

    stage: str
    contacts: int
    in_stage: int
    days: float
    moved_on: int
    examples: tuple[str, ...]


def find_stuck(tables: Tables, night: int) -> tuple[Stuck, ...]:
    """The stages that at least 20 contacts have left; none where lifecycle_stage has no history."""
    spells = _spells(tables, night)
    out = []
    for stage, mine in spells.groupby("stage", sort=True):
        over = mine.loc[mine["ended"], "days"]
        if len(over) < FEWEST:
            continue
        bound = float(over.quantile(SHARE))
        now = mine[~mine["ended"]]
        late = now[now["days"] > bound].sort_values(["days", "contact_id"], ascending=[False, True])
        ids = tuple(map(str, late["contact_id"].head(EXAMPLES)))
        out.append(Stuck(str(stage), len(late), len(now), bound, len(over), ids))
    return tuple(out)


def _spells(tables: Tables, night: int) -> pd.DataFrame:
    """Every time in a stage: `contact_id`, `stage`, `days`, and whether it `ended`."""
    mine = (nw.col("object") == "contact") & (nw.col("attribute") == STAGE) & (nw.col("changed_at") <= night)
    rows = tables.changes.filter(mine).select("value", "old_value", "changed_at", contact_id=nw.col("object_id"))
    contacts = tables.contacts.select("contact_id", "created_at")
    frame = local(rows.join(contacts, on="contact_id", how="inner")).sort_values(["contact_id", "changed_at"])
    # Writing the same stage again is no move.
    again = (frame["contact_id"] == frame["contact_id"].shift()) & (frame["value"] == frame["value"].shift())
    frame = frame[~again.fillna(value=False)]
    first = frame.drop_duplicates("contact_id")
    first = first[first["old_value"].notna() & (first["created_at"] < first["changed_at"])]
    early = first.assign(value=first["old_value"], changed_at=first["created_at"])
    frame = pd.concat([early, frame]).sort_values(["contact_id", "changed_at"], kind="stable")
    last = frame["contact_id"] != frame["contact_id"].shift(-1)
    until = frame["changed_at"].shift(-1).where(~last, night)
    frame = frame.assign(stage=frame["value"], days=(until - frame["changed_at"]) / DAY, ended=~last)
    return frame.loc[frame["stage"].notna(), ["contact_id", "stage", "days", "ended"]]
