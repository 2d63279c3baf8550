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
    try:
        from pyspark.sql import SparkSession
    except ImportError:
        raise ConfigError("engine: spark needs PySpark; install predictive[spark]") from None
    active = SparkSession.getActiveSession()
    if active is not None:
        yield active
        return
    session = SparkSession.builder.config("spark.ui.showConsoleProgress", "false").enableHiveSupport().getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    if session.sparkContext.master.startswith("local") and "PYSPARK_PYTHON" not in os.environ:
        # Workers on this machine need what this process has.
        session.sparkContext.pythonExec = sys.executable
    try:
        yield session
    finally:
        session.stop()
