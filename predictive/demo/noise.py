"""Gaps and mess, laid over what truly happened: missing, late and misspelt values, bots, and late recording.

Nothing here feeds back into the process: the true probabilities are those of the clean record.
"""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.random import Generator

from predictive.clock import DAY, to_micros
from predictive.demo import catalog as c
from predictive.demo.activities import DETAILS, HOUR, SECOND, TYPES, Activities
from predictive.demo.world import Floats, Ints, World, names

END = to_micros(c.AS_OF)
GAPS = {"country": 0.06, "job_title": 0.12, "source": 0.03, "industry": 0.08, "employees": 0.15, "tags": 0.3}
"""Share of the objects whose attribute nobody ever filled in."""
LATE = {"country": 0.04, "job_title": 0.06, "industry": 0.05, "employees": 0.08}
"""Share of the objects whose attribute was filled in some time after creation."""

COUNTRY_SPELLINGS = {
    "United States": ("USA", "US", "United States of America", "Untied States"),
    "Germany": ("DE", "Deutschland", "germany", "Germnay"),
    "United Kingdom": ("UK", "GB", "Great Britain", "united kingdom"),
    "France": ("FR", "france", "FRANCE"),
    "Netherlands": ("NL", "The Netherlands", "Holland"),
    "Spain": ("ES", "España", "spain"),
    "Brazil": ("BR", "Brasil"),
}
TITLE_SPELLINGS = (
    (r"Manager", "Mgr"),
    (r"Senior", "Sr."),
    (r"Director of (.*)", r"\1 Director"),
    (r"VP of (.*)", r"Vice President, \1"),
    (r"Chief (\w)\w* Officer", r"C\1O"),
    (r"Specialist", "specialist "),
)
INDUSTRY_SPELLINGS = {
    "Software": ("SaaS", "software", "IT & Software"),
    "Financial Services": ("Finance", "Banking"),
    "Public Sector": ("Government",),
    "Manufacturing": ("Mfg", "manufacturing"),
}
SPELT_DIFFERENTLY = {"country": 0.15, "job_title": 0.3, "industry": 0.12}
MISCLASSIFIED, REFRESHED = 0.06, 0.4
"""Share of accounts first given a wrong industry, and of those whose head count is measured again."""
HEAD_COUNT_NOISE = 0.25
"""Standard deviation of the log of a recorded head count."""
BOTS = 0.004
DELAYS = {"event": (1.0, 2.0, 12.0), "webinar": (1.0, 0.3, 3.0), "meeting": (0.4, 0.1, 2.0), "call": (0.2, 0.1, 2.0)}
"""Per activity type: share recorded late, and by how many days at least and at most (imports, notes made later)."""


def lay_over_facts(facts: pd.DataFrame, world: World, rng: Generator) -> pd.DataFrame:
    """The attribute history as the CRM has it: the same columns, fewer and messier rows, none after the end."""
    created = {"contact": world.created, "account": world.founded}
    parts = []
    for (of, attribute), part in facts.groupby(["object", "attribute"], sort=True):
        messy = part.reset_index(drop=True)
        if attribute == "employees":
            messy = _measure(messy, rng)
        if attribute == "industry":
            messy = _misclassify(messy, rng)
        messy = _spell(messy, str(attribute), rng)
        parts.append(_leave_gaps(messy, str(attribute), created[str(of)], rng))
    found = pd.concat(parts, ignore_index=True)
    found = found[found["at"] < END]
    by = ["object", "attribute", "row"]
    found = found.sort_values([*by, "at"], kind="stable")
    found = found[found["value"] != found.groupby(by)["value"].shift()]
    return found.assign(old_value=found.groupby(by)["value"].shift()).reset_index(drop=True)


def _measure(part: pd.DataFrame, rng: Generator) -> pd.DataFrame:
    """Head counts as vendors report them: off by a quarter, rounded, measured again later, now and then absurd."""
    again = part[rng.random(len(part)) < REFRESHED]
    later = again.assign(at=again["at"] + rng.integers(30 * DAY, 500 * DAY, len(again)))
    both = pd.concat([part, later], ignore_index=True)
    true = both["value"].astype("int64").to_numpy()
    noisy = np.maximum(1, true * np.exp(rng.normal(0, HEAD_COUNT_NOISE, len(both))))
    digits = 10.0 ** np.maximum(np.floor(np.log10(noisy)) - 1, 0)
    told = (np.round(noisy / digits) * digits).astype("int64")
    told[rng.random(len(told)) < 0.01] = 0
    return both.assign(value=told.astype(str)).astype({"value": "str"})


def _misclassify(part: pd.DataFrame, rng: Generator) -> pd.DataFrame:
    """Give some accounts a wrong industry first; the right one follows months later."""
    wrong = part[rng.random(len(part)) < MISCLASSIFIED]
    guess = names(c.INDUSTRIES)[rng.integers(0, len(c.INDUSTRIES), len(wrong))]
    part = part.copy()
    part.loc[wrong.index, "at"] += rng.integers(20 * DAY, 300 * DAY, len(wrong))
    return pd.concat([wrong.assign(value=guess).astype({"value": "str"}), part], ignore_index=True)


def _spell(part: pd.DataFrame, attribute: str, rng: Generator) -> pd.DataFrame:
    """Spell the values of some objects in another way, the same way throughout an object's history."""
    if attribute not in SPELT_DIFFERENTLY:
        return part
    size = int(part["row"].max()) + 1 if len(part) else 0
    style = np.where(rng.random(size) < SPELT_DIFFERENTLY[attribute], rng.integers(1, 5, size), 0)
    keys = pd.MultiIndex.from_arrays([part["value"], style[part["row"]]])
    codes, unique = keys.factorize()
    spelt = np.array([_spelling(attribute, value, number) for value, number in unique], dtype=object)
    return part.assign(value=spelt[codes]).astype({"value": "str"})


def _spelling(attribute: str, value: str, style: int) -> str:
    """The value as it should be (style 0) or in one of its other spellings."""
    if style == 0:
        return value
    if attribute == "job_title":
        if style == 1:
            return value.lower()
        for pattern, other in TITLE_SPELLINGS:
            value = re.sub(pattern, other, value)
        return value
    others = (COUNTRY_SPELLINGS if attribute == "country" else INDUSTRY_SPELLINGS).get(value, (f"{value} ",))
    return others[style % len(others)]


def _leave_gaps(part: pd.DataFrame, attribute: str, created: Ints, rng: Generator) -> pd.DataFrame:
    """Take the attribute away from some objects, and let others have it only after a while."""
    size = len(created)
    luck = rng.random(size)
    gap, late = GAPS.get(attribute, 0.0), LATE.get(attribute, 0.0)
    filled = np.where((luck >= gap) & (luck < gap + late), created + _days(rng.exponential(120.0, size)), created)
    row = part["row"].to_numpy()
    kept = part.assign(at=np.maximum(part["at"].to_numpy(), filled[row]))[luck[row] >= gap]
    once: pd.DataFrame = kept.drop_duplicates(["row", "at"], keep="last")
    return once


def lay_over_activities(activities: Activities, world: World, rng: Generator) -> Activities:
    """The activities as the CRM has them: with bots, recorded late, and without what is not recorded by the end."""
    messy = activities.join(_bots(world, rng))
    delay = rng.integers(SECOND, 20 * SECOND, len(messy.contact))
    for name, (share, least, most) in DELAYS.items():
        late = (messy.type == TYPES.index(name)) & (rng.random(len(delay)) < share)
        delay[late] += _days(rng.uniform(least, most, int(late.sum())))
    messy = replace(messy, recorded=messy.occurred + delay)
    return messy.take(messy.recorded < END).ordered()


def _bots(world: World, rng: Generator) -> Activities:
    """Page views of link scanners and crawlers that the CRM takes for a few of the contacts: hundreds in bursts."""
    size = len(world.created)
    who = rng.choice(size, size=max(1, round(BOTS * size)), replace=False)
    who = np.repeat(who, rng.integers(1, 6, len(who)))
    room = np.maximum(END - world.created[who] - HOUR, 1)
    start = world.created[who] + (rng.random(len(who)) * room).astype(np.int64)
    count = rng.integers(120, 400, len(who))
    burst = np.repeat(np.arange(len(who)), count)
    number = np.arange(len(burst)) - np.repeat(np.cumsum(count) - count, count)
    occurred = start[burst] + number * 4 * SECOND + rng.integers(SECOND, 4 * SECOND, len(burst))
    pages = np.array([code for code, detail in enumerate(DETAILS) if detail.startswith("/")])
    return Activities(
        contact=who[burst],
        occurred=occurred,
        recorded=occurred.copy(),
        type=np.full(len(burst), TYPES.index("page_view")),
        detail=pages[rng.integers(0, len(pages), len(burst))],
        value=rng.integers(0, 3, len(burst)).astype(float),
    )


def _days(length: Floats) -> Ints:
    """Days as whole microseconds."""
    return (length * DAY).astype(np.int64)
