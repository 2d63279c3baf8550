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


@dataclass(frozen=True)
class Scale:
    """Maps [0, `most`] of a number onto [start, end] of the page."""

    most: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        """The position of a value.

        >>> Scale(0.5, 40, 140)(0.25)
        90.0
        """
        return round(self.start + (self.end - self.start) * value / self.most, 1)

    def ticks(self) -> tuple[Tick, ...]:
        """Up to six round values in per cent, with their positions."""
        step = nice_step(self.most)
        values = [i * step for i in range(math.floor(self.most / step + 1e-9) + 1)]
        places = max(0, -math.floor(math.log10(100 * step) + 1e-9))
        return tuple(Tick(self(v), f"{100 * v:.{places}f}") for v in values)


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


def nice_step(most: float) -> float:
    """A round step that makes at most six ticks from 0 to `most`.

    >>> nice_step(0.26), nice_step(1.0), nice_step(0.031)
    (0.05, 0.2, 0.01)
    """
    rough = most / 5.5
    size = 10.0 ** math.floor(math.log10(rough))
    return next(round(m * size, 12) for m in (1, 2, 5, 10) if m * size >= rough - 1e-12)


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
    most = _round_up(max(max(b.predicted, b.actual) for b in bins) * 1.02, max(b.high for b in bins))
    plane = _plane(most)
    largest = max(b.n for b in bins)
    return Plane(plane.height, plane.x, plane.y, plane.diagonal, tuple(_mark(b, plane, largest) for b in bins))


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


def _plane(most: float) -> Plane:
    height = 352.0
    x, y = Scale(most, 52, 406), Scale(most, 300, 12)
    return Plane(height, x, y, path([(x(0), y(0)), (x(most), y(most))]))


def _round_up(least: float, wish: float) -> float:
    """The end of an axis: a whole number of steps that shows every point, and intervals as far as twice that."""
    most = min(1.0, max(least, min(wish, 2 * least)))
    step = nice_step(most)
    return min(1.0, math.ceil(most / step - 1e-9) * step)


def _mark(b: Bin, plane: Plane, largest: int) -> Mark:
    hover = (
        f"{count(b.n)} scores of about {percent(b.predicted)}: {percent(b.actual)} closed "
        f"({percent_range(b.low, b.high)})"
    )
    ends = [plane.y(min(end, plane.y.most)) for end in (b.low, b.high)]
    radius = round(2.5 + 3.5 * math.sqrt(b.n / largest), 1)
    return Mark(plane.x(b.predicted), plane.y(b.actual), *ends, radius, b.as_predicted, hover)


def _length(share: float) -> float:
    """A bar's width; what is there at all can be seen."""
    return round(max(1.0, 350.0 * share), 1) if share > 0 else 0.0


def _shortened(text: str) -> str:
    return text if len(text) <= MOST_LETTERS else f"{text[: MOST_LETTERS - 1].rstrip()}…"
