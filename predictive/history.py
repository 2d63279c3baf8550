"""What became of past scores: the history of the sink, joined to what happened since."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pandas as pd

from predictive.clock import from_micros
from predictive.config import Config
from predictive.engines import local
from predictive.model.bundle import Bundle
from predictive.model.drift import Drift, first_of_month, follow
from predictive.model.scoring import log_odds
from predictive.nights import is_prompt
from predictive.outcomes import with_outcomes
from predictive.sinks.contract import Sink
from predictive.splits import observed_until
from predictive.store import into_store
from predictive.tables import Tables

NEEDED = ("contact_id", "as_of", "scored_at", "uncorrected", "probability", "model_version", "undone")
"""The columns of the history that drift is followed in."""


def scores_of(sink: Sink, bundle: Bundle) -> pd.DataFrame:
    """The part of the history that :func:`drift_of` needs: nothing from before the bundle was trained."""
    return sink.read_history(columns=NEEDED, since=from_micros(bundle.known_until))


def drift_of(
    con: Any, tables: Tables, config: Config, bundle: Bundle, history: pd.DataFrame, *, night: int, now: int
) -> Drift:
    """The drift of a bundle's level by a night (microseconds), from its own scores that have matured since.

    They are those of the nights, and those that its training made of examples that were not over then. `history` is
    what :func:`scores_of` gives. Scores of other models say nothing about this one's level, and those from before
    :attr:`~predictive.model.bundle.Bundle.known_until` are not out of sample.
    """
    own = history[(history["model_version"] == bundle.version) & history["probability"].notna() & ~history["undone"]]
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
    # As-ofs of age snapshots are written again every night that a score changes; the first one was prompt.
    prompt = is_prompt(micros["as_of"], micros["scored_at"])
    return first_of_month(frame[prompt].drop_duplicates(["contact_id", "as_of"]))


def with_outcome(con: Any, tables: Tables, config: Config, scored: pd.DataFrame) -> pd.DataFrame:
    """`scored` (`contact_id`, `as_of`, …) of contacts that are still there, with their `label` and `deal_id`."""
    there = into_store(con, scored[["contact_id"]]).join(
        tables.contacts.select("contact_id"), on="contact_id", how="semi"
    )
    ids = local(there)["contact_id"]
    return with_outcomes(con, tables, config, scored[scored["contact_id"].isin(set(ids))])
