"""The canonical tables: their schemas (pandera), and the value that carries them through the package.

Frames that people hand in or get back follow :data:`SCHEMAS`: times are UTC datetimes. Inside, :class:`Tables` holds
the same columns with every time as int64 microseconds since the epoch: integers compare equally on every engine.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Literal

import narwhals as nw
import pandera.pandas as pa

TIME = "datetime64[us, UTC]"
Kind = Literal["text", "number", "boolean", "time"]
QUADRANTS = ("pursue", "nurture", "opportunistic", "disengage", "unknown")
TIERS = ("very high", "high", "medium", "low")
STAGES = ("visitor", "prospect", "MQL", "SQL", "opportunity", "customer")


def _column(dtype: Any, *checks: pa.Check, required: bool = False, nullable: bool = True) -> pa.Column:
    return pa.Column(dtype, list(checks), nullable=nullable, required=required, coerce=True)


def _text() -> pa.Column:
    return _column(str)


def _key() -> pa.Column:
    return _column(str, required=True, nullable=False)


def _time(*, required: bool = False) -> pa.Column:
    return _column(TIME, required=required, nullable=not required)


def _probability(*, nullable: bool) -> pa.Column:
    return _column(float, pa.Check.in_range(0, 1), required=True, nullable=nullable)


def _points() -> pa.Column:
    return _column("int64", pa.Check.in_range(0, 100), required=True, nullable=False)


def _choice(values: tuple[str, ...], *, nullable: bool = True, required: bool = True) -> pa.Column:
    return _column(str, pa.Check.isin(values), required=required, nullable=nullable)


SCHEMAS: dict[str, pa.DataFrameSchema] = {
    "contacts": pa.DataFrameSchema(
        {
            "contact_id": _key(),
            "created_at": _time(required=True),
            "account_id": _text(),
            "email": _text(),
            "name": _text(),
            "job_title": _text(),
            "country": _text(),
            "source": _text(),
            "lifecycle_stage": _text(),
            "marketing_status": _text(),
            "tags": _text(),
        },
        unique=["contact_id"],
        name="contacts",
    ),
    "accounts": pa.DataFrameSchema(
        {
            "account_id": _key(),
            "created_at": _time(),
            "company_name": _text(),
            "industry": _text(),
            "employees": _column(float),
            "revenue": _column(float),
        },
        unique=["account_id"],
        name="accounts",
    ),
    "activities": pa.DataFrameSchema(
        {
            "contact_id": _key(),
            "occurred_at": _time(required=True),
            "type": _key(),
            "recorded_at": _time(),
            "value": _column(float),
            "detail": _text(),
        },
        name="activities",
    ),
    "deals": pa.DataFrameSchema(
        {
            "deal_id": _key(),
            "contact_id": _text(),
            "account_id": _text(),
            "created_at": _time(),
            "closed_at": _time(),
            "is_won": _column("boolean"),
            "amount": _column(float),
        },
        unique=["deal_id", "contact_id"],
        name="deals",
    ),
    "changes": pa.DataFrameSchema(
        {
            "object": _choice(("contact", "account"), nullable=False),
            "object_id": _key(),
            "attribute": _key(),
            "value": _column(str, required=True),
            "old_value": _text(),
            "changed_at": _time(required=True),
        },
        name="changes",
    ),
    "overrides": pa.DataFrameSchema(
        {
            "contact_id": _key(),
            "quadrant": _choice(QUADRANTS[:4], required=False),
            "tier": _choice(TIERS, required=False),
            "author": _column(str, required=True),
            "reason": _column(str, required=True),
            "created_at": _time(required=True),
            "expires_at": _time(required=True),
        },
        name="overrides",
    ),
}

SCORES = pa.DataFrameSchema(
    {
        "contact_id": _key(),
        "as_of": _time(required=True),
        "scored_at": _time(required=True),
        "probability": _probability(nullable=False),
        "uncorrected": _probability(nullable=False),
        "fit": _probability(nullable=True),
        "interest": _probability(nullable=True),
        "quadrant": _choice(QUADRANTS, nullable=False),
        "cell": _column(str, required=True),
        "tier": _choice(TIERS, nullable=False),
        "rule_score": _points(),
        "rule_fit": _column("int64", required=True, nullable=False),
        "rule_interest": _column("int64", required=True, nullable=False),
        "rule_total": _column(float, required=True, nullable=False),
        "stage": _choice(STAGES, nullable=False),
        "override": _column(str, required=True),
        "holdout": _column(bool, required=True, nullable=False),
        "reasons": _column(str, required=True, nullable=False),
        "model_version": _key(),
        "run_id": _key(),
    },
    unique=["contact_id"],
    strict=True,
    name="scores",
)

OPEN_TABLES = ("contacts", "accounts")
"""Tables whose further columns are attributes; in the others a further column is not used."""


def kind_of(column: pa.Column) -> Kind:
    """What a schema's column holds, as sources cast it.

    >>> kind_of(SCHEMAS["deals"].columns["closed_at"])
    'time'
    """
    name = str(column.dtype).lower()
    if name.startswith("datetime"):
        return "time"
    if name.startswith("bool"):
        return "boolean"
    return "number" if name.startswith(("float", "int")) else "text"


@dataclass(frozen=True)
class Note:
    """Something about the data that a person should know: counted, with examples, never a reason to stop.

    `where` names a table or column. `examples` are ids or values, at most five, never contact details.
    """

    where: str
    text: str
    count: int = 0
    examples: tuple[str, ...] = ()

    def __str__(self) -> str:
        shown = f" (for example {', '.join(self.examples)})" if self.examples else ""
        return f"{self.where}: {self.text}{shown}"


PART = "::part"


def _as_it_is(frame: nw.LazyFrame[Any], name: str) -> nw.LazyFrame[Any]:  # noqa: ARG001 - the name is for stores
    return frame


@dataclass(frozen=True)
class Tables:
    """The six canonical tables as Narwhals lazy frames; a table that the source lacks is there, empty.

    All canonical columns are present. Times are int64 microseconds, UTC. `activities` has `t` (when it occurred) and
    `known` (the later of `occurred_at` and `recorded_at`) in place of those two. `attributes` says what the further
    columns of contacts and accounts hold, as ``{"contacts": {name: kind}}``.

    Large tables are cut into `parts`, by a column :data:`PART` of contacts and activities: contacts who ever shared an
    account are in the same part. `keep` works a frame out and holds the result under a name until that name is used
    again; frames that were made of the earlier result then read the new one. Outside the working database it does
    nothing.
    """

    contacts: nw.LazyFrame[Any]
    accounts: nw.LazyFrame[Any]
    activities: nw.LazyFrame[Any]
    deals: nw.LazyFrame[Any]
    changes: nw.LazyFrame[Any]
    overrides: nw.LazyFrame[Any]
    attributes: dict[str, dict[str, Kind]] = field(default_factory=dict)
    notes: tuple[Note, ...] = ()
    parts: int = 1
    keep: Callable[[nw.LazyFrame[Any], str], nw.LazyFrame[Any]] = field(default=_as_it_is, repr=False)

    def each_part(self) -> Iterator[Tables]:
        """The tables, one part of the contacts and their activities after another."""
        if self.parts == 1:
            yield self
            return
        for number in range(self.parts):
            mine = nw.col(PART) == number
            yield replace(self, contacts=self.contacts.filter(mine), activities=self.activities.filter(mine), parts=1)

    @cached_property
    def tracked(self) -> dict[str, frozenset[str]]:
        """Per object (contact, account) the attributes with a history; the others are known only as of today."""
        rows = self.changes.select("object", "attribute").unique().collect().rows()
        return {key: frozenset(name for object_, name in rows if object_ == key) for key in ("contact", "account")}
