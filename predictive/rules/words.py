"""Conditions in words, for people who did not write them."""

from __future__ import annotations

from collections.abc import Sequence

from predictive.rules.conditions import Condition

SHOWN = 3
"""How many values of a list are named; the rest are counted."""


def in_words(condition: Condition) -> str:
    """A condition as a sentence without an end.

    >>> in_words(Condition(activity="page_view", contains="pricing", at_least=2, within="30d"))
    'at least 2 page views with "pricing" within 30 days'
    >>> in_words(Condition(attribute="job_title", contains=["chief", "director"]))
    'job title contains "chief" or "director"'
    """
    c = condition
    if c.any is not None:
        return " or ".join(in_words(inner) for inner in c.any)
    if c.tag is not None or c.no_tag is not None:
        return f"tagged {_either(c.tag)}" if c.tag is not None else f"not tagged {_either(c.no_tag or ())}"
    if c.activity is not None:
        return _activity(c)
    return f"{about(c)} {wanted(c)}"


def about(condition: Condition) -> str:
    """The attribute of a condition, as people write it."""
    return (condition.attribute or "tags").replace("_", " ")


def wanted(condition: Condition) -> str:
    """What a condition wants of its attribute.

    >>> wanted(Condition(attribute="country", one_of=["a", "b", "c", "d", "e"]))
    'is "a", "b", "c" or 2 more'
    """
    c = condition
    listed = {"equals": "is", "is_not": "is not", "one_of": "is", "none_of": "is none of", "contains": "contains"}
    out = []
    for name in c.operators:
        value = getattr(c, name)
        match name:
            case "known" | "unknown":
                out.append("is known" if value == (name == "known") else "is not known")
            case "between" | "at_least" | "at_most":
                ends = {"between": value, "at_least": (value, None), "at_most": (None, value)}[name]
                out.append(_numbers(*ends))
            case "within" | "not_within":
                out.append(f"is {'in the last' if name == 'within' else 'longer ago than'} {_days(value.days)}")
            case "matches" | "before" | "after":
                out.append(f"{ {'matches': 'matches', 'before': 'is before', 'after': 'is not before'}[name] } {value}")
            case _:
                out.append(f"{listed[name]} {_either([value] if isinstance(value, str) else value)}")
    return " and ".join(out)


def activities(condition: Condition, number: float) -> str:
    """So many of the activities that a condition counts.

    >>> activities(Condition(activity="form_submission", detail="demo_request"), 1)
    '1 form submission "demo_request"'
    >>> activities(Condition(activity=["meeting", "call"]), 2)
    '2 of meeting or call'
    """
    c = condition
    names = [t.replace("_", " ") for t in c.types] or ["activity of any type"]
    if len(names) > 1:
        thing = f"of {' or '.join(names)}"
    elif number == 1 or names[0].endswith(("s", "ed")):
        thing = names[0]
    else:
        thing = f"{names[0]}s" if c.types else "activities of any type"
    detail = "" if c.detail is None else f" {_either(c.detail)}"
    return f"{number:g} {thing}{detail}" + ("" if c.contains is None else f" with {_either(c.contains)}")


def window(condition: Condition) -> str:
    """The window of a condition, with a space before it; nothing where it is for ever."""
    return "" if condition.days is None else f" within {_days(condition.days)}"


def _activity(c: Condition) -> str:
    low, high = c.times
    if high == 0:
        said = f"no {activities(c, 1).removeprefix('1 ')}{window(c)}"
    else:
        ends = [f"at least {activities(c, low)}"] if low > 0 else []
        ends += [] if high is None else [f"at most {activities(c, high)}"]
        said = f"{' and '.join(ends) or activities(c, 1).removeprefix('1 ')}{window(c)}"
    if c.value_at_least is not None or c.value_at_most is not None:
        said += f" whose values sum to {_numbers(c.value_at_least, c.value_at_most).removeprefix('is ')}"
    return said


def _numbers(low: float | None, high: float | None) -> str:
    if low is not None and high is not None:
        return f"is between {low:g} and {high:g}"
    return f"is at least {low:g}" if low is not None else f"is at most {high:g}"


def _days(days: int) -> str:
    return f"{days} day{'s' if days != 1 else ''}"


def _either(values: Sequence[str]) -> str:
    shown = [f'"{v}"' for v in values[:SHOWN]]
    if len(values) > SHOWN:
        return f"{', '.join(shown)} or {len(values) - SHOWN} more"
    return " or ".join(filter(None, [", ".join(shown[:-1]), *shown[-1:]]))
