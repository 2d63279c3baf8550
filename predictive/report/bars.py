"""Charts of bars: numbers → horizontal bars with their labels and values."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

from predictive.report.geometry import Bar, Bars, Word
from predictive.report.language import Language
from predictive.report.phrases import translate
from predictive.report.summary import Driver
from predictive.report.work import Group

LETTERS, LINES, LEADING = 46, 3, 17.0
"""A label is at most so many lines of so many letters; the rest of it is in the bar's hover text and in the table."""
LONGEST = 330.0
SHOWN = 12


@dataclass(frozen=True)
class Part:
    """One bar of a group of bars: how it is drawn, how long (0 to 1), its value in words, and what it says.

    `low` and `high` are the ends of its interval on the same scale, None without one.
    """

    kind: str
    length: float
    text: str
    hover: str
    low: float | None = None
    high: float | None = None


def bar_chart(groups: Sequence[tuple[str, Sequence[Part]]]) -> Bars | None:
    """Groups of bars, each below its label; None without bars."""
    bars: list[Bar] = []
    at = 0.0
    for label, parts in groups:
        lines = tuple(textwrap.wrap(label, LETTERS, max_lines=LINES, placeholder=" …")) or (label,)
        words = tuple(Word(0, at + 14 + LEADING * i, line) for i, line in enumerate(lines))
        top = at + LEADING * len(lines) + 3
        for part in parts:
            bars.append(_bar(part, words, top))
            words, top = (), top + 18
        at = top + 6
    return Bars(at, tuple(bars)) if bars else None


def _bar(part: Part, words: tuple[Word, ...], top: float) -> Bar:
    low, high = (None if end is None else round(LONGEST * min(end, 1.0), 1) for end in (part.low, part.high))
    width = _length(part.length)
    return Bar(words, part.kind, top, width, part.text, max(width, high or 0.0) + 8, part.hover, low, high)


def tier_chart(groups: Sequence[Group], say: Language) -> Bars | None:
    """Each tier's share of the contacts and of the expected closes, as two bars; None where nobody was scored."""
    contacts, closes = sum(g.contacts for g in groups), sum(g.expected for g in groups)
    if contacts == 0:
        return None
    rows = []
    for group in groups:
        shares = {"contacts": group.contacts / contacts, "closes": group.expected / closes if closes > 0 else 0.0}
        tier = say(f"tier.{group.name}")
        parts = [
            Part(kind, share, say.percent(share), say(f"tiers.hover_{kind}", tier=tier, share=say.percent(share)))
            for kind, share in shares.items()
        ]
        rows.append((tier, parts))
    return bar_chart(rows)


def driver_chart(drivers: Sequence[Driver], say: Language) -> Bars | None:
    """The features that move the score most; None where nothing moves it."""
    top = [d for d in drivers[:SHOWN] if d.mean > 0]
    rows = []
    for driver in top:
        words = translate(driver.description, say) or driver.name
        text = say.factor(driver.mean, 2)
        hover = say("drivers.hover", feature=words, factor=text[1:])
        way = direction(driver, say)
        label = words if way is None else say("drivers.label", feature=words, direction=way)
        rows.append((label, [Part(driver.side, driver.mean / top[0].mean, text, hover)]))
    return bar_chart(rows)


def direction(driver: Driver, say: Language) -> str | None:
    """Which way the values of a feature move the score, in words; None where neither way is clear."""
    if driver.rising is not None:
        return say("direction.rising" if driver.rising else "direction.falling")
    if not driver.levels:
        return None
    worst, best = driver.levels[0], driver.levels[-1]
    places = {"best": best.value, "up": say.factor(best.part), "worst": worst.value, "down": say.factor(worst.part)}
    return say("direction.levels", **places)


def _length(share: float) -> float:
    """A bar's width; what is there at all can be seen."""
    return round(max(1.0, LONGEST * share), 1) if share > 0 else 0.0
