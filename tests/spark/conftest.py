"""The same small CRM as DuckDB and as Spark tables, and a model of it made by hand."""

from dataclasses import dataclass
from typing import Any

import duckdb
import pytest

from predictive.clock import DAY, from_micros, instant, parse_instant
from predictive.config import AgeSnapshots, Config
from predictive.demo import generate
from predictive.features.choose import choose
from predictive.features.examples import examples
from predictive.model.bundle import Bundle
from predictive.model.scoring import Recipes, fit_model
from predictive.model.side import Recipe
from predictive.quadrants import cuts_at
from predictive.rules import applicable, load_rules
from predictive.sources import read_tables
from predictive.store import open_store
from predictive.tables import Tables

AS_OF = "2026-06-30"
NIGHT = instant(parse_instant(AS_OF), "UTC")
NOW = NIGHT + DAY // 24
TABLES = ("contacts", "accounts", "activities", "deals", "changes", "overrides")
OVERRIDES = """
    CREATE TABLE overrides AS
    SELECT contact_id, CASE WHEN i = 1 THEN 'pursue' END AS quadrant, CASE WHEN i = 2 THEN 'very high' END AS tier,
        'C. Ops' AS author, 'asked for a call' AS reason, TIMESTAMP '2026-06-01' AS created_at,
        CASE WHEN i = 3 THEN TIMESTAMP '2026-06-15' ELSE TIMESTAMP '2026-09-01' END AS expires_at
    FROM (SELECT contact_id, row_number() OVER (ORDER BY contact_id DESC) AS i FROM contacts) WHERE i <= 3
"""
AGES = {"snapshots": AgeSnapshots(at="age", days=[45, 120])}
SETTINGS = {
    "features": {
        "exclude": ["contract_type", "onboarding_owner", "budget_confirmed"],
        "sensitive": ["age_group"],
        "windows": [30],
        "half_lives": [30],
    },
    "observed_until": AS_OF,
    "score": {"as_of": AS_OF},
}


@dataclass(frozen=True)
class Crm:
    """A CRM on one engine: `con` is the working database or the Spark session."""

    config: Config
    con: Any
    tables: Tables


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    """A demo CRM of 300 contacts with decisions of people, as crm.duckdb and as Parquet files."""
    where = tmp_path_factory.mktemp("crm")
    generate(contacts=300, seed=3, out=where)
    with duckdb.connect(str(where / "crm.duckdb")) as con:
        con.execute(OVERRIDES)
        for name in TABLES:
            con.execute(f"COPY {name} TO '{where / name}.parquet' (FORMAT parquet)")
    return where


@pytest.fixture(scope="session")
def on_duckdb(folder):
    tables = {name: {"table": name} for name in TABLES}
    source = {"kind": "duckdb", "path": folder / "crm.duckdb", "tables": tables}
    sink = {"kind": "duckdb", "path": folder / "scores.duckdb"}
    config = Config.model_validate({"source": source, "sink": sink, **SETTINGS})
    with open_store() as con:
        yield Crm(config, con, read_tables(config, con, now=NOW))


@pytest.fixture(scope="session")
def on_spark(spark, folder):
    source = {"kind": "spark", "tables": {name: {"file": str(folder / f"{name}.parquet")} for name in TABLES}}
    sink = {"kind": "spark", "table": "contact_scores"}
    config = Config.model_validate({"engine": "spark", "source": source, "sink": sink, **SETTINGS})
    return Crm(config, spark, read_tables(config, spark, now=NOW))


@pytest.fixture(scope="session")
def bundle(on_duckdb):
    """A model of few trees, fitted on what was known half a year before the night."""
    tables, config = on_duckdb.tables, on_duckdb.config.model_copy(update=AGES)
    until = NIGHT - 180 * DAY
    features = choose(tables, config.features, until=until).features
    frame = examples(tables, config, features, first=0, last=until).frame
    recipes = Recipes(*(Recipe(rounds=25, strength=0.1, weight=0.5) for _ in range(3)), {})
    model = fit_model([f for f in features if frame[f.name].nunique() > 1], frame, recipes, seed=1)
    rules = applicable(load_rules(None), tables, strict=False)
    report = {"judged": {}, "shipped": {"known_until": from_micros(until).isoformat()}}
    kept = model.probability.encoder.features
    return Bundle("by-hand", model, tuple(kept), rules, cuts_at(0.1), config.horizon_micros, report)
