"""How the model was made, as its bundle tells it: what it learned from, what was left out and why."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

from predictive.model.bundle import LIBRARIES, Bundle


@dataclass(frozen=True)
class Extent:
    """Examples that a model was fitted on: how many, their closes, their base rate, and their first and last as-of."""

    examples: int
    closes: int
    base_rate: float
    first: datetime
    last: datetime


@dataclass(frozen=True)
class Recipe:
    """How one probability is made: see :class:`predictive.model.side.Recipe`; `auc` is out of fold, with its error."""

    weight: float
    rounds: int
    strength: float
    calibration: str
    slope: float
    shift: float
    bend: float
    auc: tuple[float, float] | None


@dataclass(frozen=True)
class Making:
    """How the model was made: what it learned from, what was left out and why."""

    created: datetime
    horizon: int
    judged: Extent
    shipped: Extent
    test_from: datetime
    test_until: datetime
    observed_until: datetime
    not_eligible: dict[str, int]
    immature: int
    left_out: dict[str, str]
    features: int
    feature_hash: str
    rules_hash: str
    rule_sets: int
    versions: dict[str, str]
    recipes: dict[str, Recipe | None]
    why_null: dict[str, str]
    said: tuple[str, ...]
    notes: tuple[str, ...]


def read_making(bundle: Bundle) -> Making:
    """The making of a bundle."""
    report, split = bundle.report, bundle.report["split"]
    recipes = {name: None if (r := report["recipes"][name]) is None else _recipe(r) for name in report["recipes"]}
    return Making(
        created=_instant(report["created"]),
        horizon=bundle.horizon,
        judged=_extent(report["judged"]),
        shipped=_extent(report["shipped"]),
        test_from=_instant(split["test_from"]),
        test_until=_instant(split["test_until"]),
        observed_until=_instant(split["observed_until"]),
        not_eligible=dict(report["not_eligible"]),
        immature=report["immature"],
        left_out=dict(report["left_out"]),
        features=len(bundle.features),
        feature_hash=bundle.feature_hash,
        rules_hash=hashlib.sha256(bundle.rules.model_dump_json().encode()).hexdigest()[:12],
        rule_sets=len(bundle.rules.sets),
        versions={name: version(name) for name in LIBRARIES},
        recipes=recipes,
        why_null=dict(report["why_null"]),
        said=tuple(report["said"]),
        notes=tuple(report["notes"]),
    )


def _recipe(value: dict[str, Any]) -> Recipe:
    auc = value["auc"]
    shown = {f.name: value[f.name] for f in fields(Recipe)}
    return Recipe(**{**shown, "auc": None if auc is None else (auc[0], auc[1])})


def _extent(value: dict[str, Any]) -> Extent:
    return Extent(
        value["examples"], value["closes"], value["base_rate"], _instant(value["from"]), _instant(value["until"])
    )


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)
