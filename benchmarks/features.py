"""Features for one as-of and for twelve, beside hand-written DuckDB SQL and hand-written Polars: the same numbers?

    python benchmarks/features.py --scale small          # under a minute
    python benchmarks/features.py --scale full --json    # 1 million contacts, 20 million activities

Each side runs in a process of its own, on 2 threads, from the same contact-sorted Parquet files, and writes what it
computes to Parquet. DuckDB has 2 GB (in the package 1.6). The package first reads the files into its store, once, as
the design says: that is timed apart (`store_seconds`). At twelve as-ofs every side takes as many contacts as a training
that thins its negatives draws, 400,000 in all. The keys: `one_asof_vs_best` (package over the faster of SQL and
Polars), `twelve_vs_loop` (package over the SQL run once per as-of), `peak_gb` (of the package), `equal`.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import duckdb

DAY = 86_400_000_000
END = 1_767_225_600_000_000  # 2026-01-01
SCALES = {"small": (25_000, 500_000), "full": (1_000_000, 20_000_000), "huge": (5_000_000, 100_000_000)}
TYPES = ("page_view", "email_open", "email_click", "form", "download", "webinar", "event", "call", "meeting", "unsub")
WINDOWS = (7, 30, 90, 365)
MONTHS = [END - months * 30 * DAY for months in range(11, -1, -1)]
"""Twelve as-ofs, the last of which is the one as-of; whole days apart, as midnights of one time zone are."""
EXAMPLES = 400_000
"""What `model.examples` is by default: of more, those that did not close are thinned."""
THREADS, MEMORY = 2, "2GB"


def make(contacts: int, activities: int, folder: Path) -> None:
    """Contacts, and activities in sessions of 1 to 3 rows, a few recorded days late; few contacts do most."""
    con = duckdb.connect(config={"memory_limit": "4GB", "threads": THREADS, "temp_directory": str(folder)})
    uniform = "(hash({}) / 18446744073709551616.0)"
    u, v, w, x = (uniform.format(f"i // 2 * 4 + {k}") for k in range(4))
    late = uniform.format("i * 5 + 3")
    con.execute(
        f"""COPY (
            SELECT printf('C%08d', CAST(floor(pow({u}, 1.6) * {contacts}) AS BIGINT)) AS contact_id,
                   {END} - CAST({x} * 730 * {DAY} AS BIGINT) - i % 2 * 60000000 AS t,
                   t + CASE WHEN {late} < 0.02 THEN CAST({late} * 250 * {DAY} AS BIGINT) ELSE 0 END AS known,
                   {list(TYPES)}[1 + CAST(floor({v} * {v} * 9.999) AS INT)] AS type,
                   CASE WHEN {w} < 0.3 THEN round({w} * 100, 2) END AS value
            FROM range({activities}) AS r(i) ORDER BY contact_id, t
        ) TO '{folder}/activities.parquet' (FORMAT parquet)"""
    )
    con.execute(
        f"""COPY (SELECT printf('C%08d', i) AS contact_id, {END} - 800 * {DAY} AS created_at
            FROM range({contacts}) AS r(i)) TO '{folder}/contacts.parquet' (FORMAT parquet)"""
    )


def package_features() -> list[Any]:
    """About ninety features of every family that both sides write by hand."""
    from predictive.features import behaviour as b

    features = [b.count((), d) for d in WINDOWS] + [b.active_days(d) for d in WINDOWS]
    features += [b.intensity((), 7), b.intensity((), 30), b.recency(()), b.first_touch_age(), b.breadth(90)]
    for name in TYPES:
        features += [b.count((name,), d) for d in WINDOWS] + [b.active_days(90, (name,))]
        features += [b.recency((name,)), b.intensity((name,), 30), b.value_sum((name,), 90)]
    return features


def names() -> list[str]:
    """The columns that all sides write, in order."""
    return [f.name for f in package_features()]


def share_of(folder: Path, asofs: list[int]) -> float:
    """The share of contacts that are examples at each as-of: with many as-ofs as few as a training draws."""
    ((contacts,),) = duckdb.sql(f"SELECT count(*) FROM '{folder}/contacts.parquet'").fetchall()
    return 1.0 if len(asofs) == 1 else min(1.0, EXAMPLES / (contacts * len(asofs)))


def package(folder: Path, asofs: list[int]) -> dict[str, float]:
    """The package: its store, one part of the contacts after another."""
    import narwhals as nw

    from predictive.engines import lucky
    from predictive.features.build import build, features_at, totals_in
    from predictive.features.cut import cut
    from predictive.features.daily import add_up
    from predictive.sources.arrange import arrange
    from predictive.store import keeper, open_store
    from predictive.tables import Tables

    features, share = package_features(), share_of(folder, asofs)
    with open_store() as con:
        con.execute(f"SET threads = {THREADS}")
        start = time.perf_counter()
        attributes = "NULL::VARCHAR AS account_id, NULL::VARCHAR AS job_title, NULL::VARCHAR AS country, NULL::VARCHAR "
        attributes += (
            "AS source, NULL::VARCHAR AS lifecycle_stage, NULL::VARCHAR AS marketing_status, NULL::VARCHAR AS tags"
        )
        con.execute(f"CREATE TABLE contacts AS SELECT *, {attributes} FROM '{folder}/contacts.parquet'")
        con.execute(f"CREATE TABLE activities AS SELECT *, NULL::VARCHAR AS detail FROM '{folder}/activities.parquet'")
        empty = {
            "accounts": "account_id, NULL::VARCHAR AS industry, 0.0::DOUBLE AS employees, 0.0::DOUBLE AS revenue",
            "changes": "NULL::VARCHAR AS object, contact_id AS object_id, contact_id AS attribute, "
            "contact_id AS value, contact_id AS old_value, created_at AS changed_at",
            "deals": "contact_id", "overrides": "contact_id",
        }  # fmt: skip
        for name, columns in empty.items():
            con.execute(f"CREATE TABLE {name} AS SELECT {columns} FROM contacts LIMIT 0")
        parts = arrange(con, {n: n for n in ("contacts", "activities", *empty)})
        frames: Any = {n: nw.from_native(con.table(n)) for n in ("contacts", "activities", *empty)}
        tables = Tables(**frames, parts=parts, keep=keeper(con))
        stored = time.perf_counter() - start
        start = time.perf_counter()
        totals = totals_in(features)
        for k, part in enumerate(tables.each_part()):
            if len(asofs) == 1:
                at = part.contacts.select("contact_id", as_of=nw.lit(asofs[0], nw.Int64))
                features_at(part, at, features).to_native().write_parquet(f"{folder}/package_{k}.parquet")
                continue
            looks = [
                lucky(part.contacts.select("contact_id", as_of=nw.lit(as_of, nw.Int64)), "luck") for as_of in asofs
            ]
            drawn = [look.filter(nw.col("luck") < share).select("contact_id", "as_of") for look in looks]
            ids = nw.concat([look.select("contact_id") for look in drawn]).unique()
            reference = part.keep(ids.with_columns(reference=nw.lit(asofs[-1], nw.Int64)), "reference")
            history = add_up(part, reference, totals)
            frame = None
            for as_of, look in zip(asofs, drawn, strict=True):
                shift = nw.lit((asofs[-1] - as_of) // DAY, nw.Int64)
                at = part.keep(look.with_columns(shift=shift), "at")
                frame = build(cut(part, at, totals, history=history), features) if frame is None else frame
                frame.to_native().write_parquet(f"{folder}/package_{k}_{as_of}.parquet")
        return {"store_seconds": stored, "seconds": time.perf_counter() - start}


def sql_statement(source: str, as_of: int) -> str:
    """The features as a person who knows DuckDB writes them: by contact and type first, pivoted second."""
    windows = ", ".join(f"sum(CASE WHEN age < {d * DAY} THEN 1 ELSE 0 END)::BIGINT AS n{d}" for d in WINDOWS)
    decay = {h: f"floor(pow(2.0, -(age // {DAY})::DOUBLE / {h}) * 1048576 + 0.5)::BIGINT" for h in (7, 30)}
    wide = []
    for name in TYPES:
        pick = "CASE WHEN type = '" + name + "' THEN {} END"
        wide += [f"coalesce(max({pick.format(f'n{d}')}), 0) AS {name}_count_{d}d" for d in WINDOWS]
        wide += [f"coalesce(max({pick.format('d90')}), 0) AS {name}_days_90d"]
        wide += [f"max({pick.format('last')}) / {float(DAY)} AS {name}_days_since"]
        wide += [f"coalesce(max({pick.format('w30')}), 0) / 1048576.0::DOUBLE AS {name}_intensity_30d"]
        wide += [f"coalesce(max({pick.format('v90')}), 0) / 10000.0::DOUBLE AS {name}_value_90d"]
    any_ = [f"coalesce(sum(n{d}), 0)::BIGINT AS any_count_{d}d" for d in WINDOWS]
    any_ += [f"coalesce(sum(w{h}), 0) / 1048576.0::DOUBLE AS any_intensity_{h}d" for h in (7, 30)]
    any_ += [f"min(last) / {float(DAY)} AS any_days_since", f"max(first) / {float(DAY)} AS first_touch_age_days"]
    any_ += ["coalesce(sum(CASE WHEN n90 > 0 THEN 1 END), 0)::BIGINT AS breadth_90d"]
    days = ", ".join(f"sum(CASE WHEN day < {d} THEN 1 ELSE 0 END)::BIGINT AS active_days_{d}d" for d in WINDOWS)
    return f"""
        WITH seen AS MATERIALIZED (
            SELECT contact_id, type, value, {as_of} - t AS age FROM {source} WHERE known <= {as_of}
        ), by_type AS (
            SELECT contact_id, type, {windows}, min(age) AS last, max(age) AS first,
                   sum({decay[7]})::BIGINT AS w7, sum({decay[30]})::BIGINT AS w30,
                   sum(CASE WHEN age < {90 * DAY} THEN floor(value * 10000 + 0.5)::BIGINT END)::BIGINT AS v90
            FROM seen GROUP BY contact_id, type
        ), days AS (
            SELECT contact_id, type, age // {DAY} AS day FROM seen GROUP BY ALL
        ), type_days AS (
            SELECT contact_id, type, sum(CASE WHEN day < 90 THEN 1 ELSE 0 END)::BIGINT AS d90 FROM days GROUP BY ALL
        ), all_days AS (
            SELECT contact_id, {days} FROM (SELECT DISTINCT contact_id, day FROM days) GROUP BY contact_id
        ), wide AS (
            SELECT contact_id, {", ".join(any_ + wide)}
            FROM by_type JOIN type_days USING (contact_id, type) GROUP BY contact_id
        )
        SELECT {as_of}::BIGINT AS as_of, * FROM wide JOIN all_days USING (contact_id)"""


def by_hand(folder: Path, asofs: list[int], blocks: int) -> dict[str, float]:
    """The SQL once per as-of, over ranges of contacts: under 2 GB one statement over all is three times slower."""
    con = duckdb.connect(config={"memory_limit": MEMORY, "threads": THREADS, "temp_directory": str(folder)})
    con.execute("SET preserve_insertion_order = false")
    source = f"'{folder}/activities.parquet'"
    listed = ", ".join(["contact_id", "as_of", *names()])
    start = time.perf_counter()
    ((most,),) = con.execute(f"SELECT count(*) FROM '{folder}/contacts.parquet'").fetchall()
    edges = [f"C{most * k // blocks:08d}" for k in range(blocks)] + ["D"]
    share = share_of(folder, asofs)
    for i, as_of in enumerate(asofs):
        luck = f"md5_number_lower(contact_id || ' ' || {as_of}) / 18446744073709551616.0"
        people = f"(SELECT contact_id FROM '{folder}/contacts.parquet' WHERE {luck} < {share})"
        drawn = "" if share == 1 else f"SEMI JOIN {people} USING (contact_id)"
        for k in range(blocks):
            where = f"contact_id >= '{edges[k]}' AND contact_id < '{edges[k + 1]}'"
            block = f"(SELECT * FROM {source} {drawn} WHERE {where})"
            query = f"SELECT {listed} FROM ({sql_statement(block, as_of)})"
            con.execute(f"COPY ({query}) TO '{folder}/sql_{i}_{k}.parquet' (FORMAT parquet)")
    return {"seconds": time.perf_counter() - start}


def polars(folder: Path, asofs: list[int]) -> dict[str, float]:
    """The same in lazy Polars, on its streaming engine."""
    import polars as pl

    start = time.perf_counter()
    (as_of,) = asofs
    seen = pl.scan_parquet(folder / "activities.parquet").filter(pl.col("known") <= as_of)
    seen = seen.select("contact_id", "type", "value", age=as_of - pl.col("t"))
    age, day = pl.col("age"), pl.col("age") // DAY
    decay = {h: ((2.0 ** (-day.cast(pl.Float64) / h)) * 1048576 + 0.5).floor().cast(pl.Int64).sum() for h in (7, 30)}
    fixed = (pl.col("value") * 10000 + 0.5).floor().cast(pl.Int64)
    by_type = seen.group_by("contact_id", "type").agg(
        *((age < d * DAY).sum().cast(pl.Int64).alias(f"n{d}") for d in WINDOWS),
        age.min().alias("last"), age.max().alias("first"), decay[7].alias("w7"), decay[30].alias("w30"),
        pl.when(age < 90 * DAY).then(fixed).sum().alias("v90"),
    )  # fmt: skip
    days = seen.select("contact_id", "type", day=day).unique()
    type_days = days.group_by("contact_id", "type").agg(d90=(pl.col("day") < 90).sum().cast(pl.Int64))
    all_days = days.select("contact_id", "day").unique().group_by("contact_id")
    all_days = all_days.agg((pl.col("day") < d).sum().cast(pl.Int64).alias(f"active_days_{d}d") for d in WINDOWS)
    wide = []
    for name in TYPES:
        mine = {m: pl.col(m).filter(pl.col("type") == name).first() for m in (*(f"n{d}" for d in WINDOWS), "d90")}
        mine |= {m: pl.col(m).filter(pl.col("type") == name).first() for m in ("last", "w30", "v90")}
        wide += [mine[f"n{d}"].fill_null(0).alias(f"{name}_count_{d}d") for d in WINDOWS]
        wide += [mine["d90"].fill_null(0).alias(f"{name}_days_90d"), (mine["last"] / DAY).alias(f"{name}_days_since")]
        wide += [(mine["w30"].fill_null(0) / 1048576).alias(f"{name}_intensity_30d")]
        wide += [(mine["v90"].fill_null(0) / 10000).alias(f"{name}_value_90d")]
    any_ = [pl.col(f"n{d}").sum().alias(f"any_count_{d}d") for d in WINDOWS]
    any_ += [(pl.col(f"w{h}").sum() / 1048576).alias(f"any_intensity_{h}d") for h in (7, 30)]
    any_ += [(pl.col("last").min() / DAY).alias("any_days_since")]
    any_ += [(pl.col("first").max() / DAY).alias("first_touch_age_days")]
    any_ += [(pl.col("n90") > 0).sum().cast(pl.Int64).alias("breadth_90d")]
    both = by_type.join(type_days, on=["contact_id", "type"]).group_by("contact_id").agg(*any_, *wide)
    both = both.join(all_days, on="contact_id").select("contact_id", pl.lit(as_of).alias("as_of"), *names())
    both.sink_parquet(folder / "polars.parquet", engine="streaming")
    return {"seconds": time.perf_counter() - start}


def same(folder: Path, found: str, other: str) -> bool:
    """Whether every contact that did anything has the same numbers on both sides: integers equal, floats to 1e-9."""
    con = duckdb.connect(config={"memory_limit": "4GB", "threads": THREADS, "temp_directory": str(folder)})
    unlike = " OR ".join(
        f'(a."{n}" IS NULL) != (b."{n}" IS NULL) OR abs(a."{n}" - b."{n}") > 1e-9 * (1 + abs(b."{n}"))' for n in names()
    )
    joined = f"FROM '{folder}/{other}' b LEFT JOIN '{folder}/{found}' a USING (contact_id, as_of)"
    ((wrong,),) = con.execute(f"SELECT count(*) {joined} WHERE a.contact_id IS NULL OR {unlike}").fetchall()
    silent = f"SELECT count(*) FROM '{folder}/{found}' a ANTI JOIN '{folder}/{other}' b USING (contact_id, as_of)"
    ((odd,),) = con.execute(f"{silent} WHERE any_count_365d != 0 OR any_days_since IS NOT NULL").fetchall()
    return int(wrong) == 0 and int(odd) == 0


def measured(side: str, folder: Path, *, twelve: bool, blocks: int = 1) -> dict[str, float]:
    """One side in a process of its own: seconds, and the most memory that it held (GB)."""
    asofs = MONTHS if twelve else MONTHS[-1:]
    code = (
        "import json, re, sys; from pathlib import Path; sys.path.insert(0, sys.argv[1]); import features;"
        f"r = features.{side}(Path(sys.argv[2]), {asofs}{f', {blocks}' if side == 'by_hand' else ''});"
        # Not ru_maxrss, which begins with what the parent held.
        "peak = re.search(r'VmHWM:\\s+(\\d+)', Path('/proc/self/status').read_text())[1];"
        "r['peak_gb'] = int(peak) / 1e6; print(json.dumps(r))"
    )
    command = [sys.executable, "-W", "ignore", "-c", code, str(Path(__file__).parent), str(folder)]
    environment = {"POLARS_MAX_THREADS": str(THREADS), "PYTHONPATH": str(Path(__file__).parents[1]), "PATH": ""}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)  # noqa: S603 - our own
    if done.returncode:
        raise SystemExit(done.stderr)
    result: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return result


def compare(scale: str, folder: Path, *, with_polars: bool) -> dict[str, Any]:
    """All sides, one after another, and whether they agree."""
    contacts, activities = SCALES[scale]
    make(contacts, activities, folder)
    blocks = max(1, activities // 2_500_000)
    found: dict[str, Any] = {"contacts": contacts, "activities": activities, "features": len(names())}
    found["package_one"] = measured("package", folder, twelve=False)
    found["sql_one"] = measured("by_hand", folder, twelve=False, blocks=blocks)
    found["equal"] = same(folder, "package_*.parquet", "sql_*.parquet")
    best = found["sql_one"]["seconds"]
    if with_polars:
        found["polars_one"] = measured("polars", folder, twelve=False)
        found["equal"] &= same(folder, "package_*.parquet", "polars.parquet")
        best = min(best, found["polars_one"]["seconds"])
    for file in folder.glob("package_*.parquet"):
        file.unlink()
    found["package_twelve"] = measured("package", folder, twelve=True)
    found["sql_twelve"] = measured("by_hand", folder, twelve=True, blocks=blocks)
    found["equal"] &= same(folder, "package_*.parquet", "sql_*.parquet")
    found["one_asof_vs_best"] = found["package_one"]["seconds"] / best
    found["twelve_vs_loop"] = found["package_twelve"]["seconds"] / found["sql_twelve"]["seconds"]
    found["peak_gb"] = max(found["package_one"]["peak_gb"], found["package_twelve"]["peak_gb"])
    return found


def main() -> None:
    """Measure, print, and fail where the numbers differ."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scale", choices=SCALES, default="small")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--no-polars", action="store_true", help="where the data are larger than Polars can hold")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = compare(args.scale, Path(folder), with_polars=not args.no_polars)
    if args.json:
        print(json.dumps(found, indent=2))
    else:
        for key, value in found.items():
            rows = value.items() if isinstance(value, dict) else [("", value)]
            for name, number in rows:
                shown = number if isinstance(number, (bool, int)) else f"{number:.2f}"
                print(f"{key:<18}{name:<16}{shown}")
    if not found["equal"]:
        raise SystemExit("the sides do not agree")


if __name__ == "__main__":
    main()
