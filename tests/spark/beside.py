"""Nights and rollbacks on a Spark sink and on a DuckDB one, which must hold the same after each."""

from datetime import UTC, datetime, timedelta

import duckdb
import pandas as pd

from predictive.config import DuckdbSink, SparkSink
from predictive.errors import DataError
from predictive.sinks import Night, open_sink
from predictive.sinks.contract import SCORE_COLUMNS
from predictive.sinks.database import definition

FIRST = datetime(2024, 11, 1, tzinfo=UTC)
USUAL = {"VARCHAR": "low", "DOUBLE": 0.25, "BIGINT": 7, "BOOLEAN": False}
TYPES = {"VARCHAR": "string", "DOUBLE": "double", "BIGINT": "bigint", "BOOLEAN": "boolean", "TIMESTAMP": "timestamp"}


def night_of(run, day, version, scores):
    as_of = FIRST + timedelta(days=day, microseconds=1)
    return Night(f"run{run}", as_of, time_of(run), version, len(scores), profile=f'{{"run": {run}}}')


def time_of(run):
    return FIRST + timedelta(days=99, minutes=run)


def rows_of(night, scores):
    stamps = {"as_of": night.as_of, "scored_at": night.scored_at, "run_id": night.run_id}
    usual = {name: USUAL.get(kind) for name, kind in SCORE_COLUMNS.items()}
    usual |= stamps | {"model_version": night.model_version}
    return [
        usual | {"contact_id": contact} | (given if isinstance(given, dict) else {"probability": given})
        for contact, given in scores.items()
    ]


def stage(spark, night, scores):
    """The rows as a temporary view."""
    schema = ", ".join(f"`{name}` {TYPES[kind]}" for name, kind in SCORE_COLUMNS.items())
    rows = [tuple(row[name] for name in SCORE_COLUMNS) for row in rows_of(night, scores)]
    frame = spark.createDataFrame(rows, schema)
    frame.createOrReplaceTempView("staged")
    return frame


def stage_in(con, night, scores):
    con.execute(f"CREATE OR REPLACE TABLE staged ({definition(SCORE_COLUMNS)})")
    marks = ", ".join("?" * len(SCORE_COLUMNS))
    for row in rows_of(night, scores):
        naive = {k: v.replace(tzinfo=None) if isinstance(v, datetime) else v for k, v in row.items()}
        con.execute(f"INSERT INTO staged VALUES ({marks})", [naive[name] for name in SCORE_COLUMNS])


def state(sink):
    return sink.read_current(), sink.read_history(), sink.read_runs()


def assert_same(before, after):
    for one, other in zip(before, after, strict=True):
        # How long a run took is its own affair.
        shown = [name for name in other if name != "seconds"]
        pd.testing.assert_frame_equal(one[shown], other[shown], check_dtype=False)


class Beside:
    """The two sinks. Runs are numbered, each a minute after the one before."""

    def __init__(self, spark, table, folder):
        self.spark, self.con, self.runs = spark, duckdb.connect(), 0
        self.sink = open_sink(SparkSink(kind="spark", table=table))
        self.plain = open_sink(DuckdbSink(kind="duckdb", path=folder / "scores.duckdb", table="scores"))

    def write(self, day, version, scores, *, preview=False):
        """The run, once both sinks hold the same after it."""
        night = night_of(self.runs, day, version, scores)
        self.runs += 1
        stage(self.spark, night, scores)
        stage_in(self.con, night, scores)
        expected = self.plain.preview(self.con, "staged", night)
        assert not preview or self.sink.preview(self.spark, "staged", night) == expected
        assert self.sink.write(self.spark, "staged", night) == self.plain.write(self.con, "staged", night) == expected
        assert_same(state(self.sink), state(self.plain))
        return expected

    def roll_back(self, to):
        """What it did or why not, in the words of both."""
        run, at = f"back{self.runs}", time_of(self.runs)
        self.runs += 1
        one, other = (
            said(lambda sink=sink, con=con: sink.rollback(con, to, run_id=run, now=at))
            for sink, con in ((self.sink, self.spark), (self.plain, self.con))
        )
        assert one == other
        assert_same(state(self.sink), state(self.plain))
        return one


def said(act):
    """What an act gives, or the words of its error."""
    try:
        return act()
    except DataError as error:
        return str(error)
