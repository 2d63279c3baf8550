"""One small CRM in every kind of database, as a pytest plugin."""

import sqlite3

import duckdb
import pytest

TYPES = {  # of a column, in DuckDB, PostgreSQL and SQLite
    "text": ("VARCHAR", "text", "TEXT"),
    "whole": ("BIGINT", "bigint", "INTEGER"),
    "double": ("DOUBLE", "double precision", "REAL"),
    "money": ("DECIMAL(12,2)", "numeric(12,2)", "NUMERIC"),
    "flag": ("BOOLEAN", "boolean", "BOOLEAN"),
    "day": ("DATE", "date", "DATE"),
    "naive": ("TIMESTAMP", "timestamp", "TIMESTAMP"),
    "zoned": ("TIMESTAMPTZ", "timestamptz", "TEXT"),
}
TABLES = {
    "contacts": {
        "id": "whole", "created_at": "naive", "account_id": "text", "Size (m²)": "double", "budget": "money",
        "active": "flag", "birthday": "day", "seen": "naive", "zip": "text", "empty": "text",
    },
    "accounts": {"account_id": "text", "created_at": "zoned", "employees": "whole", "revenue": "money"},
    "activities": {
        "contact_id": "whole", "occurred_at": "naive", "type": "text", "recorded_at": "zoned", "value": "double",
        "detail": "text",
    },
    "deals": {
        "deal_id": "text", "contact_id": "whole", "closed_at": "zoned", "is_won": "flag", "amount": "money",
    },
}  # fmt: skip
NAIVE = "2026-0{month}-{day:02} 0{hour}:30:00.12345{hour}"


def _row(table, i):
    naive = NAIVE.format(month=1 + i % 5, day=1 + i % 28, hour=i % 10)
    none = i % 7 == 0
    return {
        "contacts": [i, naive, None if none else f"a{i % 9}", i / 3, f"{i * 1001 / 100:.2f}", i % 2 == 0,
                     None if none else naive[:10], naive, f"0{i:04}", None],
        "accounts": [f"a{i}", naive + "+02:00", i * 10, None if none else f"{i}.50"],
        "activities": [i % 30, naive, ["visit", "E-Mail 'öffnen'"][i % 2], naive + "+00:00", None if none else i / 7,
                       None if i % 3 else f"line\n{i}; \"quoted\", 100 %"],
        "deals": [f"d{i}", i % 30, naive + "-05:00", i % 3 == 0, f"{i}.10"],
    }[table]  # fmt: skip


ROWS = {
    table: [_row(table, i) for i in range(count)]
    for table, count in {"contacts": 30, "accounts": 9, "activities": 400, "deals": 20}.items()
}


def _create(table, dialect):
    columns = ", ".join(f'"{name}" {TYPES[kind][dialect]}' for name, kind in TABLES[table].items())
    return f'CREATE TABLE "{table}" ({columns})'


def literal(value):
    """A value as SQL of any of the three."""
    if isinstance(value, bool):
        return str(value).lower()
    if value is None:
        return "NULL"
    if not isinstance(value, str):
        return repr(value)
    return "'" + value.replace("'", "''") + "'"


def statements(dialect):
    """SQL that makes the CRM: dialect 0 is DuckDB, 1 PostgreSQL, 2 SQLite."""
    for table, rows in ROWS.items():
        yield _create(table, dialect)
        yield f'INSERT INTO "{table}" VALUES ' + ", ".join(f"({', '.join(map(literal, row))})" for row in rows)


@pytest.fixture
def duckdb_url(tmp_path):
    with duckdb.connect(tmp_path / "crm.duckdb") as made:
        made.execute("SET TimeZone = 'UTC'")
        made.execute("; ".join(statements(0)))
    return f"duckdb:///{tmp_path / 'crm.duckdb'}"


@pytest.fixture
def sqlite_url(tmp_path):
    with sqlite3.connect(tmp_path / "crm.sqlite") as made:
        for statement in statements(2):
            made.execute(statement)
    made.close()
    return f"sqlite:///{tmp_path / 'crm.sqlite'}"


@pytest.fixture
def postgres_url(postgres, postgres_server):
    postgres_server.sql("SET TimeZone = 'UTC'; " + "; ".join(statements(1)), database=postgres.rsplit("/", 1)[1])
    return postgres
