"""Why a score jumped: the features that moved it from one night to the next, in words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from predictive.config import Config
from predictive.features.catalog import Feature
from predictive.features.words import phrase
from predictive.model.bundle import Bundle
from predictive.model.reasons import find_reasons
from predictive.scores import features_of
from predictive.tables import Tables

MOST = 3
TELLING = 0.05
"""Parts of the log-odds below this move the odds by less than 5 %, and are no cause."""
LEVEL = "the level of all scores was corrected"


def find_causes(
    con: Any, tables: Tables, config: Config, bundle: Bundle, jumps: pd.DataFrame
) -> dict[str, tuple[str, ...]]:
    """Per contact the strongest causes of its jump, in words; empty where nothing stands out.

    `jumps` holds `contact_id` (once each), `before` and `after` (probabilities) and the as-ofs `from` and `to`
    (microseconds); both nights are explained with the same `bundle`.
    """
    if jumps.empty:
        return {}
    first, last = (features_of(con, tables, config, bundle, _block(jumps, column))[0] for column in ("from", "to"))
    ordered = jumps.sort_values("contact_id", ignore_index=True)
    model, features = bundle.model.probability, bundle.model.probability.encoder.features
    before = find_reasons(model, first, ordered["before"].to_numpy())
    after = find_reasons(model, last, ordered["after"].to_numpy())
    moved, level = after.parts - before.parts, after.level - before.level
    values = [{f.name: frame[f.name].to_numpy(dtype=object) for f in features} for frame in (first, last)]
    vague = {
        i
        for i, s in enumerate(after.signals)
        if all(f.totals and not any(t.types for t in f.totals) for f in features if f.signal == s)
    }
    told = {}
    for row, (contact, up) in enumerate(zip(ordered["contact_id"], ordered["after"] > ordered["before"], strict=True)):
        direction = 1.0 if up else -1.0
        push = np.append(moved[row], level[row]) * direction
        telling = [i for i in np.argsort(-push, kind="stable") if push[i] >= TELLING]
        # What was done in particular says it better than that something was done.
        chosen = [i for i in telling if i not in vague][:MOST] or telling[:1]
        told[str(contact)] = tuple(
            LEVEL if i == len(after.signals) else _voice(features, after.signals[i], values, row) for i in chosen
        )
    return told


def changed(feature: Feature, before: Any, after: Any) -> str:
    """What happened to a feature between two nights, in words.

    >>> from predictive.features.behaviour import count, recency
    >>> changed(count(("page_view",), 30), 1, 3), changed(count(("call",), 90), None, 1)
    ('page view twice', 'call once')
    >>> changed(recency(("webinar",)), 40.2, 0.3)
    'latest webinar: 40 days ago → today'
    """
    more = _more(feature, before, after)
    if more > 0:
        return f"{feature.subject} {_times(more)}"
    then, now = (phrase(feature, None if pd.isna(v) else v) for v in (before, after))
    subject, _, value = now.partition(": ")
    return f"{then} → {value}" if value and then.startswith(f"{subject}: ") else f"{then} → {now}"


def _voice(features: Sequence[Feature], signal: str, values: list[dict[str, np.ndarray]], row: int) -> str:
    """The words of the feature of a signal that says best what happened: new activities, else what changed at all."""
    members = [f for f in features if f.signal == signal]
    pairs = [(f, values[0][f.name][row], values[1][f.name][row]) for f in members]
    best = max(pairs, key=lambda p: (_more(*p), _different(p[1], p[2])))
    return changed(*best)


def _more(feature: Feature, before: Any, after: Any) -> int:
    """How many activities a count rose by; 0 for any other feature. The longest window loses the fewest old ones."""
    if feature.words != "times":
        return 0
    then, now = (0 if pd.isna(v) else int(v) for v in (before, after))
    return max(now - then, 0)


def _different(before: Any, after: Any) -> bool:
    return not (before == after or (pd.isna(before) and pd.isna(after)))


def _times(number: int) -> str:
    return {1: "once", 2: "twice"}.get(number, f"{number} times")


def _block(jumps: pd.DataFrame, column: str) -> pd.DataFrame:
    block = jumps[["contact_id", column]].rename(columns={column: "as_of"}).astype({"as_of": "int64"})
    return block.sort_values("contact_id", ignore_index=True)
