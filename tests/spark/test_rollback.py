"""Rollbacks on Spark beside DuckDB: after each step the same scores, history and runs, and the same later nights."""

import itertools
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from predictive.errors import DataError
from predictive.sinks import Restored
from predictive.sinks.contract import HISTORY_COLUMNS, SCORE_COLUMNS
from tests.spark.beside import Beside, assert_same, night_of, said, state, time_of
from tests.trained import run_command

pytest_plugins = ["tests.on_spark"]

TABLE = "put_back"
NIGHTS = [
    (0, {"a": 0.1, "b": 0.1, "c": 0.1}),  # run0
    (1, {"a": 0.2, "b": 0.2, "d": 0.2}),  # run1
    (1, {"a": 0.2, "b": 0.1, "d": 0.2}),  # run2 replaces what run1 gave b
    (2, {"a": 0.2, "b": 0.9, "d": 0.5}),  # run3
]
STEPS = [
    None,  # to run2
    (2, {"a": 0.2, "b": 0.8, "d": 0.2}),  # run5 is of the night of run3, whose rows stay: they were taken back
    (3, {"a": 0.2, "b": 0.8, "d": 0.3}),  # run6
    (2, {"a": 0.7, "b": 0.8, "d": 0.2}),  # run7 is past, and starts from scores without run3
    "run3",
    (2, {"a": 0.2, "b": 0.7, "d": 0.5}),  # run9 replaces the row of run3, which is back, and not that of run5
    "run2",
    (2, {"b": 0.6, "c": 0.1, "d": 0.2}),  # run11 is not past, since run6 was taken back
    (3, {"b": 0.6, "c": 0.1, "d": 0.2}),  # run12 changes nothing, and is a run, since run6 was taken back
    "run0",  # gives c the stamps of run0 again, and the same scores
]


@pytest.fixture(scope="module")
def steps(spark, tmp_path_factory):
    """The sinks after all steps, the first nights written by the first version; DuckDB's scores after each run."""
    both = Beside(spark, "first", tmp_path_factory.mktemp("sink"))
    after = {}
    for day, scores in NIGHTS:
        both.write(day, "v1", scores)
        after[f"run{both.runs - 1}"] = both.plain.read_current()
    as_first_version(spark, "first", TABLE)
    both.sink = type(both.sink)(TABLE)
    assert_same(state(both.sink), state(both.plain))
    for step in STEPS:
        if isinstance(step, tuple):
            both.write(step[0], "v1", step[1])
            after[f"run{both.runs - 1}"] = both.plain.read_current()
        else:
            assert isinstance(both.roll_back(step), Restored)
    return both, after


def as_first_version(spark, old, new):
    """Copies of the tables as the first version made them, which knew no rollback, and its views."""
    scores, history = (", ".join(f"`{name}`" for name in columns) for columns in (SCORE_COLUMNS, HISTORY_COLUMNS))
    spark.sql(f"CREATE TABLE {new}_runs AS SELECT * EXCEPT (undone) FROM {old}_runs")
    for suffix in ("copies", "changes"):
        spark.sql(f"CREATE TABLE {new}_{suffix} PARTITIONED BY (written) AS SELECT * FROM {old}_{suffix}")
    newest = f"(SELECT max_by(shows, scored_at) FROM {new}_runs)"
    spark.sql(f"CREATE VIEW {new} AS SELECT {scores} FROM {new}_copies WHERE written = {newest}")
    nth = "row_number() OVER (PARTITION BY contact_id, night, model_version, past ORDER BY scored_at DESC) AS nth"
    rows = f"SELECT *, {nth} FROM {new}_changes WHERE written IN (SELECT written FROM {new}_runs)"
    spark.sql(f"CREATE VIEW {new}_history AS SELECT {history} FROM ({rows}) WHERE nth = 1")


def test_after_each_night_and_rollback_the_tables_are_those_of_duckdb(steps):
    both, after = steps
    current, history, runs = state(both.sink)
    assert_same([current], [after["run0"]])
    assert runs["restores"].dropna().tolist() == ["run2", "run3", "run2", "run0"]
    assert history.loc[~history["undone"], "run_id"].unique().tolist() == ["run0", "run7"]
    kept = history[(history["contact_id"] == "b") & (history["night"].dt.day == 3) & ~history["past"]]
    assert kept["run_id"].tolist() == ["run5", "run9", "run11"]


def test_the_views_show_what_the_sink_reads_though_the_first_version_made_them(spark, steps):
    sink = steps[0].sink
    for name, rows in ((TABLE, sink.read_current()), (f"{TABLE}_history", sink.read_history())):
        shown = spark.table(name).orderBy("contact_id", "as_of", "scored_at").collect()
        found = [[row["contact_id"], row["run_id"], row[-1]] for row in shown]
        assert found == rows[["contact_id", "run_id", rows.columns[-1]]].to_numpy().tolist()


@pytest.mark.parametrize("to", ["run1", "run3", "run7", "back4", "run", "nobody", "", None])
def test_what_cannot_be_put_back_is_refused_in_the_same_words(steps, to):
    both, _ = steps
    sinks = ((both.sink, both.spark), (both.plain, both.con))
    one, other = (said(lambda s=s, c=c: s.rollback(c, to, run_id="no", now=time_of(90))) for s, c in sinks)
    assert one == other
    assert isinstance(one, str)


def test_putting_back_what_stands_or_refusing_a_night_changes_no_scores(steps):
    both, _ = steps
    before, listed = state(both.sink), len(both.sink.read_runs(refused=True))
    assert both.roll_back("run0").difference.written == 0
    for sink, con in ((both.sink, both.spark), (both.plain, both.con)):
        sink.refuse(con, night_of(both.runs, 5, "v1", {}), 7)
    both.runs += 1
    assert_same(state(both.sink), before)
    assert len(both.sink.read_runs(refused=True)) == listed + 1


def test_a_rollback_that_does_not_commit_leaves_all_as_it_was(spark, steps):
    from predictive.spark.rollback import prepare  # imports PySpark

    both, after = steps
    before, catalog = state(both.sink), both.sink._catalog
    seen = catalog.standing(spark)
    restored, row = prepare(spark, catalog, seen, "run12", run_id="late", now=time_of(80))
    assert restored.difference.written == 4
    assert_same(state(both.sink), before)
    # Another run commits before it does: that one stands, and this one says so.
    both.runs = 70
    both.roll_back("run12")
    with pytest.raises(DataError, match="another run wrote its scores while this one worked; nothing was written"):
        catalog.commit(spark, row, seen)
    assert_same(state(both.sink)[:1], [after["run12"]])


def test_a_copy_that_was_damaged_is_put_right_by_putting_back_what_stands(spark, steps):
    both, after = steps
    catalog, standing = both.sink._catalog, both.plain.read_runs()["restores"].iloc[-1]
    catalog._drop(spark, "_copies", catalog.standing(spark).shows)
    assert len(both.sink.read_current()) == 0
    restored = both.sink.rollback(spark, standing, run_id="right", now=time_of(99))
    assert (restored.stood, restored.difference.written) == (standing, len(after[standing]))
    assert_same(state(both.sink)[:2], state(both.plain)[:2])


def test_the_command_puts_a_run_back_in_the_spark_session(steps, tmp_path):
    both, after = steps
    tables = "{contacts: {table: contacts}, deals: {table: deals}}"
    config = tmp_path / "spark.yaml"
    config.write_text(
        f"engine: spark\nsource: {{kind: spark, tables: {tables}}}\nsink: {{kind: spark, table: {TABLE}}}\n"
    )
    ran = run_command("rollback", config, "--to", "run2", "--json")
    assert ran.code == 0, ran.err
    assert ran.json["restored"] == "run2"
    assert_same([both.sink.read_current()], [after["run2"]])
    again = run_command("rollback", config, "--to", "run2")
    assert "run2 stands already; 0 contacts were put right" in again.out
    assert f"written to the Spark table {TABLE}: 0 new, 0 changed, 3 unchanged, 0 left" in again.out


SCORED = st.dictionaries(st.sampled_from("ab"), st.sampled_from([0.1, 0.2]), max_size=2)
NIGHT = st.tuples(st.integers(0, 2), st.sampled_from(["v1", "v2"]), SCORED)
counter = itertools.count()


@settings(max_examples=2, deadline=None)
@given(steps=st.lists(st.one_of(NIGHT, st.integers(0, 9)), min_size=3, max_size=5))
def test_after_any_nights_and_rollbacks_the_tables_are_those_of_duckdb(spark, steps):
    """`steps`: a night, or the number of a run to put back, if it can be."""
    with TemporaryDirectory() as folder:
        both = Beside(spark, f"any{next(counter)}", Path(folder))
        for step in steps:
            if isinstance(step, tuple):
                both.write(*step)
            elif both.runs:
                both.roll_back(f"run{step % both.runs}")
