"""A CRM that a loader lands in a database: which schema, which columns, which moment; and the real layouts."""

import sqlite3

import duckdb
import psycopg
import pytest

from predictive.config import HubspotSource
from predictive.config_file import effective, load_config
from predictive.errors import ConfigError, ConnectionLostError, DataError
from predictive.sources.crm import open_crm
from predictive.sources.crm.raw import open_raw

pytest_plugins = ["tests.servers"]
TABLES = ("contacts", "accounts", "activities", "deals", "changes")


def execute(url, *statements):
    with psycopg.connect(url, autocommit=True) as server:
        for statement in statements:
            server.execute(statement)


@pytest.fixture
def hubspot(postgres):
    """A small HubSpot in a schema of its own, beside a schema of something else that has contacts too."""
    execute(
        postgres,
        "CREATE SCHEMA crm",
        "CREATE TABLE crm.contact (id bigint, property_createdate timestamptz, property_region text, "
        "property_member boolean, property_visits numeric, property_phone text, property_our_score double precision)",
        "INSERT INTO crm.contact VALUES (1, '2026-01-01 10:00+02', 'north', true, 3.50, '+34 555', 0.9), "
        "(2, '2026-01-02 10:00+02', NULL, false, NULL, NULL, 0.1)",
        "CREATE TABLE crm.deal (deal_id bigint, deal_pipeline_stage_id text, property_closedate timestamp)",
        "INSERT INTO crm.deal VALUES (7, 'closedwon', '2026-02-01 12:00')",
        "CREATE TABLE crm.deal_contact (deal_id bigint, contact_id bigint)",
        "INSERT INTO crm.deal_contact VALUES (7, 1)",
        "CREATE TABLE crm.contact_property_history (contact_id bigint, name text, timestamp timestamptz, value text)",
        "INSERT INTO crm.contact_property_history VALUES (1, 'region', '2026-01-01 10:00+02', 'north'), "
        "(1, 'our_score', '2026-03-01 10:00+02', '0.9')",
        "CREATE TABLE crm.ledger (secret text)",
        "CREATE TABLE contact (id int)",
        "INSERT INTO contact VALUES (99)",
    )
    return postgres


def said(tables, where):
    return [note.text for note in tables.notes if note.where == where]


@pytest.mark.parametrize("scheme", ["postgresql", "postgresql+psycopg"])
def test_types_of_the_database_arrive_as_a_file_would_say_them(hubspot, read, rows, scheme):
    url = hubspot.replace("postgresql", scheme)
    tables = read("hubspot", {"kind": "hubspot", "url": url}, timezone="Europe/Madrid")
    born = "strftime(make_timestamp(created_at), '%m-%d %H:%M')"
    assert rows(f"SELECT contact_id, {born}, region, member, visits FROM contacts") == [
        ("1", "01-01 08:00", "north", True, 3.5),
        ("2", "01-02 08:00", None, False, None),
    ]
    # What Fivetran lands without an offset is UTC, whatever the zone of the configuration.
    closed = "strftime(make_timestamp(closed_at), '%m-%d %H:%M')"
    assert rows(f"SELECT deal_id, contact_id, is_won, {closed} FROM deals") == [("7", "1", True, "02-01 12:00")]
    assert "never features, contact details: phone" in said(tables, "contacts")
    assert "not tables of HubSpot that are known here, not read: crm.ledger" in said(tables, "source")
    assert "not read, since the tables of HubSpot are those of the schema crm: public.contact" in said(tables, "source")


def test_contact_details_and_tables_that_nothing_reads_are_not_even_fetched(hubspot, con):
    source = HubspotSource.model_validate({"kind": "hubspot", "url": hubspot, "scores": ["Our score"]})
    with open_crm(source, con):
        landed = con.execute(
            "SELECT table_name, list(column_name ORDER BY column_name) FROM duckdb_columns() "
            "WHERE schema_name = 'predictive landed' GROUP BY ALL ORDER BY 1"
        ).fetchall()
    assert dict(landed)["crm.contact"] == [
        "id", "property_createdate", "property_member", "property_region", "property_visits",
    ]  # fmt: skip
    assert [name for name, _ in landed] == [f"crm.{t}" for t in (
        "contact", "contact_property_history", "deal", "deal_contact")]  # fmt: skip
    assert con.execute("SELECT count(*) FROM duckdb_tables() WHERE schema_name = 'predictive landed'").fetchall() == [
        (0,)
    ]


def test_what_is_committed_between_two_tables_is_not_seen(hubspot, con, tmp_path):
    source = HubspotSource.model_validate({"kind": "hubspot", "url": hubspot})
    with open_raw(source, con, tmp_path) as raw:
        fetch = {table.label: table.fetch for table in raw}
        assert fetch["crm.contact"](lambda _: True).aggregate("count(*)").fetchall() == [(2,)]
        execute(hubspot, "DELETE FROM crm.deal", "INSERT INTO crm.contact (id) VALUES (3)")
        assert fetch["crm.deal"](lambda _: True).aggregate("count(*)").fetchall() == [(1,)]
        assert fetch["crm.contact"](lambda _: True).aggregate("count(*)").fetchall() == [(2,)]
    with open_raw(source, con, tmp_path) as raw:
        fetch = {table.label: table.fetch for table in raw}
        assert fetch["crm.deal"](lambda _: True).aggregate("count(*)").fetchall() == [(0,)]


def test_what_is_not_there_is_named_without_the_password(hubspot, read):
    execute(hubspot, "ALTER TABLE crm.contact RENAME TO person", "DROP TABLE public.contact")
    expected = (
        r"no contacts of Salesforce: expected a table contact or lead in one of its schemas; found: crm\.contact_p"
    )
    with pytest.raises(DataError, match=rf"source\.url: postgresql://\*\*\*@.*: {expected}") as caught:
        read("salesforce", {"kind": "salesforce", "url": hubspot})
    assert "kept" not in str(caught.value)


def test_of_two_accounts_in_one_database_one_must_be_named(hubspot, read, rows):
    execute(
        hubspot,
        "CREATE SCHEMA other",
        *(f"CREATE TABLE other.{name} AS TABLE crm.{name}" for name in ("contact", "deal", "deal_contact")),
        "UPDATE other.contact SET id = id + 100",
    )
    read("hubspot", {"kind": "hubspot", "url": hubspot})
    assert rows("SELECT min(contact_id) FROM contacts") == [("1",)], "crm has the history, too"
    execute(hubspot, "DROP TABLE crm.contact_property_history")
    expected = "the schemas crm and other hold equally many tables of HubSpot; name one: schema: crm"
    with pytest.raises(DataError, match=rf"source\.url: postgresql://.*: {expected}"):
        read("hubspot", {"kind": "hubspot", "url": hubspot})
    read("hubspot", {"kind": "hubspot", "url": hubspot, "schema": "other"})
    assert rows("SELECT min(contact_id) FROM contacts") == [("101",)]
    with pytest.raises(DataError, match=r"source\.schema: .* has no schema 'othr'; did you mean \"other\""):
        read("hubspot", {"kind": "hubspot", "url": hubspot, "schema": "othr"})


def test_a_server_that_does_not_answer_is_a_lost_connection_which_a_night_tries_again(read):
    with pytest.raises(ConnectionLostError, match=r"source\.url: cannot connect to postgresql://\*\*\*@127") as caught:
        read("hubspot", {"kind": "hubspot", "url": "postgresql://ann:s3cr3t@127.0.0.1:1/crm"})
    assert "s3cr3t" not in str(caught.value)


def test_a_table_that_the_user_may_not_read_is_named_with_what_to_do(hubspot, read):
    execute(
        hubspot,
        "DROP ROLE IF EXISTS crm_reader",
        "CREATE ROLE crm_reader LOGIN PASSWORD 'r'",
        "GRANT USAGE ON SCHEMA crm TO crm_reader",
        "GRANT SELECT ON crm.contact, crm.deal, crm.deal_contact TO crm_reader",
    )
    with pytest.raises(
        DataError, match=r"source\.url: crm\.contact_property_history: permission denied.*: GRANT SELECT to it"
    ):
        read(
            "hubspot",
            {"kind": "hubspot", "url": hubspot.replace("scoring:kept%2Fsecret%40all%3Atimes", "crm_reader:r")},
        )


def test_a_duckdb_file_may_be_named_by_its_url(read, rows, tmp_path):
    with duckdb.connect(tmp_path / "crm.duckdb") as made:
        made.execute("CREATE TABLE contact AS SELECT 1 AS id, '2026-01-01' AS property_createdate")
        made.execute("CREATE TABLE deal AS SELECT 7 AS deal_id")
    read("hubspot", {"kind": "hubspot", "url": f"duckdb:///{tmp_path / 'crm.duckdb'}"})
    assert rows("SELECT contact_id FROM contacts") == [("1",)]
    with pytest.raises(DataError, match=r"source\.url: duckdb:///.*none\.duckdb: no such file"):
        read("hubspot", {"kind": "hubspot", "url": f"duckdb:///{tmp_path / 'none.duckdb'}"})


def test_the_landed_layout_of_a_real_account_reads_from_a_database_as_from_its_files(data_dir, read, rows, tmp_path):
    folder, database = data_dir / "fivetran_hubspot", tmp_path / "hubspot.sqlite"
    with sqlite3.connect(database) as made:
        for file in sorted(folder.glob("*.csv")):
            table = duckdb.read_csv(str(file), all_varchar=True, header=True, delimiter=",", quotechar='"')
            listed = ", ".join(f'"{name}" TEXT' for name in table.columns)
            made.execute(f"CREATE TABLE {file.stem} ({listed})")
            marks = ", ".join("?" * len(table.columns))
            made.executemany(f"INSERT INTO {file.stem} VALUES ({marks})", table.fetchall())
    made.close()
    found = []
    for source in ({"path": folder}, {"url": f"sqlite:///{database}"}):
        tables = read("hubspot", {"kind": "hubspot", **source})
        content = {name: rows(f"SELECT * FROM {name} ORDER BY ALL") for name in TABLES}
        found.append((content, tables.attributes, [note for note in tables.notes if note.where != "source"]))
    assert found[0] == found[1]
    assert all(found[0][0][name] for name in ("contacts", "accounts", "deals", "changes"))


def test_exactly_one_place_is_taken_and_its_path_is_that_of_the_configuration(tmp_path, monkeypatch):
    (tmp_path / "c.yaml").write_text("source: {kind: hubspot, url: 'sqlite:///crm.db'}")
    assert load_config(tmp_path / "c.yaml").source.url.reveal() == f"sqlite:///{tmp_path / 'crm.db'}"
    for source in ("{kind: hubspot}", "{kind: salesforce, path: a, url: 'sqlite:///b'}"):
        (tmp_path / "c.yaml").write_text(f"source: {source}")
        with pytest.raises(ConfigError, match="source: give exactly one of path"):
            load_config(tmp_path / "c.yaml")
    monkeypatch.setenv("CRM_URL", "postgresql://ann:hunter2@db/crm")
    (tmp_path / "c.yaml").write_text("source: {kind: hubspot, url: '${CRM_URL}'}")
    config = load_config(tmp_path / "c.yaml")
    assert not any("hunter2" in text for text in (repr(config), effective(config), config.source.where))
    (tmp_path / "c.yaml").write_text("source: {kind: hubspot, url: 'postgresql://ann:hunter2@db/crm'}")
    with pytest.raises(ConfigError, match=r"source\.url: a password stands in this file"):
        load_config(tmp_path / "c.yaml")
