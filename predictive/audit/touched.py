"""Whether sales answered in time: those who entered pursue, the activities that followed, and what closed."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any

import narwhals as nw
import pandas as pd

from predictive.actions import action_for, actions_of
from predictive.config import Config
from predictive.evaluation.closed import Closed, closed
from predictive.evaluation.intervals import plain
from predictive.evaluation.reliability import wilson
from predictive.features.choose_behaviour import grouped
from predictive.nights import PROMPT, entries, live
from predictive.outcomes import with_outcomes
from predictive.store import into_store
from predictive.tables import Tables

GROUP = "sales"
"""The group of activity types (`features.groups`) that count as a touch."""
MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True)
class Touched:
    """Of those who entered pursue and whose deadline has passed, `entered`, how many sales touched `in_time`.

    `share` is in [0, 1] with its 95 % Wilson interval (None without any). `waiting` still have time; of `late` the
    score was written more than two days after its night, so that nobody could have answered. `types` are the activity
    types that count. `touched` and `untouched` are those whose horizon has passed; sales chose whom to touch, so the
    difference between them is no effect: for that there is the holdout.
    """

    types: tuple[str, ...]
    entered: int
    in_time: int
    share: tuple[float, float, float] | None
    waiting: int
    late: int
    touched: Closed
    untouched: Closed

    def as_dict(self) -> dict[str, Any]:
        """The fields as JSON knows them; NaN becomes None."""
        return {name: plain(value) for name, value in asdict(self).items()}


def touched_in_time(con: Any, tables: Tables, config: Config, history: pd.DataFrame, *, observed: int) -> Touched:
    """Count who was touched between entering pursue and the deadline.

    `history` is what the sink's `read_history` gives; `observed` says until when activities are known (microseconds).
    """
    found = entries(live(history))
    late = found["scored_at"] - found["night"] > pd.Timedelta(microseconds=PROMPT)
    due = _deadlines(found, config)
    over = due <= observed
    kept = found.loc[~late & due.notna() & over]
    rows = kept[["contact_id"]].assign(as_of=_micros(kept["night"]), due=due[kept.index].astype("int64"))
    rows = rows.reset_index(drop=True)
    kinds = tables.activities.select("type").unique().collect()["type"].to_list()
    types = tuple(grouped(sorted(kinds), config.features.groups).get(GROUP, []))
    in_time = _touched(con, tables, rows, types)
    touched, untouched = _closed(con, tables, config, rows.assign(touched=in_time), observed)
    n, k = len(rows), int(in_time.sum())
    return Touched(
        types=types,
        entered=n,
        in_time=k,
        share=(k / n, *wilson(k / n, n)) if n else None,
        waiting=int((~late & due.notna() & ~over).sum()),
        late=int(late.sum()),
        touched=touched,
        untouched=untouched,
    )


def _closed(con: Any, tables: Tables, config: Config, rows: pd.DataFrame, observed: int) -> tuple[Closed, Closed]:
    """What closed of those touched and of those not, of the `rows` that have matured."""
    mature = rows[rows["as_of"] + config.horizon_micros <= observed].reset_index(drop=True)
    followed = with_outcomes(con, tables, config, mature)
    # A contact that entered twice in one horizon is one contact: its first entry counts.
    first = followed.sort_values("as_of", kind="stable").drop_duplicates("contact_id")
    parts = [first[first["touched"].astype(bool) == hit] for hit in (True, False)]
    touched, untouched = (closed(part["label"], part["cluster"]) for part in parts)
    return touched, untouched


def _deadlines(found: pd.DataFrame, config: Config) -> pd.Series[Any]:
    """When each should have been answered, in microseconds; missing without a response time."""
    actions = actions_of(config)
    cells = [None if pd.isna(c) else str(c) for c in found["cell"]]
    within = [action_for(actions, "pursue", c).respond_within for c in cells]
    micros = [pd.NA if w is None else w // MICROSECOND for w in within]
    return pd.Series(_micros(found["scored_at"]).astype("Int64") + pd.Series(micros, index=found.index, dtype="Int64"))


def _touched(con: Any, tables: Tables, rows: pd.DataFrame, types: tuple[str, ...]) -> pd.Series[Any]:
    """Whether an activity of these types falls in (as_of, due] of each row."""
    if rows.empty or not types:
        return pd.Series(data=False, index=rows.index)
    mine = tables.activities.filter(nw.col("type").is_in(list(types))).select("contact_id", "t")
    joined = into_store(con, rows).join(mine, on="contact_id", how="inner")
    hits = joined.filter((nw.col("t") > nw.col("as_of")) & (nw.col("t") <= nw.col("due")))
    local = pd.DataFrame(hits.select("contact_id", "as_of").unique().collect(backend="pandas").to_native())
    keys = set(zip(local["contact_id"], local["as_of"], strict=True))
    return pd.Series([k in keys for k in zip(rows["contact_id"], rows["as_of"], strict=True)], index=rows.index)


def _micros(times: pd.Series[Any]) -> pd.Series[Any]:
    return pd.Series(times.dt.as_unit("us").astype("int64"))
