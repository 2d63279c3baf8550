"""What every feature, label and verdict should be: slow, obvious loops over plain rows, as the design says."""

from dataclasses import dataclass, replace
from math import floor

from predictive.clock import DAY
from predictive.features import behaviour, catalog
from tests.features.histories import KINDS, READABLE


@dataclass(frozen=True)
class Seen:
    """One contact at its as-of: its row with the attributes as of then, and the activities visible then."""

    as_of: int
    contact: dict
    activities: list


def seen(history, contact_id):
    as_of = history.at[contact_id]
    visible = [a for a in history.activities if a["contact_id"] == contact_id and a["known"] <= as_of]
    return Seen(as_of, contact_then(history, contact_id, as_of), visible)


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


def active_days(days):
    return behaviour.active_days(days), lambda s: len({(s.as_of - a["t"]) // DAY for a in rows(s, (), days)})


def recency(types, **where):
    def days_since(s):
        return min(((s.as_of - a["t"]) / DAY for a in rows(s, types, **where)), default=None)

    return behaviour.recency(types, **where), days_since


def first_touch_age():
    return behaviour.first_touch_age(), lambda s: max(((s.as_of - a["t"]) / DAY for a in s.activities), default=None)


def intensity(types, half_life):
    def fixed_point(s):
        # Half of the last digit counts as a whole one.
        weights = [2.0 ** (-((s.as_of - a["t"]) // DAY) / half_life) for a in rows(s, types)]
        return sum(floor(w * 2**20 + 0.5) for w in weights) / 2**20

    return behaviour.intensity(types, half_life), fixed_point


def trend(types=()):
    def ratio(s):
        short = len(rows(s, types, 30))
        return (short + 1) / ((len(rows(s, types, 120)) - short) / 3 + 1)

    return behaviour.trend(types), ratio


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
