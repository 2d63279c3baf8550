"""Features as values: what each is called, means and needs. :mod:`predictive.features.build` runs them.

A feature is a small frozen object. Its repr round-trips, and the hash of all reprs names the feature set that a model
was trained with. `side` says what it is evidence of: ``fit`` (who the contact is), ``interest`` (what it did) or
``context`` (neither: it enters only the probability). `signal` groups features that say the same thing in other words,
such as five windows of page views, so that they are one reason.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

import narwhals as nw

from predictive.clock import DAY

Side = Literal["fit", "interest", "context"]
Measure = Literal["count", "last", "first", "decay", "days", "first_type", "last_type"]
WEIGHT_ONE = 1 << 20
"""A decayed weight of 1 as fixed-point int64: sums of integers do not depend on order, threads or engine."""


@dataclass(frozen=True)
class Total:
    """One number per contact, taken over its activities known at as-of.

    `types` restricts to activity types (empty: any but those of `without`); `days` to the window (as_of − days, as_of];
    `detail` to rows with exactly this detail, `contains` to rows whose detail has the text in it. `half_life`: in days.
    """

    measure: Measure
    types: tuple[str, ...] = ()
    days: int | None = None
    half_life: int | None = None
    detail: str | None = None
    contains: str | None = None
    without: tuple[str, ...] = ()

    @property
    def base(self) -> Total:
        """The same total over all types: what is computed per type first, and pivoted second."""
        return replace(self, types=())

    @property
    def column(self) -> str:
        """A column name of its own, which no attribute can have, since none contains a double colon.

        Databases ignore the case of column names, so the types and details are not in it as they are written.
        """
        return f"{self.measure}::{hashlib.sha256(repr(self).encode()).hexdigest()[:16]}"


@dataclass(frozen=True)
class Feature:
    """A named column of evidence about a contact at an as-of.

    `recipe` names the expression in :data:`RECIPES` that is applied to `totals`, or, for attributes, to the column
    `attribute`. `kind` says whether the values are numbers or the levels of a category. `subject` is what the feature
    is about, as it stands in a reason.

    >>> feature = count(("page_view",), 30)
    >>> feature.name, feature.side, eval(repr(feature)) == feature
    ('page_view_count_30d', 'interest', True)
    >>> phrase(feature, 3)
    'page view: 3 in 30 days'
    """

    name: str
    description: str
    side: Side
    signal: str
    recipe: str
    subject: str
    kind: Literal["number", "text"] = "number"
    totals: tuple[Total, ...] = ()
    attribute: str | None = None

    @property
    def expr(self) -> nw.Expr:
        """The feature as an expression over its totals and the columns of the contact."""
        return RECIPES[self.recipe](self)


def count(types: tuple[str, ...], days: int, *, detail: str | None = None, contains: str | None = None) -> Feature:
    """How many activities of these types fall in the last `days` days; 0 when there are none."""
    about, key = _about(types, detail if detail is not None else contains)
    total = Total("count", types, days, None, detail, contains)
    text = f"{about}: how many in the last {days} days"
    return Feature(f"{key}_count_{days}d", text, "interest", key, "count", about, totals=(total,))


def active_days(days: int) -> Feature:
    """On how many days (UTC) of the last `days` days the contact did anything."""
    text = f"days with any activity in the last {days} days"
    total = Total("days", (), days)
    return Feature(f"active_days_{days}d", text, "interest", "any", "active days", "active days", totals=(total,))


def recency(types: tuple[str, ...], *, detail: str | None = None) -> Feature:
    """Days since the latest activity of these types; missing when there is none."""
    about, key = _about(types, detail)
    total = Total("last", types, None, None, detail)
    return Feature(
        f"{key}_days_since",
        f"{about}: days since the latest",
        "interest",
        key,
        "days",
        f"latest {about}",
        totals=(total,),
    )


def first_touch_age() -> Feature:
    """Days since the contact's first activity; missing when there is none."""
    text = "days since the first activity of any kind"
    return Feature(
        "first_touch_age_days", text, "interest", "first touch", "days", "first activity", totals=(Total("first"),)
    )


def intensity(types: tuple[str, ...], half_life: int) -> Feature:
    """Activities of these types, each counting half as much for every `half_life` days that have passed."""
    about, key = _about(types)
    text = f"{about}: recent intensity, halved every {half_life} days"
    total = Total("decay", types, None, half_life)
    return Feature(f"{key}_intensity_{half_life}d", text, "interest", key, "intensity", about, totals=(total,))


def trend(types: tuple[str, ...] = ()) -> Feature:
    """The last 30 days against the 90 days before them, per 30 days, each plus one: 1 means no change."""
    about, key = _about(types)
    totals = (Total("count", types, 30), Total("count", types, 120))
    text = f"{about}: the last 30 days against the 90 days before"
    return Feature(f"{key}_trend", text, "interest", key, "trend", about, totals=totals)


def touch(which: Literal["first", "last"]) -> Feature:
    """The type of the first or last activity; of several at one instant the alphabetically first."""
    total = Total("first_type" if which == "first" else "last_type")
    subject = f"{which} activity"
    return Feature(
        f"{which}_touch", f"type of the {subject}", "interest", f"{which} touch", "text", subject, "text", (total,)
    )


def record_age() -> Feature:
    """Days since the contact was created."""
    text = "days since the contact was created"
    return Feature("record_age_days", text, "interest", "age of the record", "record age", "in the database for")


def attribute(
    name: str, *, of: Literal["contacts", "accounts"] = "contacts", kind: Literal["number", "text"] = "text",
    side: Side = "fit",
) -> Feature:  # fmt: skip
    """An attribute of the contact or of its account, as it was at as-of; missing where it was not known."""
    own = name if of == "contacts" else f"account_{name}"
    about = own.replace("_", " ")
    return Feature(own, about, side, own, kind, about, kind, attribute=own)


def _about(types: tuple[str, ...], detail: str | None = None) -> tuple[str, str]:
    """What is counted, in words, and as part of a name."""
    words = " or ".join(t.replace("_", " ") for t in types) if types else "any activity"
    key = "_or_".join(types) if types else "any"
    return (words, key) if detail is None else (f"{words} {detail}", f"{key}[{detail}]")


def _total(feature: Feature, index: int = 0) -> nw.Expr:
    return nw.col(feature.totals[index].column)


def _trend(feature: Feature) -> nw.Expr:
    short, long = (_total(feature, i).fill_null(0).cast(nw.Float64) for i in (0, 1))
    return (short + 1.0) / ((long - short) / 3.0 + 1.0)


RECIPES: dict[str, Callable[[Feature], nw.Expr]] = {
    "count": lambda f: _total(f).fill_null(0).cast(nw.Int64),
    "active days": lambda f: _total(f).fill_null(0).cast(nw.Int64),
    "days": lambda f: _total(f).cast(nw.Float64) / DAY,
    "intensity": lambda f: _total(f).fill_null(0).cast(nw.Float64) / WEIGHT_ONE,
    "trend": _trend,
    "record age": lambda _: (nw.col("as_of") - nw.col("created_at")).cast(nw.Float64) / DAY,
    "number": lambda f: nw.col(str(f.attribute)),
    "text": lambda f: _total(f) if f.totals else nw.col(str(f.attribute)),
}


def phrase(feature: Feature, value: Any) -> str:
    """A feature with its value, in words, for a reason; `value` None or NaN means missing.

    >>> phrase(recency(("webinar",)), None), phrase(attribute("industry"), "software")
    ('latest webinar: never', 'industry: software')
    """
    missing = value is None or value != value  # NaN is the only value unlike itself
    days = feature.totals[0].days if feature.totals else None
    match feature.recipe:
        case "count" | "active days":
            return f"{feature.subject}: {0 if missing else int(value)} in {days} days"
        case "days":
            return f"{feature.subject}: {'never' if missing else _ago(value)}"
        case "intensity":
            return f"{feature.subject}: {'a lot' if value >= 2 else 'some' if value >= 0.5 else 'little'} lately"
        case "trend":
            return f"{feature.subject}: {'rising' if value > 1 else 'falling' if value < 1 else 'steady'}"
        case "record age":
            return f"{feature.subject} {value:.0f} days"
        case _:
            return (
                f"{feature.subject}: {'not known' if missing else value if feature.kind == 'text' else f'{value:,g}'}"
            )


def without(feature: Feature, types: Iterable[str]) -> Feature:
    """The feature, blind to activities of these types where it reads those of any type.

    >>> without(touch("last"), ["contract"]).totals[0].without
    ('contract',)
    """
    blind = tuple(sorted(set(types)))
    return replace(feature, totals=tuple(t if t.types else replace(t, without=blind) for t in feature.totals))


def distinct(features: Iterable[Feature], *, taken: Iterable[str] = ()) -> list[Feature]:
    """The features with names that differ by more than case, from each other and from `taken`: a number is added.

    >>> [f.name for f in distinct([touch("first"), attribute("First_touch")], taken=["label"])]
    ['first_touch', 'First_touch#2']
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

    >>> set_hash([record_age()]) == set_hash([first_touch_age()])
    False
    """
    return hashlib.sha256("\n".join(map(repr, features)).encode()).hexdigest()


def to_json(feature: Feature) -> dict[str, Any]:
    """A feature as plain values, for the bundle."""
    return asdict(feature)


def from_json(value: dict[str, Any]) -> Feature:
    """The inverse of :func:`to_json`; nothing in `value` is executed.

    >>> from_json(to_json(trend())) == trend()
    True
    """
    totals = tuple(Total(**{**t, "types": tuple(t["types"]), "without": tuple(t["without"])}) for t in value["totals"])
    return Feature(**{**value, "totals": totals})


def _ago(days: float) -> str:
    return "today" if days < 1 else f"{int(days)} day{'s' if int(days) != 1 else ''} ago"
