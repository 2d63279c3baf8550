"""A working database, and reading of small files through the public function."""

import duckdb
import pytest

from predictive.clock import parse_instant, to_micros
from predictive.config import Config
from predictive.sources import read_tables

NOW = to_micros(parse_instant("2026-06-01T00:00:00+00:00"))
CONTACTS = "contact_id,created_at\nc1,2026-01-01\nc2,2026-01-02\n"
DEALS = "deal_id,contact_id,closed_at,is_won\nd1,c1,2026-02-01,true\n"


@pytest.fixture
def con():
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        yield connection


@pytest.fixture
def read(tmp_path, con):
    """Writes files, reads the tables that `source` maps onto them (CSV of their own name if not said), returns both."""

    def run(files=None, *, timezone="UTC", now=NOW, views=None, path=None, **tables):
        usual = {"contacts.csv": CONTACTS, "deals.csv": DEALS}
        usual = {name: content for name, content in usual.items() if not (tmp_path / name).exists()}
        for name, content in {**usual, **(files or {})}.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_bytes(content.encode() if isinstance(content, str) else content)
        mapped = {"contacts": {"file": "contacts.csv"}, "deals": {"file": "deals.csv"}, **tables}
        source = {"kind": "files", "path": path or tmp_path, "files": views or {}, "tables": mapped}
        return read_tables(Config.model_validate({"source": source, "timezone": timezone}), con, now=now)

    return run


@pytest.fixture
def rows(con):
    """The rows of a query over the tables as read."""
    return lambda query: con.execute(query).fetchall()
