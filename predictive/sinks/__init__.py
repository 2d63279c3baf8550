"""Where scores go: one module per kind of sink, and the dict of them.

A sink keeps three tables: the current scores, their history (changes only), and the runs. They are the same for every
kind; :mod:`predictive.sinks.contract` says what they hold.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from predictive.config import DuckdbSink, FileSink, SparkSink
from predictive.sinks.contract import Difference, Night, Sink
from predictive.sinks.duckdb import ScoreTables
from predictive.sinks.files import ScoreFiles

__all__ = ["SINKS", "Difference", "Night", "Sink", "open_sink"]



def _spark(config: Any) -> Sink:
    # Imported only where it is configured: PySpark is an extra.
    from predictive.spark.sink import SparkTables

    return SparkTables.from_config(config)


SINKS: dict[str, Callable[[Any], Sink]] = {
    "duckdb": ScoreTables.from_config,
    "parquet": ScoreFiles.from_config,
    "csv": ScoreFiles.from_config,
    "spark": _spark,
}
"""Per kind in the configuration, what makes a sink out of its part of the configuration."""


def open_sink(config: DuckdbSink | FileSink | SparkSink) -> Sink:
    """The sink of a configuration; touches nothing until it is used.

    >>> from pathlib import Path
    >>> open_sink(FileSink(kind="csv", path=Path("nowhere/scores.csv"))).read_current().shape
    (0, 17)
    """
    return SINKS[config.kind](config)
