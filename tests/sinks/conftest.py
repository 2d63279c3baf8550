"""Sinks of each kind, and nights to write to them."""

from datetime import UTC, datetime, timedelta

import duckdb
import pytest

from predictive.config import DuckdbSink, FileSink
from predictive.sinks import Night, open_sink
from predictive.sinks.changes import definition
from predictive.sinks.contract import SCORE_COLUMNS

KINDS = ("duckdb", "parquet", "csv")
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


def make_sink(kind, folder):
    if kind == "duckdb":
        return open_sink(DuckdbSink(kind="duckdb", path=folder / "scores.duckdb", table="crm.contact_scores"))
    return open_sink(FileSink(kind=kind, path=folder / f"scores.{kind}"))


@pytest.fixture
def nights():
    made = Nights()
    yield made
    made.con.close()


@pytest.fixture(params=KINDS)
def sink(request, tmp_path):
    return make_sink(request.param, tmp_path / "out")


@pytest.fixture(scope="session")
def new_nights():
    """Makes nights for each example of a property."""
    return Nights


@pytest.fixture(scope="session", params=KINDS)
def new_sink(request):
    """Makes a sink of one kind in a folder, for each example of a property."""
    return lambda folder: make_sink(request.param, folder)
