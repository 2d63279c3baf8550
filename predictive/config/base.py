"""What every part of a configuration is made of."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, PlainValidator

from predictive.clock import format_duration, parse_duration, parse_instant

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
