"""Whether the inputs of the newest night are those that its model learned from; and what a model knew."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from predictive.clock import instant, parse_instant, to_micros
from predictive.config import Audit, Config
from predictive.errors import ModelError
from predictive.evaluation.stability import Shift, shifts
from predictive.model.bundle import MANIFEST, Bundle, load_bundle
from predictive.nights import standing_runs
from predictive.scores import check_features, features_of
from predictive.sinks import Sink
from predictive.tables import Tables

SAMPLE = 5_000
SHOWN = 5
AGEING = ("record age", "ago")
"""Wordings of features that tell time since something: they move in any database that grows older; only shown."""


@dataclass(frozen=True)
class Inputs:
    """The stability of each input of the newest model, the most moved first, on `n` contacts of the newest night.

    `unknown` says why it could not be told, where it could not; `broken` which bounds are broken, in words.
    """

    n: int
    shifts: tuple[Shift, ...]
    unknown: str | None
    broken: tuple[str, ...]


def known_until(models: Path, version: str) -> int | None:
    """Until when (microseconds) a model knew outcomes: by its bundle, else until it was made; None: not known."""
    bundle = kept_bundle(models, version)
    if bundle is not None:
        learned = _micros(bundle.report["shipped"]["until"]) + bundle.horizon
        return min(learned, _micros(bundle.report["split"]["observed_until"]))
    try:
        made = datetime.strptime(version.partition("-")[0], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        return None
    return to_micros(made)


def newest_bundle(models: Path, runs: pd.DataFrame) -> Bundle | None:
    """The model of the newest night that was current; None where `models` does not hold its bundle, unaltered."""
    standing = standing_runs(runs).sort_values(["as_of", "scored_at"])
    return None if standing.empty else kept_bundle(models, str(standing["model_version"].iloc[-1]))


def kept_bundle(models: Path, version: str) -> Bundle | None:
    """A bundle, if it is still there as it was; an audit of scores does not end over one that is not."""
    try:
        return load_bundle(models / version) if (models / version / MANIFEST).is_file() else None
    except ModelError:
        return None


def look_at_inputs(
    con: Any, tables: Tables, config: Config, sink: Sink, bundle: Bundle | None, *, ages: bool
) -> Inputs:
    """Compare the features of up to 5,000 contacts of the newest night with those of the newest quarter of training."""
    current = sink.read_current()
    if bundle is None or current.empty:
        why = (
            "nothing was scored yet"
            if current.empty
            else f"{config.models} does not hold the newest model's bundle, unaltered"
        )
        return Inputs(0, (), why, ())
    if "inputs" not in bundle.report:
        return Inputs(0, (), "the newest model was trained before inputs were kept; train again", ())
    try:
        check_features(bundle, tables)
    except ModelError as error:
        return Inputs(0, (), str(error), ())
    block = _block(current, sink.read_runs(), seed=config.model.seed, ages=ages)
    frame, _ = features_of(con, tables, config, bundle, block)
    found = shifts(bundle.report["inputs"], frame)
    return Inputs(len(frame), found, None, _broken(bundle, found, config.audit))


def _broken(bundle: Bundle, found: tuple[Shift, ...], bounds: Audit) -> tuple[str, ...]:
    """One sentence if any of the most important inputs has moved beyond its bound and beyond luck."""
    ageing = {f.name for f in bundle.features if f.words in AGEING}
    top = [i["name"] for i in bundle.report["importance"] if i["name"] not in ageing][: bounds.features]
    moved = [s for s in found if s.name in top and s.psi > max(bounds.psi, s.noise)]
    if not moved:
        return ()
    named = ", ".join(f"{s.name} {s.psi:.2f}" for s in moved[:SHOWN]) + (", …" if len(moved) > SHOWN else "")
    text = (
        f"inputs: {len(moved)} of the {len(top)} most important have moved beyond the bound of {bounds.psi:g} "
        f"(stability index): {named}: the contacts of today are not those that the model learned from"
    )
    return (text,)


def _block(current: pd.DataFrame, runs: pd.DataFrame, *, seed: int, ages: bool) -> pd.DataFrame:
    """`contact_id` and `as_of` (microseconds) of a sample: of the newest night, or of each contact's own instant."""
    sample = current.sample(min(len(current), SAMPLE), random_state=seed)[["contact_id", "as_of"]]
    night = standing_runs(runs)["as_of"].max()
    # A score that did not change keeps the stamp of the night that wrote it.
    at = sample["as_of"] if ages else pd.Series(night, index=sample.index)
    return sample.assign(as_of=at.dt.as_unit("us").astype("int64"))


def _micros(text: str) -> int:
    return instant(parse_instant(text), "UTC")
