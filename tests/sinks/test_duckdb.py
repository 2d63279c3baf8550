"""What only the DuckDB sink does."""

import subprocess
import sys

import duckdb
import pytest

from predictive.config import DuckdbSink
from predictive.errors import DataError
from predictive.sinks import open_sink

HOLD = """
import duckdb, sys
con = duckdb.connect(sys.argv[1])
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def path(tmp_path):
    return tmp_path / "crm.duckdb"


@pytest.fixture
def sink(path):
    return open_sink(DuckdbSink(kind="duckdb", path=path))


def execute(path, *queries):
    """Run statements on the database file; the rows of the last one."""
    with duckdb.connect(path) as con:
        for query in queries[:-1]:
            con.execute(query)
        return con.execute(queries[-1]).fetchall()


def test_other_tables_of_the_database_stay_as_they_are(sink, path, nights):
    execute(path, "CREATE TABLE contacts AS SELECT 'a' AS contact_id", "CREATE VIEW everyone AS FROM contacts")
    nights.write(sink, 0, {"a": 0.1})
    found = execute(path, "SELECT table_name FROM information_schema.tables ORDER BY 1")
    assert [name for (name,) in found] == [
        "contact_scores",
        "contact_scores_history",
        "contact_scores_runs",
        "contacts",
        "everyone",
    ]
    assert execute(path, "SELECT * FROM everyone") == [("a",)]


@pytest.mark.parametrize("mark", ["", " (READ_ONLY)"])
def test_a_source_in_the_same_file_may_stay_attached(sink, path, nights, mark):
    execute(path, "CREATE TABLE contacts AS SELECT 'a' AS contact_id")
    nights.con.execute(f"ATTACH '{path}' AS crm{mark}")
    assert nights.preview(sink, 0, {"a": 0.1}).new == 1
    assert nights.write(sink, 0, {"a": 0.1}).new == 1
    assert nights.con.execute("SELECT contact_id, probability FROM crm.contact_scores").fetchall() == [("a", 0.1)]
    query = "SELECT database_name, readonly FROM duckdb_databases() WHERE path IS NOT NULL"
    assert nights.con.execute(query).fetchall() == [("crm", mark != "")]


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ("ALTER TABLE contact_scores DROP COLUMN tier", r'contact_scores has no column "tier" \(VARCHAR\)'),
        ("ALTER TABLE contact_scores ALTER rule_fit TYPE INTEGER", '"rule_fit" of type INTEGER, not BIGINT'),
        ("ALTER TABLE contact_scores_history ADD COLUMN note VARCHAR", 'history has a further column "note"'),
        ("ALTER TABLE contact_scores_runs DROP COLUMN past", 'contact_scores_runs has no column "past"'),
    ],
)
def test_a_table_with_other_columns_is_refused_and_kept(sink, path, nights, change, problem):
    nights.write(sink, 0, {"a": 0.1})
    execute(path, change)
    for write in (nights.preview, nights.write):
        with pytest.raises(DataError, match=problem + ".*nothing was written. Name another table in sink.table"):
            write(sink, 1, {"a": 0.2})
    assert execute(path, "SELECT contact_id, probability FROM contact_scores") == [("a", 0.1)]


def test_a_view_of_the_name_is_refused(sink, path, nights):
    execute(path, "CREATE VIEW contact_scores AS SELECT 1 AS one")
    with pytest.raises(DataError, match=r"the table contact_scores is a view"):
        nights.write(sink, 0, {"a": 0.1})
    assert execute(path, "SELECT table_name FROM duckdb_tables()") == []


def test_names_are_quoted_and_found_in_any_case(path, nights):
    table = 'a b."x";drop--'
    for written in (table, table.upper()):
        nights.write(open_sink(DuckdbSink(kind="duckdb", path=path, table=written)), 0, {"a": 0.1})
    found = execute(path, "SELECT schema_name, table_name FROM duckdb_tables() ORDER BY 2")
    assert found == [("a b", '"x";drop--' + end) for end in ("", "_history", "_runs")]


def test_a_database_that_another_process_has_open_is_named_with_the_process(sink, path, nights):
    nights.write(sink, 0, {"a": 0.1})
    command = [sys.executable, "-c", HOLD, path]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:  # noqa: S603 - our own
        assert other.stdout.readline() == "held\n"
        for write in (nights.preview, nights.write):
            with pytest.raises(DataError, match=rf"crm.duckdb: another process \({other.pid}\) has this database open"):
                write(sink, 1, {"a": 0.2})
    assert nights.write(sink, 1, {"a": 0.2}).changed == 1


def test_a_database_that_another_connection_has_open_is_said(sink, path, nights):
    with duckdb.connect(path), pytest.raises(DataError, match="another connection has this database open"):
        nights.write(sink, 0, {"a": 0.1})


def test_a_file_that_is_no_database_is_kept(sink, path, nights):
    path.write_text("contact_id,probability\n" * 1000)
    for write in (nights.preview, nights.write):
        with pytest.raises(
            DataError, match=r"crm.duckdb: cannot be opened as a DuckDB database: .*nothing was written"
        ):
            write(sink, 0, {"a": 0.1})
    assert path.read_text() == "contact_id,probability\n" * 1000


def test_a_failure_in_the_middle_changes_nothing(sink, path, nights):
    nights.write(sink, 0, {"a": 0.1, "b": 0.1})
    execute(path, "CREATE UNIQUE INDEX one_row_per_tier ON contact_scores_history (contact_id)")
    before = nights.state(sink)
    with pytest.raises(duckdb.ConstraintException):
        nights.write(sink, 1, {"a": 0.2, "c": 0.1})
    for one, other in zip(before, nights.state(sink), strict=True):
        assert one.equals(other)
