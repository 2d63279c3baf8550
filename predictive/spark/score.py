"""A night on Spark: eligible contacts and features lazily, the model batch by batch on the executors."""

from __future__ import annotations

import json
import pickle
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any

import narwhals as nw
import pandas as pd
import pyarrow as pa
from pyspark.sql import functions as F  # noqa: N812 - the name that all of Spark's documentation uses

from predictive.breaker import Tally
from predictive.clock import to_micros
from predictive.config import Config
from predictive.engines import Frame, local
from predictive.features.build import features_at
from predictive.features.deals import wins
from predictive.model.bundle import Bundle
from predictive.model.drift import Drift
from predictive.rules import all_kinds
from predictive.scores import Deals, decisions_at, needed_by, of_deals, overridden, score_rows, staged, with_points
from predictive.sinks import Night
from predictive.sinks.contract import SCORE_COLUMNS
from predictive.staging import BLOCK
from predictive.tables import SCORES, Tables
from predictive.tonight import verdict_of_each

BUSY, BOUGHT = "::opportunity", "::customer"
"""Columns of the blocks that executors score: whether deals say so. No feature can have their names."""
TALLY = "::tally"
ARROW = {
    "VARCHAR": pa.string(),
    "DOUBLE": pa.float64(),
    "BIGINT": pa.int64(),
    "BOOLEAN": pa.bool_(),
    "TIMESTAMP": pa.int64(),  # microseconds, since Spark reads times of Arrow by the time zone of its session
}
WRITTEN = {**SCORE_COLUMNS, TALLY: "VARCHAR"}
SPARK = {"VARCHAR": "string", "DOUBLE": "double", "BIGINT": "bigint", "BOOLEAN": "boolean", "TIMESTAMP": "bigint"}


@dataclass(frozen=True)
class Given:
    """What every executor needs beside its rows of features."""

    config: Config
    bundle: Bundle
    kinds: dict[str, Any]
    drift: Drift
    decided: pd.DataFrame
    stamps: dict[str, Any]


def stage_on_spark(
    tables: Tables, config: Config, bundle: Bundle, night: Night, *, drift: Drift, tally: Tally
) -> dict[str, int]:
    """Put the scores of the night into the temporary view `staged`; who is not eligible, by reason.

    They are added to `tally`. No contact, feature or score is gathered on the driver.
    """
    at = to_micros(night.as_of)
    judged = tables.keep(verdict_of_each(tables, config, at), "verdicts")
    counts = local(judged.group_by("why").agg(n=nw.len())).dropna(subset="why")
    stamps = {"scored_at": night.scored_at, "model_version": night.model_version, "run_id": night.run_id}
    given = Given(config, bundle, all_kinds(tables), drift, decisions_at(tables, at), stamps)
    block = judged.filter(nw.col("why").is_null()).select("contact_id", nw.col("as_of").cast(nw.Int64))
    scores = scored(tables, config, block, given).localCheckpoint(eager=True)
    scores.drop(TALLY).createOrReplaceTempView("staged")
    for row in scores.where(F.col(TALLY).isNotNull()).select(TALLY).collect():
        tally.include(Tally(**json.loads(row[TALLY])))
    return dict(zip(counts["why"], counts["n"].astype(int).tolist(), strict=True))


def scored(tables: Tables, config: Config, block: Frame, given: Given) -> Any:
    """The scores of `block` (`contact_id`, `as_of` in microseconds) as a Spark frame.

    It has the columns of `SCORES`, and in one row of each block what the circuit breaker counts, as :data:`TALLY`.
    """
    won = wins(tables, config)
    frame = features_at(tables, block, needed_by(given.bundle, given.kinds), won=won)
    for name, ids in zip((BOUGHT, BUSY), of_deals(tables, config, block, won), strict=True):
        flag = ids.with_columns(nw.lit(value=True).alias(name))
        frame = frame.join(flag, on="contact_id", how="left").with_columns(nw.col(name).fill_null(value=False))
    pickled = pickle.dumps(given)
    types = ", ".join(f"`{name}` {SPARK[kind]}" for name, kind in WRITTEN.items())
    rows = frame.to_native().mapInArrow(lambda batches: score_batches(batches, pickled), types)
    return rows.select(*(_column(name, kind) for name, kind in WRITTEN.items()))


def _column(name: str, kind: str) -> Any:
    return F.timestamp_micros(name).alias(name) if kind == "TIMESTAMP" else F.col(name)


def score_batches(batches: Iterator[pa.RecordBatch], pickled: bytes) -> Iterator[pa.RecordBatch]:
    """Runs on executors: rows of features in, rows of scores out."""
    given = _unpickled(pickled)
    schema = pa.schema([pa.field(name, ARROW[kind]) for name, kind in WRITTEN.items()])
    for table in _blocks(batches):
        scores = score_frame(table.to_pandas(), given)
        micros = {c: scores[c].astype("int64") for c, kind in WRITTEN.items() if kind == "TIMESTAMP"}
        yield from pa.Table.from_pandas(scores.assign(**micros), schema=schema, preserve_index=False).to_batches()


def score_frame(frame: pd.DataFrame, given: Given) -> pd.DataFrame:
    """The columns of :data:`WRITTEN` for a block of features with what deals say, at least one row."""
    tally = Tally()
    frame, points = with_points(frame, given.kinds, given.bundle)
    scores = score_rows(frame, points, given.config, given.bundle, given.drift)
    tally.add(scores, frame[[f.name for f in given.bundle.features]], given.bundle.model.probability.encoder.levels)
    ids = frame["contact_id"]
    bought, busy = (frozenset(ids[frame[name].astype(bool)]) for name in (BOUGHT, BUSY))
    scores = staged(scores, Deals(bought, busy))
    scores = overridden(scores, given.decided).assign(**given.stamps)
    checked = SCORES.validate(scores[list(SCORES.columns)], lazy=True)
    counted = pd.Series([json.dumps(asdict(tally)), *[None] * (len(frame) - 1)], dtype="object")
    return pd.DataFrame({**checked, TALLY: counted})


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
