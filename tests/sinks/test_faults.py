"""What can happen to a night while it is written: the tables hold the old scores or the new ones, never a mixture."""

import contextlib
import importlib.util
import os
import re
import socket
import sqlite3
import sys
import threading
import time
from pathlib import Path

import duckdb
import psycopg
import pytest

from predictive.errors import ConnectionLostError, DataError

pytest_plugins = ["tests.servers"]
resource = pytest.importorskip("resource")  # which Windows does not have
FAULTS = Path(__file__).parents[2] / "benchmarks" / "faults.py"
spec = importlib.util.spec_from_file_location("faults", FAULTS)
faults = sys.modules["faults"] = importlib.util.module_from_spec(spec)
spec.loader.exec_module(faults)
writer = faults.writer

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="the writer forks, which Windows cannot")


@pytest.fixture(params=["postgresql", "sqlite", "duckdb"])
def kind(request):
    return request.param


@pytest.fixture
def place(kind, tmp_path, request):
    """An empty database: the URL of a server's, or a file."""
    return request.getfixturevalue("postgres") if kind == "postgresql" else str(tmp_path / f"crm.{kind}")


def write(place, number, rows, *, kind="postgresql", wait=30):
    more = {} if kind == "duckdb" else {"wait": wait}
    sink = writer.open_config({**faults.sink_of(kind, place), **more})
    with duckdb.connect() as con:
        return sink.write(con, "staged", writer.stage(con, number, rows), "tonight")


def seen(kind, place):
    return {row[0] for row in faults.query(kind, place, faults.SEEN)}


def test_killed_at_random_instants_no_night_is_a_mixture_or_lost(kind, place, tmp_path):
    counts = faults.storm(kind, place, 9, seed=7, folder=tmp_path, rows=1_000)
    assert (counts.mixtures, counts.lost, counts.examples) == (0, 0, [])
    assert counts.kills == 9
    assert counts.reads > 0 or kind == "duckdb"


@pytest.mark.parametrize("kind", ["postgresql", "sqlite", "duckdb", "parquet", "csv"])
def test_a_full_disk_leaves_last_night_and_says_so(kind, tmp_path, request):
    """The quota is that of the process's files; PostgreSQL's is that of the server's."""
    done, quota = tmp_path / "done", 2_000_000
    place = request.getfixturevalue("postgres") if kind == "postgresql" else str(tmp_path / f"crm.{kind}")
    sink = {"kind": kind, "url" if kind == "postgresql" else "path": place}
    order = {"sink": sink, "done": str(done)}
    with writer.forks() as send, full_server(request, kind):
        send(**order, rows=10, first=0, last=0)
        assert send(**order, rows=150_000, first=1, last=1, quota=None if kind == "postgresql" else quota) == 0
    said = done.read_text().splitlines()
    assert said[0] == "0"
    assert re.search("nothing was (written|changed)|as they were or as they should be", said[1]), said
    opened = writer.open_config(sink)
    assert set(opened.read_current()["run_id"]) == {"run0"}
    with duckdb.connect() as con:
        assert opened.write(con, "staged", writer.stage(con, 1, 10), "tonight").changed == 9
    assert set(opened.read_current()["run_id"]) == {"run1"}


@contextlib.contextmanager
def full_server(request, kind):
    """The files of the server cannot grow beyond 20 MB, a little more than one of its log segments."""
    if kind != "postgresql":
        yield
        return
    server, before = request.getfixturevalue("postgres_server"), resource.getrlimit(resource.RLIMIT_FSIZE)
    server.stop(mode="fast")
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000_000, before[1]))  # which the server inherits
    try:
        server.start()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    yield
    server.stop(mode="fast")
    server.start()


def attack(place, strike):
    """Calls `strike` with the process id of the server's session that is in the middle of a COPY."""

    def wait():
        with psycopg.connect(place, autocommit=True) as other:
            for _ in range(3_000):
                query = "SELECT pid FROM pg_stat_activity WHERE query LIKE 'COPY%staged%' AND state = 'active'"
                found = other.execute(query).fetchone()
                if found:
                    strike(other, found[0])
                    return
                time.sleep(0.005)

    thread = threading.Thread(target=wait)
    thread.start()
    return thread


def test_a_connection_that_the_server_cuts_in_the_middle_of_a_copy_changes_nothing(postgres):
    faults.make_people("postgresql", postgres, 1_000)
    write(postgres, 0, 1_000)
    thread = attack(postgres, lambda other, pid: other.execute("SELECT pg_terminate_backend(%s)", [pid]))
    with pytest.raises(
        ConnectionLostError, match=r"connection failed or lost: .*as they were or as they should be; run again"
    ):
        write(postgres, 1, 150_000)
    thread.join()
    assert seen("postgresql", postgres) == {"run0"}
    assert write(postgres, 1, 1_000).changed == 999
    assert seen("postgresql", postgres) == {"run1"}


def test_a_server_that_dies_in_the_middle_of_a_copy_changes_nothing(postgres, postgres_server):
    faults.make_people("postgresql", postgres, 1_000)
    write(postgres, 0, 1_000)
    thread = attack(postgres, lambda *_: postgres_server.stop())
    try:
        with pytest.raises(ConnectionLostError, match="connection failed or lost"):
            write(postgres, 1, 150_000)
    finally:
        thread.join()
        postgres_server.start()
    assert seen("postgresql", postgres) == {"run0"}
    assert write(postgres, 1, 1_000).changed == 999


def test_a_network_that_is_lost_on_the_way_changes_nothing(postgres, postgres_server):
    faults.make_people("postgresql", postgres, 1_000)
    write(postgres, 0, 1_000)
    with (
        wire(postgres_server.port, 500_000) as port,
        pytest.raises(ConnectionLostError, match="failed or lost") as caught,
    ):
        write(postgres.replace(f":{postgres_server.port}/", f":{port}/"), 1, 20_000)
    assert "kept" not in str(caught.value)
    assert seen("postgresql", postgres) == {"run0"}
    assert write(postgres, 1, 1_000).changed == 999


@contextlib.contextmanager
def wire(port, most):
    """A port that leads to another, until so many bytes have gone there."""
    with socket.create_server(("127.0.0.1", 0)) as entry:

        def carry():
            client, _ = entry.accept()
            with client, socket.create_connection(("127.0.0.1", port)) as server:
                back = threading.Thread(target=pump, args=(server, client, None))
                back.start()
                pump(client, server, most)
                for end in (client, server):
                    with contextlib.suppress(OSError):
                        end.shutdown(socket.SHUT_RDWR)
                back.join()

        thread = threading.Thread(target=carry)
        thread.start()
        yield entry.getsockname()[1]
        thread.join()


def pump(source, target, most):
    carried = 0
    with contextlib.suppress(OSError):
        while (most is None or carried < most) and (data := source.recv(65_536)):
            target.sendall(data)
            carried += len(data)


def test_a_lock_held_by_another_session_is_waited_for_and_then_said(kind, place):
    faults.make_people(kind, place, 10)
    write(place, 0, 10, kind=kind)
    if kind == "duckdb":
        with duckdb.connect(place), pytest.raises(DataError, match="another connection has this database open"):
            write(place, 1, 10, kind=kind)
    elif kind == "sqlite":
        with contextlib.closing(sqlite3.connect(place, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(
                DataError, match=r"has this database locked, and had for 0.2 seconds; nothing was written"
            ):
                write(place, 1, 10, kind=kind, wait=0.2)
    else:
        with psycopg.connect(place) as other:
            other.execute("LOCK TABLE people_scores IN ACCESS EXCLUSIVE MODE")
            with pytest.raises(DataError, match=r"another session has a lock on the tables.*nothing was written"):
                write(place, 1, 10, wait=0.2)
    assert seen(kind, place) == {"run0"}
    assert write(place, 1, 10, kind=kind).changed == 9


@pytest.mark.parametrize("kind", ["postgresql", "sqlite"])
def test_of_two_runs_at_once_the_second_waits_and_then_has_nothing_to_do(kind, place):
    faults.make_people(kind, place, 10)
    write(place, 0, 10, kind=kind)
    results = []
    threads = [threading.Thread(target=lambda: results.append(write(place, 1, 10, kind=kind))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(r.written for r in results) == [0, 11]
    assert seen(kind, place) == {"run1"}


def test_a_second_run_that_has_waited_enough_names_the_session_that_writes(postgres):
    faults.make_people("postgresql", postgres, 10)
    sink = writer.open_config(faults.sink_of("postgresql", postgres))
    with duckdb.connect() as con, sink.store.writing(con) as db:
        pid = db.rows("SELECT pg_backend_pid()")[0][0]
        message = rf"another run \(server process {pid}, since .*\) is writing scores to people.*nothing was written"
        with pytest.raises(DataError, match=message):
            write(postgres, 0, 10, wait=0.2)
