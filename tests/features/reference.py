"""Every kind of feature beside what it should be: a slow, obvious function of what was seen of a contact."""

from dataclasses import replace
from math import floor, isfinite

from predictive.clock import DAY, from_micros
from predictive.features import behaviour, catalog
from predictive.features.expression import Attribute, Constant, Total


def rows(seen, types=(), days=None, detail=None, contains=None):
    """The visible activities of these types in (as_of - days, as_of], with this detail, or one that contains it."""
    return [
        a for a in seen.activities
        if (not types or a["type"] in types)
        and (days is None or seen.as_of - days * DAY < a["t"] <= seen.as_of)
        and (detail is None or a["detail"] == detail)
        and (contains is None or (a["detail"] is not None and contains in a["detail"]))
    ]  # fmt: skip


def count(types, days, **where):
    return behaviour.count(types, days, **where), lambda s: len(rows(s, types, days, **where))


def days_ago(s, found):
    """On which days, counted back from as-of."""
    return {(s.as_of - a["t"]) // DAY for a in found}


def active_days(days, types=()):
    return behaviour.active_days(days, types), lambda s: len(days_ago(s, rows(s, types, days)))


def recency(types, **where):
    def days_since(s):
        return min(((s.as_of - a["t"]) / DAY for a in rows(s, types, **where)), default=None)

    return behaviour.recency(types, **where), days_since


def first_touch_age():
    return behaviour.first_touch_age(), lambda s: max(((s.as_of - a["t"]) / DAY for a in s.activities), default=None)


def intensity(types, half_life):
    def fixed_point(s):
        return sum(weight(s, a, half_life) for a in rows(s, types)) / 2**20

    return behaviour.intensity(types, half_life), fixed_point


def trend(types=()):
    def ratio(s):
        short = len(rows(s, types, 30))
        return (short + 1) / ((len(rows(s, types, 120)) - short) / 3 + 1)

    return behaviour.trend(types), ratio


def fixed(value):
    """A value in 1/10,000, half of one up; None for what is no number."""
    if value is None or not isfinite(value):
        return None
    return floor(max(-1e10, min(1e10, value)) * 10_000 + 0.5)


def values(s, *where, **more):
    return [v for a in rows(s, *where, **more) for v in [fixed(a["value"])] if v is not None]


def value_sum(types, days):
    return behaviour.value_sum(types, days), lambda s: sum(values(s, types, days)) / 10_000


def value_mean(types, days):
    def mean(s):
        found = values(s, types, days)
        return sum(found) / len(found) / 10_000 if found else None

    return behaviour.value_mean(types, days), mean


def weeks_in_a_row(types=()):
    def length(s):
        weeks = {day // 7 for day in days_ago(s, rows(s, types))}
        return next((n for n in range(7) if n not in weeks), 7)

    return behaviour.weeks_in_a_row(types), length


def mean_gap(s, types):
    times, days = [a["t"] for a in rows(s, types)], days_ago(s, rows(s, types))
    return (max(times) - min(times)) / DAY / (len(days) - 1) if len(days) > 1 else None


def gap(types=()):
    return behaviour.gap(types), lambda s: mean_gap(s, types)


def overdue(types=()):
    def in_gaps(s):
        usual = mean_gap(s, types)
        return None if usual is None else min((s.as_of - a["t"]) / DAY for a in rows(s, types)) / usual

    return behaviour.overdue(types), in_gaps


def breadth(days):
    return behaviour.breadth(days), lambda s: len({a["type"] for a in rows(s, (), days)})


def share(types, days):
    def part(s):
        return len(rows(s, types, days)) / len(rows(s, (), days)) if rows(s, (), days) else None

    return behaviour.share(types, days, group="some"), part


def of_changes(s):
    """The same view with the changes of the contact in place of its activities."""
    return replace(s, activities=s.changes)


def changes(days, attributes=()):
    return behaviour.changes(days, attributes), lambda s: len(rows(of_changes(s), attributes, days))


def since_change(s, attributes):
    return min(((s.as_of - c["t"]) / DAY for c in rows(of_changes(s), attributes)), default=None)


def unchanged(attributes=()):
    return behaviour.unchanged(attributes), lambda s: since_change(s, attributes)


def time_in(name):
    def days(s):
        since = since_change(s, (name,))
        return (s.as_of - s.contact["created_at"]) / DAY if since is None else since

    return behaviour.time_in(name), days


def colleagues(measure):
    return behaviour.colleagues(measure), lambda s: len(s.colleagues) if measure == "people" else s.buyers


def of_each_colleague(s, types=(), days=None):
    return [rows(replace(s, activities=done), types, days) for done in s.colleagues]


def colleagues_active(days):
    return behaviour.colleagues_active(days), lambda s: sum(map(bool, of_each_colleague(s, (), days)))


def colleagues_count(days):
    return behaviour.colleagues_count(days), lambda s: sum(map(len, of_each_colleague(s, (), days)))


def entry(part):
    def of_creation(s):
        created = from_micros(s.contact["created_at"])
        return created.strftime("%m") if part == "month" else str(created.isoweekday())

    return catalog.entry(part), of_creation


def completeness(*names):
    return catalog.completeness(names), lambda s: sum(s.contact[n] is not None for n in names) / len(names)


def weight(s, row, half_life):
    # Half of the last digit counts as a whole one.
    return floor(2.0 ** (-((s.as_of - row["t"]) // DAY) / half_life) * 2**20 + 0.5)


def taken(total, s):
    """A total by its table of measures."""
    if total.stream == "colleagues":
        each = of_each_colleague(s, total.types, total.days)
        return {
            "people": len(each), "bought": s.buyers, "active": sum(map(bool, each)), "count": sum(map(len, each)),
            "decay": sum(weight(s, a, total.half_life or 1) for done in each for a in done),
        }[total.measure]  # fmt: skip
    view = of_changes(s) if total.stream == "changes" else s
    found = rows(view, total.types, total.days, total.detail, total.contains)
    ages = [s.as_of - a["t"] for a in found]
    if total.measure in ("last", "first"):
        return {"last": min, "first": max}[total.measure](ages, default=None)
    valued = values(view, total.types, total.days, total.detail, total.contains)
    return {
        "count": len(found), "days": len(days_ago(s, found)), "breadth": len({a["type"] for a in found}),
        "value": sum(valued), "valued": len(valued), "decay": sum(weight(s, a, total.half_life or 1) for a in found),
        "weeks": sum(2**day for day in days_ago(s, found) if day < 49),
    }[total.measure]  # fmt: skip


ARITHMETIC = {
    "add": lambda a, b: a + b,
    "subtract": lambda a, b: a - b,
    "multiply": lambda a, b: a * b,
    "divide": lambda a, b: None if b == 0 else a / b,
    "at least": lambda a, b: int(a >= b),
}


def worked_out(term, s):
    """What a term is, by the rules of arithmetic; None with anything is None."""
    if isinstance(term, Constant):
        return term.value
    if isinstance(term, Attribute):
        return s.as_of if term.name == "as_of" else s.contact[term.name]
    if isinstance(term, Total):
        return taken(term, s)
    terms = [worked_out(t, s) for t in term.terms]
    if term.operation == "known":
        return int(terms[0] is not None)
    if term.operation == "fill":
        return terms[1] if terms[0] is None else terms[0]
    return None if None in terms else ARITHMETIC[term.operation](*map(float, terms))


def own(term):
    feature = catalog.own("own", "a feature of somebody's own", side="interest", term=term)
    return feature, lambda s: worked_out(term, s)


TOUCHED = ("call", "form")


def touch(which, types=TOUCHED):
    best = min if which == "first" else max

    def type_then(s):
        at = best((a["t"] for a in s.activities), default=None)
        found = [a["type"] for a in s.activities if a["t"] == at]
        return next((t for t in types if t in found), "other") if found else None

    return behaviour.touch(which, types), type_then


def record_age():
    return catalog.record_age(), lambda s: (s.as_of - s.contact["created_at"]) / DAY


def attribute(name, of="contacts", kind="text"):
    key = name if of == "contacts" else f"account_{name}"
    return catalog.attribute(name, of=of, kind=kind), lambda s: s.contact[key]


def blind(case, *types):
    feature, value = case
    return behaviour.without(feature, types), lambda s: value(
        replace(s, activities=[a for a in s.activities if a["type"] not in types])
    )
