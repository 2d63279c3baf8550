import sqlite3
import threading
import time
from contextlib import closing

import duckdb
import psycopg
import pytest

from predictive.config import Config, DatabaseSource
from predictive.errors import ConfigError, ConnectionLostError, DataError
from predictive.sources import read_tables
from predictive.sources.database import open_database

pytest_plugins = ["tests.servers", "tests.sources.demo_crm"]
NOW = 1_893_456_000_000_000  # 2030
PLAIN = {"contacts": {"table": "contacts", "columns": {"contact_id": "id"}}, "deals": {"table": "deals"}}
ALL = {**PLAIN, "accounts": {"table": "accounts"}, "activities": {"table": "activities"}}
# A store keeps the rows of each night as a run of their own, so their order is no part of what is equal.
ACTIVITIES = "SELECT contact_id, type, t, known, value, detail FROM activities ORDER BY ALL"
KINDS = ("duckdb", "sqlite", "postgres", "sqlalchemy sqlite", "sqlalchemy postgres")


@pytest.fixture
def urls(duckdb_url, sqlite_url, postgres_url):
    return {
        "duckdb": duckdb_url,
        "sqlite": sqlite_url,
        "postgres": postgres_url,
        "sqlalchemy sqlite": sqlite_url.replace("sqlite:", "sqlite+pysqlite:"),
        "sqlalchemy postgres": postgres_url.replace("postgresql:", "postgresql+psycopg:"),
    }


def run(con, url, *, timezone="Europe/Madrid", **tables):
    source = {"kind": "database", "url": url, "tables": {**PLAIN, **tables}}
    return read_tables(Config.model_validate({"source": source, "timezone": timezone}), con, now=NOW)


def content(con):
    found = {}
    for table in ("contacts", "accounts", "activities", "deals"):
        rows = con.table(table)
        found[table] = (rows.columns, list(map(str, rows.types)), rows.fetchall())
    return found


def test_every_database_gives_the_same_tables(con, urls):
    tables = {kind: (run(con, url, **ALL), content(con)) for kind, url in urls.items()}
    read, expected = tables.pop("duckdb")
    assert read.attributes["contacts"] == {
        "Size (m²)": "number", "budget": "number", "active": "boolean", "birthday": "time", "seen": "time",
        "zip": "text", "empty": "text",
    }  # fmt: skip
    for kind, (other, found) in tables.items():
        if kind == "sqlalchemy sqlite":  # which has no types but those of the values
            assert found["activities"] == expected["activities"]
            continue
        assert found == expected, kind
        assert other.attributes == read.attributes
        assert other.notes == read.notes


def sql(url, *statements):
    with psycopg.connect(url, autocommit=True) as other:
        for statement in statements:
            other.execute(statement)


def test_postgres_types_arrive_as_what_they_are(con, postgres, rows):
    sql(
        postgres,
        "CREATE TYPE mood AS ENUM ('sad', 'ok')",
        """CREATE TABLE contacts AS SELECT 12345678901234567890.10::numeric AS contact_id,
            '2026-03-29 02:30'::timestamp AS created_at, 1234567.125::numeric(20,4) AS exact,
            'NaN'::numeric AS nan, 12.50::money AS price, '{"a": {"b": 1}}'::jsonb AS json,
            'ok'::mood AS mood, '{1,NULL,3}'::int[] AS list, '{1.5,2}'::numeric[] AS decimals, 'ab'::char(5) AS padded,
            '00000000-0000-0000-0000-000000000001'::uuid AS uuid, '10.0.0.1'::inet AS ip, 'x'::bytea AS bytes,
            'NaN'::float8 AS none, true AS yes, '2026-07-01'::date AS day, '2026-07-01 12:00+02'::timestamptz AS zoned,
            4000000000::oid AS oid, 12345678901234567.89::numeric AS long, 3::numeric AS whole""",
        "CREATE TABLE deals (deal_id text, contact_id text)",
    )
    tables = run(con, postgres, contacts={"table": "contacts"})
    kinds = tables.attributes["contacts"]
    assert kinds == {
        "exact": "number", "nan": "number", "price": "number", "json": "text", "mood": "text", "list": "text",
        "decimals": "text", "padded": "text", "uuid": "text", "ip": "text", "none": "number", "yes": "boolean",
        "day": "time", "zoned": "time", "oid": "number", "long": "number", "whole": "number",
    }  # fmt: skip
    assert rows("SELECT * EXCLUDE (account_id, email, name, job_title, country, source, lifecycle_stage, "
                "marketing_status, tags) FROM contacts") == [(
        "12345678901234567890.1", 1774747800000000, 1234567.125, None, 12.5, '{"a": {"b": 1}}', "ok", "1;3", "1.5;2",
        "ab", "00000000-0000-0000-0000-000000000001", "10.0.0.1/32", None, True, 1782856800000000,
        1782900000000000, 4e9, 12345678901234568.0, 3.0,
    )]  # fmt: skip
    assert "contacts.bytes: not used: BLOB is no single value" in map(str, tables.notes)
    assert "contacts.long: 1 value has more digits than a double: rounded to the nearest" in map(str, tables.notes)


@pytest.mark.parametrize("value", ["'infinity'::timestamptz", "'-infinity'::timestamp", "'infinity'::date"])
def test_infinite_times_are_named_and_can_be_declared_missing(con, postgres, rows, value):
    sql(
        postgres,
        f"CREATE TABLE contacts AS SELECT 'c' AS contact_id, timestamp '2026-01-01' AS created_at, {value} AS until",
        "CREATE TABLE deals (deal_id text, contact_id text)",
    )
    end = value.split("'")[1]
    with pytest.raises(DataError, match=rf"contacts\.until: cannot be read as a time in 1 of 1 rows, first '{end}'"):
        run(con, postgres, contacts={"table": "contacts"})
    run(con, postgres, contacts={"table": "contacts", "missing": [end]})
    assert rows("SELECT until FROM contacts") == [(None,)]


@pytest.mark.parametrize("kind", ["postgres", "sqlalchemy postgres", "sqlite", "sqlalchemy sqlite"])
def test_what_a_writer_commits_between_two_tables_is_not_seen(con, urls, kind, rows):
    url = urls[kind]
    if "sqlite" in kind:
        path = url.split(":///")[1]
        with closing(sqlite3.connect(path)) as file:
            file.execute("PRAGMA journal_mode = WAL")

        def write(*statements):
            with closing(sqlite3.connect(path, isolation_level=None)) as file:
                for statement in statements:
                    file.execute(statement)
    else:

        def write(*statements):
            sql(urls["postgres"], *statements)

    source = DatabaseSource.model_validate({"kind": "database", "url": url, "tables": PLAIN})
    with open_database(source, con) as open_table:
        first = open_table("contacts", source.tables["contacts"]).rows.aggregate("count(*)").fetchall()
        write("DELETE FROM deals", "INSERT INTO contacts (id) VALUES (99)")
        deals = open_table("deals", source.tables["deals"]).rows.aggregate("count(*)").fetchall()
        again = open_table("contacts", source.tables["contacts"]).rows.aggregate("count(*)").fetchall()
    assert (first, deals, again) == ([(30,)], [(20,)], [(30,)])
    with open_database(source, con) as open_table:
        assert open_table("deals", source.tables["deals"]).rows.aggregate("count(*)").fetchall() == [(0,)]
    assert rows("SELECT * FROM duckdb_tables() WHERE schema_name = 'predictive landed'") == []


@pytest.mark.parametrize("kind", ["postgres", "sqlite", "sqlalchemy sqlite"])
def test_a_query_is_mapped_as_a_table_is_and_nothing_else_can_be_run(con, urls, kind, rows):
    query = "SELECT id AS who, created_at, 'a:b' AS \"source\" FROM contacts -- all\n;\n"
    mapped = {"query": query, "columns": {"contact_id": "who"}, "constants": {"country": "ES"}}
    run(con, urls[kind], contacts=mapped)
    assert rows("SELECT count(*), min(source), min(country) FROM contacts") == [(30, "a:b", "ES")]
    for wrong in ("DELETE FROM deals", "SELECT 1; DELETE FROM deals", "SELEC 1"):
        with pytest.raises(DataError, match=r"source\.tables\.contacts\.query: the query cannot be run: "):
            run(con, urls[kind], contacts={"query": wrong})
    run(con, urls[kind])
    assert rows("SELECT count(*) FROM deals") == [(20,)]


@pytest.mark.parametrize("kind", KINDS)
def test_every_problem_of_every_table_is_named_with_the_nearest(con, urls, kind):
    with pytest.raises(DataError) as caught:
        run(con, urls[kind], contacts={"table": "contact"}, deals={"table": "deals", "columns": {"amount": "amonut"}})
    first, second = str(caught.value).splitlines()
    assert first.startswith("source.tables.contacts.table: ")
    assert "kept" not in first
    assert "has no table 'contact'; did you mean \"contacts\"" in first
    assert second == ("source.tables.deals.columns.amount: the source has no column 'amonut'; did you mean \"amount\"?")


def test_schemas_and_forbidden_tables_are_told_apart(con, postgres_url, rows):
    sql(
        postgres_url,
        'CREATE SCHEMA "Big.CRM"',
        'ALTER TABLE contacts SET SCHEMA "Big.CRM"',
        "DROP ROLE IF EXISTS clerk",
        "CREATE ROLE clerk LOGIN PASSWORD 'cl%rk'",
        'GRANT USAGE ON SCHEMA "Big.CRM" TO clerk',
        'GRANT SELECT ON ALL TABLES IN SCHEMA "Big.CRM" TO clerk',
    )
    crm = {"contacts": {"table": "Big.CRM.contacts", "columns": {"contact_id": "id"}}}
    run(con, postgres_url, **crm)
    assert rows("SELECT count(*) FROM contacts") == [(30,)]
    with pytest.raises(DataError) as caught:
        run(con, postgres_url.replace("scoring:kept%2Fsecret%40all%3Atimes", "clerk:cl%25rk"), **crm)
    assert str(caught.value) == (
        "source.tables.deals.table: permission denied for table deals; the user of the URL may not read this: "
        "GRANT SELECT to it"
    )


def test_what_cannot_be_reached_is_named_without_the_password(con, postgres_url, postgres_server, tmp_path):
    with pytest.raises(DataError, match='password authentication failed for user "scoring"; check the user') as caught:
        run(con, postgres_url.replace("kept", "s3cr3t"))
    assert not isinstance(caught.value, ConnectionLostError)
    assert "s3cr3t" not in str(caught.value)
    with pytest.raises(DataError, match='database "nowhere" does not exist'):
        run(con, postgres_server.url("nowhere"))
    for url in ("postgresql://ann:s3cr3t@127.0.0.1:1/crm", "postgresql+psycopg://ann:s3cr3t@127.0.0.1:1/crm"):
        with pytest.raises(
            ConnectionLostError, match=r"cannot connect to postgresql(\+psycopg)?://\*\*\*@127"
        ) as caught:
            run(con, url)
        assert "s3cr3t" not in str(caught.value)
    with pytest.raises(ConfigError, match=r"SQLAlchemy cannot open it: .*nosuch.*; install the driver") as caught:
        run(con, "nosuch://ann:s3cr3t@host/crm")
    assert "s3cr3t" not in str(caught.value)
    (tmp_path / "text.db").write_text("not a database" * 100)
    with pytest.raises(DataError, match=r"text\.db: cannot be opened as a SQLite database: file is not a database"):
        run(con, f"sqlite:///{tmp_path / 'text.db'}")
    with pytest.raises(DataError, match=r"source\.url: .*none\.db: no such file"):
        run(con, f"sqlite:///{tmp_path / 'none.db'}")


@pytest.mark.parametrize("scheme", ["postgresql", "postgresql+psycopg"])
def test_a_connection_that_breaks_while_it_is_read_can_be_told_from_bad_data(con, postgres_url, scheme):
    kill = (
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() "
        "AND pid <> pg_backend_pid() AND state = 'active' AND now() - query_start > INTERVAL '0.2 s'"
    )

    def cut():
        with psycopg.connect(postgres_url, autocommit=True) as other:
            while not other.execute(kill).fetchall():
                time.sleep(0.1)

    sql(
        postgres_url,
        "CREATE VIEW endless AS SELECT i AS contact_id, now() AS created_at FROM generate_series(1, 2e9) i",
    )
    stop = threading.Thread(target=cut)
    stop.start()
    with pytest.raises(
        ConnectionLostError, match=r"contacts\.table: the connection to postgresql.* was lost: .*; run this"
    ):
        run(con, postgres_url.replace("postgresql", scheme), contacts={"table": "endless"})
    stop.join()


@pytest.mark.parametrize("kind", ["sqlite", "postgres", "sqlalchemy postgres"])
def test_incremental_reads_equal_full_ones(con, urls, tmp_path, rows, kind):
    store = {"column": "recorded_at", "overlap": "10d", "store": tmp_path / "activities.duckdb"}
    incremental = {"activities": {"table": "activities", "incremental": store}}
    run(con, urls[kind], **incremental)
    added = (
        "INSERT INTO activities SELECT contact_id, occurred_at, 'new', '2026-05-20 00:00:00+00:00', value, detail "
        "FROM activities WHERE contact_id < 3"
    )
    if kind == "sqlite":
        with closing(sqlite3.connect(urls[kind].split(":///")[1])) as file:
            file.execute(added)
            file.commit()
    else:
        sql(urls["postgres"], added)
    tables = run(con, urls[kind], **incremental)
    found = rows(ACTIVITIES)
    run(con, urls[kind], activities={"table": "activities"})
    assert found == rows(ACTIVITIES)
    assert len(found) == 442
    (said,) = (note.text for note in tables.notes if "were kept in activities.duckdb" in note.text)
    assert 42 <= int(said.split()[0]) < 200


def test_late_rows_are_found_after_the_server_and_the_reader_were_started_again(
    postgres_url, postgres_server, tmp_path
):
    """The newest mark is of May 28th: with an overlap of 10 days what is marked from the 18th on is read again."""
    store = {"column": "recorded_at", "overlap": "10d", "store": tmp_path / "activities.duckdb"}
    late = (
        "INSERT INTO activities SELECT contact_id, {occurred}, 'late', {marked}, value, detail FROM activities LIMIT 7"
    )

    def night(**more):
        with duckdb.connect() as con:
            con.execute("SET TimeZone = 'UTC'")
            notes = run(con, postgres_url, activities={"table": "activities", **more}).notes
            found = con.execute(ACTIVITIES).fetchall()
        return found, [note.text for note in notes if "activities.duckdb" in note.text]

    assert night(incremental=store)[0] == night()[0]
    postgres_server.stop(mode="fast")
    postgres_server.start()
    # What happened long ago, and was recorded within the overlap or without any mark at all.
    sql(postgres_url, late.format(occurred="'2026-01-01'", marked="'2026-05-20 00:00+00'"))
    sql(postgres_url, late.format(occurred="'2026-05-30'", marked="NULL"))
    found, (said,) = night(incremental=store)
    assert "were kept in activities.duckdb" in said
    assert (found, len(found)) == (night()[0], 414)
    # Recorded before the overlap, as by a transaction that took longer: what was kept is not enough, and this is seen.
    sql(postgres_url, late.format(occurred="'2026-01-01'", marked="'2026-02-01 00:00+00'"))
    found, (said,) = night(incremental=store)
    assert "some were deleted or came late" in said
    assert (found, len(found)) == (night()[0], 421)
