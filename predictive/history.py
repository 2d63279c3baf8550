"""What became of past scores: the history of the sink, joined to what happened since."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import narwhals as nw
import pandas as pd

from predictive.clock import DAY
from predictive.config import Config
from predictive.engines import local
from predictive.features.labels import label_after
from predictive.model.bundle import Bundle
from predictive.model.drift import Drift, first_of_month, follow
from predictive.model.scoring import log_odds
from predictive.splits import observed_until
from predictive.store import into_store
from predictive.tables import Tables

PROMPT = 2 * DAY
"""A score counts only if it was written within so much time after its as-of: later ones may know what happened."""


def drift_of(
    con: Any, tables: Tables, config: Config, bundle: Bundle, history: pd.DataFrame, *, night: int, now: int
) -> Drift:
    """The drift of a bundle's level by a night (microseconds), from its own scores that have matured since.

    They are those of the nights, and those that its training made of examples that were not over then. `history` is
    what :meth:`predictive.sinks.contract.Sink.read_history` gives. Scores of other models say nothing about this one's
    level, and those from before :attr:`~predictive.model.bundle.Bundle.known_until` are not out of sample.
    """
    own = history[(history["model_version"] == bundle.version) & history["probability"].notna()]
    nights = first_scores(own)
    scored = pd.concat([bundle.pending, nights[nights["as_of"] >= bundle.known_until]], ignore_index=True)
    # Past the newest deal nobody can tell an open contact from one whose close has not been recorded.
    until = min(night, observed_until(tables, config, now))
    mature = scored[scored["as_of"] + bundle.horizon <= until].reset_index(drop=True)
    trained = config.model_copy(update={"horizon": timedelta(microseconds=bundle.horizon)})
    return follow(with_outcome(con, tables, trained, mature), bundle.horizon)


def first_scores(history: pd.DataFrame) -> pd.DataFrame:
    """Each contact's first score of each calendar month: `contact_id`, `as_of` (microseconds), `log_odds`, uncorrected.

    Only scores written within two days of their as-of count.
    """
    micros = {name: history[name].astype("datetime64[us, UTC]").astype("int64") for name in ("as_of", "scored_at")}
    frame = pd.DataFrame(
        {
            "contact_id": history["contact_id"].astype("str"),
            "as_of": micros["as_of"],
            "log_odds": log_odds(history["uncorrected"].to_numpy(dtype=float)),
        }
    )
    late = micros["scored_at"] - micros["as_of"]
    # As-ofs of age snapshots are written again every night that a score changes; the first one was prompt.
    return first_of_month(frame[(late >= 0) & (late <= PROMPT)].drop_duplicates(["contact_id", "as_of"]))


def with_outcome(con: Any, tables: Tables, config: Config, scored: pd.DataFrame) -> pd.DataFrame:
    """`scored` (`contact_id`, `as_of`, …) of contacts that are still there, with their `label` and `deal_id`."""
    columns = ["contact_id", "as_of", "label", "deal_id"]
    if scored.empty:
        return scored.assign(label=pd.Series(dtype="int64"), deal_id=pd.Series(dtype="object"))
    lazy = into_store(con, scored[["contact_id", "as_of"]])
    there = lazy.join(tables.contacts.select("contact_id"), on="contact_id", how="inner")
    found = label_after(tables, there, config).select(*(nw.col(c) for c in columns))
    outcome = local(found)
    return scored.merge(outcome, on=["contact_id", "as_of"], how="inner", validate="one_to_one")
