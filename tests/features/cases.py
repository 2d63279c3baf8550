"""Features of every kind with what they should be, and the values of all of them for every contact of a history."""

from predictive.features import behaviour, catalog
from predictive.features.expression import Attribute, total
from tests.features.histories import KINDS
from tests.features.reference import (
    active_days,
    attribute,
    blind,
    breadth,
    changes,
    colleagues,
    colleagues_active,
    colleagues_count,
    completeness,
    count,
    entry,
    first_touch_age,
    gap,
    intensity,
    overdue,
    own,
    recency,
    record_age,
    share,
    taken,
    time_in,
    touch,
    trend,
    unchanged,
    value_mean,
    value_sum,
    weeks_in_a_row,
)
from tests.features.then import seen

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
    total("days", "plan", days=365, stream="changes"),
    total("days", "page_view", days=30),
    total("days", "call", "form", days=90),
    total("weeks", "call"),
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
