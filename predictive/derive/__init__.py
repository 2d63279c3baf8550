"""Features derived from one value: pure functions from a cell of a table to a level that few cells share.

The functions know neither tables nor engines; whoever uses :data:`DERIVED` applies them to the distinct values of a
column. They are deterministic, read no clock and no network, and load their word lists when first called.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from numbers import Real
from typing import Any, Literal

from predictive.derive.bands import revenue_band, size_band, size_band_of_text
from predictive.derive.companies import company_type
from predictive.derive.countries import country
from predictive.derive.email import email_kind
from predictive.derive.tags import TagKind, split_tags, tag_kind, tags_of_kind
from predictive.derive.titles import buying_role, job_function, seniority

__all__ = [
    "DERIVED",
    "Derived",
    "buying_role",
    "company_type",
    "country",
    "email_kind",
    "job_function",
    "revenue_band",
    "seniority",
    "size_band",
    "size_band_of_text",
    "split_tags",
    "tag_kind",
    "tags_of_kind",
]


@dataclass(frozen=True)
class Derived:
    """A derived column: its name, the canonical column it reads, and the function from one value to one level.

    `function` takes any value as it stands in the table and never raises: what it cannot read, missing values
    included, is None. Text columns give str; ``employees`` and ``revenue`` give numbers.

    >>> {d.name: d.function("Directora de Compras") for d in DERIVED if d.source == "job_title"}
    {'seniority': 'director', 'job_function': 'procurement', 'buying_role': 'buyer'}
    """

    name: str
    of: Literal["contacts", "accounts"]
    source: str
    kind: Literal["text"]
    description: str
    function: Callable[[Any], str | None]


def _text(function: Callable[[str], str | None], value: Any) -> str | None:
    return function(value) if isinstance(value, str) else None


def _number(function: Callable[[float], str | None], value: Any) -> str | None:
    if not isinstance(value, Real | Decimal):
        return None
    try:
        return function(float(value))
    except (OverflowError, ValueError):
        return None  # an integer beyond all floats, or a signalling NaN


def _size(value: Any) -> str | None:
    return size_band_of_text(value) if isinstance(value, str) else _number(size_band, value)


def _contact(name: str, source: str, description: str, function: Callable[[str], str | None]) -> Derived:
    return Derived(name, "contacts", source, "text", description, partial(_text, function))


def _tags(kind: TagKind, what: str) -> Derived:
    return _contact(f"tags_{kind}", "tags", f"tags that say {what}", partial(tags_of_kind, kind=kind))


DERIVED: tuple[Derived, ...] = (
    _contact("email_kind", "email", "mailbox: personal, disposable, education, government, company", email_kind),
    _contact("seniority", "job_title", "rank that the job title says", seniority),
    _contact("job_function", "job_title", "what the job is about", job_function),
    _contact("buying_role", "job_title", "part in a purchase: buyer, influencer, end user", buying_role),
    _contact("country_code", "country", "country, however it is spelt", country),
    _tags("relationship", "what the contact is to the company"),
    _tags("place", "where the contact is"),
    _tags("industry", "what its business is"),
    _tags("source", "where it came from"),
    _tags("other", "something else"),
    Derived(
        "company_type", "accounts", "company_name", "text", "type of organisation, from its name",
        partial(_text, company_type),
    ),
    Derived("size_band", "accounts", "employees", "text", "band of employees", _size),
    Derived("revenue_band", "accounts", "revenue", "text", "band of revenue", partial(_number, revenue_band)),
)  # fmt: skip
"""Every derived column, in the order in which they are listed to people."""
