"""Features as values: what each is called, means and computes. :mod:`predictive.features.build` runs them.

A feature is a small frozen object. Its repr round-trips, and the hash of all reprs names the feature set that a model
was trained with. `side` says what it is evidence of: ``fit`` (who the contact is), ``interest`` (what it did) or
``context`` (neither: it enters only the probability). `signal` groups features that say the same thing in other words,
such as five windows of page views, so that they are one reason.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from typing import Any, Literal, get_args

from predictive.errors import ConfigError
from predictive.features import expression
from predictive.features.expression import Attribute, Constant, Formula, Term, Total, attributes_of, totals_of

Side = Literal["fit", "interest", "context"]
Words = Literal["number", "text", "times", "active days", "ago", "intensity", "trend", "record age", "weeks"]


@dataclass(frozen=True)
class Feature:
    """A named column of evidence about a contact at an as-of.

    `term` is what it computes; `kind` says whether the values are numbers or the levels of a category. `subject` is
    what the feature is about and `words` how a value of it is put, as they stand in a reason.

    >>> from predictive.features.behaviour import count
    >>> feature = count(("page_view",), 30)
    >>> feature.name, feature.side
    ('page_view_count_30d', 'interest')
    """

    name: str
    description: str
    side: Side
    signal: str
    subject: str
    term: Term
    kind: Literal["number", "text"] = "number"
    words: Words = "number"

    @property
    def totals(self) -> tuple[Total, ...]:
        """The totals that the feature is made of."""
        return tuple(totals_of(self.term))

    @property
    def attributes(self) -> tuple[str, ...]:
        """The attributes that the feature reads."""
        return tuple(dict.fromkeys(attributes_of(self.term)))

    @property
    def attribute(self) -> str | None:
        """The attribute that the feature is, as it stands; None for a feature that computes something."""
        return self.term.name if isinstance(self.term, Attribute) else None


def own(name: str, description: str, *, side: Side, term: Term) -> Feature:
    """A feature of your own: a number computed by `term`, with a name, a description in plain language and a side.

    Write it in a module of yours and name it in the configuration (``features: {own: [my_module:my_feature]}``).
    Raises :class:`~predictive.errors.ConfigError` for a name, side or term that cannot be.

    >>> from predictive.features.expression import total
    >>> per_visit = total("count", "form_submission", days=90) / total("days", days=90)
    >>> own("forms_per_active_day", "forms per active day, 90 days", side="interest", term=per_visit).kind
    'number'
    """
    if side not in get_args(Side):
        raise ConfigError(f"own feature {name!r}: the side is {side!r}; it is one of {', '.join(get_args(Side))}")
    if not isinstance(term, Term):
        raise ConfigError(
            f"own feature {name!r}: the term is a {type(term).__name__}; make it of total(…), Attribute(…) and numbers"
        )
    if not name.strip() or "::" in name or not description.strip():
        raise ConfigError(f"own feature {name!r}: needs a name without '::', and a description")
    return Feature(name, description, side, name, description, term)


def attribute(
    name: str, *, of: Literal["contacts", "accounts"] = "contacts", kind: Literal["number", "text"] = "text",
    side: Side = "fit",
) -> Feature:  # fmt: skip
    """An attribute of the contact or of its account, as it was at as-of; missing where it was not known."""
    key = name if of == "contacts" else f"account_{name}"
    about = key.replace("_", " ")
    return Feature(key, about, side, key, about, Attribute(key), kind, kind)


def record_age() -> Feature:
    """Days since the contact was created."""
    text = "days since the contact was created"
    age = Formula("days", (Attribute("as_of") - Attribute("created_at"),))
    return Feature(
        "record_age_days", text, "interest", "age of the record", "in the database for", age, words="record age"
    )


def entry(part: Literal["month", "weekday"]) -> Feature:
    """The month (01 to 12) or the weekday (1, Monday, to 7) in which the contact was created, in UTC."""
    about = f"{part} of entry"
    term = Formula(part, (Attribute("created_at"),))
    return Feature(f"entry_{part}", f"{about} (UTC)", "context", "calendar", about, term, "text", "text")


def completeness(attributes: Iterable[str]) -> Feature:
    """The share of these attributes that were known at as-of."""
    names = sorted(attributes)
    known: Term = Constant(0.0)
    for name in names:
        known = known + Attribute(name).known()
    text = f"share of {len(names)} attributes that are known"
    return Feature("completeness", text, "context", "completeness", "completeness of the record", known / len(names))


def distinct(features: Iterable[Feature], *, taken: Iterable[str] = ()) -> list[Feature]:
    """The features with names that differ by more than case, from each other and from `taken`: a number is added.

    >>> [f.name for f in distinct([attribute("plan"), attribute("Plan")], taken=["label"])]
    ['plan', 'Plan#2']
    """
    used = {name.casefold() for name in taken}
    out = []
    for feature in features:
        names = (feature.name if n == 1 else f"{feature.name}#{n}" for n in itertools.count(1))
        name = next(n for n in names if n.casefold() not in used)
        used.add(name.casefold())
        out.append(replace(feature, name=name))
    return out


def is_text(feature: Feature) -> bool:
    """Whether the feature's values are levels of a category rather than numbers."""
    return feature.kind == "text"


def set_hash(features: Iterable[Feature]) -> str:
    """The name of a feature set: sha256 over the reprs, in order.

    >>> set_hash([record_age()]) == set_hash([entry("month")])
    False
    """
    return hashlib.sha256("\n".join(map(repr, features)).encode()).hexdigest()


def to_json(feature: Feature) -> dict[str, Any]:
    """A feature as plain values, for the bundle."""
    plain = {f.name: getattr(feature, f.name) for f in fields(feature)}
    return {**plain, "term": expression.to_json(feature.term)}


def from_json(value: dict[str, Any]) -> Feature:
    """The inverse of :func:`to_json`; nothing in `value` is executed.

    >>> from_json(to_json(record_age())) == record_age()
    True
    """
    return Feature(**{**value, "term": expression.from_json(value["term"])})
