"""Predicted against actual closes of past scores, month by month and by model; and what has moved since training."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from functools import cache, partial
from typing import Any

import numpy as np
import pandas as pd

from predictive.audit.first import First, first_scores
from predictive.audit.holdout import Effect, effects
from predictive.audit.inputs import Inputs, kept_bundle, known_until, look_at_inputs, newest_bundle
from predictive.audit.overrides import Overridden, look_at_overrides
from predictive.audit.touched import Touched, touched_in_time
from predictive.clock import iso
from predictive.config import AgeSnapshots, Config
from predictive.evaluation import Estimate, evaluate
from predictive.evaluation.clusters import encode, likeness
from predictive.evaluation.counts import LUCK, Count, count
from predictive.evaluation.intervals import plain
from predictive.model.bundle import Bundle
from predictive.outcomes import with_outcomes
from predictive.sinks import Sink
from predictive.splits import observed_until
from predictive.tables import TIERS, Tables

RECENT = 3
"""Months that together are recent: bounds are set on these, so that an old fault does not ring for ever."""
FEWEST_CLOSES = 20
BANDS = ((0.0, 0.01), (0.01, 0.02), (0.02, 0.05), (0.05, 0.1), (0.1, 0.2), (0.2, 0.3), (0.3, 0.5), (0.5, 1.0))
"""Bands of probabilities, the lower end in it: few closes are told apart at the top, many contacts at the bottom."""
METRICS = ("log_loss", "brier", "roc_auc", "calibration_slope", "calibration_error_debiased")


@dataclass(frozen=True)
class Line:
    """One line of the audit: all scores, the recent or earlier ones, a month, a model version, the holdout.

    Of the recent ones also a tier, and a band of probabilities (:data:`BANDS`).
    """

    by: str
    name: str
    count: Count

    def as_dict(self) -> dict[str, Any]:
        """The fields as JSON knows them; NaN becomes None."""
        return {name: plain(value) for name, value in asdict(self).items()}


@dataclass(frozen=True)
class Audit:
    """What became of past scores. `broken` says which configured bounds are broken, in words: none is good news.

    `lines` is empty where no score has matured yet; `waiting` scores have not. `metrics` are those of all matured
    scores, where at least 20 closes are behind them. `trained_rate` is the base rate of the training of the newest
    model, `actual_rate` that of the recent scores; both None where not known. `effects` are of the actions, where there
    is a holdout; its scores and those of all others have lines of their own then.
    """

    observed_until: str
    waiting: int
    left_out: dict[str, int]
    lines: tuple[Line, ...]
    metrics: dict[str, Estimate]
    trained_rate: float | None
    actual_rate: float | None
    inputs: Inputs
    broken: tuple[str, ...]
    effects: tuple[Effect, ...] = ()
    overrides: Overridden | None = None
    touched: Touched | None = None

    def as_dict(self) -> dict[str, Any]:
        """What `--json` prints."""
        return {name: plain(value) for name, value in asdict(self).items()}


def audit(con: Any, tables: Tables, config: Config, sink: Sink, *, now: int) -> Audit:
    """Join past scores to what happened since, and check the bounds of `config.audit`.

    Args:
        con: the working database that `tables` live in.
        tables: what is known today.
        config: names the folder of the models; its `audit` holds the bounds.
        sink: whose history is audited.
        now: microseconds; decides which scores have matured, with `observed_until`.
    """
    observed = observed_until(tables, config, now)
    ages = isinstance(config.snapshots, AgeSnapshots)
    runs = sink.read_runs()
    history = sink.read_history()
    first = first_scores(
        history, runs, timezone=config.timezone, ages=ages, knows=lambda v: known_until(config.models, v)
    )
    mature = first.scores["as_of"] + config.horizon_micros <= observed
    frame = with_outcomes(con, tables, config, first.scores[mature])
    newest = newest_bundle(config.models, runs)
    inputs = look_at_inputs(con, tables, config, sink, newest, ages=ages)
    bundles = cache(partial(kept_bundle, config.models))
    decisions = look_at_overrides(con, tables, config, history, observed=observed, now=now, bundle_of=bundles)
    touched = touched_in_time(con, tables, config, history, observed=observed)
    found = _put_together(config, frame, first, int((~mature).sum()), observed, newest, inputs)
    return replace(found, overrides=decisions, touched=touched)


def _put_together(
    config: Config, frame: pd.DataFrame, first: First, waiting: int, observed: int, newest: Bundle | None,
    inputs: Inputs,
) -> Audit:  # fmt: skip
    lines = _lines(frame)
    trained = None if newest is None else float(newest.report["shipped"]["base_rate"])
    recent = _recent(frame)
    return Audit(
        observed_until=iso(observed),
        waiting=waiting,
        left_out=first.left_out,
        lines=lines,
        metrics=_metrics(frame, config.model.seed),
        trained_rate=trained,
        actual_rate=float(recent["label"].mean()) if len(recent) else None,
        inputs=inputs,
        broken=(*_miscalibrated(lines, config), *_moved(recent, trained, config), *inputs.broken),
        effects=effects(frame),
    )


def _lines(frame: pd.DataFrame) -> tuple[Line, ...]:
    if frame.empty:
        return ()
    months = sorted(frame["month"].unique())
    recent = frame["month"].isin(months[-RECENT:]).to_numpy()
    alike = _likeness(frame)
    parts = [("all", "all", np.ones(len(frame), dtype=bool)), ("time", "recent", recent)]
    if not recent.all():
        parts.append(("time", "earlier", ~recent))
    parts += [("month", m, (frame["month"] == m).to_numpy()) for m in months]
    parts += [
        ("model", str(v), (frame["model_version"] == v).to_numpy()) for v in sorted(frame["model_version"].unique())
    ]
    parts += [("tier", t, recent & (frame["tier"] == t).to_numpy()) for t in TIERS]
    band = np.digitize(frame["probability"].to_numpy(), [low for low, _ in BANDS]) - 1
    parts += [("band", band_name(*ends), recent & (band == i)) for i, ends in enumerate(BANDS)]
    held = frame["holdout"].to_numpy(dtype=bool)
    if held.any():
        parts += [("holdout", "holdout", held), ("holdout", "others", ~held)]
    return tuple(Line(by, name, _count(frame[mine], alike)) for by, name, mine in parts if mine.any())


def band_name(low: float, high: float) -> str:
    """A band as it stands in a line of the audit.

    >>> band_name(0.2, 0.3)
    '20–30 %'
    """
    return f"{100 * low:g}–{100 * high:g} %"


def _likeness(frame: pd.DataFrame) -> float:
    codes = encode(frame["cluster"].to_numpy(), len(frame))
    return likeness(frame["label"].to_numpy(dtype=float), frame["probability"].to_numpy(), codes)


def _count(frame: pd.DataFrame, alike: float) -> Count:
    codes = encode(frame["cluster"].to_numpy(), len(frame))
    label = frame["label"].to_numpy(dtype=float)
    return count(label, frame["probability"].to_numpy(), codes, alike=alike, closes=int(frame["deal_id"].nunique()))


def _recent(frame: pd.DataFrame) -> pd.DataFrame:
    return frame[frame["month"].isin(sorted(frame["month"].unique())[-RECENT:])]


def _metrics(frame: pd.DataFrame, seed: int) -> dict[str, Estimate]:
    if frame["deal_id"].nunique() < FEWEST_CLOSES:
        return {}
    label, p = frame["label"].to_numpy(), frame["probability"].to_numpy()
    found = evaluate(label, p, groups=frame["cluster"].to_numpy(), seed=seed, closes=int(frame["deal_id"].nunique()))
    return {name: found.values[name] for name in METRICS}


def _miscalibrated(lines: Iterable[Line], config: Config) -> list[str]:
    bound = config.audit.calibration
    recent = next((line.count for line in lines if line.name == "recent"), None)
    if recent is None or recent.luck >= LUCK or _within(recent.predicted, recent.actual, bound):
        return []
    many = "too many" if recent.predicted > recent.actual else "too few"
    text = (
        f"calibration: {recent.predicted:,.1f} closes were predicted in the newest {RECENT} matured months and "
        f"{recent.actual:,.0f} came: {many}, beyond the bound of {bound:.0%}, and luck does not explain it"
    )
    return [text]


def _moved(recent: pd.DataFrame, trained: float | None, config: Config) -> list[str]:
    """Whether the base rate has moved beyond its bound: what came, against the rate of training for everybody."""
    if trained is None or recent.empty or not 0 < trained < 1:
        return []
    flat = recent.assign(probability=trained)
    found, bound = _count(flat, _likeness(flat)), config.audit.base_rate
    if found.luck >= LUCK or _within(found.predicted, found.actual, bound):
        return []
    text = (
        f"base rate: {found.actual / found.n:.2%} of the contacts of the newest {RECENT} matured months closed, "
        f"against {trained:.2%} in training: beyond the bound of {bound:.0%}, and luck does not explain it"
    )
    return [text]


def _within(predicted: float, actual: float, bound: float) -> bool:
    return predicted <= actual * (1 + bound) and actual <= predicted * (1 + bound)
