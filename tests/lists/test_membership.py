import sqlite3
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import duckdb
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from predictive.errors import DataError
from predictive.lists.membership import apply_changes, drop_changes, find_changes
from predictive.lists.stores import ListFiles, ListTables, frame_of
from predictive.sinks.duckdb import DuckdbFile
from predictive.sinks.sqlite import SqliteFile

START = datetime(2026, 3, 1)  # noqa: DTZ001 - as DuckDB binds times: naive UTC
LISTS, CONTACTS = ("a", "=b", "#form"), ("C1", "C2", "-3", "né")
MEMBERS = st.sets(st.tuples(st.sampled_from(LISTS), st.sampled_from(CONTACTS)))
RUNS = st.lists(st.tuples(st.sampled_from([0, 0, 1, 3]), MEMBERS), max_size=7)
"""Per run how many nights after the one before (0: the night is repeated), and who is on which list."""


@pytest.fixture(scope="module")
def con():
    with duckdb.connect(config={"threads": 1}) as connection:
        yield connection


@contextmanager
def stores(folder, kind):
    if kind == "duckdb":
        yield ListTables(DuckdbFile(folder / "x.duckdb"), None, "scores_lists")
    elif kind == "sqlite":
        yield ListTables(SqliteFile(folder / "x.sqlite"), None, "scores_lists")
    else:
        yield ListFiles(folder / f"scores_lists.{kind}", kind, folder / "scores_history")


@dataclass(frozen=True)
class InMemory:
    """Membership in a temporary table of the connection itself."""

    con: Any

    def read(self):
        return frame_of(self.con.sql("FROM stays").to_arrow_table())

    def update(self, con, members, night):
        try:
            changed = find_changes(con, "stays", members, night)
            apply_changes(con, "stays")
            return changed
        finally:
            drop_changes(con)


def update(store, con, members, night):
    rows = pd.DataFrame(sorted(members), columns=["list", "contact_id"], dtype="str")
    con.register("_members", rows)
    con.execute("CREATE OR REPLACE TEMP TABLE tonight (list VARCHAR, contact_id VARCHAR)")
    con.execute("INSERT INTO tonight FROM _members")
    con.unregister("_members")
    changed = store.update(con, "tonight", START + timedelta(days=night))
    assert {n for (n,) in con.execute("SELECT table_name FROM duckdb_tables()").fetchall()} <= {"tonight", "stays"}
    return changed


def stays_of(store):
    def plain(at):
        return None if pd.isna(at) else (at - pd.Timestamp(START, tz="UTC")).days

    return [(r.list, r.contact_id, plain(r.entered_at), plain(r.left_at)) for r in store.read().itertuples()]


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
def test_entry_and_exit_are_those_of_a_slow_reference_and_a_repeated_night_changes_nothing(con, runs):
    columns = "list VARCHAR, contact_id VARCHAR, entered_at TIMESTAMP, left_at TIMESTAMP"
    con.execute(f"CREATE OR REPLACE TEMP TABLE stays ({columns})")
    try:
        compare_with_reference(con, InMemory(con), runs)
    finally:
        con.execute("DROP TABLE stays")


@pytest.mark.parametrize("kind", ["duckdb", "csv", "parquet", "sqlite"])
@settings(max_examples=3, deadline=None)
@given(runs=RUNS)
def test_every_store_keeps_what_the_slow_reference_says(con, tmp_path_factory, kind, runs):
    with stores(tmp_path_factory.mktemp("lists"), kind) as store:
        compare_with_reference(con, store, runs)


def compare_with_reference(con, store, runs):
    night, by_night = 0, {}
    assert stays_of(store) == []
    for later, members in runs:
        night += later
        by_night[night] = members
        update(store, con, members, night)
        expected = slow_stays(by_night)
        assert sorted(stays_of(store), key=lambda s: s[:3]) == expected
        assert update(store, con, members, night) == 0
        assert sorted(stays_of(store), key=lambda s: s[:3]) == expected


@pytest.mark.parametrize("kind", ["duckdb", "csv", "parquet", "sqlite"])
@settings(max_examples=3, deadline=None)
@given(runs=RUNS.filter(bool), place=st.integers(0, 3))
def test_what_later_nights_changed_is_taken_back_and_the_next_one_is_written(con, tmp_path_factory, kind, runs, place):
    with stores(tmp_path_factory.mktemp("lists"), kind) as store:
        assert (store.take_back(con, START), stays_of(store)) == (0, [])
        night, by_night = 0, {}
        for later, members in runs:
            night += later
            by_night[night] = members
            update(store, con, members, night)
        back = sorted(by_night)[min(place, len(by_night) - 1)]
        store.take_back(con, START + timedelta(days=back))
        kept = {n: members for n, members in by_night.items() if n <= back}
        assert sorted(stays_of(store), key=lambda s: s[:3]) == slow_stays(kept)
        update(store, con, {("a", "C1")}, back + 1)
        assert sorted(stays_of(store), key=lambda s: s[:3]) == slow_stays(kept | {back + 1: {("a", "C1")}})


def test_a_past_night_alters_nothing(con, tmp_path):
    store = ListTables(DuckdbFile(tmp_path / "x.duckdb"), None, "scores_lists")
    update(store, con, {("a", "C1")}, 2)
    update(store, con, set(), 5)
    assert update(store, con, {("a", "C1"), ("a", "C2")}, 4) == 0
    assert stays_of(store) == [("a", "C1", 2, 5)]


def test_a_failure_leaves_the_membership_as_it_was(con, tmp_path):
    store = ListTables(SqliteFile(tmp_path / "x.sqlite"), None, "scores_lists")
    update(store, con, {("a", "C1")}, 1)
    with sqlite3.connect(tmp_path / "x.sqlite") as theirs:
        theirs.execute(
            "CREATE TRIGGER full BEFORE INSERT ON scores_lists WHEN new.contact_id = 'C2' "
            "BEGIN SELECT RAISE(ABORT, 'the disk is full'); END"
        )
    theirs.close()
    with pytest.raises(DataError, match="the disk is full"):
        update(store, con, {("a", "C2")}, 2)
    assert stays_of(store) == [("a", "C1", 1, None)]


def test_a_table_that_is_not_ours_is_refused_and_left_alone(con, tmp_path):
    with duckdb.connect(str(tmp_path / "x.duckdb")) as theirs:
        theirs.execute("CREATE TABLE scores_lists (list VARCHAR)")
    store = ListTables(DuckdbFile(tmp_path / "x.duckdb"), None, "scores_lists")
    with pytest.raises(DataError, match='scores_lists has no column "contact_id"'):
        update(store, con, {("a", "C1")}, 1)
    with duckdb.connect(str(tmp_path / "x.duckdb")) as theirs:
        assert theirs.execute("SELECT * FROM scores_lists").fetchall() == []


def test_times_are_read_as_utc(con, tmp_path):
    store = ListFiles(tmp_path / "scores_lists.csv", "csv", tmp_path / "scores_history")
    update(store, con, {("=b", "-3")}, 1)
    assert store.read()["entered_at"].tolist() == [pd.Timestamp(datetime(2026, 3, 2, tzinfo=UTC))]
    assert (tmp_path / "scores_lists.csv").read_text().splitlines()[1].startswith('"\'=b","\'-3"')
