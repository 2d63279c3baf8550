"""The attribute history as it truly was: a row for each value that a contact or an account takes, from its creation."""

from __future__ import annotations

from itertools import accumulate

import numpy as np
import pandas as pd
from numpy.random import Generator

from predictive.clock import DAY
from predictive.demo import catalog as c
from predictive.demo.activities import HOUR
from predictive.demo.simulate import History
from predictive.demo.world import START, Ints, World, names

TITLES = (
    "{} Intern",
    "{} Specialist",
    "Senior {} Specialist",
    "{} Manager",
    "Director of {}",
    "VP of {}",
    "Chief {} Officer",
)
"""Job titles by seniority, in the order of the catalogue."""
FREE_TAGS = ("old list", "key region", "gift sent", "asks for invoice")
"""Tags that sales hands out at creation as it likes; they mean nothing."""
LEADS = ("download", "webinar", "event", "contact_form", "demo_request")
"""Kinds of touch that turn a subscriber into a lead."""


def title(function: int, level: int) -> str:
    """The job title of a function at a seniority, as it should be spelt.

    >>> title(0, 4)
    'Director of Marketing'
    """
    return TITLES[level].format(c.FUNCTIONS[function])


def deal_times(history: History, rng: Generator) -> tuple[Ints, Ints]:
    """When each deal was created (late on its day, after what led to it) and closed; -1 while it is open."""
    size = len(history.deal_contact)
    created = START + history.deal_opened * DAY + rng.integers(21 * HOUR, 23 * HOUR, size)
    closed = START + history.deal_closed * DAY + rng.integers(8 * HOUR, 18 * HOUR, size)
    return created, np.where(history.deal_closed < 0, -1, closed)


def first_wins(history: History, closed: Ints, contacts: int) -> Ints:
    """When each contact's first deal was won; -1 for those without one."""
    first = np.full(contacts, np.iinfo(np.int64).max)
    np.minimum.at(first, history.deal_contact[history.deal_won], closed[history.deal_won])
    return np.where(first == np.iinfo(np.int64).max, -1, first)


def attribute_history(
    world: World, history: History, touched: Ints, created: Ints, closed: Ints, rng: Generator
) -> pd.DataFrame:
    """Every value of every tracked attribute, in order of time per attribute.

    Args:
        world: Who there is.
        history: What happened.
        touched: When each touch began.
        created: When each deal was created.
        closed: When each deal was closed, -1 while it is open.
        rng: Draws the hours of promotions and of what sales fills in.

    Returns:
        Columns `object` (contact or account), `row` (its position), `attribute`, `value` (text) and `at`
        (microseconds since the epoch).
    """
    everyone = np.arange(len(world.created))
    won = first_wins(history, closed, len(everyone))
    winners = np.flatnonzero(won >= 0)
    confirmed = won[winners] + rng.integers(0, 3 * DAY, len(winners))
    marketed = np.where(world.persona == c.STAFF, "non-marketing", "marketing")
    reported = history.touch_kind == c.K["spam_report"]
    parts = [
        _part("contact", everyone, "country", names(c.COUNTRIES)[world.country], world.created),
        _part("contact", everyone, "source", names(c.SOURCES)[world.source], world.created),
        _part("contact", everyone, "marketing_status", marketed, world.created),
        _part("contact", history.touch_contact[reported], "marketing_status", "opted out", touched[reported]),
        _part("contact", winners, "budget_confirmed", "yes", confirmed),
        _titles(world, history, rng),
        _tags(world, history, touched, rng),
        _stages(world, history, touched, created, closed),
        _part("account", np.arange(len(world.founded)), "industry", names(c.INDUSTRIES)[world.industry], world.founded),
        _part("account", np.arange(len(world.founded)), "employees", world.employees.astype(str), world.founded),
    ]
    facts = pd.concat(parts, ignore_index=True)
    return facts.sort_values(["object", "attribute", "row", "at"], kind="stable", ignore_index=True)


def _part(of: str, row: Ints, attribute: str, value: np.ndarray | str, at: Ints) -> pd.DataFrame:
    frame = pd.DataFrame({"object": of, "row": row, "attribute": attribute, "value": value, "at": at})
    return frame.astype({"value": "str"})


def _titles(world: World, history: History, rng: Generator) -> pd.DataFrame:
    """Job titles at creation and after each promotion."""
    spelt = np.array([[title(f, lv) for lv in range(len(TITLES))] for f in range(len(c.FUNCTIONS))], dtype=object)
    who, day = history.promoted_contact, history.promoted_day
    steps = pd.Series(who).groupby(who).cumcount().to_numpy() + 1
    at = START + day * DAY + rng.integers(6 * HOUR, 20 * HOUR, len(day))
    first = spelt[world.function, world.level]
    first[(world.persona == c.STUDENT) & (world.level == 0)] = "Student"
    later = spelt[world.function[who], world.level[who] + steps]
    return pd.concat(
        [
            _part("contact", np.arange(len(first)), "job_title", first, world.created),
            _part("contact", who, "job_title", later, at),
        ]
    )


def _tags(world: World, history: History, touched: Ints, rng: Generator) -> pd.DataFrame:
    """The list of tags after each addition: what the contact is, from creation, and what it attended."""
    some = np.flatnonzero(rng.random(len(world.created)) < 0.08)
    free = np.array(FREE_TAGS, dtype=object)[rng.integers(0, len(FREE_TAGS), len(some))]
    parts = [_part("contact", some, "tags", free, world.created[some])]
    for persona, tag in ((c.STUDENT, "student"), (c.COMPETITOR, "competitor")):
        who = np.flatnonzero(world.persona == persona)
        parts.append(_part("contact", who, "tags", tag, world.created[who]))
    for kind, tag in (("webinar", "webinar attendee"), ("event", "met at event")):
        mine = history.touch_kind == c.K[kind]
        who, first = np.unique(history.touch_contact[mine], return_index=True)
        parts.append(_part("contact", who, "tags", tag, touched[mine][first] + HOUR))
    tags = pd.concat(parts).sort_values(["row", "at"], kind="stable", ignore_index=True)
    lists = (list(accumulate(group, "{};{}".format)) for _, group in tags.groupby("row")["value"])
    return tags.assign(value=pd.Series([text for group in lists for text in group], dtype="str"))


def _stages(world: World, history: History, touched: Ints, created: Ints, closed: Ints) -> pd.DataFrame:
    """Lifecycle stages: subscriber, lead, opportunity while a deal is open, customer from the first win."""
    everyone = np.arange(len(world.created))
    who = history.deal_contact
    won = first_wins(history, closed, len(everyone))
    early = (won[who] < 0) | (created < won[who])
    lost = early & (closed >= 0) & ~history.deal_won
    winners = np.flatnonzero(won >= 0)
    leads = np.isin(history.touch_kind, [c.K[name] for name in LEADS])
    lead, first = np.unique(history.touch_contact[leads], return_index=True)
    opened = np.full(len(everyone), np.iinfo(np.int64).max)
    np.minimum.at(opened, who, created)
    qualified = touched[leads][first]
    before = qualified < opened[lead]
    stages = pd.concat(
        [
            _part("contact", everyone, "lifecycle_stage", "subscriber", world.created),
            _part("contact", lead[before], "lifecycle_stage", "lead", qualified[before] + HOUR),
            _part("contact", who[early], "lifecycle_stage", "opportunity", created[early]),
            _part("contact", who[lost], "lifecycle_stage", "lead", closed[lost]),
            _part("contact", winners, "lifecycle_stage", "customer", won[winners]),
        ]
    )
    return stages.sort_values(["row", "at"], kind="stable", ignore_index=True)
