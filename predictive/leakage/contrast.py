"""How something goes with a close: what share of those who have it closed, and how often either side has it."""

from __future__ import annotations

from dataclasses import dataclass

from predictive.leakage.numbers import Bools, Interval, chance, odds_ratio, ratio, strictness, wilson
from predictive.leakage.suspects import Confidence
from predictive.leakage.view import View, share

FEWEST = 8
"""Closes among those who have it, at least."""
LUCK = 1e-3
"""The probability that luck alone puts any of the columns under suspicion."""
SURE, SURE_LOW = 0.9, 0.75
"""Of those who have it nearly all closed. The most telling honest evidence that was measured is far below: of the
people who bought from the bank before, 64 % did so again."""
LIKELY, LIKELY_LOW = 0.8, 0.7
LIFT = 10.0
"""And their odds of closing are this many times those of all, so that no high base rate makes a suspect."""


@dataclass(frozen=True)
class Contrast:
    """`closed` of the `of_closed` contacts that closed have it, and `others` of the `of_others` that did not.

    `precision`: the share that closed of those who have it. `times`: how many times as often those who closed have it.
    """

    closed: int
    of_closed: int
    others: int
    of_others: int
    precision: Interval
    times: Interval
    lift: float
    luck: float

    @property
    def in_words(self) -> str:
        """The four counts."""
        return (
            f"{self.closed:,} of {self.of_closed:,} contacts that closed ({share(self.closed, self.of_closed):.0%}) "
            f"and {self.others:,} of {self.of_others:,} others ({share(self.others, self.of_others):.1%})"
        )


def contrast(view: View, having: Bools, *, tests: int) -> Contrast:
    """The contrast of the rows for which `having` is true; bounds allow for `tests` comparisons like it."""
    closed, others = int((having & view.won).sum()), int((having & ~view.won).sum())
    of_closed, of_others = int(view.won.sum()), int((~view.won).sum())
    has = view.weight[having].sum()
    precision = share(view.weight[having & view.won].sum(), has)
    return Contrast(
        closed,
        of_closed,
        others,
        of_others,
        wilson(precision * (closed + others), closed + others),
        ratio(closed, of_closed, others, of_others, z=strictness(tests)),
        odds_ratio(precision, view.base_rate),
        chance(precision * (closed + others), closed + others, view.base_rate),
    )


def only_closed(found: Contrast, *, tests: int) -> Confidence | None:
    """How sure it is that (nearly) nobody has it but those who closed."""
    if found.closed < FEWEST or found.luck > LUCK / max(tests, 1) or found.lift < LIFT:
        return None
    if found.precision.value >= SURE and found.precision.low >= SURE_LOW:
        return "high"
    return "medium" if found.precision.value >= LIKELY and found.precision.low >= LIKELY_LOW else None
