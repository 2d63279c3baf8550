"""What Spark costs in local mode beside DuckDB: the same night on both, and whether their scores are equal.

`--scale small` scores 5,000 contacts of the demo, `medium` 20,000; the model is fitted by hand, on DuckDB, in seconds.
Needs PySpark and a Java: make .venv-spark/installed, then .venv-spark/bin/python benchmarks/spark.py --scale small
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import duckdb
import numpy as np

from predictive.clock import DAY, from_micros, instant, parse_instant
from predictive.config import Config
from predictive.demo import generate
from predictive.features.choose import choose
from predictive.features.examples import examples
from predictive.model.bundle import Bundle
from predictive.model.scoring import Recipes, fit_model
from predictive.model.side import Recipe
from predictive.quadrants import cuts_at
from predictive.rules import applicable, load_rules
from predictive.serve import score
from predictive.sinks import open_sink
from predictive.sources import read_tables
from predictive.store import open_store

SCALES = {"tiny": 500, "small": 5_000, "medium": 20_000}
TABLES = ("contacts", "accounts", "activities", "deals", "changes")
AS_OF = "2026-06-30"
NIGHT = instant(parse_instant(AS_OF), "UTC")
EQUAL = ("quadrant", "tier", "stage", "rule_score", "override")
CLOSE = ("probability", "uncorrected", "fit", "interest")


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", choices=SCALES, default="small")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        found = run(Path(temporary), SCALES[args.scale])
    if args.json:
        print(json.dumps(found, indent=2))
    else:
        for name, value in found.items():
            print(f"{name:32} {value}")


def run(folder: Path, contacts: int) -> dict[str, Any]:
    """The night on both engines: sizes, seconds, and how far apart the scores are."""
    generate(contacts=contacts, seed=3, out=folder)
    with duckdb.connect(str(folder / "crm.duckdb")) as con:
        rows = {name: con.execute(f"SELECT count(*) FROM {name}").fetchall()[0][0] for name in TABLES}
        for name in TABLES:
            con.execute(f"COPY {name} TO '{folder / name}.parquet' (FORMAT parquet)")
    embedded, bundle, seconds = on_duckdb(folder)
    distributed, timings = on_spark(folder, bundle)
    assert embedded["contact_id"].tolist() == distributed["contact_id"].tolist()
    apart = max(float(np.nanmax(np.abs(embedded[c] - distributed[c]))) for c in CLOSE)
    differ = sum(int((embedded[c].fillna("") != distributed[c].fillna("")).sum()) for c in EQUAL)
    return {
        "contacts": rows["contacts"],
        "activities": rows["activities"],
        "features": len(bundle.features),
        "scored": len(embedded),
        "duckdb_s": round(seconds, 1),
        **{name: round(value, 1) for name, value in timings.items()},
        "largest_difference": apart,
        "differing_cells": differ,
        "equal_reasons": float((embedded["reasons"] == distributed["reasons"]).mean()),
        "driver_python_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        "cores": os.cpu_count(),
    }


def settings(source: dict[str, Any], sink: dict[str, Any], engine: str) -> Config:
    """The same configuration for both engines, but for where things are."""
    excluded = ["contract_type", "onboarding_owner", "budget_confirmed"]
    return Config.model_validate(
        {
            "engine": engine,
            "source": source,
            "sink": sink,
            "features": {"exclude": excluded, "sensitive": ["age_group"]},
            "observed_until": AS_OF,
            "score": {"as_of": AS_OF},
        }
    )


def on_duckdb(folder: Path) -> tuple[Any, Bundle, float]:
    """The scores, the model and the seconds of the night."""
    source = {"kind": "duckdb", "path": folder / "crm.duckdb", "tables": {name: {"table": name} for name in TABLES}}
    config = settings(source, {"kind": "duckdb", "path": folder / "scores.duckdb"}, "duckdb")
    with open_store() as con:
        tables = read_tables(config, con, now=NIGHT)
        bundle = by_hand(tables, config)
    start = time.perf_counter()
    with open_store() as con:
        score(con, read_tables(config, con, now=NIGHT), config, bundle, open_sink(config.sink), now=NIGHT)
        seconds = time.perf_counter() - start
    return open_sink(config.sink).read_current(), bundle, seconds


def by_hand(tables: Any, config: Config) -> Bundle:
    """A model of 100 trees on one snapshot of half a year ago, without looking for the best recipe."""
    until = NIGHT - 180 * DAY
    features = choose(tables, config.features, until=until).features
    frame = examples(tables, config, features, first=until - 31 * DAY, last=until).frame
    features = [f for f in features if frame[f.name].nunique() > 1]
    recipes = Recipes(*(Recipe(rounds=100, strength=0.1, weight=0.5) for _ in range(3)), {})
    model = fit_model(features, frame, recipes, seed=1)
    rules = applicable(load_rules(None), tables, strict=False)
    report = {"shipped": {"known_until": from_micros(until).isoformat()}}
    return Bundle("by-hand", model, tuple(features), rules, cuts_at(0.05), config.horizon_micros, report)


def on_spark(folder: Path, bundle: Bundle) -> tuple[Any, dict[str, float]]:
    """The scores, and the seconds of the session, of reading, of a first night and of its repetition."""
    from pyspark.sql import SparkSession

    source = {"kind": "spark", "tables": {name: {"file": str(folder / f"{name}.parquet")} for name in TABLES}}
    config = settings(source, {"kind": "spark", "table": "contact_scores"}, "spark")
    clock = [time.perf_counter()]

    def lap() -> float:
        clock.append(time.perf_counter())
        return clock[-1] - clock[-2]

    builder = SparkSession.builder.master("local[*]").config("spark.ui.enabled", "false")
    for name, value in {
        "spark.ui.showConsoleProgress": "false",
        "spark.sql.warehouse.dir": str(folder / "warehouse"),
        "spark.sql.shuffle.partitions": "4",
        "spark.sql.codegen.wholeStage": "false",
        "spark.driver.memory": "4g",
    }.items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    session.sparkContext.pythonExec = sys.executable
    try:
        timings = {"spark_start_s": lap()}
        tables, sink = read_tables(config, session, now=NIGHT), open_sink(config.sink)
        timings["spark_read_s"] = lap()
        score(session, tables, config, bundle, sink, now=NIGHT)
        timings["spark_night_s"] = lap()
        again = score(session, tables, config, bundle, sink, now=NIGHT + DAY // 24)
        timings["spark_again_s"] = lap()
        assert again.difference.written == 0, again.difference
        return sink.read_current(), timings
    finally:
        session.stop()


if __name__ == "__main__":
    main()
