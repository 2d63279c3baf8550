"""What makes a run fit to be left alone: a lock against a second one, and further tries for lost connections."""

from __future__ import annotations

import argparse
import hashlib
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from predictive.errors import ConnectionLostError, DataError

if TYPE_CHECKING:
    from predictive.config import Sink

PAUSE = 5.0
"""Seconds before the second try; each further pause is three times as long as the one before."""
LOOK = 0.2
"""Seconds between two looks at a lock."""
T = TypeVar("T")


def add_unattended(parser: argparse.ArgumentParser) -> None:
    """`--log`, `--wait` and `--retries`, for runs that nobody watches."""
    parser.add_argument("--log", choices=("json", "text"), help="say what is done on standard error, an event a line")
    add_wait(parser)
    retries = "how often to try again where a connection is lost, after 5, 15, 45 … seconds (default: 3)"
    parser.add_argument("--retries", type=_count, default=3, metavar="N", help=retries)


def add_wait(parser: argparse.ArgumentParser) -> None:
    """`--wait`, see :func:`alone`."""
    wait = "seconds to wait for another run that scores into the same place (default: 0)"
    parser.add_argument("--wait", type=_seconds, default=0.0, metavar="SECONDS", help=wait)


@contextmanager
def alone(sink: Sink, *, wait: float) -> Iterator[None]:
    """Keep a second run of this user that writes to the same place out, whatever its configuration.

    It waits for at most `wait` seconds. Beyond this machine and user the sink's own lock stands, which is taken only
    while scores are written. The lock is the operating system's, so it ends with its process however that ends.
    Raises :class:`~predictive.errors.DataError` where another run still has the lock.
    """
    from predictive.sinks.journal import acquire

    lock = os.open(_lock_of(sink), os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o600)
    try:
        until = time.monotonic() + wait
        while not acquire(lock):
            if time.monotonic() >= until:
                raise DataError(_refusal(lock, wait))
            time.sleep(min(LOOK, max(until - time.monotonic(), 0.0)))
        os.ftruncate(lock, 0)
        os.write(lock, str(os.getpid()).encode())
        yield
    finally:
        os.close(lock)


def again(attempt: Callable[[], T], *, retries: int, told: Callable[[dict[str, Any]], None]) -> T:
    """What `attempt` gives, tried again up to `retries` times where a connection is lost; `told` of each time.

    Reading again is safe, and writing is a transaction. No other error is tried again.

    >>> again(lambda: 7, retries=0, told=print)
    7
    """
    for tried in range(retries):
        try:
            return attempt()
        except ConnectionLostError as error:
            pause = PAUSE * 3**tried
            told({"message": str(error), "tries": tried + 1, "pause": pause})
            time.sleep(pause)
    return attempt()


def _seconds(text: str) -> float:
    value = float(text)
    if not 0 <= value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text} is no number of seconds from 0 up")
    return value


def _count(text: str) -> int:
    value = int(text)
    if value < 0:
        raise argparse.ArgumentTypeError(f"{text} is negative")
    return value


def _lock_of(sink: Sink) -> Path:
    """The file of the lock: in the folder for temporary files, since that of a configuration may be read-only."""
    from predictive.cli.common import place
    from predictive.config import FileSink, PostgresqlSink, SparkSink

    where = place(sink) if isinstance(sink, PostgresqlSink | SparkSink) else str(sink.path.resolve())
    table = "" if isinstance(sink, FileSink) else sink.table
    user = os.getuid() if hasattr(os, "getuid") else 0
    name = hashlib.sha256(f"{user}\n{sink.kind}\n{where}\n{table}".encode()).hexdigest()[:24]
    return Path(tempfile.gettempdir()) / f"predictive-{name}.lock"


def _refusal(lock: int, wait: float) -> str:
    holder = os.pread(lock, 20, 0).decode() if hasattr(os, "pread") else ""
    who = f"another run{f' (process {holder})' if holder else ''} scores into the same place"
    waited = f", and had not finished after {wait:g} seconds" if wait else ""
    return f"{who}{waited}; nothing was done. Run again when it is done, or let this one wait: --wait SECONDS"
