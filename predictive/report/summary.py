"""Every number of the report, as one frozen value. Sentences, charts and the page are made from it and nothing else."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import Any

import pandas as pd

from predictive.actions import Action, actions_of
from predictive.config import Config
from predictive.model.bundle import Bundle
from predictive.report.evidence import Evidence, read_evidence
from predictive.report.work import Work, count_work
from predictive.tables import QUADRANTS


@dataclass(frozen=True)
class Night:
    """The scoring run that the scores are of. The last three are None where the sink does not list it."""

    as_of: datetime
    scored_at: datetime
    model_version: str
    new: int | None = None
    changed: int | None = None
    left: int | None = None


@dataclass(frozen=True)
class Driver:
    """A feature, and how far it moves the log-odds of a contact on average, up or down."""

    name: str
    description: str
    side: str
    mean: float


@dataclass(frozen=True)
class Group:
    """A segment's level or a month in the test part: closes predicted and come, and its share of the top tenth.

    `low` and `high` bound predicted over actual (95 %; None without closes). `off`: luck does not explain the
    difference, all groups considered. `sensitive`: of an attribute that no model sees.
    """

    by: str
    level: str
    examples: int
    predicted: float
    actual: float
    low: float | None
    high: float | None
    listed: float
    off: bool
    sensitive: bool


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
    recipes: dict[str, Recipe | None]
    why_null: dict[str, str]
    said: tuple[str, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Summary:
    """The report in numbers. `night` is None where nothing has been scored yet."""

    made_at: datetime
    timezone: str
    model_version: str
    night: Night | None
    work: Work
    evidence: Evidence
    drivers: tuple[Driver, ...]
    groups: tuple[Group, ...]
    making: Making
    actions: dict[str, Action]
    """What is done with each quadrant."""
    live: bool
    """Whether scores are to be as of the last midnight, so that older ones are late."""


def summarise(bundle: Bundle, scores: pd.DataFrame, runs: pd.DataFrame, config: Config, *, now: datetime) -> Summary:
    """Compute the summary.

    Args:
        bundle: the model with what its training reported.
        scores: the current scores, as :data:`predictive.tables.SCORES`; none is allowed.
        runs: the list of runs, as :data:`predictive.sinks.contract.RUN_COLUMNS`.
        config: says the time zone.
        now: when the report is made, aware.
    """
    return Summary(
        made_at=now,
        timezone=config.timezone,
        model_version=bundle.version,
        night=_night(scores, runs),
        work=count_work(scores, bundle.cuts),
        evidence=read_evidence(bundle.report),
        drivers=tuple(Driver(d["name"], d["description"], d["side"], d["mean"]) for d in bundle.report["importance"]),
        groups=_groups(bundle.report),
        making=_making(bundle),
        actions={name: action for name, action in actions_of(config).items() if name in QUADRANTS},
        live=config.score.as_of == "midnight",
    )


def _night(scores: pd.DataFrame, runs: pd.DataFrame) -> Night | None:
    """The newest run that wrote current scores.

    Rows that a run leaves unchanged keep the stamps of an earlier one, so that only the runs say when the last was.
    """
    written = runs[~runs["past"].astype(bool)]
    if len(written):
        last = written.sort_values("scored_at").iloc[-1]
        counts = (int(last["new"]), int(last["changed"]), int(last["left"]))
        return Night(_aware(last["as_of"]), _aware(last["scored_at"]), str(last["model_version"]), *counts)
    if scores.empty:
        return None
    last = scores.sort_values("scored_at").iloc[-1]
    return Night(_aware(scores["as_of"].max()), _aware(last["scored_at"]), str(last["model_version"]))


def _groups(report: dict[str, Any]) -> tuple[Group, ...]:
    """The groups of the test part; those of sensitive attributes last, together."""
    found = []
    for row in report["segments"]:
        count, ratio = row["count"], row["count"]["ratio"]
        sensitive = row["by"] in report["sensitive"]
        numbers = (count["n"], count["predicted"], count["actual"], ratio["low"], ratio["high"])
        found.append(Group(row["by"], row["level"], *numbers, row["listed"], row["off"], sensitive))
    return tuple(sorted(found, key=lambda g: g.sensitive))


def _making(bundle: Bundle) -> Making:
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


def _aware(at: Any) -> datetime:
    found = pd.Timestamp(at)
    return (found.tz_localize(UTC) if found.tzinfo is None else found).to_pydatetime(warn=False).astimezone(UTC)
