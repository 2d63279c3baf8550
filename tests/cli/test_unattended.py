import contextlib
import json
import shutil
import sqlite3
import threading
import time

import duckdb
import pandas as pd
import pytest
import yaml

from predictive import cli
from predictive.cli import unattended
from predictive.config_file import load_config
from predictive.sinks import open_sink

pytest_plugins = ["tests.trained"]

STAGES = ["start", "read", "features", "score", "write", "done"]


@pytest.fixture
def crm(trained_tiny, tmp_path):
    """A copy of the tiny CRM: changes its configuration, and returns the path of that."""
    folder = shutil.copytree(trained_tiny[0].parent, tmp_path / "crm")

    def change(**settings):
        path = folder / "tiny.yaml"
        path.write_text(yaml.safe_dump(yaml.safe_load(path.read_text()) | settings))
        return path

    return change


def events(text):
    return [json.loads(line) for line in text.splitlines()]


def test_the_log_is_one_object_a_line_with_every_stage_its_seconds_and_a_summary(run, crm):
    path = crm()
    ran = run("score", path, "--json", "--log", "json")
    lines = events(ran.err)
    assert (ran.code, [line["event"] for line in lines]) == (0, STAGES)
    assert {line["level"] for line in lines} == {"info"}
    assert {line["run_id"] for line in lines} == {ran.json["run_id"]}
    assert [line["time"] for line in lines] == sorted(line["time"] for line in lines)
    assert all(line["seconds"] >= 0 for line in lines[1:])
    read, done = lines[1], lines[-1]
    assert (read["contacts"], done["rows"], done["exit_code"]) == (800, ran.json["rows"], 0)
    assert set(open_sink(load_config(path).sink).read_current()["run_id"]) == {done["run_id"]}
    text = run("score", path, "--log", "text")
    assert (text.code, len(text.err.splitlines())) == (0, len(STAGES))
    assert " info done run_id=" in text.err.splitlines()[-1]
    assert " written=0 " in text.err.splitlines()[-1]


def test_without_a_log_nothing_but_the_error_is_on_standard_error(run, crm):
    assert run("score", crm(), "--dry-run").err == ""
    refused = run("score", crm(breaker={"fewest": 100_000}))
    assert (refused.code, refused.err.split(":")[0]) == (5, "error")


@pytest.mark.parametrize(
    ("settings", "code", "said"),
    [
        ({"models": "nowhere"}, 1, "no champion"),
        ({"timezone": "Europe/Atlantis"}, 1, "Atlantis"),
        ({"breaker": {"fewest": 100_000}}, 5, "circuit breaker"),
    ],
    ids=["no model", "no configuration", "breaker"],
)
def test_a_run_that_fails_ends_its_log_with_the_reason_and_the_exit_code(run, crm, settings, code, said):
    ran = run("score", crm(**settings), "--log", "json")
    last = events(ran.err)[-1]
    assert (ran.code, last["exit_code"], last["level"], last["event"]) == (code, code, "error", "failed")
    assert said in last["message"]


def test_wrong_usage_exits_with_2_a_bug_with_3_and_an_interruption_with_130(run, crm, monkeypatch):
    for wrong in (["--wait", "-1"], ["--wait", "nan"], ["--retries", "-1"], ["--log", "xml"]):
        with pytest.raises(SystemExit) as left:
            run("score", crm(), *wrong)
        assert left.value.code == 2

    def fails(error):
        def attempt(*_):
            raise error

        return attempt

    for error, code in ((RuntimeError("secret of somebody"), cli.BUG), (KeyboardInterrupt(), cli.INTERRUPTED)):
        monkeypatch.setattr("predictive.cli.score._attempt", fails(error))
        ran = run("score", crm(), "--log", "json")
        assert (ran.code, events(ran.err)[-1]["exit_code"]) == (code, code)
        assert "secret" not in ran.err


def test_a_second_run_into_the_same_place_leaves_at_once_or_waits_for_the_first(run, crm):
    path = crm()
    sink = load_config(path).sink
    with unattended.alone(sink, wait=0):
        ran = run("score", path, "--log", "json")
        assert (ran.code, run("score", path, "--dry-run").code) == (1, 0)
        assert "another run (process" in events(ran.err)[-1]["message"]
        assert not sink.path.exists()
        assert (run("rollback", path).code, "another run (process" in run("rollback", path).err) == (1, True)
        short = run("score", path, "--wait", "0.3")
        assert (short.code, "after 0.3 seconds" in short.err) == (1, True)
    held = contextlib.ExitStack()
    held.enter_context(unattended.alone(sink, wait=0))
    threading.Timer(0.5, held.close).start()
    started = time.monotonic()
    assert run("score", path, "--wait", "60").code == 0
    assert time.monotonic() - started > 0.5


@pytest.fixture
def locked(crm, tmp_path):
    """The tiny CRM in a SQLite database that another program has locked; returns the configuration and the lock."""
    path, database = crm(), tmp_path / "crm.sqlite"
    with contextlib.closing(sqlite3.connect(database)) as con:
        for name in ("contacts", "activities", "deals"):
            pd.read_csv(path.with_name(f"{name}.csv"), dtype=str).to_sql(name, con, index=False)
    tables = {name: {"table": name} for name in ("contacts", "activities", "deals")}
    path = crm(source={"kind": "database", "url": f"sqlite:///{database}", "tables": tables})
    with contextlib.closing(sqlite3.connect(database, isolation_level=None, check_same_thread=False)) as con:
        con.execute("BEGIN EXCLUSIVE")
        yield path, con


def test_a_lost_connection_is_tried_again_and_other_errors_are_not(run, locked, monkeypatch):
    path, other = locked
    monkeypatch.setattr("predictive.sources.sqlite.WAIT", 0.1)
    monkeypatch.setattr(unattended, "PAUSE", 0.1)
    gone = run("score", path, "--log", "json", "--retries", "2")
    lines = events(gone.err)
    assert (gone.code, [line["event"] for line in lines]) == (1, ["start", "retry", "retry", "failed"])
    assert [line["pause"] for line in lines[1:3]] == [0.1, 0.3]
    # The other program is done while this one waits for its second try.
    monkeypatch.setattr(unattended.time, "sleep", lambda _: other.rollback())
    ran = run("score", path, "--log", "json")
    assert (ran.code, [line["event"] for line in events(ran.err)]) == (0, ["start", "retry", *STAGES[1:]])


def test_a_night_tried_again_after_its_commit_is_one_run(run, crm, monkeypatch):
    path = crm()
    real, tries = unattended.again, []

    def lost_after_the_commit(attempt, **options):
        tries.append(attempt())
        return real(attempt, **options)

    monkeypatch.setattr("predictive.cli.score.again", lost_after_the_commit)
    assert run("score", path).code == 0
    with duckdb.connect(str(load_config(path).sink.path)) as con:
        assert con.execute("SELECT count(*) FROM contact_scores_runs").fetchone() == (1,)
        ((rows, contacts),) = con.execute(
            "SELECT count(*), count(DISTINCT contact_id) FROM contact_scores_history"
        ).fetchall()
        assert rows == contacts == tries[0][0].difference.new
    assert tries[0][0].difference.new > 0


def test_a_night_that_reads_what_is_new_scores_as_one_that_reads_everything_to_the_last_bit(run, crm):
    """Of 1 % new activities some come late, and some arrive twice."""
    tables = {name: {"file": f"{name}.csv"} for name in ("contacts", "activities", "deals")}

    def night(name):
        incremental = {"column": "occurred_at", "overlap": "30d", "store": f"{name}.duckdb"}
        source = {"kind": "files", "path": ".", "tables": tables | {"activities": tables["activities"]}}
        source["tables"]["activities"] = {"file": "activities.csv", "incremental": incremental}
        path = crm(source=source, sink={"kind": "duckdb", "path": f"{name}_scores.duckdb"}, breaker={"age": None})
        ran = run("score", path, "--json", "--as-of", "2026-02-10")
        assert ran.code == 0, ran.err
        return ran.json, open_sink(load_config(path).sink).read_current().drop(columns=["scored_at", "run_id"])

    _, before = night("kept")
    file = crm().with_name("activities.csv")
    rows = pd.read_csv(file, dtype=str)
    late = rows[rows["occurred_at"] >= "2026-01-20"].sample(30, random_state=1, replace=True)
    moved = pd.to_datetime(late["occurred_at"], format="ISO8601") + pd.Timedelta("1h")
    pd.concat([rows, late.assign(occurred_at=moved.astype(str)), late.head(5)]).to_csv(file, index=False)
    second, after = night("kept")
    _, rebuilt = night("anew")
    assert second["changed"] > 5
    assert not after.equals(before)
    pd.testing.assert_frame_equal(after, rebuilt, check_exact=True)
