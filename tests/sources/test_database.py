import sqlite3
import threading

import adbc_driver_manager
import duckdb
import psycopg
import pytest

from predictive.config import Config
from predictive.errors import ConfigError, ConnectionLostError, DataError
from predictive.sources import read_tables

pytest_plugins = ["tests.servers", "tests.sources.crm"]
NOW = 1_893_456_000_000_000  # 2030
PLAIN = {"contacts": {"table": "contacts", "columns": {"contact_id": "id"}}, "deals": {"table": "deals"}}
ALL = {**PLAIN, "accounts": {"table": "accounts"}, "activities": {"table": "activities"}}
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
