"""The numbers of the demo's world: what contacts and accounts can be, and how each value moves interest and closing.

Every effect is on the log of a daily rate. All of them act through something that the tables record, so a contact's
true close probability is a property of its recorded history; nothing here stands for a hidden trait.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np

AS_OF = datetime(2026, 6, 30, tzinfo=UTC)
"""Where the demo's history ends: 18 months after `START`. A constant, so that no run depends on the clock."""

START = datetime(2024, 12, 30, tzinfo=UTC)
DAYS = (AS_OF - START).days
HORIZON = 90
TRUTH_AS_OFS = (
    datetime(2026, 2, 1, tzinfo=UTC),
    datetime(2026, 3, 1, tzinfo=UTC),
    datetime(2026, 4, 1, tzinfo=UTC),
    AS_OF,
)
"""As-ofs with true probabilities: the last three mature firsts of a month, and the night that is scored."""


@dataclass(frozen=True)
class Level:
    """One value of an attribute: how many have it (relative), and its effect on fit (on the log of a rate)."""

    name: str
    share: float
    fit: float = 0.0


INDUSTRIES = (
    Level("Software", 18, 0.8),
    Level("Financial Services", 11, 0.5),
    Level("Manufacturing", 15, 0.3),
    Level("Professional Services", 14, 0.0),
    Level("Healthcare", 10, 0.1),
    Level("Retail", 11, -0.3),
    Level("Media", 6, -0.2),
    Level("Education", 7, -0.9),
    Level("Public Sector", 5, -0.8),
    Level("Nonprofit", 3, -1.2),
)
COUNTRIES = (
    Level("United States", 30, 0.3),
    Level("Germany", 17, 0.4),
    Level("United Kingdom", 13, 0.2),
    Level("France", 9, 0.0),
    Level("Netherlands", 6, 0.3),
    Level("Spain", 6, -0.1),
    Level("Canada", 5, 0.1),
    Level("Poland", 4, -0.3),
    Level("India", 5, -0.9),
    Level("Brazil", 3, -0.8),
    Level("Japan", 2, -0.7),
)
LEVELS = (
    Level("Intern", 3, -1.6),
    Level("Specialist", 30, -0.5),
    Level("Senior", 22, -0.1),
    Level("Manager", 23, 0.3),
    Level("Director", 12, 0.7),
    Level("VP", 6, 0.8),
    Level("Chief", 4, 0.4),
)
"""Seniority, lowest first. It stands in the job title, and promotions move it one up."""

FUNCTIONS = ("Marketing", "Sales", "Operations", "IT", "Finance", "HR", "Product", "Engineering")
SOURCES = (
    Level("organic search", 26, 0.1),
    Level("paid search", 16, 0.2),
    Level("content", 14, 0.0),
    Level("event", 9, 0.1),
    Level("referral", 7, 0.7),
    Level("partner", 5, 0.4),
    Level("list import", 23, -0.4),
)
SOURCE_ACTIVITY = np.array([1.0, 1.2, 1.9, 0.7, 1.1, 0.6, 0.3])
"""Relative rate of unprompted activity by source, in the order of `SOURCES`."""

CHANNELS = ("website form", "chat", "trade fair scan", "referral link", "spreadsheet")
"""Untracked and constant: how the record got into the CRM. It follows the source and adds nothing to it."""

NO_ACCOUNT_FIT = -0.6
SIZE_PEAK, SIZE_CURVE = 2.5, -0.8
"""Fit falls off quadratically in log10(employees), on both sides of about 300."""

BUYER, STUDENT, COMPETITOR, STAFF = range(4)
PERSONAS = (
    Level("buyer", 93.0),
    Level("student", 3.5, -3.0),
    Level("competitor", 1.5, -4.0),
    Level("staff", 2.0, -30.0),
)
"""Recorded as a tag (student, competitor) or as marketing_status (staff)."""

BASE_ACTIVITY = 0.026
"""Unprompted touches a day of a contact whose source has activity 1."""
EXCITATION = 0.072
"""What one unit of heat adds to tomorrow's rate of touches: activity breeds activity (a discrete Hawkes process)."""
HEAT_KEPT = 0.5 ** (1 / 7)
INTENT_KEPT = 0.5 ** (1 / 21)
"""Heat (any touch) halves in a week, intent (buying touches) in three."""
PROMOTION = 0.1 / 365.25
"""Promotions a day and contact."""


@dataclass(frozen=True)
class Kind:
    """A kind of touch: what happens between a contact and the company within an hour or so.

    Attributes:
        name: The kind.
        weight: Relative frequency without intent.
        slope: Exponent of (1 + intent): how much more often it happens as interest grows.
        heat, intent: What it adds to the two decayed sums.
        opening: Effect on the log rate that it opens a deal.
    """

    name: str
    weight: float
    slope: float
    heat: float
    intent: float
    opening: float = 0.0


KINDS = (
    Kind("email_open", 3.0, -0.3, 0.3, 0.0, -3.0),
    Kind("email_click", 1.2, 0.0, 0.7, 0.1, -1.5),
    Kind("blog", 2.4, -0.1, 0.9, 0.05, -2.0),
    Kind("product", 1.3, 0.4, 1.1, 0.3, -0.8),
    Kind("pricing", 0.35, 0.8, 1.3, 0.9, 0.2),
    Kind("careers", 0.3, -0.5, 0.5, -0.6, -4.0),
    Kind("newsletter", 0.15, -0.3, 0.6, 0.05, -2.0),
    Kind("download", 0.45, 0.4, 1.2, 0.6, 0.0),
    Kind("webinar", 0.3, 0.4, 1.4, 0.8, 0.3),
    Kind("event", 0.12, 0.3, 1.2, 0.6, 0.5),
    Kind("contact_form", 0.05, 0.9, 1.4, 1.3, 1.3),
    Kind("demo_request", 0.04, 1.2, 1.8, 2.2, 2.2),
    Kind("meeting", 0.03, 1.2, 1.5, 1.6, 1.8),
    Kind("call", 0.1, 0.8, 0.8, 0.7, 0.8),
    Kind("unsubscribe", 0.06, -0.6, 0.0, 0.0, -6.0),
    Kind("spam_report", 0.008, -0.6, 0.0, 0.0, -6.0),
    Kind("bounce", 0.03, 0.0, 0.0, 0.0, -6.0),
)
K = {kind.name: number for number, kind in enumerate(KINDS)}
"""Number of each kind by name."""

MAIL = ("email_open", "email_click", "unsubscribe", "spam_report", "bounce")
"""Kinds that cannot happen any more after one of `MAIL_ENDS`."""
MAIL_ENDS = ("unsubscribe", "spam_report", "bounce")


def _factors(**factors: float) -> np.ndarray:
    row = np.ones(len(KINDS))
    for name, factor in factors.items():
        row[K[name]] = factor
    return row


PERSONA_KINDS = np.stack(
    [
        _factors(),
        _factors(blog=2.0, download=2.5, careers=5.0, meeting=0.1, demo_request=0.3, call=0.2, event=0.5),
        _factors(pricing=4.0, product=2.5, meeting=0.0, call=0.0, demo_request=0.5, contact_form=0.2),
        _factors(meeting=0.5, call=0.5, demo_request=0.0, contact_form=0.0, unsubscribe=0.1, spam_report=0.0),
    ]
)
NO_DEAL, OPEN_DEAL, CUSTOMER = range(3)
DEAL_KINDS = np.stack(
    [
        _factors(),
        _factors(meeting=8.0, call=6.0, product=1.5, pricing=1.5, demo_request=0.3, contact_form=0.5),
        _factors(pricing=0.2, demo_request=0.05, contact_form=0.3, webinar=1.5, meeting=0.6),
    ]
)
DEAL_ACTIVITY = 0.04
"""Touches a day that sales adds while a deal is open."""

OPENING, OPENING_FIT, OPENING_INTENT = -5.25, 0.5, 0.35
"""Log rate at which a touch opens a deal: level, per unit of fit, per log(1 + intent)."""
OUTBOUND, OUTBOUND_FIT = -7.35, 0.5
"""Daily log rate at which sales opens a deal unasked: level, per unit of fit."""
RECENT_LOSS, RECENT_LOSS_DAYS = -1.5, 120
"""Effect on that log rate for so many days after a lost deal."""
WINNING, WINNING_FIT, WINNING_INTENT, WINNING_HEAT = -5.25, 0.25, 0.25, 0.15
"""Daily log rate of winning an open deal: level, per unit of fit, per log(1 + intent), per log(1 + heat)."""
LOSING, LOSING_FIT, LOSING_INTENT = -3.3, -0.15, -0.5
LOST_INTENT = 0.3
"""Factor on intent at a loss."""
RAMP = 28
"""Days until an open deal closes at its full rate; before, the rate is proportional to its age."""
CUSTOMER_ACTIVITY, UNSUBSCRIBED_ACTIVITY = 0.5, 0.7
CUSTOMER_HEAT = 0.2
"""Factors at a win and at an unsubscribe on unprompted activity, and at a win on heat."""
REPEAT = 1 / 500
"""Further deals a day of a customer."""

MONTH_ACTIVITY = np.array([1.05, 1.05, 1.1, 1.0, 1.05, 1.0, 0.85, 0.75, 1.1, 1.1, 1.05, 0.75])
MONTH_CLOSING = np.array([0.8, 0.9, 1.25, 0.9, 0.95, 1.25, 0.85, 0.7, 1.2, 1.0, 1.05, 1.35])
WEEKDAY_ACTIVITY = np.array([1.15, 1.25, 1.25, 1.2, 1.05, 0.5, 0.6])
WEEKDAY_CLOSING = np.array([1.2, 1.3, 1.3, 1.4, 1.6, 0.1, 0.1])


def _calendar(months: np.ndarray, weekdays: np.ndarray) -> np.ndarray:
    days = [START + timedelta(days=day) for day in range(DAYS + HORIZON)]
    return np.array([months[day.month - 1] * weekdays[day.weekday()] for day in days])


ACTIVITY_SEASON = _calendar(MONTH_ACTIVITY, WEEKDAY_ACTIVITY)
CLOSING_SEASON = _calendar(MONTH_CLOSING, WEEKDAY_CLOSING)
"""Factors on the daily rates of touches and of wins, by day since `START`; they go on a horizon past `AS_OF`."""
