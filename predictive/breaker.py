"""The circuit breaker: tonight's scores beside last night's, before anything is written.

A feed that stopped, a column that was renamed or a mapping that broke shows in a few numbers. They are kept with each
run; beyond the bounds of the configuration nothing is written.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import pandas as pd

from predictive.clock import format_duration
from predictive.config import Breaker
from predictive.errors import PredictiveError
from predictive.tables import TIERS

SHARE, CONTACTS = 0.01, 20
"""A tier is compared where it had, or has, this share of the contacts and so many of them."""


@dataclass(frozen=True)
class Profile:
    """A night in a few numbers.

    Args:
        rows: contacts scored.
        probability: their mean probability; 0 without any.
        tiers: per tier its share of them.
        filled: per input of the model the share of them that has a value.
        unseen: per category of the model the share of them whose value has no level of its own in it.
        age: days from the newest activity that was known to the night; None without activities.
    """

    rows: int
    probability: float
    tiers: Mapping[str, float]
    filled: Mapping[str, float]
    unseen: Mapping[str, float]
    age: float | None

    def as_json(self) -> str:
        """The profile as the runs keep it."""
        return json.dumps(self.__dict__, sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> Profile:
        """The inverse of :meth:`as_json`.

        >>> profile = Profile(2, 0.5, {"low": 1.0}, {}, {}, None)
        >>> Profile.from_json(profile.as_json()) == profile
        True
        """
        return cls(**json.loads(text))


@dataclass
class Tally:
    """Adds blocks of contacts up to a :class:`Profile`."""

    rows: int = 0
    total: float = 0.0
    tiers: dict[str, int] = field(default_factory=dict)
    filled: dict[str, int] = field(default_factory=dict)
    unseen: dict[str, int] = field(default_factory=dict)

    def add(self, scores: pd.DataFrame, features: pd.DataFrame, levels: Mapping[str, tuple[str, ...]]) -> None:
        """Add a block: its scores, the model's inputs, and per category of the model the levels that it knows."""
        self.rows += len(scores)
        self.total += float(scores["probability"].sum())
        for name, count in scores["tier"].value_counts().items():
            self.tiers[str(name)] = self.tiers.get(str(name), 0) + int(count)
        for name in features.columns:
            there = features[name].notna()
            self.filled[name] = self.filled.get(name, 0) + int(there.sum())
            if name in levels:
                strange = there & ~features[name].isin(levels[name])
                self.unseen[name] = self.unseen.get(name, 0) + int(strange.sum())

    def include(self, other: Tally) -> None:
        """Add what another tally has added up."""
        self.rows += other.rows
        self.total += other.total
        for name in ("tiers", "filled", "unseen"):
            mine = getattr(self, name)
            for key, count in getattr(other, name).items():
                mine[key] = mine.get(key, 0) + count

    def profile(self, age: float | None) -> Profile:
        """What was added."""
        n = max(self.rows, 1)

        def shares(counts: Mapping[str, int]) -> dict[str, float]:
            return {name: round(count / n, 6) for name, count in counts.items()}

        tiers = {name: self.tiers.get(name, 0) for name in TIERS}
        return Profile(self.rows, self.total / n, shares(tiers), shares(self.filled), shares(self.unseen), age)


@dataclass(frozen=True)
class Broken:
    """A bound that tonight breaks: what is bounded, what it was last night (None: not compared), what it is, the bound.

    `text` says it all in words.
    """

    bound: str
    what: str
    was: float | None
    found: float | None
    allowed: float
    text: str


class BreakerError(PredictiveError):
    """Nothing was written, because tonight is too far from last night; `broken` says where. Exit 5."""

    code = 5

    def __init__(self, broken: tuple[Broken, ...]) -> None:
        listed = "\n".join(f"  {b.text}" for b in broken)
        super().__init__(
            f"the circuit breaker refuses this night; nothing was written:\n{listed}\nSee to the data, or change the "
            "bounds in `breaker`; if the night is right as it is, write it with --force"
        )
        self.broken = broken


def last_profile(runs: pd.DataFrame) -> Profile | None:
    """The profile of the scores that stand, if it is in :meth:`predictive.sinks.contract.Sink.read_runs`."""
    current = runs.loc[~runs["past"].astype(bool), "profile"]
    return None if current.empty or pd.isna(current.iloc[-1]) else Profile.from_json(str(current.iloc[-1]))


def broken_bounds(tonight: Profile, last: Profile | None, bounds: Breaker) -> tuple[Broken, ...]:
    """Every bound that tonight breaks; without a last night only those that need none.

    >>> whole, half = (Profile(rows, 0.1, {}, {}, {}, 1.0) for rows in (1000, 500))
    >>> [b.text for b in broken_bounds(half, whole, Breaker())]
    ['contacts scored: 500, last night 1,000; allowed 800 to 1,250 (breaker.rows: 1.25)']
    """
    found = list(_absolute(tonight, bounds))
    if last is not None:
        found += [*_aged(tonight, last, bounds), *_levels(tonight, last, bounds), *_shares(tonight, last, bounds)]
    return tuple(found)


def _absolute(tonight: Profile, bounds: Breaker) -> Iterator[Broken]:
    if bounds.fewest is not None and tonight.rows < bounds.fewest:
        text = f"contacts scored: {tonight.rows:,}; allowed {bounds.fewest:,} or more (breaker.fewest)"
        yield Broken("fewest", "contacts scored", None, tonight.rows, bounds.fewest, text)


def _aged(tonight: Profile, last: Profile, bounds: Breaker) -> Iterator[Broken]:
    """The bound on the age of the newest activity, where it has grown: a first night, or a sample, has its own age.

    That no activity is left of those that were there is beyond any bound.
    """
    if bounds.age is None:
        return
    days = bounds.age.total_seconds() / 86_400
    allowed = f"allowed {format_duration(bounds.age)} (breaker.age)"
    if tonight.age is None:
        if last.age is not None:
            text = f"newest activity: there is none, last night {last.age:.1f} days before the night; {allowed}"
            yield Broken("age", "newest activity", last.age, None, days, text)
    elif tonight.age > max(days, last.age or 0.0):
        was = "" if last.age is None else f", last night {last.age:.1f}"
        text = f"newest activity: {tonight.age:.1f} days before the night{was}; {allowed}"
        yield Broken("age", "newest activity", last.age, round(tonight.age, 3), days, text)


def _levels(tonight: Profile, last: Profile, bounds: Breaker) -> Iterator[Broken]:
    yield from _ratio("rows", "contacts scored", last.rows, tonight.rows, bounds.rows, "{:,.0f}")
    yield from _ratio(
        "probability", "mean probability", last.probability, tonight.probability, bounds.probability, "{:.4f}"
    )
    for tier in TIERS:
        was, found = last.tiers.get(tier, 0.0), tonight.tiers.get(tier, 0.0)
        many = max(was * last.rows, found * tonight.rows) >= CONTACTS
        if many and max(was, found) >= SHARE:
            yield from _ratio("tier", f"share of tier {tier}", was, found, bounds.tier, "{:.1%}")


def _ratio(bound: str, what: str, was: float, found: float, most: float | None, form: str) -> Iterator[Broken]:
    """The bound on a ratio, either way; from or to nothing every bound is broken."""
    if most is None or was / most <= found <= was * most:
        return
    allowed = f"allowed {form.format(was / most)} to {form.format(was * most)} (breaker.{bound}: {most:g})"
    text = f"{what}: {form.format(found)}, last night {form.format(was)}; {allowed}"
    yield Broken(bound, what, was, found, most, text)


def _shares(tonight: Profile, last: Profile, bounds: Breaker) -> Iterator[Broken]:
    """The bounds on differences of shares. Inputs that only one of the models has are not compared."""
    for bound, sign, words in (("filled", -1, "filled for"), ("unseen", 1, "not known to the model for")):
        most = getattr(bounds, bound)
        was, found = getattr(last, bound), getattr(tonight, bound)
        moved = {name: sign * (found[name] - was[name]) for name in found if name in was}
        for name in sorted((n for n in moved if most is not None and moved[n] > most), key=lambda n: -moved[n]):
            side, limit = ("at least", was[name] - most) if sign < 0 else ("at most", was[name] + most)
            text = (
                f"{name}: {words} {found[name]:.1%} of the contacts, last night {was[name]:.1%}; "
                f"allowed {side} {limit:.1%} (breaker.{bound}: {most:g})"
            )
            yield Broken(bound, name, was[name], found[name], most, text)
