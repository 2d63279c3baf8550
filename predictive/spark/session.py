"""The Spark session of one run."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from predictive.errors import ConfigError


@contextmanager
def open_session() -> Iterator[Any]:
    """The active session, as under spark-submit or in a notebook; else one of its own, stopped at the end of the block.

    One of its own is configured by Spark's files and environment, and runs in local mode where these name no master.
    """
    running = _active()
    session = get_session()
    try:
        yield session
    finally:
        if running is None:
            session.stop()


def get_session() -> Any:
    """The active session; else a new one, which ends with the process."""
    active = _active()
    if active is not None:
        return active
    from pyspark.sql import SparkSession

    session = SparkSession.builder.config("spark.ui.showConsoleProgress", "false").enableHiveSupport().getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    if session.sparkContext.master.startswith("local") and "PYSPARK_PYTHON" not in os.environ:
        # Workers on this machine need what this process has.
        session.sparkContext.pythonExec = sys.executable
    return session


def _active() -> Any:
    try:
        from pyspark.sql import SparkSession
    except ImportError:
        raise ConfigError("engine: spark needs PySpark; install predictive[spark]") from None
    return SparkSession.getActiveSession()
