"""Tonight's scores, block by block, in a table that waits to be written."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

import pandas as pd

from predictive.breaker import Tally
from predictive.clock import to_micros
from predictive.config import Config
from predictive.model.bundle import Bundle
from predictive.model.drift import Drift
from predictive.scores import Block, blocks_of, score_block
from predictive.sinks import Night
from predictive.stages import Stages
from predictive.tables import SCORES, Tables
from predictive.tonight import eligible_tonight

BLOCK = 70_000
"""Contacts per block, so that memory does not grow with the database: a night of a million took 105 s in blocks of
25,000, 97 s in blocks of 50,000 and 91 s in these."""
STAGED = "staged"
"""The table of the working database that the scores wait in."""
WORKERS = 2
"""Blocks that are scored at a time."""
Item = TypeVar("Item")
Made = TypeVar("Made")


def stage_scores(
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
    """Put the scores of every eligible contact into :data:`STAGED`; their tally, and who is not eligible, by reason.

    Features are worked out while earlier blocks are scored, so the time of the two stages overlaps.
    """
    tally, not_eligible = Tally(), Counter[str]()
    if config.engine == "spark":
        from predictive.spark.score import stage_on_spark

        with stages.timed("score"):
            not_eligible.update(stage_on_spark(tables, config, bundle, night, drift=drift, tally=tally))
        return tally, dict(sorted(not_eligible.items()))
    known = bundle.model.probability.encoder.levels
    blocks = _blocks(con, tables, config, bundle, night, not_eligible, stages)
    with (
        stages.timed("score"),
        # One thread alone asks the database, and on leaving, whatever happened, none is at work any more.
        ThreadPoolExecutor(1) as database,
        ThreadPoolExecutor(WORKERS) as workers,
    ):
        _create(con)
        ahead = _ahead(blocks, database)
        for block, scores in _worked_on(ahead, lambda block: score_block(block, config, bundle, drift), workers):
            tally.add(scores, block.features[[f.name for f in bundle.features]], known)
            database.submit(_insert, con, scores, night).result()
            progress(f"scored {tally.rows:,}")
    return tally, dict(sorted(not_eligible.items()))


def _blocks(
    con: Any,
    tables: Tables,
    config: Config,
    bundle: Bundle,
    night: Night,
    not_eligible: Counter[str],
    stages: Stages,
) -> Iterator[Block]:
    at = to_micros(night.as_of)
    for part in tables.each_part():
        with stages.timed("features"):
            eligible, out = eligible_tonight(part, config, at)
        not_eligible.update(out)
        yield from blocks_of(con, part, config, bundle, eligible, night=at, size=BLOCK, stages=stages)


def _ahead(items: Iterator[Item], maker: ThreadPoolExecutor) -> Iterator[Item]:
    """The items, each made by `maker` while the one before it is worked on."""
    following = maker.submit(next, items, None)
    while (item := following.result()) is not None:
        following = maker.submit(next, items, None)
        yield item


def _worked_on(
    items: Iterator[Item], work: Callable[[Item], Made], workers: ThreadPoolExecutor
) -> Iterator[tuple[Item, Made]]:
    """Each item with what is made of it, in their order; :data:`WORKERS` are worked on at a time."""
    waiting: deque[tuple[Item, Future[Made]]] = deque()
    for item in items:
        waiting.append((item, workers.submit(work, item)))
        if len(waiting) == WORKERS:
            done, made = waiting.popleft()
            yield done, made.result()
    yield from ((done, made.result()) for done, made in waiting)


def _create(con: Any) -> None:
    from predictive.sinks.contract import SCORE_COLUMNS

    columns = ", ".join(f'"{name}" {kind}' for name, kind in SCORE_COLUMNS.items())
    con.execute(f"create or replace table {STAGED} ({columns})")


def _insert(con: Any, scores: pd.DataFrame, night: Night) -> None:
    """Put a block of scores, stamped, beside those that wait to be written."""
    stamped = scores.assign(scored_at=night.scored_at, model_version=night.model_version, run_id=night.run_id)
    whole = SCORES.validate(stamped[list(SCORES.columns)], lazy=True)
    naive = {c: whole[c].dt.tz_localize(None) for c in ("as_of", "scored_at")}
    con.register("_block", whole.assign(**naive))
    con.execute(f"insert into {STAGED} select * from _block")  # noqa: S608 - a constant
    con.unregister("_block")
