import importlib
import itertools
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from predictive.config import Config
from predictive.errors import DataError
from predictive.sources.incremental import fetch, opened, settle
from predictive.sources.materialise import materialise
from predictive.sources.origin import Origin
from predictive.tables import PART

START = datetime(2026, 1, 1, tzinfo=UTC)
arrange = importlib.import_module("predictive.sources.arrange")  # the package has a function of that name
NOW = 1_893_456_000_000_000  # 2030
COLUMNS, ORDER = "contact_id, type, t, known, value, detail", "contact_id, t, type, known, value, detail"
OVERLAP = 3
MARKS = {  # the type of the marks, and one `days` after the start
    "TIMESTAMP": lambda days: f"{START + timedelta(days=days):%Y-%m-%d %H:%M:%S.%f}",
    "TIMESTAMPTZ": lambda days: (START + timedelta(days=days)).isoformat(),
    "DATE": lambda days: f"{START + timedelta(days=days):%Y-%m-%d}",
    "VARCHAR": lambda days: (START + timedelta(days=days)).isoformat(),
    "BIGINT": lambda days: str(int(days * 1000)),
    "DOUBLE": lambda days: str(days * 1000),
}


NUMBERS = ("BIGINT", "DOUBLE")


class Source:
    """A table that changes from night to night, the store that follows it, and a full read to compare with."""

    def __init__(self, folder, mark="TIMESTAMP", *, overlap="3d", key=None, zone="UTC", **mapping):
        self.con = duckdb.connect()
        self.con.execute("SET TimeZone = 'UTC'")
        self.con.execute("SET enable_progress_bar = false")
        self.con.execute(
            f"CREATE TABLE src (id BIGINT, contact TEXT, happened TIMESTAMP, kind TEXT, value DOUBLE, mark {mark})"
        )
        self.con.execute("CREATE TABLE accounts (contact TEXT, account_id TEXT)")
        self.con.execute(
            "CREATE TABLE changes (object TEXT, object_id TEXT, attribute TEXT, value TEXT, old_value TEXT)"
        )
        self.mark, self.path = mark, Path(folder) / "activities.duckdb"
        self.incremental = {"column": "mark", "overlap": overlap, "key": key, "store": self.path}
        self.zone, self.mapping = zone, mapping

    def add(self, rows):
        """Rows of contact, minutes, value and mark in days."""
        for contact, minutes, value, days in rows:
            mark = None if days is None else MARKS[self.mark](days)
            row = [f"c{contact}", START + timedelta(minutes=minutes), "visit", value, mark]
            self.con.execute(
                "INSERT INTO src SELECT count(*), ?, ?, ?, ?, ? FROM src",
                [row[0], row[1].replace(tzinfo=None), *row[2:]],
            )

    def divided(self):
        """The names of the tables, of which there are all but the activities."""
        self.con.execute(
            "CREATE OR REPLACE TABLE contacts AS SELECT DISTINCT contact AS contact_id, account_id FROM src "
            "FULL JOIN accounts USING (contact)"
        )
        return {name: f"memory.main.{name}" for name in ("contacts", "activities", "changes")}

    def read(self, *, anew=False, now=NOW):
        """What the store gives, beside what a full read gives, and what was said."""
        columns = {"contact_id": "contact", "occurred_at": "happened", "type": "kind"}
        table = {"table": "src", "columns": columns, "incremental": self.incremental, **self.mapping}
        source = {
            "kind": "duckdb",
            "path": "x",
            "tables": {"contacts": {"table": "x"}, "deals": {"table": "x"}, "activities": table},
        }
        config = Config.model_validate({"source": source, "timezone": self.zone})
        spec = config.source.tables["activities"]
        origin = Origin("src", self.con.table("src"), untyped=False)
        with opened(self.con, self.path):
            target = self.divided()
            fetched = fetch(self.con, config, spec, origin, target=target["activities"], now=now, anew=anew)
            made, self.parts = settle(fetched, target)
        materialise(self.con, "activities", spec, origin, zone=self.zone, target="memory.main.whole")
        return (
            *(
                self.con.execute(f"SELECT {COLUMNS} FROM {t} ORDER BY {ORDER}").fetchall()
                for t in ("activities", "whole")
            ),
            str(made.notes[-1]),
        )


DAYS = st.none() | st.integers(0, 12).map(lambda n: n / 2)
EVENTS = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 3), st.sampled_from([None, 1.5]), DAYS), max_size=6)


GONE = st.just("one goes")


@settings(max_examples=15, deadline=None)
@given(st.sampled_from(sorted(MARKS)), st.lists(EVENTS | GONE, min_size=2, max_size=4))
def test_the_store_equals_a_full_read_whatever_comes_late_twice_or_goes(mark, nights):
    with TemporaryDirectory() as folder:
        source = Source(folder, mark, overlap=OVERLAP * 1000 if mark in NUMBERS else "3d")
        source.add([(0, 0, None, 0.0), (1, 0, None, 9.0), (1, 0, None, None)])
        for events in nights:
            if events == "one goes":
                source.con.execute("DELETE FROM src WHERE id = (SELECT min(id) FROM src)")
            else:
                source.add(events)
            kept, whole, _ = source.read()
            assert kept == whole


LATE = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 3), st.none(), st.floats(-5, OVERLAP)), max_size=4)


@settings(max_examples=10, deadline=None)
@given(st.sampled_from(sorted(MARKS)), st.lists(LATE, min_size=2, max_size=3))
def test_what_comes_within_the_overlap_makes_nothing_be_read_twice(mark, nights):
    with TemporaryDirectory() as folder:
        source = Source(folder, mark, overlap=OVERLAP * 1000 if mark in NUMBERS else "3d")
        source.add([(0, 0, None, 0.0)])
        source.read()
        top = 0.0
        for events in nights:
            rows = [(contact, minutes, value, max(top - late, 0)) for contact, minutes, value, late in events]
            source.add(rows)
            kept, whole, said = source.read()
            assert kept == whole
            assert "were kept in activities.duckdb" in said
            top = max([top, *(row[3] for row in rows)])


MOVES = st.dictionaries(st.integers(0, 5), st.integers(0, 2), max_size=4)


@settings(max_examples=20, deadline=None)
@given(st.lists(st.tuples(MOVES, EVENTS), min_size=2, max_size=4))
def test_contacts_who_share_an_account_find_their_activities_in_one_part_every_night(nights):
    with pytest.MonkeyPatch.context() as patch, TemporaryDirectory() as folder:
        patch.setattr(arrange, "CONTACTS_PER_PART", 2)
        source = Source(folder)
        source.add([(contact, 0, None, 0.0) for contact in range(6)])
        for accounts, events in nights:
            source.con.execute("DELETE FROM accounts")
            for contact, account in accounts.items():
                source.con.execute("INSERT INTO accounts VALUES (?, ?)", [f"c{contact}", f"a{account}"])
            source.add(events)
            kept, whole, _ = source.read()
            assert kept == whole
            assert source.parts == 3
            placed = dict(source.con.execute(f'SELECT contact_id, "{PART}" FROM contacts').fetchall())
            of_rows = source.con.execute(f'SELECT DISTINCT contact_id, "{PART}" FROM activities').fetchall()
            assert dict(of_rows) == placed
            assert len(of_rows) == len(placed)
            shared = {placed[f"c{c}"] for c, account in accounts.items() if account == 0}
            assert len(shared) <= 1


def test_parts_stay_until_rows_or_contacts_are_far_more_and_then_all_is_sorted_again(tmp_path, monkeypatch):
    monkeypatch.setattr(arrange, "ACTIVITIES_PER_PART", 10)
    monkeypatch.setattr(arrange, "CONTACTS_PER_PART", 10)
    source = Source(tmp_path)

    def runs():
        """In how many sorted runs the rows of the store lie."""
        with duckdb.connect(source.path, read_only=True) as store:
            rows = store.execute(f'SELECT "{PART}", contact_id, t FROM activities').fetchall()
        return 1 + sum(one > other for one, other in itertools.pairwise(rows))

    source.add([*((n, 0, None, 0.0) for n in range(39)), (99, 0, None, 20.0)])
    source.read()
    assert (source.parts, runs()) == (4, 1)
    source.add([(n, 1, None, 21.0) for n in range(5)])
    kept, whole, said = source.read()
    assert (source.parts, runs(), kept == whole) == (4, 2, True)
    assert ": 6 rows with mark from" in said
    source.add([(n, 2, None, 22.0) for n in range(40)])
    kept, whole, said = source.read()
    assert (source.parts, runs(), kept == whole) == (9, 1, True)
    assert "the other 39 were kept" in said
    source.con.execute("INSERT INTO accounts SELECT 'new ' || i, NULL FROM range(159) AS r(i)")
    kept, whole, _ = source.read()
    assert (source.parts, runs(), kept == whole) == (20, 1, True)


@pytest.mark.parametrize("mark", ["mark", "happened"])
def test_equal_rows_lie_side_by_side_whichever_night_they_came(tmp_path, mark):
    source = Source(tmp_path, overlap="1m")
    source.incremental["column"] = mark
    source.add([*((n, 0, None, 0) for n in range(9)), (9, 9, None, 30)])
    source.read()
    source.add([(0, 0, None, 31)])
    kept, whole, _ = source.read()
    assert kept == whole
    beside = "SELECT lag((contact_id, t)) OVER () = (contact_id, t) AS same FROM activities"
    assert source.con.execute(f"SELECT count(*) FILTER (same) FROM ({beside})").fetchone() == (1,)


def test_a_row_altered_under_its_key_is_not_kept_twice(tmp_path):
    source = Source(tmp_path, key="id")
    source.add([(0, 0, 1.0, 0), (0, 1, 1.0, 1), (0, 2, None, 9)])
    source.read()
    source.con.execute("UPDATE src SET value = 7, mark = mark + INTERVAL 20 DAY WHERE id = 0")
    kept, whole, said = source.read()
    assert kept == whole
    assert said.startswith("activities: 2 rows with mark from 2026-01-07T00:00:00 on were read, the other 1 were kept")


def test_deleted_rows_and_rows_later_than_the_overlap_make_everything_be_read(tmp_path):
    source = Source(tmp_path)
    source.add([(0, 0, None, 0), (0, 1, None, 1), (0, 2, None, 9)])
    source.read()
    source.con.execute("DELETE FROM src WHERE id = 0")
    kept, whole, said = source.read()
    assert kept == whole
    assert "since the source has 1 earlier rows and the store 2: some were deleted or came late" in said
    source.add([(5, 0, None, 1)])
    kept, whole, said = source.read()
    assert kept == whole
    assert "since the source has 2 earlier rows and the store 1:" in said


def test_another_mapping_or_time_zone_or_refresh_reads_everything(tmp_path):
    source = Source(tmp_path)
    source.add([(0, 0, 2.5, 0), (0, 1, None, 9)])
    assert source.read()[2] == "activities: all 2 rows read into activities.duckdb"
    assert source.read()[2].startswith("activities: 1 rows with mark")
    source.zone = "Europe/Madrid"
    kept, whole, said = source.read()
    assert (kept == whole, said) == (True, "activities: all 2 rows read into activities.duckdb")
    source.mapping = {"constants": {"value": 1}}
    kept, whole, said = source.read()
    assert (kept == whole, {row[4] for row in kept}) == (True, {1.0})
    # What a count cannot see: only a full read does.
    source.con.execute("UPDATE src SET kind = 'call' WHERE id = 0")
    assert {row[1] for row in source.read()[0]} == {"visit"}
    assert {row[1] for row in source.read(anew=True)[0]} == {"visit", "call"}


def test_a_mark_in_the_future_does_not_hide_what_comes_after(tmp_path):
    source = Source(tmp_path)
    now = int((START - datetime(1970, 1, 1, tzinfo=UTC)) / timedelta(microseconds=1)) + 5 * 86_400_000_000
    source.add([(0, 0, None, 0), (0, 1, None, 4), (0, 2, None, 30_000)])
    source.read(now=now)
    source.add([(1, 0, None, 5)])
    kept, whole, said = source.read(now=now)
    assert kept == whole
    assert said.startswith("activities: 3 rows with mark from 2026-01-03T00:00:00 on were read, the other 1")


def test_an_overlap_or_a_column_that_cannot_tell_what_is_new_is_refused(tmp_path):
    source = Source(tmp_path, "BIGINT")
    source.add([(0, 0, None, 1)])
    source.read()
    with pytest.raises(DataError, match=r"incremental\.overlap: mark holds numbers; write how many"):
        source.read()
    source.incremental["column"] = "marc"
    with pytest.raises(DataError, match=r"incremental\.column: the source has no column 'marc'; did you mean \"mark\""):
        source.read()
    source = Source(tmp_path / "b", "VARCHAR")
    source.add([(0, 0, None, 1)])
    source.con.execute("UPDATE src SET mark = '31/12/2025'")
    source.read()
    with pytest.raises(DataError, match="text that does not begin with a date"):
        source.read()


def test_a_store_in_use_or_no_store_at_all_is_named(tmp_path):
    source = Source(tmp_path)
    source.add([(0, 0, None, 1)])
    source.path.write_bytes(b"no database" * 500)
    with pytest.raises(DataError, match=r"incremental\.store: .*cannot be opened: .*; delete it, and all is read anew"):
        source.read()
    source.path.unlink()
    hold = "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print('held', flush=True); sys.stdin.read()"
    command = [sys.executable, "-c", hold, str(source.path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:  # noqa: S603 - our own line
        holder.stdout.readline()
        with pytest.raises(DataError, match="is used by another run; run this again when that is done"):
            source.read()
        holder.communicate()
    assert source.read()[0]


NIGHT = """
import sys
import time
from tests.sources.test_incremental import Source
source = Source(sys.argv[1])
source.con.execute(
    "INSERT INTO src SELECT i, 'c' || i % 1000, TIMESTAMP '2026-01-01', 'visit', i, "
    "TIMESTAMP '2026-01-01' + INTERVAL 1 SECOND * i FROM range(CAST(? AS BIGINT)) t(i)",
    [sys.argv[2]],
)
print("reading", flush=True)
kept, whole, said = source.read()
assert kept == whole
print(said, flush=True)
"""


def test_a_store_whose_night_is_killed_is_as_it_was_or_as_it_should_be(tmp_path):
    def night(rows, kill_after=None):
        command = [sys.executable, "-W", "ignore", "-c", NIGHT, str(tmp_path), str(rows)]
        folder = Path(__file__).parents[2]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=folder) as running:  # noqa: S603 - ours
            running.stdout.readline()
            if kill_after is not None:
                time.sleep(kill_after)
                running.kill()
            return running.communicate()[0]

    assert "all 200,000 rows" in night(200_000)
    for seconds in (0.1, 0.3, 0.5):
        night(300_000, kill_after=seconds)
    with duckdb.connect(tmp_path / "activities.duckdb", read_only=True) as store:
        assert store.execute("SELECT count(*) FROM activities").fetchone()[0] in (200_000, 300_000)
    said = night(300_000)
    assert "activities: " in said  # it has compared the store with a full read
