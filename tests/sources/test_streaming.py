"""Tables larger than memory pass through: measured in a process of its own, whose peak is only this reading's."""

import json
import os
import subprocess
import sys

import psycopg
import pytest

pytest_plugins = ["tests.servers"]
READ = """
import json, os, resource
import duckdb
from predictive.config import DatabaseSource
from predictive.sources.database import open_database

tables = {"contacts": {"table": "small"}, "deals": {"table": "large"}}
source = DatabaseSource.model_validate({"kind": "database", "url": os.environ["CRM_URL"], "tables": tables})
con = duckdb.connect(os.environ["WORK"], config={"memory_limit": "64MB", "threads": 1})
con.execute("SET enable_progress_bar = false")
with open_database(source, con) as open_table:
    open_table("contacts", source.tables["contacts"])
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    rows = open_table("deals", source.tables["deals"]).rows
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    ((count, size),) = rows.aggregate("count(*), sum(length(deal_id))").fetchall()
print(json.dumps({"grown": grown / 1024, "rows": count, "bytes": int(size)}))
"""


@pytest.mark.slow
@pytest.mark.parametrize(("scheme", "most"), [("postgresql", 100), ("postgresql+psycopg", 200)])
def test_a_table_is_read_without_ever_being_held_whole(postgres, tmp_path, scheme, most):
    """By ADBC, and by SQLAlchemy, whose drivers fetch a result whole unless they are told not to: that takes 290 MB.

    What SQLAlchemy takes beyond ADBC is two batches of rows as Python objects, whatever the size of the table.
    """
    with psycopg.connect(postgres, autocommit=True) as other:
        other.execute(
            "CREATE VIEW large AS SELECT repeat(md5(i::text), 16) AS deal_id, i AS contact_id, now() AS closed_at, "
            "i * 1.25 AS amount FROM generate_series(1, 250000) i"
        )
        other.execute("CREATE VIEW small AS SELECT deal_id AS contact_id, closed_at AS created_at FROM large LIMIT 100")
    done = subprocess.run(  # noqa: S603 - our own lines
        [sys.executable, "-c", READ],
        env={**os.environ, "CRM_URL": postgres.replace("postgresql", scheme), "WORK": str(tmp_path / "work.duckdb")},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    found = json.loads(done.stdout.splitlines()[-1])
    assert (found["rows"], found["bytes"]) == (250_000, 128_000_000)
    assert found["grown"] < most, found  # megabytes, 64 of them DuckDB's
