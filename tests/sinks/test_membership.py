"""Membership of lists, kept by every sink with its scores: entries and exits beside a slow reference."""

import shutil
import sqlite3
from datetime import UTC, datetime, timedelta

import duckdb
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from predictive.errors import DataError
from predictive.sinks import changes, membership
from predictive.sinks.database import definition
from predictive.sinks.duckdb import Attached, clean

pytest_plugins = ["tests.servers"]
FIRST = datetime(2026, 11, 1, tzinfo=UTC)
LISTS, CONTACTS = ("a", "=b", "#form"), ("C1", "C2", "-3", "né")
MEMBERS = st.sets(st.tuples(st.sampled_from(LISTS), st.sampled_from(CONTACTS)))
RUNS = st.lists(st.tuples(st.sampled_from([0, 0, 1, 3]), MEMBERS), max_size=7)
"""Per run how many nights after the one before (0: the night is repeated), and who is on which list."""


def stage_members(con, members):
    con.execute("CREATE OR REPLACE TEMP TABLE tonight (list VARCHAR, contact_id VARCHAR)")
    for row in sorted(members):
        con.execute("INSERT INTO tonight VALUES (?, ?)", row)


def write(nights, sink, day, members, scores=None):
    """Write a night of the same scores, and these members; the run's id."""
    night = nights.night(day)
    nights.stage(night, {"C1": 0.1} if scores is None else scores)
    stage_members(nights.con, members)
    sink.write(nights.con, "staged", night, "tonight")
    assert {n for (n,) in nights.con.execute("SELECT table_name FROM duckdb_tables()").fetchall()} <= {
        "tonight",
        "staged",
    }
    return night.run_id


def stays_in(frame):
    def plain(at):
        return None if pd.isna(at) else (at - pd.Timestamp(FIRST)).days

    return sorted(
        ((r.list, r.contact_id, plain(r.entered_at), plain(r.left_at)) for r in frame.itertuples()), key=lambda s: s[:3]
    )


def slow_stays(by_night):
    """The stays that membership, by night, amounts to: one night after another, one contact after another."""
    stays = []
    for name in LISTS:
        for contact in CONTACTS:
            since = None
            for night in sorted(by_night):
                here = (name, contact) in by_night[night]
                if here and since is None:
                    since = night
                if not here and since is not None:
                    stays.append((name, contact, since, night))
                    since = None
            if since is not None:
                stays.append((name, contact, since, None))
    return sorted(stays, key=lambda s: s[:3])


@settings(max_examples=20, deadline=None)
@given(runs=RUNS)
def test_entry_and_exit_are_those_of_a_slow_reference_and_a_repeated_night_changes_nothing(runs):
    with duckdb.connect(config={"threads": 1}) as con:
        con.execute(f"CREATE TEMP TABLE stays ({definition(membership.LIST_COLUMNS)})")
        number, by_night = 0, {}
        for later, members in runs:
            number += later
            by_night[number] = members
            assert stays_in_memory(con, number, members)[1] == slow_stays(by_night)
            assert stays_in_memory(con, number, members) == (0, slow_stays(by_night))


def stays_in_memory(con, number, members):
    """How many stays a night changed, and those that there are then."""
    stamps = {"run_id": "r", "as_of": FIRST.replace(tzinfo=None) + timedelta(days=number), "model_version": "v1"}
    stage_members(con, members)
    with clean(con) as db:
        changes.set_night(con, db, stamps | {"scored_at": stamps["as_of"]})
        changed = membership.update(con, Attached(con), "stays", "tonight")
    return changed, stays_in(membership.stays_of(con.sql("FROM stays").to_arrow_table()))


@settings(max_examples=3, deadline=None)
@given(runs=RUNS)
def test_every_sink_keeps_what_the_slow_reference_says(fresh_sink, new_nights, tmp_path_factory, runs):
    sink, nights = fresh_sink(tmp_path_factory.mktemp("lists")), new_nights()
    assert stays_in(sink.read_lists()) == []
    number, by_night = 0, {}
    for later, members in runs:
        number += later
        by_night[number] = members
        write(nights, sink, number, members)
        assert stays_in(sink.read_lists()) == slow_stays(by_night)


@settings(max_examples=3, deadline=None)
@given(runs=RUNS.filter(bool), place=st.integers(0, 3))
def test_what_later_nights_changed_is_rolled_back_and_the_next_one_is_written(
    fresh_sink, new_nights, tmp_path_factory, runs, place
):
    sink, nights = fresh_sink(tmp_path_factory.mktemp("lists")), new_nights()
    number, by_night, newest = 0, {}, {}
    for later, members in runs:
        number += later
        by_night[number] = members
        # Another score each time, so that the run of a repeated night replaces the one before.
        newest[number] = write(nights, sink, number, members, {"C1": nights.runs / 1000})
    back = sorted(by_night)[min(place, len(by_night) - 1)]
    moved = len(set(stays_in(sink.read_lists())) - set(slow_stays({n: by_night[n] for n in by_night if n <= back})))
    restored = sink.rollback(nights.con, newest[back], run_id="back", now=nights.night(back).scored_at)
    assert restored.stays == moved
    kept = {n: members for n, members in by_night.items() if n <= back}
    assert stays_in(sink.read_lists()) == slow_stays(kept)
    write(nights, sink, back + 1, {("a", "C1")})
    assert stays_in(sink.read_lists()) == slow_stays(kept | {back + 1: {("a", "C1")}})


def test_a_past_night_alters_nothing(sink, nights):
    write(nights, sink, 2, {("a", "C1")})
    write(nights, sink, 5, set())
    write(nights, sink, 4, {("a", "C1"), ("a", "C2")})
    assert stays_in(sink.read_lists()) == [("a", "C1", 2, 5)]


def test_lists_and_scores_of_a_night_fail_together(new_sink, nights, folder):
    sink = new_sink("sqlite")
    write(nights, sink, 1, {("a", "C1")}, {"C1": 0.1})
    before = nights.state(sink)
    with sqlite3.connect(folder / "scores.sqlite") as theirs:
        theirs.execute(
            "CREATE TRIGGER full BEFORE INSERT ON contact_scores_lists WHEN new.contact_id = 'C2' "
            "BEGIN SELECT RAISE(ABORT, 'the disk is full'); END"
        )
    theirs.close()
    with pytest.raises(DataError, match="the disk is full"):
        write(nights, sink, 2, {("a", "C2")}, {"C1": 0.9})
    assert stays_in(sink.read_lists()) == [("a", "C1", 1, None)]
    for one, other in zip(before, nights.state(sink), strict=True):
        pd.testing.assert_frame_equal(one, other)


@pytest.mark.parametrize("kind", ["parquet", "csv"])
def test_a_night_that_dies_before_its_commit_leaves_lists_and_scores_of_the_night_before(
    kind, new_sink, nights, folder
):
    sink = new_sink(kind)
    write(nights, sink, 1, {("a", "C1")}, {"C1": 0.1})
    shutil.copytree(folder, folder.with_name("before"))
    write(nights, sink, 2, {("a", "C2")}, {"C1": 0.9})
    # The new versions under their temporary names, as a process that is killed leaves them.
    for file in folder.rglob(f"*.{kind}"):
        shutil.copy(file, folder.with_name("before") / file.parent.relative_to(folder) / f".{file.name}.tmp")
    dead = type(sink)(folder.with_name("before") / f"scores.{kind}", kind)
    assert stays_in(dead.read_lists()) == [("a", "C1", 1, None)]
    assert dead.read_current()["probability"].tolist() == [0.1]
    write(nights, dead, 3, {("a", "C2")}, {"C1": 0.5})
    assert stays_in(dead.read_lists()) == [("a", "C1", 1, 3), ("a", "C2", 3, None)]


def test_a_table_that_is_not_ours_is_refused_and_left_alone(new_sink, nights, folder):
    sink = new_sink("duckdb", table="contact_scores")
    folder.mkdir()
    with duckdb.connect(str(folder / "scores.duckdb")) as theirs:
        theirs.execute("CREATE TABLE contact_scores_lists (contact_id VARCHAR)")
    with pytest.raises(DataError, match='contact_scores_lists has no column "list"'):
        write(nights, sink, 1, {("a", "C1")})
    with duckdb.connect(str(folder / "scores.duckdb")) as theirs:
        assert theirs.execute("SHOW TABLES").fetchall() == [("contact_scores_lists",)]


def test_a_csv_file_of_lists_carries_no_formulas_and_times_are_utc(new_sink, nights, folder):
    sink = new_sink("csv")
    write(nights, sink, 1, {("=b", "-3")})
    assert sink.read_lists()["entered_at"].tolist() == [pd.Timestamp(datetime(2026, 11, 2, tzinfo=UTC))]
    assert (folder / "scores_lists.csv").read_text().splitlines()[1].startswith('"\'=b","\'-3"')
