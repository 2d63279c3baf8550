"""The report of many contacts: how long it takes, how large the file is, and how much memory.

    python benchmarks/report.py                       # 20,000 contacts
    python benchmarks/report.py --scale full --json   # 1 million contacts

Trains on a small demo first, so that the evidence is real; then writes two nights of made-up scores to a DuckDB sink, a
tenth of which change in the second night. Timed, in a process of its own, is everything from the sink to the finished
file, with JSON, CSV and Markdown beside it. Reading the source tables and examining them (audit, close rates, review,
hygiene, freshness, fill rates) is not in it, and takes far longer. The keys: `seconds`, `megabytes` (of the page),
`peak_gb`.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import subprocess
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb

SCALES = {"small": 20_000, "full": 1_000_000}
NIGHT = datetime(2026, 6, 29, tzinfo=UTC)
CHILD = """
import json, resource, sys, time
from datetime import UTC, datetime
from pathlib import Path
start = time.perf_counter()
from predictive.config_file import load_config
from predictive.model.bundle import champion, load_bundle
from predictive.report import load_language, write_report
from predictive.report.export import as_csv, as_json
from predictive.report.markdown import as_markdown
from predictive.sinks import open_sink
config = load_config(sys.argv[1])
page = Path(sys.argv[1]).with_name("big.html")
bundle = load_bundle(champion(config.models))
summary = write_report(bundle, open_sink(config.sink), config, page, now=datetime.now(UTC))
beside = [json.dumps(as_json(summary)), as_markdown(summary, load_language("es")), *as_csv(summary).values()]
print(json.dumps({
    "contacts": summary.work.everyone.contacts,
    "seconds": time.perf_counter() - start,
    "megabytes": page.stat().st_size / 1e6,
    "megabytes_of_data": sum(map(len, beside)) / 1e6,
    "peak_gb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6,
}))
"""


def trained(folder: Path) -> Path:
    """A configuration with a trained model and an empty sink."""
    from predictive.cli import main

    with contextlib.redirect_stdout(io.StringIO()):
        main(["demo", "--contacts", "2000", "--out", str(folder)])
        config = folder / "demo.yaml"
        config.write_text(config.read_text(encoding="utf-8").replace("table: contact_scores", "table: many_scores"))
        main(["train", str(config), "--json"])
    return config


def fill(config: Path, contacts: int) -> None:
    """Two nights of scores, skewed as real ones are; a tenth of them differ in the second night."""
    from predictive.config_file import load_config
    from predictive.model.bundle import champion
    from predictive.sinks import Night, open_sink

    settings = load_config(config)
    model, sink = champion(settings.models).name, open_sink(settings.sink)
    with duckdb.connect() as con:
        for n, run in enumerate(("r1", "r2")):
            at = NIGHT + timedelta(days=n)
            stage(con, contacts, run, at, model)
            sink.write(con, "staged", Night(run, at, at + timedelta(hours=3), model, contacts))


def stage(con: Any, contacts: int, run: str, at: datetime, model: str) -> None:
    """The scores of one night."""
    later = "CASE WHEN i % 10 = 0 THEN 1.7 ELSE 1 END" if run == "r2" else "1"
    uniform = "(hash(i * 4 + {}) / 18446744073709551616.0)"
    u, v, w, x = (uniform.format(k) for k in range(4))
    con.execute(
        f"""CREATE OR REPLACE TABLE staged AS WITH scored AS (
            SELECT i, least(0.97, 0.004 / pow({u} + 0.004, 0.85) * {later}) AS p, {v} AS v, {w} AS w, {x} AS x
            FROM range({contacts}) AS r(i))
        SELECT printf('C%08d', i) AS contact_id, TIMESTAMP '{at:%Y-%m-%d %H:%M:%S}' AS as_of,
            TIMESTAMP '{at + timedelta(hours=3):%Y-%m-%d %H:%M:%S}' AS scored_at, p AS probability, p AS uncorrected,
            p * (0.5 + v) / 2 AS fit, p * (0.5 + w) / 2 AS interest,
            ['disengage', 'opportunistic', 'nurture', 'pursue'][1 + (v > 0.7)::INT * 2 + (w > 0.8)::INT] AS quadrant,
            CASE WHEN p >= 0.12 THEN 'very high' WHEN p >= 0.06 THEN 'high' WHEN p >= 0.03 THEN 'medium' ELSE 'low' END
                AS tier,
            CAST(100 * x * sqrt(least(1, p * 4)) AS BIGINT) AS rule_score, 0::BIGINT AS rule_fit,
            0::BIGINT AS rule_interest,
            ['visitor', 'prospect', 'MQL', 'SQL', 'opportunity'][1 + CAST(floor(4.99 * x * x) AS INT)] AS stage,
            NULL::VARCHAR AS cell, 0::DOUBLE AS rule_total, false AS holdout, NULL::VARCHAR AS override,
            'for: any activity: a lot lately (+0.74), page view /pricing: ' || (i % 9) || ' in 90 days (+0.41); '
            || 'against: job title: Finance Manager (-0.18); the rest (+0.10); level (-3.20)' AS reasons,
            '{model}' AS model_version, '{run}' AS run_id FROM scored"""
    )


def main() -> None:
    """Measure, and print what was found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scale", choices=SCALES, default="small")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        config = trained(Path(folder))
        fill(config, SCALES[given.scale])
        done = subprocess.run([sys.executable, "-c", CHILD, str(config)], capture_output=True, text=True, check=True)  # noqa: S603 - own code
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    if given.json:
        print(json.dumps(found, indent=2))
    else:
        print(f"{found['contacts']:,} contacts: {found['seconds']:.1f} s, a page of {found['megabytes']:.2f} MB, "
              f"{found['megabytes_of_data']:.2f} MB of data, {found['peak_gb']:.1f} GB at most")  # fmt: skip


if __name__ == "__main__":
    main()
