"""A process that others can be forked from at once, to write nights and be killed; `benchmarks/faults.py` uses it too.

Reads lines of JSON (`sink`, `rows`, `first`, `last`, `die_at`, `quota`, `done`), forks for each, prints the child's
process id, and the signal that ended it when it has ended. A child writes the nights from `first` to `last`, and writes
the number of each that it has written to the file `done`. It kills itself at the `die_at`-th time that Python opens,
renames or removes a file or makes a folder; its files cannot grow beyond `quota` bytes. What it cannot write for a
reason of the user's, it writes to `done` as well, and ends.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
from pydantic import TypeAdapter

from predictive.config import Sink
from predictive.errors import DataError
from predictive.sinks import Night, open_sink
from predictive.sinks.contract import SCORE_COLUMNS

FIRST = datetime(2026, 11, 1, tzinfo=UTC)
EVENTS = ("open", "os.rename", "os.remove", "os.mkdir")
USUAL = {"VARCHAR": "repeat('x', 40)", "DOUBLE": "0.5", "BIGINT": "1", "BOOLEAN": "FALSE"}


@contextlib.contextmanager
def forks():
    """Sends an order to a writer: kills it after `seconds`, if given; returns the signal that ended it, 0 for none."""
    command = [sys.executable, __file__]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - our own

        def send(seconds=None, **order):
            process.stdin.write(json.dumps(order) + "\n")
            process.stdin.flush()
            child = int(process.stdout.readline())
            if seconds is not None:
                time.sleep(seconds)
                os.kill(child, signal.SIGKILL)
            return int(process.stdout.readline())

        yield send
        process.stdin.close()


def night_of(number):
    at = FIRST + timedelta(days=number)
    return Night(f"run{number}", at, at + timedelta(hours=1), "v1", eligible=0)


def stage(con, number, rows):
    """Every score of a night differs from that of the night before; one contact leaves and one comes.

    All are on one list, whose members are in the table `tonight`.
    """
    night = night_of(number)
    own = {
        "contact_id": "format('c{:06d}', i)",
        "probability": f"{number}::DOUBLE / 1000000",
        "quadrant": "'unknown'",
        "tier": "'low'",
        "stage": "'prospect'",
        "reasons": "md5(i::VARCHAR)",  # which no file makes smaller
        **{name: f"${name}" for name in night.stamps},
    }
    cells = ", ".join(f"({own.get(n, USUAL.get(kind))})::{kind} AS {n}" for n, kind in SCORE_COLUMNS.items())
    con.execute(
        f"CREATE OR REPLACE TABLE staged AS SELECT {cells} FROM range({number}, {number + rows}) AS t(i)", night.stamps
    )
    con.execute("CREATE OR REPLACE TABLE tonight AS SELECT 'scored' AS list, contact_id FROM staged")
    return night


def open_config(sink):
    """The sink of a part of a configuration, as plain values."""
    return open_sink(TypeAdapter(Sink).validate_python(sink))


def work(order):
    sink, con = open_config(order["sink"]), duckdb.connect()
    if order.get("quota"):
        import resource

        resource.setrlimit(resource.RLIMIT_FSIZE, (order["quota"], order["quota"]))
    for number in range(order["first"], order["last"] + 1):
        night = stage(con, number, order["rows"])
        if order.get("die_at"):
            die_at(order["die_at"], str(Path(order["sink"]["path"]).parent))
        try:
            sink.write(con, "staged", night, "tonight")
        except DataError as error:
            report(order, f"{error}")
            return
        report(order, number)


def report(order, text):
    if order.get("done"):
        with Path(order["done"]).open("a") as file:
            file.write(f"{text}\n")


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
