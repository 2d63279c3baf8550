"""Scoring: tables and a bundle → features → scores → the sink."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import narwhals as nw
import pandas as pd

from predictive.breaker import BreakerError, Broken, Profile, broken_bounds, last_profile
from predictive.clock import DAY, from_micros, last_midnight, to_micros
from predictive.config import Config
from predictive.history import drift_of, scores_of
from predictive.lists import why_none
from predictive.lists.evaluate import evaluate
from predictive.model.bundle import Bundle
from predictive.model.drift import in_words
from predictive.scores import check_features
from predictive.sinks import Difference, Night, Sink
from predictive.splits import newest
from predictive.stages import Stages
from predictive.staging import STAGED, stage_scores
from predictive.tables import Tables


@dataclass(frozen=True)
class Scored:
    """What a run did: the night, the difference it made (or, dry, would make), and who was not eligible, by reason.

    `hindsight` says that the model learned from outcomes after the night: such scores look better than they are.
    `drift` says in words how the level was corrected. `broken` are the bounds of the circuit breaker that the night
    breaks: it is a dry run, or was forced. `no_lists` says why lists and tags were not kept; empty where they can be.
    """

    night: Night
    difference: Difference
    not_eligible: dict[str, int]
    dry_run: bool
    hindsight: bool
    drift: str
    broken: tuple[Broken, ...] = ()
    no_lists: str = ""


def night_of(config: Config, tables: Tables, *, now: int, as_of: int | None) -> int:
    """The as-of of a scoring run, in microseconds: as given, else as configured."""
    if as_of is not None:
        return as_of
    if config.score.as_of == "midnight":
        return last_midnight(now, config.timezone)
    if config.score.as_of == "latest":
        return max(newest(tables, now).values())
    return config.micros(config.score.as_of)


def score(
    con: Any,
    tables: Tables,
    config: Config,
    bundle: Bundle,
    sink: Sink,
    *,
    now: int,
    as_of: int | None = None,
    dry_run: bool = False,
    force: bool = False,
    run_id: str | None = None,
    progress: Callable[[str], None] = lambda _: None,
    done: Callable[[str, dict[str, float]], None] = lambda _, __: None,
) -> Scored:
    """Score every eligible contact as of one night, and write what changed to the sink.

    `con` is the working database or the Spark session that `tables` live in. Nothing is written where anything fails,
    nor on a dry run.
    `run_id` names the run (default: a random name). `done` is told of each stage that is over, with its numbers.
    Raises :class:`~predictive.breaker.BreakerError` for a night beyond the bounds of `config.breaker`, which `force`
    writes; only the runs then tell of it.
    """
    check_features(bundle, tables)
    at = night_of(config, tables, now=now, as_of=as_of)
    name = uuid.uuid4().hex if run_id is None else run_id
    night = Night(name, from_micros(at), from_micros(now), bundle.version, eligible=0)
    drift = drift_of(con, tables, config, bundle, scores_of(sink, bundle), night=at, now=now)
    stages = Stages()
    tally, not_eligible = stage_scores(
        con, tables, config, bundle, night, drift=drift, stages=stages, progress=progress
    )
    for stage in ("features", "score"):
        done(stage, {"seconds": stages.seconds.get(stage, 0.0), "rows": tally.rows})
    night = replace(night, eligible=tally.rows)
    profile = tally.profile(_age_of_activities(tables, at))
    broken = _broken(sink, config, night, profile)
    night = replace(night, profile=profile.as_json(), forced=force and bool(broken))
    if broken and not (force or dry_run):
        sink.refuse(con, night, profile.rows)
        raise BreakerError(broken)
    with stages.timed("write"):
        difference = _write(con, tables, config, sink, night, dry_run=dry_run)
    done("write", {"seconds": stages.seconds["write"], "rows": 0 if dry_run else difference.written})
    said, late = in_words(drift, until=at), bundle.known_until > at
    no_lists = "" if sink.keeps_lists else why_none(config.sink.kind)
    return Scored(night, difference, not_eligible, dry_run, late, said, broken, no_lists)


def _write(con: Any, tables: Tables, config: Config, sink: Sink, night: Night, *, dry_run: bool) -> Difference:
    """Write what is staged, and the lists that go with it; or, dry, say what that would change."""
    if dry_run:
        return sink.preview(con, STAGED, night)
    members = evaluate(con, tables, config, STAGED, to_micros(night.as_of)) if sink.keeps_lists else None
    return sink.write(con, STAGED, night, members)


def _broken(sink: Sink, config: Config, night: Night, profile: Profile) -> tuple[Broken, ...]:
    """The bounds of the circuit breaker that the night breaks; a past one, which nobody sees, breaks none."""
    runs = sink.read_runs()
    newest = runs.loc[~runs["past"].astype(bool), "as_of"].max()
    if not pd.isna(newest) and night.as_of < newest:
        return ()
    return broken_bounds(profile, last_profile(runs), config.breaker)


def _age_of_activities(tables: Tables, night: int) -> float | None:
    """Days from the newest activity that was known at the night (microseconds) to the night; None without any."""
    known = tables.activities.filter(nw.col("known") <= night).select(nw.col("t").max())
    newest = known.collect(backend="pandas").to_native()["t"].iloc[0]
    return None if pd.isna(newest) else (night - int(newest)) / DAY
