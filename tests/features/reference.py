"""What every feature, label and verdict should be: slow, obvious loops over plain rows, as the design says."""

from dataclasses import dataclass, replace
from math import floor, isfinite

from predictive.clock import DAY, from_micros
from predictive.features import behaviour, catalog
from predictive.features.expression import Attribute, Constant, Total, total
from tests.features.histories import KINDS, READABLE


@dataclass(frozen=True)
class Seen:
    """One contact at its as-of: its row with the attributes as of then, and what was visible then.

    `activities` and `changes` are its own; `colleagues` are the activities of each other contact of its account then,
    and `buyers` how many of them had won a deal.
    """

    as_of: int
    contact: dict
    activities: list
    changes: list = ()
    colleagues: list = ()
    buyers: int = 0


def seen(history, contact_id, account_deals="all"):
    as_of = history.at[contact_id]
    then = contact_then(history, contact_id, as_of)
    changes = [
        {"type": c["attribute"], "t": c["changed_at"], "detail": None, "value": None}
        for c in history.changes
        if c["object"] == "contact" and c["object_id"] == contact_id and then["created_at"] < c["changed_at"] <= as_of
    ]
    others = colleagues_then(history, contact_id, then, as_of)
    buyers = sum(any(t <= as_of for t, _ in closes(history, c, account_deals, is_won=True)) for c in others)
    visible = visible_then(history, contact_id, as_of)
    return Seen(as_of, then, visible, changes, [visible_then(history, c, as_of) for c in others], buyers)


def visible_then(history, contact_id, as_of):
    return [a for a in history.activities if a["contact_id"] == contact_id and a["known"] <= as_of]


def colleagues_then(history, contact_id, then, as_of):
    """The other contacts who existed and belonged to the same account at `as_of`; of who did not exist yet, nobody."""
    if then["account_id"] is None or then["created_at"] > as_of:
        return []
    return [
        c["contact_id"] for c in history.contacts
        if c["contact_id"] != contact_id and c["created_at"] <= as_of
        and then_value(history, "contact", c, "account_id", as_of) == then["account_id"]
    ]  # fmt: skip


def contact_then(history, contact_id, as_of):
    """The contact's attributes, and with the prefix account_ those of its account, as they were at `as_of`."""
    row = next(c for c in history.contacts if c["contact_id"] == contact_id)
    then = {name: then_value(history, "contact", row, name, as_of) for name in KINDS["contact"]}
    account = next((a for a in history.accounts if a["account_id"] == then["account_id"]), None)
    for name in KINDS["account"]:
        then[f"account_{name}"] = None if account is None else then_value(history, "account", account, name, as_of)
    return {"created_at": row["created_at"], **then}


def then_value(history, of, row, name, as_of):
    """An attribute of one object at `as_of`. One with a history for any object has no other source than the history."""
    today, kind = row.get(name), KINDS[of][name]
    if not any(c["object"] == of and c["attribute"] == name for c in history.changes):
        return str(today).lower() if kind == "boolean" and today is not None else today
    mine = [
        c for c in history.changes
        if c["object"] == of and c["object_id"] == row[f"{of}_id"] and c["attribute"] == name
    ]  # fmt: skip
    before = [c for c in mine if c["changed_at"] <= as_of]
    if before:
        latest = max(c["changed_at"] for c in before)
        values = [c["value"] for c in before if c["changed_at"] == latest]
    else:
        first = min((c["changed_at"] for c in mine), default=None)
        values = [c["old_value"] for c in mine if c["changed_at"] == first]
    text = max((v for v in values if v is not None), default=None)
    return READABLE.get(text) if kind == "number" else text


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


FORMS, VISITS, SEATS = total("count", "form", days=30), total("count", "page_view", days=90), Attribute("seats")
TERMS = [
    FORMS,
    FORMS / VISITS,
    1 / (VISITS - 1),
    (FORMS + 0.5) * 3 - VISITS * -2,
    2 - SEATS,
    SEATS.fill(-1),
    SEATS.at_least(2.5),
    VISITS.at_least(FORMS + 1),
    SEATS.known(),
    Attribute("plan").known() + Attribute("account_industry").known(),
    total("last", "call").fill(total("first")),
    (total("last", "call") / total("last")).known(),
    total("value", "page_view", days=90, detail="pricing"),
    total("valued", detail="pricing"),
    total("decay", "page_view", half_life=7, detail="Pricing"),
    total("first", "page_view", "call", detail="50%_off"),
    total("breadth", "call", "form", days=90),
    total("breadth", days=90, stream="changes"),
    total("days", "plan", "lifecycle_stage", stream="changes"),
    total("weeks", stream="changes"),
    total("decay", "plan", half_life=30, stream="changes"),
    total("count", "call", "form", days=90, stream="colleagues"),
    total("active", "page_view", days=365, stream="colleagues"),
    total("bought", stream="colleagues") / total("people", stream="colleagues"),
    total("count", stream="colleagues"),
    total("active", "call", stream="colleagues"),
    total("decay", half_life=7, stream="colleagues"),
]
CASES = [
    *(count((), days) for days in (7, 30, 365)),
    *(count((type_,), 30) for type_ in ("page_view", "call", "Call")),
    count(("call", "form"), 90),
    *(count(("page_view",), 90, detail=detail) for detail in ("pricing", "Pricing", "50%_off", "a::b", "it's")),
    *(count(("page_view",), 90, contains=text) for text in ("pricing", "%", "_", "'", "::", "v.", ".")),
    count((), 7, contains="pricing"),
    *(active_days(days) for days in (1, 7, 90)),
    recency(()),
    recency(("call",)),
    recency(("page_view",), detail="pricing"),
    first_touch_age(),
    *(intensity(types, half_life) for types in ((), ("page_view",), ("call", "form")) for half_life in (7, 30)),
    trend(),
    trend(("page_view",)),
    touch("first"),
    touch("last"),
    *(
        blind(case, "call", "form")
        for case in (count((), 30), active_days(7), recency(()), trend(), touch("last", ("page_view",)))
    ),
    *(blind(case, "call") for case in (gap(), weeks_in_a_row(), breadth(30), share(("form",), 365), first_touch_age())),
    *(
        active_days(days, types)
        for days, types in ((30, ("call", "form")), (30, ("form", "page_view")), (90, ("call",)))
    ),
    *(f(types, days) for f in (value_sum, value_mean) for types in ((), ("call", "form")) for days in (30, 365)),
    *(f(types) for f in (weeks_in_a_row, gap, overdue) for types in ((), ("page_view",), ("call", "form"))),
    *(breadth(days) for days in (7, 90)),
    *(share(types, 365) for types in (("call",), ("form", "page_view"))),
    *(changes(days, names) for days in (None, 90) for names in ((), ("plan",), ("lifecycle_stage", "unheard_of"))),
    *(unchanged(names) for names in ((), ("plan",), ("lifecycle_stage", "account_id"))),
    *(time_in(name) for name in ("lifecycle_stage", "seats")),
    *(colleagues(measure) for measure in ("people", "bought")),
    (behaviour.colleagues_intensity(30), lambda s: taken(total("decay", half_life=30, stream="colleagues"), s) / 2**20),
    *(f(days) for f in (colleagues_active, colleagues_count) for days in (7, 90)),
    *(entry(part) for part in ("month", "weekday")),
    completeness("plan"),
    completeness("plan", "seats", "account_industry", "lifecycle_stage"),
    *(own(term) for term in TERMS),
    record_age(),
    *(attribute(name, kind="number" if kind == "number" else "text") for name, kind in KINDS["contact"].items()),
    *(attribute(n, of="accounts", kind="number" if k == "number" else "text") for n, k in KINDS["account"].items()),
]
FEATURES = catalog.distinct(feature for feature, _ in CASES)


def built(history):
    """Every feature of every contact that is looked at, by contact and name."""
    views = {contact_id: seen(history, contact_id) for contact_id in history.at}
    names = [feature.name for feature in FEATURES]
    return {c: {n: value(view) for n, (_, value) in zip(names, CASES, strict=True)} for c, view in views.items()}


def holders(history, deal, account_deals):
    """The contacts that a row of deals belongs to."""
    if deal["contact_id"] is not None:
        return [deal["contact_id"]]
    named = any(d["deal_id"] == deal["deal_id"] and d["contact_id"] is not None for d in history.deals)
    if named or deal["account_id"] is None or account_deals == "none":
        return []
    times = [deal[k] for k in ("created_at", "closed_at") if deal[k] is not None]
    since = min(times)
    there = [
        c["contact_id"] for c in history.contacts
        if c["created_at"] <= since and then_value(history, "contact", c, "account_id", since) == deal["account_id"]
    ]  # fmt: skip
    if account_deals == "all" or not there:
        return there

    def activity(contact_id):
        return sum(a["contact_id"] == contact_id and a["known"] <= since for a in history.activities)

    return [min(there, key=lambda c: (-activity(c), c))]


def closes(history, contact_id, account_deals, *, is_won):
    """When deals of this contact were won (or lost), and which: (closed_at, deal_id)."""
    return sorted(
        (d["closed_at"], d["deal_id"]) for d in history.deals
        if d["closed_at"] is not None and d["is_won"] is is_won and contact_id in holders(history, d, account_deals)
    )  # fmt: skip


def label(history, contact_id, account_deals, horizon):
    """`label`, `deal_id`, `closed_at` of the first deal won in (as_of, as_of + horizon]."""
    as_of = history.at[contact_id]
    found = [c for c in closes(history, contact_id, account_deals, is_won=True) if as_of < c[0] <= as_of + horizon]
    return {"label": 1, "deal_id": found[0][1], "closed_at": found[0][0]} if found else \
        {"label": 0, "deal_id": None, "closed_at": None}  # fmt: skip


def why_not(history, contact_id, eligibility, *, training):
    """Why a contact is not eligible at its as-of; None if it is."""
    as_of, deals = history.at[contact_id], eligibility.account_deals
    if eligibility.customers == "exclude" and any(
        at <= as_of for at, _ in closes(history, contact_id, deals, is_won=True)
    ):
        return "already closed"
    if eligibility.lost == "exclude" and any(at <= as_of for at, _ in closes(history, contact_id, deals, is_won=False)):
        return "its deal was lost"
    then = contact_then(history, contact_id, as_of)
    for name, values in eligibility.non_marketing.items():
        has_history = any(c["object"] == "contact" and c["attribute"] == name for c in history.changes)
        if training and not has_history:
            continue
        if then[name] is not None and plain(then[name]) in map(plain, values):
            return f"{name.replace('_', ' ')} says it is not to be marketed to"
    return None


def plain(status):
    return status.lower().replace("_", " ").replace("-", " ")


def is_opportunity(history, contact_id, account_deals):
    """Whether a deal of the contact is open at its as-of."""
    as_of = history.at[contact_id]
    for deal in history.deals:
        never = deal["closed_at"] is None or deal["is_won"] is None
        still = deal["created_at"] is not None and deal["created_at"] <= as_of and (never or deal["closed_at"] > as_of)
        # The expected close date of an open deal is not the time that it closed.
        if still and contact_id in holders(history, {**deal, "closed_at": None}, account_deals):
            return True
    return False
