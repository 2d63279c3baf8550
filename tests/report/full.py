"""What a report shows when everything was examined: small numbers that can be checked by hand."""

import numpy as np
import pandas as pd

from predictive.audit.holdout import effects
from predictive.audit.inputs import Inputs
from predictive.audit.outcome import Audit, Line
from predictive.audit.overrides import Author, Decided, Overridden
from predictive.audit.touched import Touched
from predictive.closerates import CloseRates, Rate
from predictive.evaluation.closed import closed
from predictive.evaluation.counts import count
from predictive.evaluation.stability import Shift
from predictive.hygiene import Decay, Duplicates, Hygiene, Missing, Proposal
from predictive.hygiene.stuck import Stuck
from predictive.report.examined import Examined, Filled, Fresh
from predictive.review import KINDS, ReviewItem
from predictive.tables import Note

MONTHS = {"2026-01": (400, 0.05, 21), "2026-02": (500, 0.04, 9), "2026-03": (300, 0.02, 0)}
"""Per month its scores, the probability that each of them was given, and how many of them closed."""


def line(by, name, n, probability, actual):
    """A line of the audit of `n` scores of one probability."""
    label = np.r_[np.ones(actual), np.zeros(n - actual)]
    return Line(by, name, count(label, np.full(n, probability), np.arange(n), alike=0.0, closes=actual))


def make_audit():
    """Three months; of 400 contacts 100 are the holdout, of which 2 closed, and 30 of the others did."""
    lines = [line("all", "all", 1200, 46 / 1200, 30), line("band", "20–30 %", 200, 0.25, 48)]
    lines += [line("month", name, *numbers) for name, numbers in MONTHS.items()]
    lines += [line("tier", "high", 300, 0.05, 14), line("holdout", "holdout", 100, 0.03, 2)]
    lines += [line("holdout", "others", 300, 0.06, 30)]
    rows = pd.DataFrame({"contact_id": range(400), "cluster": range(400), "as_of": 0, "quadrant": "pursue"})
    rows = rows.assign(holdout=rows.index < 100, label=((rows.index < 2) | (rows.index >= 370)).astype(int))
    return Audit(
        observed_until="2026-06-30T00:00:00Z",
        waiting=70,
        left_out={"written more than two days after their as-of": 5},
        lines=tuple(lines),
        metrics={},
        trained_rate=0.03,
        actual_rate=0.025,
        inputs=Inputs(500, (Shift("industry", 0.4, 0.01), Shift("size", 0.05, 0.01)), None, ()),
        broken=(),
        effects=effects(rows),
        overrides=Overridden(
            5, 1, (Author("ann", 5, 2, 3),),
            (
                Decided("opportunistic", "pursue", 0.8, closed([1, 1, 0], range(3))),
                Decided("not known", "nurture", 0.2, closed([0], range(1))),
            ),
        ),
        touched=Touched(
            ("call", "meeting"), 200, 60, (0.3, 0.241, 0.367), 12, 3,
            closed([1] * 9 + [0] * 31, range(40)), closed([1] * 6 + [0] * 94, range(100)),
        ),
    )  # fmt: skip


def make_rates():
    """An activity that goes with closing, an attribute that does so by luck."""
    rows = (
        Rate("activity", "demo_request", "ever", 200, 40, 30, 0.2, 0.15, 0.26, 4.0, 3.5, 0.0001, 0.001),
        Rate("attribute", "industry", "<b>retail</b>", 300, 9, 9, 0.03, 0.016, 0.056, 0.6, 0.7, 0.4, 0.5),
    )
    return CloseRates("2026-04-01T00:00:00Z", None, 90.0, 1000, 50, 45, 0.05, rows, ("demo_request",), (), ())


def make_hygiene(**changes):
    """A database of 1,000 contacts that ages fast and holds 20 contacts twice."""
    found = {
        "night": "2026-06-30T00:00:00Z",
        "contacts": 1000,
        "known": 400,
        "known_means": "an e-mail address and at least 2 of job title, country, source",
        "could_buy": 850,
        "not_eligible": {"already closed": 100, "its deal was lost": 50},
        "inactive": 77,
        "decay": (
            Decay("e-mail bounced", 300, 900.0, 0.283, 0.256, 0.312),
            Decay("account changed", 0, 0.0, None, None, None, "account_id has no history in changes"),
            Decay("any of these", 500, 900.0, 0.426, 0.396, 0.456),
        ),
        "duplicates": (
            Duplicates("e-mail", 15, 35, (("C1", "C2", "C3"),)),
            Duplicates("name and company", 4, 8, (("C7", "C8"),)),
        ),
        "missing": (Missing("contacts", "phone", 900, 0.9), Missing("contacts", "email", 10, 0.01)),
        "impossible": (
            Note("deals.amount", "2 below zero", 2, ("D1", "D2")),
            Note("contacts", "1,234 created in the future", 1234, ("C9",)),
        ),
        "contradictions": (Note("contacts.lifecycle_stage", "3 customers without a won deal", 3, ("C4",)),),
        "stuck": (Stuck("lead", 40, 90, 120.4, 300, ("C1",)),),
        "marketing": (
            Proposal("bounced", 60, 5, 1.2, 0.0, 4.0),
            Proposal("all of these", 60, 5, 1.2, 0.0, 4.0),
        ),
    }
    return Hygiene(**(found | changes))


def item(contact_id="C001", name=None):
    """A contact of the review list, for every kind of reason."""
    sets = "; rules: Page view, 5 or more +20, Asked for a demo: EU +3"
    why = (
        "fit is low (1.2%), but interest is very high (12.5%)",
        "the model puts it above 96% of contacts, the rules above 20% (7 points)",
        "3.1% → 9.4% (7 → 30 points) since 2026-06-29: page view 3 times, latest webinar: 40 days ago → today" + sets,
    )
    numbers = (0.08, 0.094, 0.012, 0.125)
    return ReviewItem(contact_id, name, KINDS, why, *numbers, "opportunistic", "high", "MQL", 30)


def make_examined(at, **changes):
    """Everything was examined at a time."""
    found = {
        "audit": make_audit(),
        "fresh": (Fresh("contacts", at), Fresh("deals", at)),
        "filled": (Filled("contacts", "industry", 1000, 700),),
        "why_not": (),
        "rates": make_rates(),
        "review": (item(), item("C002", "<i>Ann</i>")),
        "hygiene": make_hygiene(),
    }
    return Examined(**(found | changes))
