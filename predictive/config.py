"""Configuration: one YAML file as frozen, strict values. :mod:`predictive.config_file` reads it."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    PlainSerializer,
    PlainValidator,
    Tag,
    field_validator,
    model_validator,
)

from predictive.clock import format_duration, instant, parse_duration, parse_instant

Duration = Annotated[timedelta, BeforeValidator(parse_duration), PlainSerializer(format_duration, return_type=str)]
Instant = Annotated[
    datetime | date, PlainValidator(parse_instant), PlainSerializer(lambda value: value.isoformat(), return_type=str)
]
Days = Annotated[int, Field(gt=0, le=3_650)]
TableName = Literal["contacts", "accounts", "activities", "deals", "changes", "overrides"]
Scalar = bool | int | float | str | date


class Strict(BaseModel):
    """What every part of a configuration has in common: no unknown keys, no change after reading."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class TableSource(Strict):
    """Where one canonical table comes from: exactly one of `file`, `table` and `query`.

    `columns` maps canonical names to the names at the source; the source's other columns of contacts and accounts
    become attributes. `missing` lists the texts that mean "not known", beside the empty one.
    """

    file: str | None = None
    table: str | None = None
    query: str | None = None
    columns: dict[str, str] = {}
    constants: dict[str, Scalar] = {}
    drop: list[str] = []
    keep: list[str] | None = None
    missing: list[str] = []

    @model_validator(mode="after")
    def _one_origin(self) -> TableSource:
        if sum(x is not None for x in (self.file, self.table, self.query)) != 1:
            raise ValueError("give exactly one of file, table and query")
        if self.drop and self.keep is not None:
            raise ValueError("give drop or keep, not both")
        return self


class FilesSource(Strict):
    """CSV and Parquet files below `path`. `files` names more of them for use in a table's `query`."""

    kind: Literal["files"]
    path: Path
    files: dict[str, str] = {}
    tables: dict[TableName, TableSource]

    @model_validator(mode="after")
    def _no_database_tables(self) -> FilesSource:
        wrong = [name for name, table in self.tables.items() if table.table is not None]
        if wrong:
            raise ValueError(f"{wrong[0]}: a source of kind files takes file or query, not table")
        return self


class DuckdbSource(Strict):
    """Tables of a DuckDB database file."""

    kind: Literal["duckdb"]
    path: Path
    tables: dict[TableName, TableSource]

    @model_validator(mode="after")
    def _no_files(self) -> DuckdbSource:
        wrong = [name for name, table in self.tables.items() if table.file is not None]
        if wrong:
            raise ValueError(f"{wrong[0]}: a source of kind duckdb takes table or query, not file")
        return self


class CalendarSnapshots(Strict):
    """All contacts at once, at the first midnight of each month or week (Monday)."""

    every: Literal["month", "week"] = "month"


class AgeSnapshots(Strict):
    """Each contact at its own instant: `created_at` plus each of `days`."""

    at: Literal["age"]
    days: list[Annotated[int, Field(ge=0)]] = Field(min_length=1)


class Eligibility(Strict):
    """Who is scored and learned from. `non_marketing` lists, per attribute, the values that take a contact out."""

    customers: Literal["exclude", "include"] = "exclude"
    lost: Literal["include", "exclude"] = "include"
    account_deals: Literal["all", "none", "most_active"] = "all"
    non_marketing: dict[str, list[str]] = {
        "marketing_status": ["non-marketing", "opted out", "suppressed", "staff", "employee", "partner"],
        "lifecycle_stage": ["staff", "employee", "partner"],
    }


class Split(Strict):
    """The time split: training as-ofs in [train_from, train_until), test as-ofs in [test_from, test_until)."""

    train_from: Instant | None = None
    train_until: Instant | None = None
    test_from: Instant
    test_until: Instant | None = None


class FeatureChoice(Strict):
    """Attributes and activity types to leave out, to keep against advice, and never to show to a model.

    `own` names features of the user's by import path. `windows` (days back from as-of) and `half_lives` (days) are what
    behaviour is measured in. `groups` puts activity types together, by patterns in which * stands for any text: a type
    is in the first group that it matches.
    """

    exclude: list[str] = []
    keep: list[str] = []
    sensitive: list[str] = []
    own: list[str] = []
    windows: list[Days] = Field(default=[7, 30, 90, 365], min_length=1)
    half_lives: list[Days] = Field(default=[7, 30], min_length=1)
    groups: dict[str, list[str]] = {
        "negative": ["*unsub*", "*spam*", "*bounce*", "*complain*", "*opt*out*"],
        "webinars": ["*webinar*"],
        "email": ["*mail*", "*newsletter*"],
        "forms": ["form*", "*_form*", "* form*", "*submission*"],
        "downloads": ["*download*", "*whitepaper*", "*ebook*"],
        "events": ["*event*", "*fair*", "*conference*", "*trade*show*"],
        "sales": ["*call*", "*meeting*", "*demo*", "*chat*", "*visit_by_sales*"],
        "website": ["*page*", "*visit*", "*view*", "*site*", "*click*", "*blog*"],
    }


class ModelChoice(Strict):
    """What the learner may be told. One seed drives everything random.

    `search` is how long to look for better trees than the defaults; `monotone` names features with which the chance of
    a close may only rise or fall.
    """

    seed: Annotated[int, Field(ge=0)] = 7
    search: Duration | None = None
    monotone: dict[str, Literal["increasing", "decreasing"]] = {}


class ScoreChoice(Strict):
    """The as-of of a scoring run: last `midnight`, `latest` (the newest time in the tables), or a date."""

    as_of: Literal["midnight", "latest"] | Instant = "midnight"


class Tracking(Strict):
    """Where MLflow keeps experiments."""

    uri: str = "sqlite:///mlflow.db"
    experiment: str = "lead-scoring"


class DuckdbSink(Strict):
    """Scores into tables of a DuckDB file: `table`, `table_history` and `table_runs`."""

    kind: Literal["duckdb"]
    path: Path
    table: str = "contact_scores"


class FileSink(Strict):
    """Scores into a file, with the history in a folder beside it."""

    kind: Literal["parquet", "csv"]
    path: Path


class CapacityChoice(Strict):
    """How many contacts can be called in a week; and, in one currency, what a call costs and a close is worth."""

    per_week: Annotated[int, Field(ge=1)]
    cost: Annotated[float, Field(gt=0)] | None = None
    value: Annotated[float, Field(gt=0)] | None = None

    @model_validator(mode="after")
    def _both_or_neither(self) -> CapacityChoice:
        if (self.cost is None) != (self.value is None):
            raise ValueError("give cost and value, or neither")
        return self


class Promotion(Strict):
    """What a challenger must show: see :mod:`predictive.promotion`.

    `margin` is how much higher its log loss may be, as a share of the champion's; `calibration` is how far from 1 its
    predicted over actual closes may be, as a share.
    """

    margin: Annotated[float, Field(ge=0, le=1)] = 0.02
    calibration: Annotated[float, Field(gt=0, le=1)] = 0.2


class Audit(Strict):
    """The bounds whose breaking lets `predictive audit` exit with 4.

    `calibration` is how far predicted over actual closes of the newest three matured months may be from 1, and
    `base_rate` how far the actual rate from that of training, both as shares and both only where luck is unlikely;
    `psi` is the largest population stability index that one of the `features` most important inputs may have; those
    that tell time since something move in any database that grows older, and are not among them.
    """

    calibration: Annotated[float, Field(gt=0)] = 0.2
    base_rate: Annotated[float, Field(gt=0)] = 0.5
    psi: Annotated[float, Field(gt=0)] = 0.25
    features: Annotated[int, Field(ge=1)] = 20


def _snapshot_kind(value: object) -> str:
    return "age" if isinstance(value, AgeSnapshots) or (isinstance(value, dict) and "at" in value) else "calendar"


Snapshots = Annotated[
    Annotated[AgeSnapshots, Tag("age")] | Annotated[CalendarSnapshots, Tag("calendar")], Discriminator(_snapshot_kind)
]
Source = Annotated[FilesSource | DuckdbSource, Field(discriminator="kind")]
Sink = Annotated[DuckdbSink | FileSink, Field(discriminator="kind")]


class Config(Strict):
    """A whole configuration, as :func:`predictive.config_file.load_config` reads it. Paths are absolute once loaded."""

    source: Source
    timezone: str = "UTC"
    horizon: Duration = timedelta(days=90)
    snapshots: Snapshots = CalendarSnapshots()
    observed_until: Instant | None = None
    eligibility: Eligibility = Eligibility()
    split: Split | None = None
    features: FeatureChoice = FeatureChoice()
    rules: Path | None = None
    model: ModelChoice = ModelChoice()
    models: Path = Path("models")
    segments: list[str] | None = None
    capacity: CapacityChoice | None = None
    promotion: Promotion = Promotion()
    audit: Audit = Audit()
    score: ScoreChoice = ScoreChoice()
    tracking: Tracking = Tracking()
    sink: Sink = DuckdbSink(kind="duckdb", path=Path("scores.duckdb"))
    report: Path = Path("report.html")

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError):
            raise ValueError(f"{value!r} is not a time zone; write one such as UTC or Europe/Madrid") from None
        return value

    @model_validator(mode="after")
    def _required_tables(self) -> Config:
        missing = [name for name in ("contacts", "deals") if name not in self.source.tables]
        if missing:
            raise ValueError(f"source.tables: {' and '.join(missing)} required but not mapped")
        return self

    def micros(self, value: Instant) -> int:
        """Microseconds since the epoch of a configured date or time; naive ones are in `timezone`."""
        return instant(value, self.timezone)

    @property
    def horizon_micros(self) -> int:
        """The horizon in microseconds."""
        return self.horizon // timedelta(microseconds=1)
