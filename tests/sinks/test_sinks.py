"""What every kind of sink does, against a plain model of it in dictionaries."""

from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from predictive.cli import main
from predictive.config import DuckdbSink
from predictive.errors import ConfigError
from predictive.sinks import SINKS, Night, open_sink
from predictive.sinks.contract import HISTORY_COLUMNS, RUN_COLUMNS, SCORE_COLUMNS
from predictive.tables import SCORES

pytest_plugins = ["tests.servers"]
FIRST = datetime(2026, 11, 1, tzinfo=UTC)
STAMPS = ["as_of", "scored_at", "run_id"]


def contents(folder):
    return {str(f.relative_to(folder)): f.read_bytes() for f in sorted(folder.rglob("*")) if f.is_file()}


def assert_same(before, after):
    for one, other in zip(before, after, strict=True):
        pd.testing.assert_frame_equal(one, other)


def rebuilt(history, day, version=None):
    """Probabilities at a night, read off the history as its documentation says; `version` adds a past run's rows."""
    at = FIRST + timedelta(days=day)
    rows = history[~history["past"] & (history["night"] <= at)]
    past = history[history["past"] & (history["night"] == at) & (history["model_version"] == version)]
    last = pd.concat([rows.sort_values(["night", "scored_at"]), past]).groupby("contact_id").tail(1)
    last = last[last["probability"].notna()]
    return {r.contact_id: (r.probability, r.model_version) for r in last.itertuples()}


def test_what_was_never_written_reads_as_empty_tables_of_the_right_columns(sink, nights, folder):
    current, history, runs = nights.state(sink)
    assert [len(current), len(history), len(runs)] == [0, 0, 0]
    assert [list(current), list(history), list(runs)] == [list(SCORE_COLUMNS), list(HISTORY_COLUMNS), list(RUN_COLUMNS)]
    assert not folder.exists()
    SCORES.validate(current)


def test_a_first_night_is_read_back_as_it_was_staged(sink, nights):
    odd = {
        "probability": 0.1 + 0.2,
        "uncorrected": 5e-324,
        "fit": 1.0,
        "rule_fit": -(2**40),
        "reasons": "a\n'b', \"ü\"",
    }
    difference = nights.write(sink, 0, {"a": odd, "b": {"override": "", "tier": "very high"}})
    staged = nights.con.sql("SELECT * FROM staged ORDER BY contact_id").to_arrow_table().to_pandas()
    for time in ("as_of", "scored_at"):
        staged[time] = staged[time].dt.tz_localize("UTC")
    current = sink.read_current()
    pd.testing.assert_frame_equal(current, staged)
    pd.testing.assert_frame_equal(SCORES.validate(current), current)
    assert (difference.rows, difference.new, difference.written, difference.past) == (2, 2, 2, False)
    assert difference.by_tier == (("very high", 0, 1, 1), ("high", 0, 0, 0), ("medium", 0, 0, 0), ("low", 0, 1, 1))


def test_only_rows_that_differ_are_written_and_the_others_keep_their_stamps(sink, nights):
    nights.write(sink, 0, {"same": 0.1, "moved": 0.1, "gone": {"tier": "high"}})
    difference = nights.write(sink, 1, {"same": 0.1, "moved": {"tier": "high", "override": "kept"}, "come": 0.3})
    assert (difference.new, difference.changed, difference.unchanged, difference.left) == (1, 1, 1, 1)
    assert {t: counts for t, *counts in difference.by_tier}["high"] == [1, 1, 1]
    current, history, runs = nights.state(sink)
    assert dict(zip(current["contact_id"], current["run_id"], strict=True)) == {
        "same": "run1",
        "moved": "run2",
        "come": "run2",
    }
    assert sorted(history.loc[history["run_id"] == "run2", "contact_id"]) == ["come", "gone", "moved"]
    end = history[(history["contact_id"] == "gone") & (history["run_id"] == "run2")].iloc[0]
    assert set(end.index[end.notna()]) == {"contact_id", "model_version", "night", "past", "undone", *STAMPS}
    assert runs[["new", "changed", "left", "rows", "eligible"]].to_numpy().tolist() == [
        [3, 0, 0, 3, 3],
        [1, 1, 1, 3, 3],
    ]


def test_a_row_that_becomes_missing_or_stops_being_so_is_changed(sink, nights):
    nights.write(sink, 0, {"a": {"fit": None}, "b": {"fit": 0.5}, "c": {"override": ""}, "d": {"fit": None}})
    after = {"a": {"fit": 0.5}, "b": {"fit": None}, "c": {"override": None}, "d": {"fit": None}}
    difference = nights.write(sink, 1, after)
    assert (difference.changed, difference.unchanged) == (3, 1)


def test_a_night_without_changes_is_listed_in_the_runs_once_and_touches_nothing_else(sink, nights):
    nights.write(sink, 0, {"a": 0.1})
    current, history, _ = nights.state(sink)
    assert nights.write(sink, 1, {"a": 0.1}).written == 0
    assert_same((current, history), nights.state(sink)[:2])
    assert list(sink.read_runs()["run_id"]) == ["run1", "run2"]
    assert nights.write(sink, 1, {"a": 0.1}).written == 0
    assert list(sink.read_runs()["run_id"]) == ["run1", "run2"]


def test_a_night_with_nobody_to_score_is_written_too(sink, nights):
    assert nights.write(sink, 0, {}).written == 0
    assert len(sink.read_current()) == 0
    assert list(sink.read_runs()["rows"]) == [0]


def test_a_past_night_goes_to_the_history_and_leaves_what_people_saw(sink, nights):
    nights.write(sink, 1, {"a": 0.1, "b": 0.1})
    nights.write(sink, 3, {"a": 0.3, "b": 0.1})
    current, history, _ = nights.state(sink)
    difference = nights.write(sink, 1, {"a": 0.2, "c": 0.2})
    assert (difference.new, difference.changed, difference.left, difference.past) == (1, 1, 1, True)
    after_current, after, runs = nights.state(sink)
    pd.testing.assert_frame_equal(after_current, current)
    pd.testing.assert_frame_equal(after[~after["past"]].reset_index(drop=True), history)
    assert list(runs["past"]) == [False, False, True]
    assert rebuilt(after, 1) == {"a": (0.1, "v1"), "b": (0.1, "v1")}
    assert rebuilt(after, 1, "v1") == {"a": (0.2, "v1"), "c": (0.2, "v1")}
    assert nights.write(sink, 1, {"a": 0.2, "c": 0.2}).written == 0
    assert_same((after_current, after, runs), nights.state(sink))


def test_a_night_repeated_with_other_scores_replaces_its_own_rows_in_the_history(sink, nights):
    nights.write(sink, 0, {"a": 0.1, "b": 0.1, "c": 0.1})
    nights.write(sink, 1, {"a": 0.2, "b": 0.2, "d": 0.2})
    nights.write(sink, 1, {"a": 0.3, "b": 0.2, "c": 0.1})
    nights.write(sink, 1, {"a": 0.4, "b": 0.2, "c": 0.1}, version="v2")
    _, history, runs = nights.state(sink)
    assert [(r.contact_id, r.night.day, r.run_id) for r in history.itertuples()] == [
        ("a", 1, "run1"),
        ("a", 2, "run3"),
        ("a", 2, "run4"),
        ("b", 1, "run1"),
        ("b", 2, "run2"),
        ("b", 2, "run4"),
        ("c", 1, "run1"),
        ("c", 2, "run3"),
        ("c", 2, "run4"),
        ("d", 2, "run3"),
    ]
    assert list(runs["run_id"]) == ["run1", "run2", "run3", "run4"]
    assert rebuilt(history, 0) == dict.fromkeys("abc", (0.1, "v1"))
    assert rebuilt(history, 1) == {"a": (0.4, "v2"), "b": (0.2, "v2"), "c": (0.1, "v2")}


def test_repeating_an_old_night_as_it_was_writes_nothing(sink, nights):
    nights.write(sink, 1, {"a": 0.1})
    nights.write(sink, 2, {"a": 0.2})
    before = nights.state(sink)
    assert nights.write(sink, 1, {"a": 0.1}).written == 0
    assert_same(before, nights.state(sink))


def test_a_preview_counts_as_the_write_will_and_leaves_every_byte(sink, nights, folder):
    first = nights.preview(sink, 0, {"a": 0.1})
    assert not folder.exists()
    assert first == nights.write(sink, 0, {"a": 0.1})
    before, state = contents(folder), nights.state(sink)
    scores = {"a": 0.2, "b": {"tier": "medium"}}
    second = nights.preview(sink, 1, scores)
    assert contents(folder) == before
    assert_same(state, nights.state(sink))
    assert second == nights.write(sink, 1, scores)
    assert nights.preview(sink, 0, {"a": 0.5}).past


def test_nothing_is_left_behind_in_the_working_database(sink, nights):
    for write in (nights.preview, nights.write):
        write(sink, 0, {"a": 0.1})
        assert nights.con.execute("SELECT table_name FROM duckdb_tables()").fetchall() == [("staged",)]
        databases = nights.con.execute("SELECT database_name FROM duckdb_databases() WHERE NOT internal").fetchall()
        assert databases == [("memory",)]


def test_a_staged_table_that_breaks_the_contract_is_a_bug_that_writes_nothing(sink, nights):
    nights.write(sink, 0, {"a": 0.1})
    before = nights.state(sink)
    night = nights.night(1)
    nights.stage(night, {"a": 0.2})
    nights.con.execute("ALTER TABLE staged ALTER rule_fit TYPE INTEGER")
    with pytest.raises(ValueError, match='the staged table staged has a column "rule_fit" of type INTEGER, not BIGINT'):
        sink.write(nights.con, "staged", night)
    assert_same(before, nights.state(sink))


def test_a_night_needs_a_time_zone():
    with pytest.raises(ValueError, match="need a time zone"):
        Night("r", datetime(2026, 11, 1), FIRST, "v1", 0)  # noqa: DTZ001 - the point of the test


def test_the_registry_names_the_kinds_of_the_configuration():
    assert set(SINKS) == {"duckdb", "sqlite", "postgresql", "parquet", "csv", "spark"}


@pytest.mark.skipif(find_spec("pyspark") is not None, reason="PySpark is installed")
def test_without_pyspark_every_command_on_a_spark_sink_says_what_to_install(tmp_path, capsys):
    tables = "{contacts: {table: contacts}, deals: {table: deals}}"
    (tmp_path / "c.yaml").write_text(
        f"engine: spark\nsource: {{kind: spark, tables: {tables}}}\nsink: {{kind: spark, table: crm.scores}}\n"
    )
    for command in ("score", "rollback", "lists"):
        assert main([command, str(tmp_path / "c.yaml")]) == 1, command
        assert "spark needs PySpark; install predictive[spark]" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["a.b.c", ".scores", "crm.", ""])
def test_a_table_name_that_cannot_be_one_is_named(name):
    with pytest.raises(ConfigError, match=r"sink.table: .* is not the name of a table; write name or schema.name"):
        open_sink(DuckdbSink(kind="duckdb", path=Path("s.duckdb"), table=name))


SCORED = st.dictionaries(st.sampled_from("abcd"), st.sampled_from([0.1, 0.2]), max_size=4)
RUNS = st.lists(st.tuples(st.integers(0, 3), st.sampled_from(["v1", "v1", "v2"]), SCORED), min_size=1, max_size=6)


@settings(max_examples=6, deadline=None)
@given(runs=RUNS, aged=st.sets(st.sampled_from("abcd")))
def test_any_sequence_of_nights_equals_the_plain_model_and_can_be_rebuilt(new_nights, fresh_sink, runs, aged):
    """`aged` contacts have an as-of of their own that stays, as with age snapshots."""
    with TemporaryDirectory() as folder:
        nights, sink = new_nights(), fresh_sink(Path(folder) / "out")
        current, seen, again = {}, {}, {}
        for day, version, scored in runs:
            rows = {
                c: {"probability": p} | ({"as_of": FIRST.replace(tzinfo=None)} if c in aged else {})
                for c, p in scored.items()
            }
            values = {c: (p, version) for c, p in scored.items()}
            past = bool(seen) and day < max(seen)
            base = again.get(
                (day, version), seen[max(d for d in seen if d <= day)] if past and min(seen) <= day else {}
            )
            base = base if past else {c: v for c, (v, _) in current.items()}
            difference = nights.write(sink, day, rows, version=version)
            assert difference.past == past
            assert difference.new == len(values.keys() - base.keys())
            assert difference.left == len(base.keys() - values.keys())
            assert difference.changed == sum(base[c] != v for c, v in values.items() if c in base)
            if past:
                again[day, version] = values
            else:
                run = f"run{nights.runs}"
                current = {c: current[c] if current.get(c, ("",))[0] == v else (v, run) for c, v in values.items()}
                seen[day] = values
            assert nights.preview(sink, day, rows, version=version).written == 0
        before = nights.state(sink)
        assert nights.write(sink, day, rows, version=version).written == 0
        assert_same(before, nights.state(sink))
        assert_model(before, current, seen, again)
        nights.con.close()


def assert_model(state, current, seen, again):
    kept, history, _ = state
    found = {r.contact_id: ((r.probability, r.model_version), r.run_id) for r in kept.itertuples()}
    assert found == current
    assert not history.duplicated(["contact_id", "night", "model_version", "past"]).any()
    for day, values in seen.items():
        assert rebuilt(history, day) == values
    for (day, version), values in again.items():
        assert rebuilt(history, day, version) == values


def test_rows_kept_of_contacts_that_left_go_once_they_are_to_be_cleared(nights, tmp_path, tables_sink):
    kept, cleared = (tables_sink(tmp_path, left) for left in ("kept", "cleared"))
    nights.write(kept, 0, {"a": 0.1, "b": 0.2})
    nights.write(kept, 1, {"a": 0.1})
    assert kept.read_table()["contact_id"].tolist() == ["a", "b"]
    nights.write(cleared, 2, {"a": 0.3})
    assert cleared.read_table()["contact_id"].tolist() == ["a"]
