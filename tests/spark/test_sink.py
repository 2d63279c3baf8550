"""The Spark sink beside the DuckDB one: night by night the same tables, and nothing of a run that did not commit."""

import pytest

from predictive.config import SparkSink
from predictive.errors import ConfigError, DataError
from predictive.sinks import open_sink
from predictive.sinks.contract import HISTORY_COLUMNS, RUN_COLUMNS, SCORE_COLUMNS
from tests.spark.beside import Beside, assert_same, night_of, stage, state

pytest_plugins = ["tests.on_spark"]

NIGHTS = [
    (0, "v1", {"a": 0.1, "b": 0.2, "c": {"override": None, "fit": None}}),
    (0, "v1", {"a": 0.1, "b": 0.2, "c": {"override": None, "fit": None}}),
    (1, "v1", {"a": 0.1, "b": {"tier": "very high"}, "d": 0.1 + 0.2}),
    (1, "v1", {"a": {"reasons": "a\n'b', \"ü\""}, "b": {"tier": "very high"}, "d": 0.1 + 0.2}),
    (0, "v2", {"a": 0.9, "c": 0.3}),
    (3, "v2", {"a": 0.1, "d": 5e-324}),
    (4, "v2", {"a": 0.1, "d": 5e-324}),
]


@pytest.fixture(scope="module")
def written(spark, tmp_path_factory):
    """All nights in the Spark sink; each was compared with the DuckDB one when it was written."""
    spark.sql("CREATE SCHEMA IF NOT EXISTS crm")
    both = Beside(spark, "crm.contact_scores", tmp_path_factory.mktemp("sink"))
    assert_same(state(both.sink), state(both.plain))
    for run, (day, version, scores) in enumerate(NIGHTS):
        both.write(day, version, scores, preview=run == 2)
    return both.sink


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
    seen = written._catalog.standing(spark)
    difference, changes, base = written._compare(spark, "staged", night, seen)
    row = written._prepare(changes, base, difference, night, seen)
    written._catalog.insert("_copies", base.withColumn("written", lit("20240101T000000000000_dead")))
    assert_same(state(written), before)
    # Another run commits while this one works: its scores stand, and this one says so.
    other = night_of(49, 5, "v2", {"a": 0.6})
    stage(spark, other, {"a": 0.6})
    assert written.write(spark, "staged", other).written == 2
    with pytest.raises(DataError, match="another run wrote its scores while this one worked"):
        written._catalog.commit(spark, row, seen)
    earlier = night_of(48, 5, "v2", {"a": 0.7})
    stage(spark, earlier, {"a": 0.7})
    with pytest.raises(DataError, match="another run wrote its scores while this one worked"):
        written.write(spark, "staged", earlier)
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
