"""Who is in the demo CRM: accounts, contacts and their attributes as they truly are, before noise."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from predictive.clock import DAY, to_micros
from predictive.demo import catalog as c

Ints = np.ndarray[tuple[int], np.dtype[np.int64]]
Floats = np.ndarray[tuple[int], np.dtype[np.float64]]
Bools = np.ndarray[tuple[int], np.dtype[np.bool_]]
START = to_micros(c.START)


@dataclass(frozen=True)
class World:
    """Attributes as codes into :mod:`predictive.demo.catalog`; contacts are in order of creation.

    Attributes:
        created: Microseconds since the epoch, per contact; `day` is the same in days since the start.
        account: Account of a contact, -1 for none.
        persona, source, country, level, function, channel: Codes per contact; `level` is the one at creation.
        industry, employees, home: Per account: industry code, true head count, country code.
        founded: When the account's record was made: with its first contact.
    """

    created: Ints
    day: Ints
    account: Ints
    persona: Ints
    source: Ints
    country: Ints
    level: Ints
    function: Ints
    channel: Ints
    industry: Ints
    employees: Ints
    home: Ints
    founded: Ints

    def fit(self) -> Floats:
        """Fit of each contact without its seniority, on the log of a rate."""
        size = c.SIZE_CURVE * (np.log10(self.employees) - c.SIZE_PEAK) ** 2
        account = np.append(effects(c.INDUSTRIES)[self.industry] + size + 0.6, c.NO_ACCOUNT_FIT)
        own = effects(c.COUNTRIES)[self.country] + effects(c.SOURCES)[self.source] + effects(c.PERSONAS)[self.persona]
        fit: Floats = account[self.account] + own
        return fit

    def activity(self) -> Floats:
        """Unprompted touches a day of each contact."""
        rate: Floats = c.BASE_ACTIVITY * c.SOURCE_ACTIVITY[self.source] * np.where(self.persona == c.BUYER, 1.0, 1.3)
        return rate


def effects(levels: tuple[c.Level, ...]) -> Floats:
    """The effects on fit of an attribute's values, in order."""
    return np.array([level.fit for level in levels])


def names(levels: tuple[c.Level, ...]) -> np.ndarray:
    """The names of an attribute's values, in order, as an array of objects."""
    return np.array([level.name for level in levels], dtype=object)


def draw(levels: tuple[c.Level, ...], size: int, rng: Generator) -> Ints:
    """Codes of `size` independent draws of an attribute."""
    shares = np.array([level.share for level in levels])
    return rng.choice(len(levels), size=size, p=shares / shares.sum())


def draw_world(contacts: int, rng: Generator) -> World:
    """Draw accounts and contacts; a third of the contacts arrive with the launch of the CRM, the rest throughout."""
    launched = rng.random(contacts) < 0.35
    day = np.where(launched, rng.integers(0, 45, contacts), rng.integers(0, c.DAYS, contacts))
    created = START + day * DAY + rng.integers(6 * DAY // 24, 19 * DAY // 24, contacts)
    order = np.argsort(created, kind="stable")
    created, day, launched = created[order], day[order], launched[order]
    persona = draw(c.PERSONAS, contacts, rng)
    account, industry, employees, home = _accounts(persona, rng)
    source = np.where(launched & (rng.random(contacts) < 0.4), len(c.SOURCES) - 1, draw(c.SOURCES, contacts, rng))
    at_home = (account >= 0) & (rng.random(contacts) < 0.9)
    country = np.where(at_home, np.append(home, 0)[account], draw(c.COUNTRIES, contacts, rng))
    level = np.where(persona == c.STUDENT, 0, draw(c.LEVELS, contacts, rng))
    founded = np.full(len(industry), np.iinfo(np.int64).max)
    np.minimum.at(founded, account[account >= 0], created[account >= 0])
    return World(
        created=created,
        day=day,
        account=account,
        persona=persona,
        source=source,
        country=country,
        level=level,
        function=rng.integers(0, len(c.FUNCTIONS), contacts),
        channel=_channels(source, rng),
        industry=industry,
        employees=employees,
        home=home,
        founded=founded,
    )


def _accounts(persona: Ints, rng: Generator) -> tuple[Ints, Ints, Ints, Ints]:
    """Account of each contact, and industry, employees and country of each account; larger ones have more contacts."""
    size = max(1, round(0.4 * len(persona)))
    employees = np.maximum(2, np.exp(rng.normal(np.log(180), 1.9, size))).astype(np.int64)
    pull = employees**0.25 * rng.exponential(1.0, size)
    has_account = rng.random(len(persona)) < np.where(persona == c.STUDENT, 0.05, 0.82)
    drawn = rng.choice(size, size=len(persona), p=pull / pull.sum())
    used, account = np.unique(drawn[has_account], return_inverse=True)
    whole = np.full(len(persona), -1)
    whole[has_account] = account
    return whole, draw(c.INDUSTRIES, size, rng)[used], employees[used], draw(c.COUNTRIES, size, rng)[used]


def _channels(source: Ints, rng: Generator) -> Ints:
    """Where the record came in: mostly what the source suggests, otherwise a website form."""
    usual = np.array([0, 0, 1, 2, 3, 3, 4])
    return np.where(rng.random(len(source)) < 0.8, usual[source], 0)
