"""What charts are made of: positions and path data as values. The templates only print them.

All positions are in user units of a view box, y downwards, rounded to a tenth so that files stay small.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

WIDTH = 420.0
APART = 24.0
"""The least distance between the numbers along an axis."""


@dataclass(frozen=True)
class Scale:
    """Maps [0, `most`] of a share onto [start, end] of the page.

    With a `power` of one half positions go with the square root: probabilities of closing are mostly small, and small
    ones can then be told apart.
    """

    most: float
    start: float
    end: float
    power: float = 1.0

    def __call__(self, value: float) -> float:
        """The position of a value.

        >>> Scale(0.5, 40, 140)(0.25), Scale(0.04, 0, 100, power=0.5)(0.01)
        (90.0, 50.0)
        """
        return float(round(self.start + (self.end - self.start) * (value / self.most) ** self.power, 1))

    def marks(self) -> tuple[float, ...]:
        """Round shares, the highest first, at least :data:`APART` from each other and from 0, which is the last.

        >>> Scale(0.5, 0, 100, power=0.5).marks()
        (0.5, 0.2, 0.05, 0.0)
        """
        if self.power == 1.0:
            values = [i / 5 for i in range(5, 0, -1)]
        else:
            values = [1.0, *(m * 10.0**e for e in range(-1, -6, -1) for m in (5, 2, 1))]
        found: list[float] = []
        for value in (v for v in values if v <= self.most):
            at = self(value)
            if abs(at - self.start) >= APART and (not found or abs(at - self(found[-1])) >= APART):
                found.append(value)
        return (*found, 0.0)


@dataclass(frozen=True)
class Tick:
    """A position on an axis and its text."""

    at: float
    text: str


@dataclass(frozen=True)
class Axis:
    """A scale with its ticks and its name, which says the unit."""

    scale: Scale
    ticks: tuple[Tick, ...]
    label: str


@dataclass(frozen=True)
class Mark:
    """A point with its interval; `kind` is open where the interval does not hold the prediction."""

    x: float
    y: float
    low: float
    high: float
    radius: float
    kind: str
    hover: str


@dataclass(frozen=True)
class Line:
    """A curve as path data, and where its sample and name stand in the key."""

    name: str
    label: str
    path: str
    key: float


@dataclass(frozen=True)
class Word:
    """A line of text at a position."""

    x: float
    y: float
    text: str


@dataclass(frozen=True)
class Plane:
    """A plane with two axes: the reliability diagram (marks, a band) or the gain chart (lines)."""

    shape: ClassVar[str] = "plane"
    height: float
    x: Axis
    y: Axis
    diagonal: str
    marks: tuple[Mark, ...] = ()
    lines: tuple[Line, ...] = ()
    band: str | None = None
    guide: float | None = None
    """Where a vertical line stands."""
    notes: tuple[Word, ...] = ()


@dataclass(frozen=True)
class Bar:
    """A bar at `top`, `width` long, with its value beside it, and what it says in a sentence.

    `label` are the lines that stand above it. `low` and `high` are the ends of its interval, None without one.
    """

    label: tuple[Word, ...]
    kind: str
    top: float
    width: float
    text: str
    text_at: float
    hover: str
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Bars:
    """Horizontal bars, one below the other."""

    shape: ClassVar[str] = "bars"
    height: float
    bars: tuple[Bar, ...]


def path(points: Sequence[tuple[float, float]]) -> str:
    """Points as path data.

    >>> path([(0, 1.5), (2, 3)])
    'M0 1.5L2 3'
    """
    return "M" + "L".join(f"{x:g} {y:g}" for x, y in points)
