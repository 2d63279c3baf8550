"""Charts as values: numbers → positions and SVG path data. The template only prints them.

All positions are in user units of a 420-wide view box, y downwards, rounded to a tenth so that files stay small.
"""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, replace

from predictive.report.evidence import Bin, Evidence
from predictive.report.summary import Driver
from predictive.report.words import count, factor, percent, percent_range
from predictive.report.work import Group

WIDTH = 420.0
NAMES = {"model": "Model", "logistic": "Logistic regression", "rules": "Rules"}
LETTERS, LINES, LEADING = 42, 2, 17.0
"""A label is at most so many lines of so many letters; the rest of it is in the bar's hover text and in the table."""
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


@dataclass(frozen=True)
class Line:
    """A curve as path data, and where its sample and name stand in the key."""

    name: str
    label: str
    path: str
    key: float


@dataclass(frozen=True)
class Bar:
    """A bar: the lines of its label, which stand above it from `start` on, where it is, and what it says."""

    label: tuple[str, ...]
    kind: str
    start: float
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
    note: tuple[str, ...] = ()
    """Lines of text in the lower right corner, where neither chart has anything to show."""


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
    marks = tuple(_mark(b, plane, largest) for b in bins)
    note = ("Highest group", f"predicted {percent(bins[-1].predicted)}, closed {percent(bins[-1].actual)}")
    return replace(plane, marks=marks, note=note)


def gain_chart(found: Evidence) -> Plane | None:
    """Share of contacts worked against share of closes found, a line per competitor; None where nothing closed."""
    if not found.gain["model"]:
        return None
    plane = _plane(1.0)
    lines = [
        Line(name, NAMES[name], path([(plane.x(x), plane.y(y)) for x, y in found.gain[name]]), 18.0 * i)
        for i, name in enumerate(found.gain)
    ]
    return replace(plane, lines=tuple(lines), guide=plane.x(0.2))


def tier_chart(groups: Sequence[Group]) -> Bars | None:
    """Each tier's share of the contacts and of the expected closes, as two bars; None where nobody was scored."""
    contacts, closes = sum(g.contacts for g in groups), sum(g.expected for g in groups)
    if contacts == 0:
        return None
    bars = []
    for i, group in enumerate(groups):
        start, name = i * 62.0, (group.name[0].upper() + group.name[1:],)
        for kind, share, top, label in (
            ("contacts", group.contacts / contacts, start + 20, name),
            ("closes", group.expected / closes if closes > 0 else 0.0, start + 38, ()),
        ):
            whole = "the contacts" if kind == "contacts" else "the expected closes"
            hover = f"Tier {group.name}: {percent(share)} of {whole}"
            bars.append(Bar(label, kind, start, top, _length(share), percent(share), hover))
    return Bars(62.0 * len(groups), tuple(bars))


def driver_chart(drivers: Sequence[Driver], *, shown: int = 12) -> Bars | None:
    """The features that move the score most; None without features."""
    top = [d for d in drivers[:shown] if d.mean > 0]
    if not top:
        return None
    bars: list[Bar] = []
    at = 0.0
    for driver in top:
        label = tuple(textwrap.wrap(driver.description, LETTERS, max_lines=LINES, placeholder=" …")) or (driver.name,)
        text = factor(driver.mean, places=2)
        hover = f"{driver.description}: multiplies or divides the odds by {text[1:]} on average"
        below = at + LEADING * len(label) + 2
        bars.append(Bar(label, driver.side, at, below, _length(driver.mean / top[0].mean), text, hover))
        at = below + 22
    return Bars(at, tuple(bars))


def _plane(most: float, *, power: float = 1.0) -> Plane:
    height = 352.0
    x, y = Scale(most, 52, 406, power), Scale(most, 300, 12, power)
    return Plane(height, x, y, path([(x(0), y(0)), (x(most), y(most))]))


def _mark(b: Bin, plane: Plane, largest: int) -> Mark:
    hover = (
        f"{count(b.n)} scores of about {percent(b.predicted)}: {percent(b.actual)} closed "
        f"({percent_range(b.low, b.high)})"
    )
    ends = [plane.y(min(end, plane.y.most)) for end in (b.low, b.high)]
    radius = round(2 + 3 * math.sqrt(b.n / largest), 1)
    return Mark(plane.x(b.predicted), plane.y(b.actual), ends[0], ends[1], radius, b.as_predicted, hover)


def _length(share: float) -> float:
    """A bar's width; what is there at all can be seen."""
    return round(max(1.0, 350.0 * share), 1) if share > 0 else 0.0
