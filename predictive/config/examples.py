"""Who is looked at, and when: snapshots, eligibility and the split in time."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Discriminator, Field, Tag

from predictive.config.base import Instant, Strict


class CalendarSnapshots(Strict):
    """All contacts at once, at the first midnight of each month or week (Monday)."""

    every: Literal["month", "week"] = "month"


class AgeSnapshots(Strict):
    """Each contact at its own instant: `created_at` plus each of `days`."""

    at: Literal["age"]
    days: list[Annotated[int, Field(ge=0)]] = Field(min_length=1)


def _snapshot_kind(value: object) -> str:
    return "age" if isinstance(value, AgeSnapshots) or (isinstance(value, dict) and "at" in value) else "calendar"


Snapshots = Annotated[
    Annotated[AgeSnapshots, Tag("age")] | Annotated[CalendarSnapshots, Tag("calendar")], Discriminator(_snapshot_kind)
]


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
