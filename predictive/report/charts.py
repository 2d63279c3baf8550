"""Charts of probabilities: numbers → planes with axes. Bars are in :mod:`predictive.report.bars`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from predictive.evaluation.reliability import Bin
from predictive.report.evidence import Evidence, Point
from predictive.report.geometry import Axis, Line, Mark, Plane, Scale, Tick, Word, path
from predictive.report.language import Language

LEADING = 18.0
WORKED = 0.2
"""The share of the list at which lists are compared in words."""


def reliability_chart(bins: Sequence[Bin], curve: Sequence[Point], say: Language) -> Plane | None:
    """Predicted probability against the share that closed, with intervals and the diagonal; None without bins.

    `curve` is where luck alone would put the shares, by predicted probability; its area is drawn.
    """
    if not bins:
        return None
    # Every point is shown, and intervals as far as twice the highest point.
    farthest = max(max(b.predicted, b.actual) for b in bins)
    most = min(1.0, 1.05 * max(farthest, min(2 * farthest, max(b.high for b in bins)), 0.001))
    plane = _plane(most, say, x="reliability.x", y="reliability.y", power=0.5)
    largest = max(b.n for b in bins)
    marks = tuple(_mark(b, plane, largest, say) for b in bins)
    last = bins[-1]
    told = say("reliability.note", predicted=say.percent(last.predicted), closed=say.percent(last.actual))
    right, low = plane.x.scale.end - 4, plane.y.scale.start - 12
    notes = (Word(right, low - LEADING, say("reliability.highest")), Word(right, low, told))
    return replace(plane, marks=marks, band=_band(curve, plane), notes=notes)


def gain_chart(found: Evidence, say: Language) -> Plane | None:
    """Share of contacts worked against share of closes found, a line per competitor; None where nothing closed."""
    if not found.gain["model"]:
        return None
    plane = _plane(1.0, say, x="gain.x", y="gain.y")
    x, y = plane.x.scale, plane.y.scale
    lines = [
        Line(name, say(f"competitor.{name}"), path([(x(a), y(b)) for a, b in points]), LEADING * i)
        for i, (name, points) in enumerate(found.gain.items())
    ]
    return replace(plane, lines=tuple(lines), marks=_readings(found, plane, say), guide=x(WORKED))


def _plane(most: float, say: Language, *, x: str, y: str, power: float = 1.0) -> Plane:
    across, up = Scale(most, 52, 406, power), Scale(most, 300, 12, power)
    axes = [Axis(s, tuple(Tick(s(v), _tick(v, say)) for v in s.marks()), say(k)) for s, k in ((across, x), (up, y))]
    return Plane(352.0, axes[0], axes[1], path([(across(0), up(0)), (across(most), up(most))]))


def _tick(share: float, say: Language) -> str:
    """A share in per cent, without the sign, which stands at the axis."""
    value = round(100 * share, 6)
    return say.number(value, 0 if value == int(value) else 1 if value >= 0.1 else 3)


def _mark(b: Bin, plane: Plane, largest: int, say: Language) -> Mark:
    hover = say(
        "reliability.hover",
        b.n,
        predicted=say.percent(b.predicted),
        actual=say.percent(b.actual),
        interval=say.percent_range(b.low, b.high),
    )
    x, y = plane.x.scale, plane.y.scale
    ends = [y(min(end, y.most)) for end in (b.low, b.high)]
    radius = round(2 + 3 * math.sqrt(b.n / largest), 1)
    return Mark(x(b.predicted), y(b.actual), ends[0], ends[1], radius, "dot" if b.as_predicted else "dot open", hover)


def _band(curve: Sequence[Point], plane: Plane) -> str | None:
    """The area between the lower and the upper bound of luck; None with less than two points."""
    x, y = plane.x.scale, plane.y.scale
    inside = [p for p in curve if p.predicted <= x.most]
    if len(inside) < 2:
        return None
    bottom = [(x(p.predicted), y(min(p.low, y.most))) for p in inside]
    top = [(x(p.predicted), y(min(p.high, y.most))) for p in reversed(inside)]
    return path(bottom + top) + "Z"


def _readings(found: Evidence, plane: Plane, say: Language) -> tuple[Mark, ...]:
    """Points on the model's line that can be read one by one."""
    x, y = plane.x.scale, plane.y.scale
    marks = []
    for share in (0.05, 0.1, 0.2, 0.3, 0.5, 0.75):
        values = {name: found.found_at(name, share) for name in found.gain}
        said = [f"{say(f'competitor.{name}')} {say.percent(value)}" for name, value in values.items()]
        at, model = x(share), values["model"]
        height = y(0.0 if model is None else model)
        hover = say("gain.hover", worked=say.percent(share), found=", ".join(said))
        marks.append(Mark(at, height, height, height, 3.0, "dot", hover))
    return tuple(marks)
