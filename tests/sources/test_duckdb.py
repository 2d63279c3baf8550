import duckdb
import pytest

from predictive.config import Config, DuckdbSource
from predictive.errors import DataError
from predictive.sources import read_tables
from predictive.sources.duckdb import open_duckdb

NOW = 1_893_456_000_000_000  # 2030


@pytest.fixture
def crm(tmp_path):
    path = tmp_path / "crm.duckdb"
    with duckdb.connect(path) as made:
        made.execute(
            """CREATE SCHEMA raw;
            CREATE TABLE raw.leads AS SELECT * FROM (VALUES
                (1::BIGINT, TIMESTAMP '2026-07-01 12:00', '12', DATE '2026-01-01', 1.5::DOUBLE),
                (2, TIMESTAMP '2026-01-01 12:00', '13', NULL, 'nan'::DOUBLE)) t (id, created_at, "Zip", birthday, size);
            CREATE TABLE contacts AS SELECT 'wrong' AS contact_id;
            CREATE VIEW deals AS SELECT 'd' || id AS deal_id, id AS contact_id, true AS is_won,
                TIMESTAMPTZ '2026-08-01 00:00+02' AS closed_at FROM raw.leads"""
        )
    return path


def run(con, path, **tables):
    mapped = {
        "contacts": {"table": "raw.leads", "columns": {"contact_id": "id"}},
        "deals": {"table": "deals"},
        **tables,
    }
    source = {"kind": "duckdb", "path": path, "tables": mapped}
    return read_tables(Config.model_validate({"source": source, "timezone": "Europe/Madrid"}), con, now=NOW)


def test_tables_views_and_queries_are_read_with_their_types(con, crm, rows):
    tables = run(con, crm)
    assert tables.attributes == {"contacts": {"Zip": "text", "birthday": "time", "size": "number"}, "accounts": {}}
    assert rows("SELECT contact_id, created_at, Zip, birthday, size FROM contacts") == [
        ("1", 1782900000000000, "12", 1767222000000000, 1.5),
        ("2", 1767265200000000, "13", None, None),
    ]
    assert rows("SELECT * FROM deals") == [(f"d{i}", str(i), None, None, 1785535200000000, True, None) for i in (1, 2)]
    query = "SELECT id AS contact_id, created_at FROM raw.leads WHERE id > 1;"
    run(con, crm, contacts={"query": query})
    assert rows("SELECT contact_id FROM contacts") == [("2",)]


def test_the_file_can_be_written_to_afterwards_even_after_an_error(con, crm):
    def write():
        with duckdb.connect(crm) as writer:
            writer.execute("CREATE OR REPLACE TABLE scores AS SELECT 1 AS contact_id")

    run(con, crm)
    write()
    with pytest.raises(DataError, match=r"contacts\.created_at: required"):
        run(con, crm, contacts={"table": "contacts"})
    write()


def test_the_source_is_never_written_to(con, crm):
    before = crm.read_bytes()
    run(con, crm)
    with pytest.raises(DataError, match="write one SELECT"):
        run(con, crm, contacts={"query": "DELETE FROM raw.leads"})
    assert crm.read_bytes() == before
    with open_duckdb(DuckdbSource(kind="duckdb", path=crm, tables={}), con):
        assert con.execute("SELECT readonly FROM duckdb_databases() WHERE path IS NOT NULL").fetchall() == [(True,)]


def test_a_table_that_is_not_there_gets_the_nearest(con, crm):
    with pytest.raises(DataError) as caught:
        run(con, crm, contacts={"table": "raw.lead"})
    assert str(caught.value) == (
        f"source.tables.contacts.table: {crm} has no table 'raw.lead'; did you mean \"raw.leads\"?"
    )


def test_a_file_that_is_no_database_is_named(con, crm):
    with pytest.raises(DataError, match="no such file"):
        run(con, crm.with_name("other.duckdb"))
    crm.write_bytes(b"not a database" * 1000)
    with pytest.raises(DataError, match=r"source\.path: .*crm\.duckdb: cannot be opened as a DuckDB database"):
        run(con, crm)


def test_a_value_of_the_wrong_type_names_the_row(con, crm):
    with pytest.raises(
        DataError, match=r"contacts\.created_at \(their id\): .* 2 of 2 rows, first '1' in row 1 of table raw\.leads"
    ):
        run(con, crm, contacts={"table": "raw.leads", "columns": {"contact_id": "id", "created_at": "id"}})


def test_tables_that_the_source_lacks_are_empty_and_complete(con, crm):
    tables = run(con, crm)
    schema = {
        "contact_id": "String",
        "type": "String",
        "t": "Int64",
        "known": "Int64",
        "value": "Float64",
        "detail": "String",
    }
    assert {k: str(v) for k, v in tables.activities.collect_schema().items()} == schema
    for name in ("accounts", "activities", "changes", "overrides"):
        assert len(getattr(tables, name).collect()) == 0


def test_a_working_database_of_its_own_schema_is_filled_there(tmp_path, crm):
    with duckdb.connect(tmp_path / "work.duckdb") as con:
        con.execute("SET TimeZone = 'UTC'; CREATE SCHEMA here; USE here")
        run(con, crm)
        run(con, crm)
        assert con.execute("SELECT table_schema, count(*) FROM information_schema.tables GROUP BY ALL").fetchall() == [
            ("here", 6)
        ]
