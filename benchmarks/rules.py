"""The manual score of many contacts: 25 sets of every kind, with the features that they read, and without.

    python benchmarks/rules.py --scale small          # seconds
    python benchmarks/rules.py --scale full --json    # 1 million contacts, 20 million activities

On 2 threads and 2 GB for DuckDB. The keys: `contacts`, `sets`, `features_seconds` (what the rules read, cut at as-of),
`rules_seconds` (points, caps, decay, stages), `contacts_per_second` (both together), `rules_contacts_per_second`, and
`peak_gb` of the process. Filling the store is timed apart (`store_seconds`).
"""

from __future__ import annotations

import argparse
import json
import resource
import time
from typing import Any

import narwhals as nw
import pandas as pd

from predictive.features.build import features_at
from predictive.rules import Rules, all_kinds, rule_features, score_rules
from predictive.sources.arrange import arrange
from predictive.store import keeper, open_store
from predictive.tables import Tables

DAY = 86_400_000_000
END = 1_767_225_600_000_000  # 2026-01-01
SCALES = {"small": (25_000, 500_000), "full": (1_000_000, 20_000_000)}
TYPES = ("page_view", "email_open", "email_click", "form", "download", "webinar", "event", "call", "meeting", "unsub")
TITLES = ("Chief", "Director", "Manager", "Specialist", "Student")


def rules() -> Rules:
    """Ten sets on attributes and fifteen on activities, with caps, repeats and decay."""
    titles = [{"attribute": "job_title", "contains": [t]} for t in TITLES]
    stated = [
        *titles,
        {"attribute": "job_title", "matches": "area 1[0-9]+$"},
        {"attribute": "country", "one_of": ["land 1", "land 2"]},
        {"attribute": "country", "none_of": ["land 3"]},
        {"attribute": "account_employees", "between": [50, 500]},
        {"tag": "vip"},
    ]
    sets = [{"name": f"fit {i}", "points": 4 - 2 * (i == 4), "when": [c]} for i, c in enumerate(stated)]
    for i, name in enumerate(TYPES):
        when = {"activity": name, "at_least": 1 + i % 3, "within": f"{30 * (1 + i % 3)}d"}
        more: dict[str, Any] = [{}, {"decay": {"half_life": "30d"}}, {"repeat": {"every": 2, "up_to": 4}}][i % 3]
        sets.append({"name": name, "points": 6, "when": [when], **more})
    for i in range(5):
        did = {"activity": "page_view", "detail": f"/page/{i}", "within": "60d"}
        sets.append({"name": f"page {i}", "points": 3, "when": [did, {"attribute": "job_title", "known": True}]})
    return Rules.model_validate({"groups": {"fit": {"max": 20}, "website": {"max": 25}}, "sets": sets})


def fill(con: Any, contacts: int, activities: int) -> Tables:
    """The tables, in the working database: a thousand job titles, ten accounts to a hundred contacts."""
    titles = f"{list(TITLES)}[1 + (hash(i) % {len(TITLES)})::INT] || ' of area ' || (hash(i + 1) % 200)"
    con.execute(
        f"""CREATE TABLE contacts AS SELECT printf('C%08d', i) AS contact_id, {END - 800 * DAY} AS created_at,
            printf('A%08d', i // 10) AS account_id, CASE WHEN i % 7 > 0 THEN {titles} END AS job_title,
            'land ' || (hash(i + 2) % 40) AS country, NULL::VARCHAR AS source, 'lead' AS lifecycle_stage,
            NULL::VARCHAR AS marketing_status, CASE WHEN i % 9 = 0 THEN 'vip; fair' END AS tags
            FROM range({contacts}) AS r(i)"""
    )
    con.execute(
        f"""CREATE TABLE accounts AS SELECT printf('A%08d', i) AS account_id, {END - 900 * DAY} AS created_at,
            'software' AS industry, (hash(i) % 1000)::DOUBLE AS employees, NULL::DOUBLE AS revenue
            FROM range({contacts // 10 + 1}) AS r(i)"""
    )
    u, v = (f"(hash(i * 2 + {k}) / 18446744073709551616.0)" for k in (0, 1))
    con.execute(
        f"""CREATE TABLE activities AS SELECT
            printf('C%08d', CAST(floor(pow({u}, 1.6) * {contacts}) AS BIGINT)) AS contact_id,
            {END} - CAST({v} * 730 * {DAY} AS BIGINT) AS t, t AS known, {list(TYPES)}[1 + (hash(i) % 10)::INT] AS type,
            NULL::DOUBLE AS value, '/page/' || (hash(i + 3) % 20) AS detail FROM range({activities}) AS r(i)"""
    )
    empty = {
        "changes": "NULL::VARCHAR AS object, contact_id AS object_id, contact_id AS attribute, contact_id AS value, "
        "contact_id AS old_value, created_at AS changed_at",
        "deals": "contact_id", "overrides": "contact_id",
    }  # fmt: skip
    for name, columns in empty.items():
        con.execute(f"CREATE TABLE {name} AS SELECT {columns} FROM contacts LIMIT 0")
    names = ("contacts", "accounts", "activities", *empty)
    parts = arrange(con, {n: n for n in names})
    frames: Any = {n: nw.from_native(con.table(n)) for n in names}
    return Tables(**frames, parts=parts, keep=keeper(con))


def measure(contacts: int, activities: int) -> dict[str, float]:
    """Score everybody once, one part of the contacts after another."""
    made, spent = rules(), {"features": 0.0, "rules": 0.0}
    with open_store() as con:
        con.execute("SET threads = 2")
        start = time.perf_counter()
        tables = fill(con, contacts, activities)
        stored, kinds, total, fired = time.perf_counter() - start, all_kinds(tables), 0.0, 0
        for part in tables.each_part():
            start = time.perf_counter()
            at = part.contacts.select("contact_id", as_of=nw.lit(END, nw.Int64))
            values = features_at(part, at, rule_features(made, kinds)).collect(backend="pandas").to_native()
            middle = time.perf_counter()
            found = score_rules(made, pd.DataFrame(values), kinds)
            spent["features"] += middle - start
            spent["rules"] += time.perf_counter() - middle
            total, fired = total + float(found.score.sum()), fired + int(found.fired.sum())
    assert fired > contacts, "the rules say something about these contacts"
    return {
        "contacts": contacts, "activities": activities, "sets": len(made.sets), "store_seconds": round(stored, 2),
        "features_seconds": round(spent["features"], 2), "rules_seconds": round(spent["rules"], 2),
        "contacts_per_second": round(contacts / sum(spent.values())),
        "rules_contacts_per_second": round(contacts / spent["rules"]), "mean_score": round(total / contacts, 2),
        "peak_gb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2, 2),
    }  # fmt: skip


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scale", choices=SCALES, default="small")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    args = parser.parse_args()
    found = measure(*SCALES[args.scale])
    print(json.dumps(found) if args.json else "\n".join(f"{k:<28}{v:>14,}" for k, v in found.items()))


if __name__ == "__main__":
    main()
