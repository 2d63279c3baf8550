"""The Spark sink beside the DuckDB one: night by night the same tables, and nothing of a run that did not commit."""

from datetime import UTC, datetime, timedelta

import duckdb
import pandas as pd
import pytest

from predictive.config import DuckdbSink, SparkSink
from predictive.errors import ConfigError, DataError
from predictive.sinks import Night, open_sink
from predictive.sinks.contract import HISTORY_COLUMNS, RUN_COLUMNS, SCORE_COLUMNS
from predictive.sinks.database import definition

pytest_plugins = ["tests.on_spark"]

FIRST = datetime(2026, 11, 1, tzinfo=UTC)
USUAL = {"VARCHAR": "low", "DOUBLE": 0.25, "BIGINT": 7, "BOOLEAN": False}
NIGHTS = [
    (0, "v1", {"a": 0.1, "b": 0.2, "c": {"override": None, "fit": None}}),
    (0, "v1", {"a": 0.1, "b": 0.2, "c": {"override": None, "fit": None}}),
    (1, "v1", {"a": 0.1, "b": {"tier": "very high"}, "d": 0.1 + 0.2}),
    (1, "v1", {"a": {"reasons": "a\n'b', \"ü\""}, "b": {"tier": "very high"}, "d": 0.1 + 0.2}),
    (0, "v2", {"a": 0.9, "c": 0.3}),
    (3, "v2", {"a": 0.1, "d": 5e-324}),
    (4, "v2", {"a": 0.1, "d": 5e-324}),
]


def night_of(run, day, version, scores):
    as_of = FIRST + timedelta(days=day, microseconds=1)
    return Night(f"run{run}", as_of, FIRST + timedelta(days=99, minutes=run), version, len(scores))


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
    types = {
        "VARCHAR": "string",
        "DOUBLE": "double",
        "BIGINT": "bigint",
        "BOOLEAN": "boolean",
        "TIMESTAMP": "timestamp",
    }
    schema = ", ".join(f"`{name}` {types[kind]}" for name, kind in SCORE_COLUMNS.items())
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


@pytest.fixture(scope="module")
def written(spark, tmp_path_factory):
    """All nights in the Spark sink; each was compared with the DuckDB one when it was written."""
    spark.sql("CREATE SCHEMA IF NOT EXISTS crm")
    sink = open_sink(SparkSink(kind="spark", table="crm.contact_scores"))
    path = tmp_path_factory.mktemp("sink") / "scores.duckdb"
    plain = open_sink(DuckdbSink(kind="duckdb", path=path, table="scores"))
    assert_same(state(sink), state(plain))
    with duckdb.connect() as con:
        for run, (day, version, scores) in enumerate(NIGHTS):
            night = night_of(run, day, version, scores)
            stage(spark, night, scores)
            stage_in(con, night, scores)
            expected = plain.preview(con, "staged", night)
            assert run != 2 or sink.preview(spark, "staged", night) == expected
            assert sink.write(spark, "staged", night) == plain.write(con, "staged", night) == expected, run
            assert_same(state(sink), state(plain))
    return sink


def test_night_after_night_the_tables_are_those_of_duckdb(written):
    current, history, runs = state(written)
    assert [list(current), list(history), list(runs)] == [list(SCORE_COLUMNS), list(HISTORY_COLUMNS), list(RUN_COLUMNS)]
    assert current["contact_id"].tolist() == ["a", "d"]
    assert len(runs) == len(NIGHTS) - 1, "the repeated night changes nothing, and is no run"


def test_the_views_show_what_the_sink_reads_and_old_copies_are_dropped(spark, written):
    seen = spark.sql("SELECT contact_id, probability FROM crm.contact_scores ORDER BY contact_id").collect()
    assert [tuple(row) for row in seen] == [("a", 0.1), ("d", 5e-324)]
    assert spark.table("crm.contact_scores_history").count() == len(written.read_history())
    assert spark.table("crm.contact_scores_copies").select("written").distinct().count() <= 3


def test_a_write_that_fails_or_dies_before_its_commit_leaves_the_old_scores(spark, written):
    from pyspark.sql.functions import lit, raise_error, when

    before = state(written)
    night = night_of(50, 5, "v2", {"a": 0.5})
    scores = stage(spark, night, {"a": 0.5, "z": 0.5})
    broken = scores.withColumn("tier", when(scores.contact_id == "z", raise_error(lit("torn"))).otherwise(scores.tier))
    broken.createOrReplaceTempView("staged")
    with pytest.raises(DataError, match="as they were or as they should be"):
        written.write(spark, "staged", night)
    assert_same(state(written), before)
    stage(spark, night, {"a": 0.5, "z": 0.5})
    difference, changes, base = written._compare(spark, "staged", night)
    newest = written._newest(spark)
    assert written._prepare(changes, base, difference, "20260101T000000000000_dead", newest)
    assert_same(state(written), before)
    # Another run commits while this one works: its scores stand, and this one says so.
    other = night_of(51, 5, "v2", {"a": 0.6})
    stage(spark, other, {"a": 0.6})
    assert written.write(spark, "staged", other).written == 2
    with pytest.raises(DataError, match="another run wrote its scores while this one worked"):
        written._commit(spark, night, difference, "late", "late", newest)
    assert written.read_current()["probability"].tolist() == [0.6]
    left = spark.table("crm.contact_scores_copies").where("written LIKE '%dead'").count()
    assert left == 0, "what a dead run left is cleared once it is old"


def test_a_table_of_other_columns_is_refused(spark):
    spark.sql("CREATE TABLE mine_copies (a INT)")
    night = night_of(60, 1, "v1", {"a": 0.5})
    stage(spark, night, {"a": 0.5})
    with pytest.raises(DataError, match=r"mine_copies: a table of other columns \(a\)"):
        open_sink(SparkSink(kind="spark", table="mine")).write(spark, "staged", night)
    with pytest.raises(ConfigError, match=r"sink.table: 'crm\.' is not the name of a Spark table"):
        open_sink(SparkSink(kind="spark", table="crm."))


def test_a_rollback_is_refused_with_what_to_do_instead(spark):
    sink = open_sink(SparkSink(kind="spark", table="crm.contact_scores"))
    with pytest.raises(DataError, match=r"cannot be rolled back; score the night again .* or read an earlier copy"):
        sink.rollback(spark, None, run_id="r", now=FIRST)
