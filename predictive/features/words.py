"""A feature with its value, in words, as it stands in a reason."""

from __future__ import annotations

from typing import Any

import numpy as np

from predictive.features.catalog import Feature


def phrase(feature: Feature, value: Any) -> str:
    """A feature with its value, in words; `value` None or NaN means missing.

    >>> from predictive.features.behaviour import count, recency
    >>> from predictive.features.catalog import attribute
    >>> phrase(recency(("webinar",)), None), phrase(attribute("industry"), "software")
    ('latest webinar: never', 'industry: software')
    >>> phrase(count(("page_view",), 30), 3)
    'page view: 3 in 30 days'
    """
    missing = value is None or value != value  # NaN is the only value unlike itself
    if feature.words == "record age" and not missing:
        return f"{feature.subject} {value:.0f} days"
    return f"{feature.subject}: {_value(feature, value, missing=missing)}"


def alike(feature: Feature, values: np.ndarray) -> np.ndarray:
    """The values, of which those that :func:`phrase` tells in the same words are made one where that is cheap.

    >>> from predictive.features.behaviour import recency
    >>> alike(recency(("webinar",)), np.array([3.2, 3.9, np.nan])).tolist()
    [3.0, 3.0, nan]
    """
    if values.dtype.kind != "f":
        return values
    match feature.words:
        case "ago":
            return np.asarray(np.floor(values))
        case "record age":
            return np.asarray(np.rint(values))
        case _:
            return values


def _value(feature: Feature, value: Any, *, missing: bool) -> str:
    days = feature.totals[0].days if feature.totals else None
    match feature.words:
        case "times" | "active days":
            number = 0 if missing else int(value)
            return f"{number} in {days} days" if days is not None else f"{number}"
        case "weeks":
            return f"{0 if missing else int(value)} weeks in a row"
        case "ago":
            return "never" if missing else _ago(value)
        case "intensity":
            return "a lot lately" if value >= 2 else "some lately" if value >= 0.5 else "little lately"
        case "trend":
            return "rising" if value > 1 else "falling" if value < 1 else "steady"
        case _:
            return "not known" if missing else str(value) if feature.kind == "text" else _number(value)


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1_000 else f"{value:.4g}"


def _ago(days: float) -> str:
    return "today" if days < 1 else f"{int(days)} day{'s' if int(days) != 1 else ''} ago"
