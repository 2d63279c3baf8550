"""Configuration: one YAML file as frozen, strict values, a module per theme. :mod:`predictive.config_file` reads it."""

from predictive.config.base import Days, Duration, Instant, Scalar, Strict, TableName
from predictive.config.examples import AgeSnapshots, CalendarSnapshots, Eligibility, Snapshots, Split
from predictive.config.judging import Audit, CapacityChoice, Promotion
from predictive.config.learning import FeatureChoice, ModelChoice, Tracking
from predictive.config.lists import AccountChoice, Filter, ListChoice, Range
from predictive.config.sinks import (
    Breaker,
    DuckdbSink,
    FileSink,
    PostgresqlSink,
    ScoreChoice,
    Sink,
    SqliteSink,
    TablesSink,
)
from predictive.config.sources import DuckdbSource, FilesSource, Source, TableSource
from predictive.config.whole import Config

__all__ = [
    "AccountChoice",
    "AgeSnapshots",
    "Audit",
    "Breaker",
    "CalendarSnapshots",
    "CapacityChoice",
    "Config",
    "Days",
    "DuckdbSink",
    "DuckdbSource",
    "Duration",
    "Eligibility",
    "FeatureChoice",
    "FileSink",
    "FilesSource",
    "Filter",
    "Instant",
    "ListChoice",
    "ModelChoice",
    "PostgresqlSink",
    "Promotion",
    "Range",
    "Scalar",
    "ScoreChoice",
    "Sink",
    "Snapshots",
    "Source",
    "Split",
    "SqliteSink",
    "Strict",
    "TableName",
    "TableSource",
    "TablesSink",
    "Tracking",
]
