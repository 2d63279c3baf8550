"""What a training says beside who won: where the model is off, how steady it is, what it goes by, whom to call."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from predictive.config import Config
from predictive.evaluation import corp_curve
from predictive.evaluation.capacity import Capacity, capacity
from predictive.evaluation.effects import effects
from predictive.evaluation.importance import Model, importance
from predictive.evaluation.rolling import Origin, rolling
from predictive.evaluation.segments import Group, by_group
from predictive.evaluation.stability import profile
from predictive.features.catalog import Feature
from predictive.segments import RETURNING

FEWEST_MONTHS = 4
Fit = Callable[[pd.DataFrame], Callable[[pd.DataFrame], np.ndarray]]


def months(as_of: pd.Series[Any], timezone: str) -> pd.Series[Any]:
    """The month of each as-of (microseconds) in a time zone, such as 2026-03."""
    return pd.to_datetime(as_of, unit="us", utc=True).dt.tz_convert(ZoneInfo(timezone)).dt.strftime("%Y-%m")


def market(month: pd.Series[Any]) -> list[str]:
    """What intervals do not know, where the months of a test part are fewer than four; else nothing.

    >>> market(pd.Series(["2026-01", "2026-02", "2026-02"]))
    ['the test part spans 2 months: its intervals know of luck, not of how the market may change']
    """
    found = month.nunique()
    if found >= FEWEST_MONTHS:
        return []
    spans = "1 month" if found == 1 else f"{found} months"
    return [f"the test part spans {spans}: its intervals know of luck, not of how the market may change"]


def look(
    test: pd.DataFrame, competitors: Mapping[str, str], segments: Mapping[str, str], config: Config
) -> dict[str, Any]:
    """What the test part says: reliability curves, segments and months, capacity, and sentences about them.

    `test` has `contact_id`, `as_of` (microseconds), `label`, `deal_id`, `cluster`, `rule_score`, the columns of
    `segments` (by name), and the probabilities of `competitors` (column by name; the first is the model's).
    """
    label, groups = test["label"].to_numpy(), test["cluster"].to_numpy()
    seed, month = config.model.seed, months(test["as_of"], config.timezone)
    curves = {
        n: corp_curve(label, test[column].to_numpy(), groups=groups, seed=seed) for n, column in competitors.items()
    }
    model = next(iter(competitors.values()))
    columns = {name: test[column] for name, column in segments.items()} | {"month": month}
    found = by_group(label, test[model].to_numpy(), columns, groups=groups, deals=test["deal_id"])
    plan = _capacity(test.assign(probability=test[model]), config)
    return {
        "corp": {name: [point.as_dict() for point in points] for name, points in curves.items()},
        "segments": [group.as_dict() for group in found],
        "sensitive": [name.replace("_", " ") for name in config.features.sensitive],
        "capacity": None if plan is None else plan.as_dict(),
        "in_words": [*market(month), *_off(found), *([] if plan is None else plan.in_words())],
    }


def over_time(frame: pd.DataFrame, fit: Fit, *, horizon: int, seed: int) -> dict[str, Any]:
    """The rolling origins of the recipe that `fit` applies, and a sentence about them."""
    found = rolling(frame, fit, horizon=horizon, seed=seed)
    return {"rolling": [origin.as_dict() for origin in found], "in_words": _steady(found)}


def inside(
    model: Model, features: Sequence[Feature], test: pd.DataFrame, learned: pd.DataFrame, *, seed: int
) -> dict[str, Any]:
    """What the model goes by and which way, per feature and per side, and the inputs that it learned from lately."""
    each, sides = importance(model, features, test, seed=seed)
    # The newest quarter of the rows: records grow older and fashions pass, which is no news to an audit.
    lately = learned[learned["as_of"] >= learned["as_of"].quantile(0.75)]
    return {
        "importance": [i.as_dict() for i in each],
        "importance_of_sides": [i.as_dict() for i in sides],
        "effects": {name: effect.as_dict() for name, effect in effects(model, features, test, seed=seed).items()},
        "inputs": profile(features, lately),
    }


def segment_columns(names: Mapping[str, Any], frame: pd.DataFrame) -> dict[str, str]:
    """Per segment in words the column that holds it."""
    found = {name.replace("_", " "): feature.name for name, feature in names.items()}
    return found | ({"customer": RETURNING} if RETURNING in frame else {})


def _capacity(test: pd.DataFrame, config: Config) -> Capacity | None:
    plan = config.capacity
    if plan is None:
        return None
    rows = test.reset_index(drop=True)
    return capacity(rows, per_week=plan.per_week, seed=config.model.seed, cost=plan.cost, value=plan.value)


def _off(groups: tuple[Group, ...]) -> list[str]:
    """The groups whose closes luck does not explain, worst first, at most five."""
    off = sorted((g for g in groups if g.off), key=lambda g: g.count.luck)
    said = [
        f"{g.by} {g.level.partition(': ')[2] or g.level}: {g.count.predicted:,.0f} closes predicted, "
        f"{g.count.actual:,.0f} came; luck does not explain it"
        for g in off[:5]
    ]
    return said + ([f"and {len(off) - 5} more groups are off"] if len(off) > 5 else [])


def _steady(found: tuple[Origin, ...]) -> list[str]:
    if len(found) < 2:
        return []
    losses = [origin.values["log_loss"].value for origin in found]
    ratios = [origin.values["calibration_in_large"].value for origin in found]
    steady = (
        f"refitted at {len(found)} times from {found[0].at[:10]} on, its log loss on what came next was "
        f"{min(losses):.4f} to {max(losses):.4f}, predicted over actual closes {min(ratios):.2f} to {max(ratios):.2f}"
    )
    return [steady]
