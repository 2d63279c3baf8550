"""A small bundle whose numbers can be checked by hand, scores, and a real sink that holds them."""

import copy
from dataclasses import replace
from datetime import UTC, datetime

import duckdb
import pandas as pd
import pytest

from predictive.config import Config, FileSink
from predictive.features.catalog import attribute
from predictive.model.bundle import Bundle
from predictive.model.calibration import Calibration
from predictive.model.scoring import ScoringModel
from predictive.model.side import Recipe, fit_side
from predictive.quadrants import cuts_at
from predictive.report import Written, load_language, summarise
from predictive.report.examined import NOTHING
from predictive.rules import load_rules
from predictive.sinks import Night, open_sink
from predictive.sinks.contract import SCORE_COLUMNS
from predictive.sinks.database import definition

NOW = datetime(2026, 7, 1, 6, tzinfo=UTC)
AS_OF = datetime(2026, 6, 30, 22, tzinfo=UTC)
DAY = 86_400_000_000


def estimate(value, low=None, high=None):
    return {"value": value, "low": value if low is None else low, "high": value if high is None else high}


def competitor(log_loss, auc, ratio):
    values = {
        "log_loss": estimate(log_loss, log_loss - 0.02, log_loss + 0.02),
        "brier": estimate(0.08),
        "roc_auc": auc,
        "average_precision": estimate(0.2),
        "lift_at_10": estimate(3.0, 2.5, 3.6),
        "gain_at_20": estimate(0.5),
        "calibration_in_large": ratio,
        "calibration_slope": estimate(None),
        "calibration_error": estimate(0.01),
    }
    return {"n": 1000, "closes": 90, "base_rate": 0.1, "values": values}


def advantages(log_loss):
    return dict.fromkeys(competitor(0, estimate(0), estimate(1))["values"], estimate(0.01, 0.001, 0.02)) | {
        "log_loss": log_loss
    }


def gain(at_20):
    return [[i / 100, at_20 * i / 20 if i <= 20 else at_20 + (1 - at_20) * (i - 20) / 80] for i in range(101)]


def group(by, level, n, closes, interval, *, off):
    predicted, actual = closes
    ratio = {"value": predicted / actual if actual else None, "low": interval[0], "high": interval[1]}
    count = {"n": n, "closes": actual, "predicted": predicted, "actual": actual, "ratio": ratio, "luck": 0.5}
    return {"by": by, "level": level, "count": count, "listed": 0.1, "off": off}


SPLIT = {
    "train_from": "1970-01-01T00:00:00Z",
    "train_until": "2026-01-01T00:00:00Z",
    "test_from": "2026-01-01T00:00:00Z",
    "test_until": "2026-06-30T00:00:01Z",
    "observed_until": "2026-06-30T00:00:00Z",
    "shortened": False,
}
RELIABILITY = {
    "model": [
        {"predicted": 0.02, "actual": 0.025, "low": 0.01, "high": 0.05, "n": 500, "closes": 12},
        {"predicted": 0.2, "actual": 0.24, "low": 0.21, "high": 0.28, "n": 500, "closes": 78},
    ],
    "logistic": [{"predicted": 0.1, "actual": 0.1, "low": 0.08, "high": 0.12, "n": 1000, "closes": 90}],
    "rules": [
        {"predicted": 0.05, "actual": 0.06, "low": 0.04, "high": 0.08, "n": 500, "closes": 30},
        {"predicted": 0.15, "actual": 0.14, "low": 0.11, "high": 0.17, "n": 500, "closes": 60},
    ],
}
CURVE = [
    {"predicted": 0.01, "actual": 0.01, "low": 0.0, "high": 0.02},
    {"predicted": 0.2, "actual": 0.2, "low": 0.15, "high": 0.3},
]
IMPORTANCE = [
    {"name": "industry", "description": "industry", "side": "fit", "mean": 0.6},
    {"name": "page_view_count_30d", "description": "page view: how many in the last 30 days", "side": "interest",
     "mean": 0.3},
    {"name": "lifecycle_stage", "description": "lifecycle stage", "side": "context", "mean": 0.1},
]  # fmt: skip
EFFECTS = {
    "industry": {"rising": None, "levels": [["retail", -0.4], ["software", 0.7]]},
    "page_view_count_30d": {"rising": True, "levels": [["0", -0.2], ["6", 0.5]]},
}


def make_comparison():
    """A model that is better than the rules and level with the logistic regression."""
    return {
        "baseline": "model",
        "evaluations": {
            "model": competitor(0.28, estimate(0.8, 0.75, 0.85), estimate(0.95, 0.85, 1.06)),
            "logistic": competitor(0.28, estimate(0.79, 0.74, 0.84), estimate(1.0, 0.9, 1.1)),
            "rules": competitor(0.31, estimate(0.6, 0.55, 0.65), estimate(1.0, 0.9, 1.1)),
        },
        "advantages": {
            "logistic": advantages(estimate(0.0, -0.01, 0.01)),
            "rules": advantages(estimate(0.03, 0.02, 0.04)),
        },
    }


def make_making():
    """What a training says of how it was done."""
    extent = {"base_rate": 0.03, "from": "2025-01-01T00:00:00Z"}
    tested = {"test_examples": 1000, "test_closes": 90}
    return {
        "created": "2026-06-30T21:00:00+00:00",
        "split": dict(SPLIT),
        "judged": extent | {"examples": 4000, "closes": 120, "until": "2025-10-01T00:00:00Z"} | tested,
        "shipped": extent | {"examples": 6000, "closes": 210, "until": "2026-03-01T00:00:00Z"},
        "recipes": {
            "probability": Recipe(rounds=80, strength=0.03, weight=0.5, auc=(0.78, 0.02)).to_json(),
            "fit": Recipe().to_json(),
            "interest": Recipe(weight=1.0, calibration=Calibration("Platt", 1.1, -0.2)).to_json(),
        },
        "said": ["1 of 4 time folds could not be purged: fewer than 20 closes remained"],
        "why_null": {},
        "not_eligible": {"already closed": 7},
        "immature": 1100,
        "left_out": {"phone": "looks like e-mail addresses, phone numbers or links"},
        "notes": ["contacts.a: has no history", "contacts.b: has no history"],
    }


def make_report():
    """What a training reports, as its bundle holds it."""
    segments = [
        group("source", "web", 700, (50.0, 60), (0.7, 1.0), off=False),
        group("source", "<fair>", 300, (40.0, 20), (1.4, 2.9), off=True),
        group("age group", "60+", 300, (1.0, 0), (None, None), off=False),
    ]
    return make_making() | {
        "comparison": make_comparison(),
        "reliability": copy.deepcopy(RELIABILITY),
        "corp": {"model": copy.deepcopy(CURVE)},
        "gain": {"model": gain(0.5), "logistic": gain(0.5), "rules": gain(0.3)},
        "segments": segments,
        "sensitive": ["age group"],
        "importance": copy.deepcopy(IMPORTANCE),
        "effects": copy.deepcopy(EFFECTS),
    }


@pytest.fixture
def report():
    return make_report()


def make_bundle():
    """A bundle of a real, if tiny, model."""
    industry = attribute("industry")
    rows = pd.DataFrame({"industry": ["a", "b"] * 20, "as_of": range(40), "label": [0, 1] * 20})
    side = fit_side([industry], rows, Recipe(), seed=7)
    model = ScoringModel(side, None, None)
    return Bundle("m1", model, (industry,), load_rules(None), cuts_at(0.03), 90 * DAY, make_report())


@pytest.fixture(scope="session")
def tiny_bundle():
    return make_bundle()


@pytest.fixture
def bundle(tiny_bundle, report):
    """Reads `report` when it is made: a test that changes it does so before it asks for the bundle's summary."""
    return replace(tiny_bundle, report=report)


def make_config():
    """A configuration with the defaults."""
    tables = {"contacts": {"file": "contacts.csv"}, "deals": {"file": "deals.csv"}}
    source = {"kind": "files", "path": ".", "tables": tables}
    return Config.model_validate({"source": source, "timezone": "Europe/Madrid"})


@pytest.fixture(scope="session")
def config():
    return make_config()


def score(contact_id, probability=0.1, **columns):
    return {
        "contact_id": contact_id,
        "as_of": AS_OF.replace(tzinfo=None),
        "scored_at": NOW.replace(tzinfo=None),
        "probability": probability,
        "uncorrected": probability,
        "fit": 0.05,
        "interest": 0.05,
        "quadrant": "pursue",
        "cell": None,
        "tier": "high",
        "rule_score": 30,
        "rule_fit": 10,
        "rule_interest": 20,
        "rule_total": 30.0,
        "stage": "MQL",
        "override": None,
        "holdout": False,
        "reasons": "for: industry: software (+0.80); the rest (+0.00); level (-3.00)",
        "model_version": "m1",
        "run_id": "r1",
    } | columns


def sink_at(folder):
    """The sink of Parquet files in `folder`."""
    return open_sink(FileSink(kind="parquet", path=folder / "scores.parquet"))


def fill_sink(folder, rows, *, as_of=AS_OF, now=NOW):
    """The sink in `folder` with these rows, written as scoring writes them."""
    sink = sink_at(folder)
    with duckdb.connect() as con:
        con.execute(f"CREATE TABLE staged ({definition(SCORE_COLUMNS)})")
        marks = ", ".join("?" * len(SCORE_COLUMNS))
        run = f"r{as_of:%Y%m%d}" if now == NOW else f"r{as_of:%Y%m%d}-{now:%H}"
        if rows:
            stamped = [r | {"run_id": run} for r in rows]
            con.executemany(f"INSERT INTO staged VALUES ({marks})", [[r[c] for c in SCORE_COLUMNS] for r in stamped])
        sink.write(con, "staged", Night(run, as_of, now, "m1", len(rows)))
    return sink


def empty_sink(folder):
    return open_sink(FileSink(kind="parquet", path=folder / "nothing.parquet"))


def read(sink):
    """What a sink holds, as a report takes it."""
    return Written(sink.read_current(), sink.read_history(), sink.read_runs())


class Make:
    """What tests build with: `make.score(...)`, `make.sink(folder, rows)`, `make.at(folder)`, `make.now` and more."""

    now, as_of = NOW, AS_OF
    score, sink, at, empty, read = map(staticmethod, (score, fill_sink, sink_at, empty_sink, read))
    estimate = staticmethod(estimate)


@pytest.fixture(scope="session")
def make():
    return Make


@pytest.fixture(scope="session")
def english():
    return load_language("en", zone="Europe/Madrid")


@pytest.fixture(scope="session")
def spanish():
    return load_language("es", zone="Europe/Madrid")


@pytest.fixture
def summarised(bundle, config, make, tmp_path):
    """Summarises rows; call it after changing `report`."""

    def of(*rows, now=NOW, examined=NOTHING):
        sink = make.sink(tmp_path, list(rows)) if rows else make.empty(tmp_path)
        return summarise(bundle, make.read(sink), config, now=now, examined=examined)

    return of
