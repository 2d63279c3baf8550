"""Configuration: one YAML file as frozen, strict values, a module per theme. :mod:`predictive.config_file` reads it."""

from predictive.config.acting import CELLS, ActionChoice, Grid, Notices, Quadrants, Review
from predictive.config.base import Days, Duration, Instant, Scalar, Strict, TableName
from predictive.config.examples import AgeSnapshots, CalendarSnapshots, Eligibility, Snapshots, Split
from predictive.config.judging import Audit, CapacityChoice, Promotion
from predictive.config.learning import FeatureChoice, ModelChoice, Tracking
from predictive.config.lists import AccountChoice, Filter, ListChoice, Range
from predictive.config.secret import DatabaseUrl, SecretUrl, holds_password, mask
from predictive.config.sinks import (
    Breaker,
    DuckdbSink,
    FileSink,
    PostgresqlSink,
    ScoreChoice,
    Sink,
    SparkSink,
    SqliteSink,
    TablesSink,
)
from predictive.config.sources import (
    CrmSource,
    DatabaseSource,
    DuckdbSource,
    FilesSource,
    HubspotSource,
    Incremental,
    SalesforceSource,
    Source,
    SparkSource,
    TableSource,
)
from predictive.config.whole import Config

__all__ = [
    "CELLS",
    "AccountChoice",
    "ActionChoice",
    "AgeSnapshots",
    "Audit",
    "Breaker",
    "CalendarSnapshots",
    "CapacityChoice",
    "Config",
    "CrmSource",
    "DatabaseSource",
    "DatabaseUrl",
    "Days",
    "DuckdbSink",
    "DuckdbSource",
    "Duration",
    "Eligibility",
    "FeatureChoice",
    "FileSink",
    "FilesSource",
    "Filter",
    "Grid",
    "HubspotSource",
    "Incremental",
    "Instant",
    "ListChoice",
    "ModelChoice",
    "Notices",
    "PostgresqlSink",
    "Promotion",
    "Quadrants",
    "Range",
    "Review",
    "SalesforceSource",
    "Scalar",
    "ScoreChoice",
    "SecretUrl",
    "Sink",
    "Snapshots",
    "Source",
    "SparkSink",
    "SparkSource",
    "Split",
    "SqliteSink",
    "Strict",
    "TableName",
    "TableSource",
    "TablesSink",
    "Tracking",
    "holds_password",
    "mask",
]
