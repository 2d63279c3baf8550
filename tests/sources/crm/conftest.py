"""A small demo CRM, and the reading of what was landed."""

import pytest

from predictive.clock import parse_instant, to_micros
from predictive.config import Config
from predictive.demo import generate
from predictive.sources import read_tables
from predictive.store import open_store

NOW = to_micros(parse_instant("2026-07-01T00:00:00+00:00"))


@pytest.fixture(scope="session")
def demo(tmp_path_factory):
    """The demo's database with 250 contacts, and the rows of its canonical tables by name."""
    made = generate(contacts=250, seed=3, out=tmp_path_factory.mktemp("demo"))
    names = ("contacts", "accounts", "activities", "deals", "changes")
    source = {"kind": "duckdb", "path": made.database, "tables": {name: {"table": name} for name in names}}
    return made.database, source


@pytest.fixture
def con():
    with open_store() as connection:
        yield connection


@pytest.fixture
def read(con):
    """Reads a source into the working database `con`."""

    def run(kind, path, *, timezone="UTC"):
        source = path if isinstance(path, dict) else {"kind": kind, "path": path}
        return read_tables(Config.model_validate({"source": source, "timezone": timezone}), con, now=NOW)

    return run


@pytest.fixture
def rows(con):
    """The rows of a query over the tables as read."""
    return lambda query: con.execute(query).fetchall()


@pytest.fixture
def land(tmp_path):
    """Writes files and returns their folder."""

    def run(**files):
        for name, content in files.items():
            (tmp_path / f"{name}.csv").write_text(content)
        return tmp_path

    return run
