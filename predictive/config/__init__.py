"""Configuration: one YAML file as frozen, strict values, a module per theme. :mod:`predictive.config_file` reads it."""

from predictive.config.base import Days, Duration, Instant, Scalar, Strict, TableName
from predictive.config.examples import AgeSnapshots, CalendarSnapshots, Eligibility, Snapshots, Split
from predictive.config.judging import Audit, CapacityChoice, Promotion
from predictive.config.learning import FeatureChoice, ModelChoice, Tracking
from predictive.config.secret import DatabaseUrl, SecretUrl, holds_password, mask
from predictive.config.sinks import DuckdbSink, FileSink, ScoreChoice, Sink, SparkSink
from predictive.config.sources import (
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
    "AgeSnapshots",
    "Audit",
    "CalendarSnapshots",
    "CapacityChoice",
    "Config",
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
    "HubspotSource",
    "Incremental",
    "Instant",
    "ModelChoice",
    "Promotion",
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
    "Strict",
    "TableName",
    "TableSource",
    "Tracking",
    "holds_password",
    "mask",
]
