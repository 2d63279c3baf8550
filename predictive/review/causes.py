"""Why a score jumped: the features and the rule sets that moved it from one night to the next, in words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import narwhals as nw
import numpy as np
import pandas as pd

from predictive.config import Config
from predictive.features.catalog import Feature
from predictive.features.words import phrase
from predictive.model.bundle import Bundle
from predictive.model.reasons import find_reasons
from predictive.review.fired import sets_that_moved
from predictive.rules import all_kinds
from predictive.scores import features_of
from predictive.store import into_store
from predictive.tables import Tables

MOST = 3
TELLING = 0.05
"""Parts of the log-odds below this move the odds by less than 5 %, and are no cause."""
LEVEL = "the level of all scores was corrected"
FIRED = "; rules: "
"""Comes before the rule sets in the sentence of a jump."""


class Causes(NamedTuple):
    """Why a contact's score jumped, each in words, the strongest first: what moved the model, and the rule sets."""

    model: tuple[str, ...]
    rules: tuple[str, ...]

    @property
    def in_words(self) -> str:
        """What follows the jump in a sentence; empty where nothing stands out.

        >>> Causes(("call once",), ("Asked for a demo +30",)).in_words
        ': call once; rules: Asked for a demo +30'
        """
        did = f": {', '.join(self.model)}" if self.model else ""
        return did + (f"{FIRED}{', '.join(self.rules)}" if self.rules else "")


def find_causes(con: Any, tables: Tables, config: Config, bundle: Bundle, jumps: pd.DataFrame) -> dict[str, Causes]:
    """Per contact the strongest causes of its jump; none where nothing stands out.

    `jumps` holds `contact_id` (once each), `before` and `after` (probabilities), `points` (by how many the rule score
    moved) and the as-ofs `from` and `to` (microseconds); both nights are explained with the same `bundle`. `con` is the
    working database of `tables`.
    """
    if jumps.empty:
        return {}
    ordered = jumps.sort_values("contact_id", ignore_index=True)
    frames = [features_of(con, tables, config, bundle, _block(ordered, column))[0] for column in ("from", "to")]
    model, features = bundle.model.probability, bundle.model.probability.encoder.features
    ends = [
        find_reasons(model, frame, ordered[column].to_numpy())
        for frame, column in zip(frames, ("before", "after"), strict=True)
    ]
    # What pushes each row in the direction of its jump: (rows, signals), and the level as the last column.
    moved = np.column_stack([ends[1].parts - ends[0].parts, ends[1].level - ends[0].level])
    moved = moved * np.where(ordered["after"] > ordered["before"], 1.0, -1.0)[:, None]
    by_signal = [[f for f in features if f.signal == signal] for signal in ends[0].signals]
    vague = [i for i, members in enumerate(by_signal) if all(_of_anything(f) for f in members)]
    points = ordered["points"].to_numpy(dtype=float)
    fired = sets_that_moved(bundle.rules, frames[0], frames[1], all_kinds(tables), points=points)
    told = {}
    for row, (contact, fresh) in enumerate(zip(ordered["contact_id"], _fresh(con, tables, ordered), strict=True)):
        telling = [i for i in np.argsort(-moved[row], kind="stable") if moved[row, i] >= TELLING]
        # What was done in particular says it better than that something was done.
        chosen = [i for i in telling if i not in vague][:MOST] or telling[:1]
        values = [frames[0].iloc[row], frames[1].iloc[row]]
        did = (LEVEL if i == len(by_signal) else _voice(by_signal[i], *values, fresh=fresh) for i in chosen)
        told[str(contact)] = Causes(tuple(did), fired[row])
    return told


def changed(feature: Feature, before: Any, after: Any, *, new: int = 0) -> str:
    """What happened to a feature between two nights, in words; `new` activities of its kind were done since.

    >>> from predictive.features.behaviour import count, recency
    >>> changed(count(("page_view",), 30), 4, 3, new=2), changed(count(("call",), 90), None, 1, new=1)
    ('page view twice', 'call once')
    >>> changed(recency(("webinar",)), 40.2, 0.3)
    'latest webinar: 40 days ago → today'
    """
    if new > 0:
        return f"{feature.subject} {_times(new)}"
    then, now = (phrase(feature, None if pd.isna(v) else v) for v in (before, after))
    subject, _, value = now.partition(": ")
    return f"{then} → {value}" if value and then.startswith(f"{subject}: ") else f"{then} → {now}"


def _voice(members: Sequence[Feature], before: pd.Series[Any], after: pd.Series[Any], *, fresh: pd.DataFrame) -> str:
    """The words of the feature of a signal that says best what happened: new activities, else what changed at all."""
    new = {f.name: _new(f, fresh) for f in members}
    best = max(members, key=lambda f: (new[f.name], _different(before[f.name], after[f.name])))
    return changed(best, before[best.name], after[best.name], new=new[best.name])


def _new(feature: Feature, fresh: pd.DataFrame) -> int:
    """How many of the new activities a count counts; 0 for any other feature.

    They are counted themselves, because a count over a window also loses old ones.
    """
    if feature.words != "times" or len(feature.totals) != 1:
        return 0
    (total,) = feature.totals
    if total.stream != "activities" or total.measure != "count":
        return 0
    mine = fresh["type"].isin(total.types) if total.types else ~fresh["type"].isin(total.without)
    detail = fresh["detail"].astype("str")
    if total.detail is not None:
        mine &= detail == total.detail
    if total.contains is not None:
        mine &= detail.str.contains(total.contains, regex=False)
    return int(mine.sum())


def _fresh(con: Any, tables: Tables, jumps: pd.DataFrame) -> list[pd.DataFrame]:
    """The activities (`type`, `detail`) of each jump's contact that became known between its two as-ofs."""
    ends = into_store(con, jumps[["contact_id", "from", "to"]])
    rows = ends.join(tables.activities.select("contact_id", "type", "detail", "known"), on="contact_id", how="inner")
    rows = rows.filter((nw.col("known") > nw.col("from")) & (nw.col("known") <= nw.col("to")))
    local = pd.DataFrame(rows.select("contact_id", "type", "detail").collect(backend="pandas").to_native())
    return [local[local["contact_id"] == contact] for contact in jumps["contact_id"]]


def _of_anything(feature: Feature) -> bool:
    """Whether a feature is of activities of any type."""
    return bool(feature.totals) and not any(t.types for t in feature.totals)


def _different(before: Any, after: Any) -> bool:
    return not (before == after or (pd.isna(before) and pd.isna(after)))


def _times(number: int) -> str:
    return {1: "once", 2: "twice"}.get(number, f"{number} times")


def _block(jumps: pd.DataFrame, column: str) -> pd.DataFrame:
    block = jumps[["contact_id", column]].rename(columns={column: "as_of"}).astype({"as_of": "int64"})
    return block.sort_values("contact_id", ignore_index=True)
