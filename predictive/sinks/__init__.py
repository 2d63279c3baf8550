"""Where scores go: one module per kind of sink, and the dict of them.

A sink keeps three tables: the current scores, their history (changes only), and the runs. They are the same for every
kind; :mod:`predictive.sinks.contract` says what they hold.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

from predictive.config import DuckdbSink, FileSink, PostgresqlSink, SparkSink, SqliteSink
from predictive.errors import ConfigError
from predictive.sinks.contract import Difference, Night, Restored, Sink
from predictive.sinks.duckdb import DuckdbFile
from predictive.sinks.files import ScoreFiles
from predictive.sinks.postgresql import PostgresServer
from predictive.sinks.sqlite import SqliteFile
from predictive.sinks.tables import ScoreTables

__all__ = ["SINKS", "Difference", "Night", "Restored", "Sink", "open_sink"]


def _duckdb(config: DuckdbSink) -> Sink:
    return ScoreTables.from_config(config, DuckdbFile(config.path))


def _sqlite(config: SqliteSink) -> Sink:
    return ScoreTables.from_config(config, SqliteFile(config.path, config.wait))


def _postgresql(config: PostgresqlSink) -> Sink:
    return ScoreTables.from_config(config, PostgresServer(config.url, config.table, config.wait))


def _spark(config: SparkSink) -> Sink:
    # Imported only where it is configured: PySpark is an extra.
    if find_spec("pyspark") is None:
        raise ConfigError("sink.kind: spark needs PySpark; install predictive[spark]")
    from predictive.spark.sink import SparkTables

    return SparkTables.from_config(config)


SINKS: dict[str, Callable[[Any], Sink]] = {
    "duckdb": _duckdb,
    "sqlite": _sqlite,
    "postgresql": _postgresql,
    "parquet": ScoreFiles.from_config,
    "csv": ScoreFiles.from_config,
    "spark": _spark,
}
"""Per kind in the configuration, what makes a sink out of its part of the configuration."""


def open_sink(config: DuckdbSink | SqliteSink | PostgresqlSink | FileSink | SparkSink) -> Sink:
    """The sink of a configuration; touches nothing until it is used.

    >>> from pathlib import Path
    >>> open_sink(FileSink(kind="csv", path=Path("nowhere/scores.csv"))).read_current().shape[0]
    0
    """
    return SINKS[config.kind](config)
