"""Judging: every competitor on the same later examples, each corrected for drift as the nightly run would have been."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from predictive.evaluation import Comparison, compare
from predictive.features.catalog import Feature
from predictive.model.calibration import AS_IT_COMES, fit_platt
from predictive.model.drift import Drift, corrected, follow, in_words
from predictive.model.folds import closes
from predictive.model.logistic import expit
from predictive.model.partial import of_the_rest, offset_of
from predictive.model.scoring import ScoringModel, log_odds
from predictive.model.side import Recipe, fit_side
from predictive.model.thinned import weight_of
from predictive.splits import TimeSplit

COMPETITORS = {"model": "probability", "uncorrected": "uncorrected", "logistic": "logistic", "rules": "rules"}
"""Competitors, and their columns of the test predictions. All but `uncorrected` are corrected for drift."""
LEAD = ["contact_id", "as_of", "label"]


@dataclass(frozen=True)
class Judged:
    """One row per test example with every competitor's probability, and the drift that corrected the model's."""

    predictions: pd.DataFrame
    drift: Drift


def predict(
    judged: ScoringModel,
    features: Sequence[Feature],
    part: pd.DataFrame,
    later: pd.DataFrame,
    split: TimeSplit,
    *,
    seed: int,
) -> Judged:
    """Score the test examples in order of as_of: the model, a logistic regression on `features`, the calibrated rules.

    `part` is what was learned from; `later` are all mature examples out of sample, also those between training and test
    (see :meth:`~predictive.splits.TimeSplit.later`): they correct the level once they mature. Every competitor follows
    its own. The rules are judged as people know them: by `manual_score`, not by the `rule_score` that a model may read.
    """
    found = judged.score(later)
    uncorrected = {
        "probability": found["probability"].to_numpy(),
        "logistic": _logistic(judged, features, part, seed=seed).probability(later),
        "rules": _rules(part, later),
    }
    offset = offset_of(later)
    drifts = {
        name: follow(later.assign(log_odds=of_the_rest(log_odds(p), offset)), split.horizon)
        for name, p in uncorrected.items()
    }
    at = later["as_of"].to_numpy()
    out = later[LEAD].assign(as_of=pd.to_datetime(later["as_of"], unit="us", utc=True))
    for name, p in uncorrected.items():
        out[name] = corrected(p, drifts[name].at(at))
        if name == "probability":
            out["uncorrected"] = p
    out["rule_score"] = later["manual_score"]
    for axis in ("fit", "interest"):
        out[axis] = corrected(found[axis].to_numpy(), drifts["probability"].at(at))
    tested = out[later.index.isin(split.test(later).index)]
    return Judged(tested.reset_index(drop=True), drifts["probability"])


def compare_all(predictions: pd.DataFrame, test: pd.DataFrame, *, seed: int) -> Comparison:
    """All competitors on the same test examples, resampled by cluster."""
    return compare(
        predictions["label"].to_numpy(),
        {name: predictions[column].to_numpy() for name, column in COMPETITORS.items()},
        groups=test["cluster"].to_numpy(),
        seed=seed,
        closes=closes(test),
    )


def drift_report(judged: Judged, comparison: Comparison) -> dict[str, Any]:
    """The drift correction, plain: the shifts of the test's as-ofs, and what they did to the metrics."""
    gain = comparison.advantages["model", "uncorrected"]
    drift, at = judged.drift, judged.predictions["as_of"].astype("datetime64[us, UTC]").astype("int64").to_numpy()
    values = {name: comparison.evaluations[name].values for name in ("model", "uncorrected")}
    names = ("log_loss", "brier", "calibration_in_large")
    shifts = drift.at(at)
    return {
        "said": in_words(drift, until=int(at.max())),
        "shift": {"mean": float(shifts.mean()), "min": float(shifts.min()), "max": float(shifts.max())},
        "metrics": {m: {name: found[m].as_dict()["value"] for name, found in values.items()} for m in names},
        "advantage": {m: gain[m].as_dict() for m in names},
    }


def _logistic(judged: ScoringModel, features: Sequence[Feature], part: pd.DataFrame, *, seed: int) -> Any:
    own = judged.probability
    same = own.encoder.features == tuple(features)
    plain = replace(own.recipe if same else Recipe(), weight=0.0, calibration=AS_IT_COMES)
    # A blend holds the logistic regression already.
    ready = own.linear is not None and same
    return replace(own, booster=None, recipe=plain) if ready else fit_side(features, part, plain, seed=seed)


def _rules(part: pd.DataFrame, later: pd.DataFrame) -> np.ndarray:
    points, label = (part[name].to_numpy(dtype=float) for name in ("manual_score", "label"))
    fitted = fit_platt(label, points, offset_of(part), weight_of(part))
    return expit(fitted.apply(later["manual_score"].to_numpy(dtype=float)))
