"""Scoring: tables and a bundle → features → scores → the sink."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import narwhals as nw
import pandas as pd

from predictive.breaker import BreakerError, Broken, Profile, Tally, broken_bounds, last_profile
from predictive.clock import DAY, from_micros, last_midnight, to_micros
from predictive.config import Config
from predictive.engines import Frame, local
from predictive.features.cut import cut
from predictive.features.deals import wins
from predictive.features.snapshots import judge, tonight
from predictive.history import drift_of, scores_of
from predictive.lists.evaluate import evaluate
from predictive.lists.stores import beside, why_none
from predictive.model.bundle import Bundle
from predictive.model.drift import Drift, in_words
from predictive.scores import check_features, score_part
from predictive.sinks import Difference, Night, Sink
from predictive.splits import newest
from predictive.stages import Stages
from predictive.tables import SCORES, Tables

BLOCK = 25_000
"""Contacts per block of scoring, so that memory does not grow with the database: 50,000 take 0.3 GB more."""


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
    tally, not_eligible = _stage_all(con, tables, config, bundle, night, drift=drift, stages=stages, progress=progress)
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
    no_lists = "" if beside(sink) is not None else why_none(config.sink.kind)
    return Scored(night, difference, not_eligible, dry_run, late, said, broken, no_lists)


def _stage_all(
    con: Any,
    tables: Tables,
    config: Config,
    bundle: Bundle,
    night: Night,
    *,
    drift: Drift,
    stages: Stages,
    progress: Callable[[str], None],
) -> tuple[Tally, dict[str, int]]:
    """Put the scores of every eligible contact into the table `staged`; their tally, and who is not eligible."""
    tally, not_eligible = Tally(), Counter[str]()
    if config.engine == "spark":
        from predictive.spark.score import stage_on_spark

        with stages.timed("score"):
            not_eligible.update(stage_on_spark(tables, config, bundle, night, drift=drift, tally=tally))
        return tally, dict(sorted(not_eligible.items()))
    _start_staging(con)
    at = to_micros(night.as_of)
    for part in tables.each_part():
        with stages.timed("features"):
            eligible, out = eligible_tonight(part, config, at)
        not_eligible.update(out)
        for scores in score_part(
            con, part, config, bundle, eligible, night=at, drift=drift, size=BLOCK, tally=tally, stages=stages
        ):
            with stages.timed("score"):
                _stage(con, scores, night)
            progress(f"scored {tally.rows:,}")
    return tally, dict(sorted(not_eligible.items()))


def _write(con: Any, tables: Tables, config: Config, sink: Sink, night: Night, *, dry_run: bool) -> Difference:
    """Write what is staged, and the lists that go with it; or, dry, say what that would change."""
    if dry_run:
        return sink.preview(con, "staged", night)
    kept = beside(sink)
    members = None if kept is None else evaluate(con, tables, config, "staged", to_micros(night.as_of))
    difference = sink.write(con, "staged", night)
    if kept is not None and members is not None and not difference.past:
        kept.update(con, members, night.stamps["as_of"])
    return difference


def eligible_tonight(tables: Tables, config: Config, night: int) -> tuple[pd.DataFrame, dict[str, int]]:
    """The contacts to score (`contact_id`, `as_of` in microseconds; by id), and how many are not scored, by reason."""
    frame = verdicts(tables, config, night)
    kept = frame.loc[frame["why"].isna(), ["contact_id", "as_of"]].astype({"as_of": "int64"})
    why = Counter(frame["why"].dropna())
    return kept.reset_index(drop=True), {str(k): int(v) for k, v in sorted(why.items())}


def verdicts(tables: Tables, config: Config, night: int) -> pd.DataFrame:
    """Every contact, by id: `contact_id`, `as_of` (missing if none), `why` it is not eligible (missing: it is)."""
    frame = local(verdict_of_each(tables, config, night)).astype({"as_of": "Int64", "why": "object"})
    return frame.sort_values("contact_id", ignore_index=True)


def verdict_of_each(tables: Tables, config: Config, night: int) -> Frame:
    """What :func:`verdicts` says, lazily and in no order."""
    at, out = tonight(tables, config, night)
    # A contact that closed between its own as-of and the night has nothing left to predict.
    won = wins(tables, config).join(at, on="contact_id", how="inner")
    won = won.filter((nw.col("closed_at") > nw.col("as_of")) & (nw.col("closed_at") <= night))
    late = won.select("contact_id").unique().with_columns(late=nw.lit("already closed"))
    known = cut(tables, at, attributes=config.eligibility.non_marketing)
    judged = at.join(judge(known, tables, config, training=False), on="contact_id", how="left")
    judged = judged.join(late, on="contact_id", how="left").with_columns(why=nw.coalesce("why", "late"))
    parts = [judged, out.with_columns(as_of=nw.lit(None, nw.Int64))]
    return nw.concat([p.select("contact_id", "as_of", "why") for p in parts])


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


def _start_staging(con: Any) -> None:
    from predictive.sinks.contract import SCORE_COLUMNS

    columns = ", ".join(f'"{name}" {kind}' for name, kind in SCORE_COLUMNS.items())
    con.execute(f"create or replace temp table staged ({columns})")


def _stage(con: Any, scores: pd.DataFrame, night: Night) -> None:
    """Put a block of scores, stamped, beside those that wait to be written."""
    stamped = scores.assign(scored_at=night.scored_at, model_version=night.model_version, run_id=night.run_id)
    whole = SCORES.validate(stamped[list(SCORES.columns)], lazy=True)
    naive = {c: whole[c].dt.tz_localize(None) for c in ("as_of", "scored_at")}
    con.register("_block", whole.assign(**naive))
    con.execute("insert into staged select * from _block")
    con.unregister("_block")
