"""A night on Spark: eligible contacts and features lazily, the model batch by batch on the executors."""

from __future__ import annotations

import pickle
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import narwhals as nw
import pandas as pd
import pyarrow as pa
from pyspark.sql import functions as F  # noqa: N812 - the name that all of Spark's documentation uses

from predictive.clock import from_micros
from predictive.config import Config
from predictive.engines import Frame, local
from predictive.features.build import features_at
from predictive.features.deals import wins
from predictive.history import drift_of
from predictive.model.bundle import Bundle
from predictive.model.drift import Drift, in_words
from predictive.rules import all_kinds
from predictive.scores import check_features, decisions, needed, of_deals, overridden, score_rows, staged, with_rule_score
from predictive.serve import BLOCK, Scored, night_of, verdict_of_each
from predictive.sinks import Night, Sink
from predictive.sinks.contract import SCORE_COLUMNS
from predictive.tables import SCORES, Tables

BUSY, BOUGHT = "::opportunity", "::customer"
"""Columns of the blocks that executors score: whether deals say so. No feature can have their names."""
ARROW = {
    "VARCHAR": pa.string(),
    "DOUBLE": pa.float64(),
    "BIGINT": pa.int64(),
    "BOOLEAN": pa.bool_(),
    "TIMESTAMP": pa.int64(),  # microseconds, since Spark reads times of Arrow by the time zone of its session
}
SPARK = {"VARCHAR": "string", "DOUBLE": "double", "BIGINT": "bigint", "BOOLEAN": "boolean", "TIMESTAMP": "bigint"}


@dataclass(frozen=True)
class Given:
    """What every executor needs beside its rows of features."""

    bundle: Bundle
    kinds: dict[str, Any]
    drift: Drift
    decided: pd.DataFrame
    stamps: dict[str, Any]


def score_on_spark(
    session: Any,
    tables: Tables,
    config: Config,
    bundle: Bundle,
    sink: Sink,
    *,
    now: int,
    as_of: int | None = None,
    dry_run: bool = False,
) -> Scored:
    """What :func:`predictive.serve.score` does, without gathering contacts, features or scores on the driver."""
    check_features(bundle, tables)
    at = night_of(config, tables, now=now, as_of=as_of)
    judged = tables.keep(verdict_of_each(tables, config, at), "verdicts")
    counts = local(judged.group_by("why").agg(n=nw.len())).astype({"why": "object"})
    out = counts.dropna(subset="why").sort_values("why")
    not_eligible = dict(zip(out["why"], out["n"].astype(int), strict=True))
    eligible = int(counts.loc[counts["why"].isna(), "n"].sum())
    night = Night(uuid.uuid4().hex, from_micros(at), from_micros(now), bundle.version, eligible)
    drift = drift_of(session, tables, config, bundle, sink.read_history(), night=at, now=now)
    stamps = {"scored_at": night.scored_at, "model_version": night.model_version, "run_id": night.run_id}
    given = Given(bundle, all_kinds(tables), drift, decisions(tables, at), stamps)
    block = judged.filter(nw.col("why").is_null()).select("contact_id", nw.col("as_of").cast(nw.Int64))
    scores = scored(tables, config, block, given).localCheckpoint(eager=True)
    scores.createOrReplaceTempView("staged")
    try:
        difference = sink.preview(session, "staged", night) if dry_run else sink.write(session, "staged", night)
    finally:
        session.catalog.dropTempView("staged")
    said = in_words(drift, until=at)
    return Scored(night, difference, not_eligible, dry_run, hindsight=bundle.known_until > at, drift=said)


def scored(tables: Tables, config: Config, block: Frame, given: Given) -> Any:
    """The scores of `block` (`contact_id`, `as_of` in microseconds) as a Spark frame with the columns of `SCORES`."""
    features = needed(given.bundle, given.kinds)
    frame = features_at(tables, block, features, won=wins(tables, config))
    for name, ids in zip((BUSY, BOUGHT), of_deals(tables, config, block), strict=True):
        flag = ids.with_columns(nw.lit(value=True).alias(name))
        frame = frame.join(flag, on="contact_id", how="left").with_columns(nw.col(name).fill_null(value=False))
    pickled = pickle.dumps(given)
    types = ", ".join(f"`{name}` {SPARK[kind]}" for name, kind in SCORE_COLUMNS.items())
    rows = frame.to_native().mapInArrow(lambda batches: score_batches(batches, pickled), types)
    return rows.select(*(_column(name, kind) for name, kind in SCORE_COLUMNS.items()))


def _column(name: str, kind: str) -> Any:
    return F.timestamp_micros(name).alias(name) if kind == "TIMESTAMP" else F.col(name)


def score_batches(batches: Iterator[pa.RecordBatch], pickled: bytes) -> Iterator[pa.RecordBatch]:
    """Runs on executors: rows of features in, rows of scores out."""
    given = _unpickled(pickled)
    schema = pa.schema([pa.field(name, ARROW[kind]) for name, kind in SCORE_COLUMNS.items()])
    for table in _blocks(batches):
        scores = score_frame(table.to_pandas(), given)
        micros = {c: scores[c].astype("int64") for c, kind in SCORE_COLUMNS.items() if kind == "TIMESTAMP"}
        yield from pa.Table.from_pandas(scores.assign(**micros), schema=schema, preserve_index=False).to_batches()


def score_frame(frame: pd.DataFrame, given: Given) -> pd.DataFrame:
    """The columns of `SCORES` for a block of features with the columns that deals say."""
    frame = frame.sort_values("contact_id", ignore_index=True)
    frame, points = with_rule_score(frame, given.bundle, given.kinds)
    scores = score_rows(frame, points, given.bundle, drift=given.drift)
    ids = frame["contact_id"]
    scores = staged(scores, busy=ids[frame[BUSY].astype(bool)], bought=ids[frame[BOUGHT].astype(bool)])
    scores = overridden(scores, given.decided).assign(**given.stamps)
    return SCORES.validate(scores[list(SCORES.columns)], lazy=True)


def _blocks(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.Table]:
    """Batches put together: a model is quicker on many rows at once than Spark makes its batches."""
    held: list[pa.RecordBatch] = []
    for batch in batches:
        held.append(batch)
        if sum(b.num_rows for b in held) >= BLOCK:
            yield pa.Table.from_batches(held)
            held = []
    if any(b.num_rows for b in held):
        yield pa.Table.from_batches(held)


@lru_cache(maxsize=1)
def _unpickled(pickled: bytes) -> Given:
    """Once per worker: Spark uses its Python processes for one task after another."""
    given: Given = pickle.loads(pickled)  # noqa: S301 - our own driver pickled it
    return given
