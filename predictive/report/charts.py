"""Charts as values: numbers → positions and SVG path data. The template only prints them.

All positions are in user units of a 420-wide view box, y downwards, rounded to a tenth so that files stay small.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from predictive.report.evidence import Bin, Evidence
from predictive.report.summary import Driver
from predictive.report.words import count, factor, percent, percent_range
from predictive.report.work import Group

WIDTH = 420.0
NAMES = {"model": "Model", "logistic": "Logistic regression", "rules": "Rules"}
ROW = 40.0
"""Height of a bar with its label above it."""
MOST_LETTERS = 52
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
        return round(self.start + (self.end - self.start) * (value / self.most) ** self.power, 1)

    def ticks(self) -> tuple[Tick, ...]:
        """Round values in per cent, the highest first, at least :data:`APART` from each other and from 0."""
        if self.power == 1.0:
            values = [i / 5 for i in range(5, 0, -1)]
        else:
            values = [1.0, *(m * 10.0**e for e in range(-1, -6, -1) for m in (5, 2, 1))]
        found: list[Tick] = []
        for value in (v for v in values if v <= self.most):
            at = self(value)
            if abs(at - self.start) >= APART and (not found or abs(at - found[-1].at) >= APART):
                found.append(Tick(at, f"{100 * value:.6g}"))
        return (*found, Tick(self(0), "0"))


@dataclass(frozen=True)
class Tick:
    """A position on an axis and its text."""

    at: float
    text: str


@dataclass(frozen=True)
class Mark:
    """A point with its interval; `solid` where the interval holds the prediction."""

    x: float
    y: float
    low: float
    high: float
    radius: float
    solid: bool
    hover: str
    label: str
    """What stands beside the point; empty for most."""


@dataclass(frozen=True)
class Line:
    """A curve as path data, and where its sample and name stand in the key."""

    name: str
    label: str
    path: str
    key: float


@dataclass(frozen=True)
class Bar:
    """A bar: its label above it, its length and height, and what it says."""

    label: str
    kind: str
    top: float
    width: float
    text: str
    hover: str


@dataclass(frozen=True)
class Plane:
    """A plane with two axes, both shares of 1: the reliability diagram (marks) or the gain chart (lines)."""

    height: float
    x: Scale
    y: Scale
    diagonal: str
    marks: tuple[Mark, ...] = ()
    lines: tuple[Line, ...] = ()
    guide: float | None = None
    """Where a vertical line stands."""


@dataclass(frozen=True)
class Bars:
    """Horizontal bars, one below the other."""

    height: float
    bars: tuple[Bar, ...]


def path(points: Sequence[tuple[float, float]]) -> str:
    """Points as path data.

    >>> path([(0, 1.5), (2, 3)])
    'M0 1.5L2 3'
    """
    return "M" + "L".join(f"{x:g} {y:g}" for x, y in points)


def reliability_chart(bins: Sequence[Bin]) -> Plane | None:
    """Predicted probability against the share that closed, with intervals and the diagonal; None without bins."""
    if not bins:
        return None
    # Every point is shown, and intervals as far as twice the highest point.
    farthest = max(max(b.predicted, b.actual) for b in bins)
    plane = _plane(min(1.0, 1.05 * max(farthest, min(2 * farthest, max(b.high for b in bins)), 0.001)), power=0.5)
    largest = max(b.n for b in bins)
    marks = tuple(_mark(b, plane, largest, labelled=b is bins[-1]) for b in bins)
    return Plane(plane.height, plane.x, plane.y, plane.diagonal, marks)


def gain_chart(found: Evidence) -> Plane | None:
    """Share of contacts worked against share of closes found, a line per competitor; None where nothing closed."""
    if not found.gain["model"]:
        return None
    plane = _plane(1.0)
    lines = [
        Line(name, NAMES[name], path([(plane.x(x), plane.y(y)) for x, y in found.gain[name]]), 18.0 * i)
        for i, name in enumerate(found.gain)
    ]
    return Plane(plane.height, plane.x, plane.y, plane.diagonal, lines=tuple(lines), guide=plane.x(0.2))


def tier_chart(groups: Sequence[Group]) -> Bars | None:
    """Each tier's share of the contacts and of the expected closes, as two bars; None where nobody was scored."""
    contacts, closes = sum(g.contacts for g in groups), sum(g.expected for g in groups)
    if contacts == 0:
        return None
    bars = []
    for i, group in enumerate(groups):
        shares = (("contacts", group.contacts / contacts), ("closes", group.expected / closes))
        for j, (kind, share) in enumerate(shares):
            hover = f"Tier {group.name}: {percent(share)} of {'the contacts' if kind == 'contacts' else 'expected closes'}"
            label = group.name[0].upper() + group.name[1:] if j == 0 else ""
            bars.append(Bar(label, kind, i * 62.0 + j * 18.0, _length(share), percent(share), hover))
    return Bars(62.0 * len(groups), tuple(bars))


def driver_chart(drivers: Sequence[Driver], *, shown: int = 12) -> Bars | None:
    """The features that move the score most; None without features."""
    top = [d for d in drivers[:shown] if d.mean > 0]
    if not top:
        return None
    bars = [
        Bar(
            _shortened(d.description),
            d.side,
            i * ROW,
            _length(d.mean / top[0].mean),
            factor(d.mean),
            f"{d.description}: multiplies or divides the odds by {factor(d.mean)[1:]} on average",
        )
        for i, d in enumerate(top)
    ]
    return Bars(ROW * len(bars), tuple(bars))


def _plane(most: float, *, power: float = 1.0) -> Plane:
    height = 352.0
    x, y = Scale(most, 52, 406, power), Scale(most, 300, 12, power)
    return Plane(height, x, y, path([(x(0), y(0)), (x(most), y(most))]))


def _mark(b: Bin, plane: Plane, largest: int, *, labelled: bool) -> Mark:
    hover = (
        f"{count(b.n)} scores of about {percent(b.predicted)}: {percent(b.actual)} closed "
        f"({percent_range(b.low, b.high)})"
    )
    ends = [plane.y(min(end, plane.y.most)) for end in (b.low, b.high)]
    radius = round(2 + 3 * math.sqrt(b.n / largest), 1)
    label = f"predicted {percent(b.predicted)}, closed {percent(b.actual)}" if labelled else ""
    return Mark(plane.x(b.predicted), plane.y(b.actual), ends[0], ends[1], radius, b.as_predicted, hover, label)


def _length(share: float) -> float:
    """A bar's width; what is there at all can be seen."""
    return round(max(1.0, 350.0 * share), 1) if share > 0 else 0.0


def _shortened(text: str) -> str:
    return text if len(text) <= MOST_LETTERS else f"{text[: MOST_LETTERS - 1].rstrip()}…"
