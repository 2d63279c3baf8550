"""A process that others can be forked from at once, to write nights and be killed; run by `test_crash.py`.

Reads lines of JSON (`kind`, `path`, `rows`, `first`, `last`, `die_at`), forks for each, prints the child's process id,
and the signal that ended it when it has ended. A child writes the nights from `first` to `last`. It kills itself at the
`die_at`-th time that Python opens, renames or removes a file or makes a folder, if that is given.
"""

import json
import os
import signal
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb

from predictive.config import DuckdbSink, FileSink
from predictive.sinks import Night, open_sink

FIRST = datetime(2026, 11, 1, tzinfo=UTC)
EVENTS = ("open", "os.rename", "os.remove", "os.mkdir")


def night_of(number):
    at = FIRST + timedelta(days=number)
    return Night(f"run{number}", at, at + timedelta(hours=1), "v1", eligible=0)


def stage(con, number, rows):
    """Every score of a night differs from that of the night before; one contact leaves and one comes."""
    night = night_of(number)
    con.execute(
        f"""
        CREATE OR REPLACE TABLE staged AS SELECT format('c{{:06d}}', i) AS contact_id, $as_of::TIMESTAMP AS as_of,
            $scored_at::TIMESTAMP AS scored_at, {number}::DOUBLE / 1000000 AS probability, 0.5::DOUBLE AS uncorrected,
            NULL::DOUBLE AS fit, NULL::DOUBLE AS interest, 'unknown' AS quadrant, NULL::VARCHAR AS cell,
            'low' AS tier,
            1::BIGINT AS rule_score, 1::BIGINT AS rule_fit, 0::BIGINT AS rule_interest, 1::DOUBLE AS rule_total,
            'prospect' AS stage, NULL::VARCHAR AS override, false AS holdout,
            repeat('x', 40) AS reasons, $model_version AS model_version, $run_id AS run_id
        FROM range({number}, {number + rows}) AS t(i)
        """,
        night.stamps,
    )
    return night


def open_kind(kind, path):
    if kind == "duckdb":
        return open_sink(DuckdbSink(kind="duckdb", path=Path(path)))
    return open_sink(FileSink(kind=kind, path=Path(path)))


def work(order):
    sink, con = open_kind(order["kind"], order["path"]), duckdb.connect()
    for number in range(order["first"], order["last"] + 1):
        night = stage(con, number, order["rows"])
        if order.get("die_at"):
            die_at(order["die_at"], str(Path(order["path"]).parent))
        sink.write(con, "staged", night)


def die_at(count, folder):
    """Kill this process just before the `count`-th event on a file of the folder."""
    left = [count]

    def watch(event, arguments):
        if event in EVENTS and str(arguments[0]).startswith(folder):
            left[0] -= 1
            if left[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(watch)


def serve():
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            work(json.loads(line))
            os._exit(0)
        print(child, flush=True)  # noqa: T201 - the answer
        print(os.waitpid(child, 0)[1] & 127, flush=True)  # noqa: T201 - the answer


if __name__ == "__main__":
    serve()
