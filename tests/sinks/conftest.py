"""Sinks of each kind, and nights to write to them."""

from datetime import UTC, datetime, timedelta

import duckdb
import pytest

from predictive.config import DuckdbSink, FileSink, PostgresqlSink, SqliteSink
from predictive.sinks import Night, open_sink
from predictive.sinks.contract import KEPT_COLUMNS, SCORE_COLUMNS
from predictive.sinks.database import definition
from predictive.sinks.frames import to_frame

KINDS = ("duckdb", "sqlite", "postgresql", "parquet", "csv")
FIRST = datetime(2026, 11, 1, tzinfo=UTC)


class Nights:
    """Stages nights in a working database and writes them; each run is a minute later than the one before."""

    def __init__(self):
        self.con = duckdb.connect()
        self.runs = 0

    def night(self, day, *, version="v1", eligible=0):
        self.runs += 1
        as_of = FIRST + timedelta(days=day)
        return Night(f"run{self.runs}", as_of, FIRST + timedelta(days=99, minutes=self.runs), version, eligible)

    def stage(self, night, scores):
        """`scores` maps a contact to its probability, or to any columns that shall differ from the usual ones."""
        rows = [
            {
                "contact_id": contact,
                "as_of": night.as_of.replace(tzinfo=None),
                "scored_at": night.scored_at.replace(tzinfo=None),
                "probability": 0.1,
                "uncorrected": 0.1,
                "fit": None,
                "interest": 0.2,
                "quadrant": "unknown",
                "cell": None,
                "tier": "low",
                "rule_score": 10,
                "rule_fit": -5,
                "rule_interest": 15,
                "rule_total": 10.25,
                "stage": "prospect",
                "override": None,
                "holdout": False,
                "reasons": "+ opened an e-mail",
                "model_version": night.model_version,
                "run_id": night.run_id,
            }
            | (given if isinstance(given, dict) else {"probability": given})
            for contact, given in scores.items()
        ]
        self.con.execute(f"CREATE OR REPLACE TABLE staged ({definition(SCORE_COLUMNS)})")
        if rows:
            marks = ", ".join("?" * len(SCORE_COLUMNS))
            self.con.executemany(f"INSERT INTO staged VALUES ({marks})", [[r[c] for c in SCORE_COLUMNS] for r in rows])

    def write(self, sink, day, scores, *, version="v1"):
        night = self.night(day, version=version, eligible=len(scores))
        self.stage(night, scores)
        return sink.write(self.con, "staged", night)

    def preview(self, sink, day, scores, *, version="v1"):
        night = self.night(day, version=version, eligible=len(scores))
        self.stage(night, scores)
        return sink.preview(self.con, "staged", night)

    def state(self, sink):
        """All that a sink holds: current scores, history, runs."""
        return sink.read_current(), sink.read_history(), sink.read_runs()


def make_sink(kind, folder, postgres=None, **options):
    """A sink of one kind: files in the folder, or a database server's `postgres`."""
    if kind in ("parquet", "csv"):
        return open_sink(FileSink(kind=kind, path=folder / f"scores.{kind}", **options))
    if kind == "postgresql":
        return open_sink(PostgresqlSink(kind=kind, url=postgres, **{"table": "crm.contact_scores", **options}))
    if kind == "sqlite":
        return open_sink(SqliteSink(kind=kind, path=folder / "scores.sqlite", **options))
    return open_sink(DuckdbSink(kind=kind, path=folder / "scores.duckdb", **{"table": "crm.contact_scores", **options}))


@pytest.fixture
def nights():
    made = Nights()
    yield made
    made.con.close()


@pytest.fixture
def folder(tmp_path):
    """Where sinks of files write; not there at first."""
    return tmp_path / "out"


@pytest.fixture
def new_sink(folder, request):
    """Makes a sink of a kind: `new_sink("sqlite", left="kept")`; all in one folder and one database of PostgreSQL."""

    def make(kind, **options):
        return make_sink(kind, folder, request.getfixturevalue("postgres") if kind == "postgresql" else None, **options)

    return make


@pytest.fixture(params=KINDS)
def sink(request, new_sink):
    return new_sink(request.param)


@pytest.fixture(scope="session")
def new_nights():
    """Makes nights for each example of a property."""
    return Nights


@pytest.fixture(scope="session", params=KINDS)
def fresh_sink(request):
    """Makes an empty sink of one kind in a folder, for each example of a property."""
    if request.param != "postgresql":
        return lambda folder: make_sink(request.param, folder)
    server = request.getfixturevalue("postgres_server")

    def make(_):
        server.sql("DROP SCHEMA IF EXISTS crm CASCADE")
        return make_sink("postgresql", None, server.url())

    return make


class Table:
    """A sink whose score table can be read whole, kept rows included."""

    def __init__(self, sink):
        self.write, self.rollback, self.store = sink.write, sink.rollback, sink.store

    def read_table(self):
        columns = {**KEPT_COLUMNS}
        with self.store.reading(None) as db:
            return to_frame(db, "SELECT * FROM contact_scores AS k ORDER BY contact_id", columns, ends=True)


@pytest.fixture(scope="session")
def tables_sink():
    """Makes a sink of SQLite that leaves or clears contacts that have left."""
    return lambda folder, left: Table(make_sink("sqlite", folder, left=left))
