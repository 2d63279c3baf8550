"""A process killed while it writes: the current scores are those of one night, and the next run mends the rest."""

import importlib.util
import os
import random
import signal
from pathlib import Path

import duckdb
import pandas as pd
import pytest

WRITER = Path(__file__).with_name("writer.py")
spec = importlib.util.spec_from_file_location("writer", WRITER)
writer = importlib.util.module_from_spec(spec)
spec.loader.exec_module(writer)

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="the writer forks, which Windows cannot")


@pytest.fixture(scope="module")
def order():
    with writer.forks() as send:
        yield send


def night_in(sink, rows):
    """The number of the one night whose scores are current; -1 when nothing was written."""
    current = sink.read_current()
    runs = set(current["run_id"])
    assert len(runs) <= 1
    number = int(runs.pop()[3:]) if runs else -1
    expected = range(number, number + rows) if number >= 0 else ()
    assert list(current["contact_id"]) == [f"c{i:06d}" for i in expected]
    assert set(current["probability"]) == ({number / 1_000_000} if number >= 0 else set())
    stays = sink.read_lists()
    assert list(stays.loc[stays["left_at"].isna(), "contact_id"]) == list(current["contact_id"])
    return number


def assert_history_tells(sink, nights):
    """The history and the runs are complete, and the history's last word on each contact is what is current."""
    history, runs = sink.read_history(), sink.read_runs()
    assert list(runs["run_id"]) == [f"run{n}" for n in nights]
    last = history.sort_values(["night", "scored_at"]).groupby("contact_id").tail(1)
    last = last[last["probability"].notna()].sort_values("contact_id")
    current = sink.read_current()
    for column in ("contact_id", "probability", "run_id"):
        assert list(last[column]) == list(current[column])


def write(sink, number, rows):
    with duckdb.connect() as con:
        return sink.write(con, "staged", writer.stage(con, number, rows), "tonight")


def sink_of(kind, path):
    return {"kind": kind, "path": str(path)}


def test_killed_at_random_instants_the_current_scores_are_never_a_mixture(tmp_path, order):
    """Parquet; `test_faults.py` has the databases."""
    what, rows = sink_of("parquet", tmp_path / "out" / "scores"), 20_000
    sink = writer.open_config(what)
    chance, number, progress = random.Random(7), 0, set()  # noqa: S311 - no secret
    for _ in range(16):
        seconds = chance.uniform(0.05, 0.45)
        assert order(seconds, sink=what, rows=rows, first=number, last=99_999) == signal.SIGKILL
        found = night_in(sink, rows)
        progress.add(found - number)
        number = found + 1
    assert min(progress) == -1
    write(sink, number, rows)
    assert night_in(sink, rows) == number
    assert_history_tells(sink, range(number + 1))


@pytest.mark.parametrize(("kind", "follower"), [("parquet", 1), ("csv", 2)])
def test_killed_before_each_step_of_night_1_the_next_run_mends_everything(kind, follower, tmp_path, order):
    outcomes = []
    for step in range(1, 100):
        path = tmp_path / str(step) / "scores"
        sink = writer.open_config(sink_of(kind, path))
        write(sink, 0, 5)
        if order(sink=sink_of(kind, path), rows=5, first=1, last=1, die_at=step) == 0:
            break
        found = night_in(sink, 5)
        seen = {"parquet": pd.read_parquet, "csv": pd.read_csv}[kind](path)
        assert set(seen["run_id"]) in ({"run0"}, {f"run{found}"})
        outcomes.append(found)
        write(sink, follower, 5)
        assert night_in(sink, 5) == follower
        assert_history_tells(sink, sorted({0, found, follower}))
        assert [f.name for f in path.parent.rglob(".*")] == [".lock"]
    # A commit in the middle: before it everything is night 0, after it everything is night 1.
    assert outcomes == sorted(outcomes)
    assert set(outcomes) == {0, 1}
    assert len(outcomes) > 10
