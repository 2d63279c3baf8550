"""Every number of the report, as one frozen value. Sentences, charts and the page are made from it and nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pandas as pd

from predictive.actions import Action, actions_of
from predictive.config import Config
from predictive.model.bundle import Bundle
from predictive.report.changes import Changes, read_changes
from predictive.report.evidence import Evidence, read_evidence
from predictive.report.examined import NOTHING, Examined
from predictive.report.examples import Examples, find_examples
from predictive.report.making import Making, read_making
from predictive.report.planner import Plan, plan
from predictive.report.work import Work, count_work


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
class Level:
    """How far a value of a feature moves the log-odds on average: a text value, or low, middle or high for numbers."""

    value: str
    part: float


@dataclass(frozen=True)
class Driver:
    """A feature, how far it moves the log-odds of a contact on average, up or down, and which way its values move it.

    `levels` go from the value that speaks most against a close to the one that speaks most for it; empty where the
    bundle does not say. `rising` is whether more of it speaks for a close: None for text, and where neither is clear.
    """

    name: str
    description: str
    side: str
    mean: float
    rising: bool | None = None
    levels: tuple[Level, ...] = ()


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
class Summary:
    """The report in numbers. `night` is None where nothing has been scored yet, `changes` where it is the first."""

    made_at: datetime
    timezone: str
    model_version: str
    night: Night | None
    work: Work
    plan: Plan | None
    changes: Changes | None
    examples: Examples
    evidence: Evidence
    drivers: tuple[Driver, ...]
    groups: tuple[Group, ...]
    making: Making
    actions: dict[str, Action]
    """What is done with each quadrant, and with cells that have an action of their own, by whom and how soon."""
    examined: Examined
    live: bool
    """Whether scores are to be as of the last midnight, so that older ones are late."""
    holdout: float
    """The share of contacts that the configuration keeps out of the actions, 0 to 1."""
    capacity: int | None
    """How many contacts can be worked in a week, as configured."""


@dataclass(frozen=True)
class Written:
    """What a sink holds, as :class:`predictive.sinks.Sink` reads it: current scores, their history, and runs."""

    scores: pd.DataFrame
    history: pd.DataFrame
    runs: pd.DataFrame


def summarise(
    bundle: Bundle, written: Written, config: Config, *, now: datetime, examined: Examined = NOTHING
) -> Summary:
    """Compute the summary.

    Args:
        bundle: the model with what its training reported.
        written: what the sink holds; no score is allowed.
        config: says the time zone, and how many contacts can be worked in a week.
        now: when the report is made, aware.
        examined: what the tables say, as :func:`predictive.report.examined.examine` finds it.
    """
    scores, evidence = written.scores, read_evidence(bundle.report)
    work = count_work(scores, bundle.cuts)
    wanted = work.to_work.contacts if config.capacity is None else config.capacity.per_week
    return Summary(
        made_at=now,
        timezone=config.timezone,
        model_version=bundle.version,
        night=_night(scores, written.runs),
        work=work,
        plan=plan(scores, evidence, wanted=wanted),
        changes=read_changes(written.scores, written.history, written.runs),
        examples=find_examples(scores),
        evidence=evidence,
        drivers=_drivers(bundle.report),
        groups=_groups(bundle.report),
        making=read_making(bundle),
        actions=actions_of(config),
        examined=examined,
        live=config.score.as_of == "midnight",
        holdout=config.holdout,
        capacity=None if config.capacity is None else config.capacity.per_week,
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


def _drivers(report: dict[str, Any]) -> tuple[Driver, ...]:
    effects = report.get("effects", {})
    found = []
    for row in report["importance"]:
        effect = effects.get(row["name"], {"rising": None, "levels": []})
        levels = tuple(Level(str(value), float(part)) for value, part in effect["levels"])
        found.append(Driver(row["name"], row["description"], row["side"], row["mean"], effect["rising"], levels))
    return tuple(found)


def _groups(report: dict[str, Any]) -> tuple[Group, ...]:
    """The groups of the test part; those of sensitive attributes last, together."""
    found = []
    for row in report["segments"]:
        count, ratio = row["count"], row["count"]["ratio"]
        sensitive = row["by"] in report["sensitive"]
        numbers = (count["n"], count["predicted"], count["actual"], ratio["low"], ratio["high"])
        found.append(Group(row["by"], row["level"], *numbers, row["listed"], row["off"], sensitive))
    return tuple(sorted(found, key=lambda g: g.sensitive))


def _aware(at: Any) -> datetime:
    found = pd.Timestamp(at)
    return (found.tz_localize(UTC) if found.tzinfo is None else found).to_pydatetime(warn=False).astimezone(UTC)
