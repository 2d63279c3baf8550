"""A whole configuration."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, field_validator, model_validator

from predictive.clock import instant
from predictive.config.acting import Notices, Quadrants, Review
from predictive.config.base import Duration, Instant, Strict
from predictive.config.examples import CalendarSnapshots, Eligibility, Snapshots, Split
from predictive.config.judging import Audit, CapacityChoice, Promotion
from predictive.config.learning import FeatureChoice, ModelChoice, Tracking
from predictive.config.lists import AccountChoice, Lists, Tags
from predictive.config.sinks import Breaker, DuckdbSink, ScoreChoice, Sink
from predictive.config.sources import Source


class Config(Strict):
    """A whole configuration, as :func:`predictive.config_file.load_config` reads it. Paths are absolute once loaded."""

    source: Source
    engine: Literal["duckdb", "spark"] = "duckdb"
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
    quadrants: Quadrants = Quadrants()
    review: Review = Review()
    notices: Notices = Notices()
    holdout: Annotated[float, Field(ge=0, lt=1)] = 0.0
    promotion: Promotion = Promotion()
    audit: Audit = Audit()
    lists: Lists = {}
    tags: Tags | None = None
    accounts: AccountChoice = AccountChoice()
    score: ScoreChoice = ScoreChoice()
    breaker: Breaker = Breaker()
    tracking: Tracking = Tracking()
    sink: Sink = DuckdbSink(kind="duckdb", path=Path("scores.duckdb"))
    report: Path = Path("report.html")
    report_language: str = "en"

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
        wrong = [name for name, table in self.source.tables.items() if table.incremental and name != "activities"]
        if wrong:
            raise ValueError(f"source.tables.{wrong[0]}.incremental: only activities are read incrementally")
        return self

    @model_validator(mode="after")
    def _known_capacity(self) -> Config:
        if self.quadrants.by == "capacity" and self.capacity is None:
            raise ValueError("quadrants: by: capacity needs to know it; give capacity.per_week")
        return self

    @model_validator(mode="after")
    def _one_engine(self) -> Config:
        kinds = {"source.kind": self.source.kind, "sink.kind": self.sink.kind}
        wrong = [name for name, kind in kinds.items() if (kind == "spark") != (self.engine == "spark")]
        if wrong:
            found = f"{wrong[0]} is {kinds[wrong[0]]}"
            raise ValueError(
                f"engine is {self.engine}, but {found}: Spark needs engine, source.kind and sink.kind spark"
            )
        if self.engine == "spark" and (self.lists or self.tags):
            named = "lists" if self.lists else "tags"
            raise ValueError(
                f"{named}: Spark keeps no membership of lists and tags; leave {named} out, or use another engine"
            )
        return self

    def micros(self, value: Instant) -> int:
        """Microseconds since the epoch of a configured date or time; naive ones are in `timezone`."""
        return instant(value, self.timezone)

    @property
    def horizon_micros(self) -> int:
        """The horizon in microseconds."""
        return self.horizon // timedelta(microseconds=1)
