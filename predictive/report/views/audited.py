"""Past scores against what happened since: the audit, by month as a chart, by tier and by what was given."""

from __future__ import annotations

import math
from collections.abc import Sequence

from predictive.audit import Line
from predictive.report.bars import Part, bar_chart
from predictive.report.blocks import Block, Figure, Key, Panel, Table, Text
from predictive.report.language import Language
from predictive.report.phrases import translate
from predictive.report.summary import Summary
from predictive.report.views.tables import heads, table

LUCK = 0.05
DRAWN = 12
"""Months that are drawn, the newest; the table holds them all."""


def audited(summary: Summary, say: Language) -> Panel:
    """The panel; says plainly where there is nothing to say yet."""
    audit = summary.examined.audit
    if audit is None:
        why = [Text(text) for text in summary.examined.why_not] or [Text(say("audit.not_examined"))]
        return Panel(say("audit.title_none"), tuple(why), half=True)
    left = [say("audit.left_out", n, why=translate(why, say)) for why, n in audit.left_out.items()]
    if not audit.lines:
        key = "audit.nothing_matured" if audit.waiting else "audit.none_qualifies"
        text = say(key, audit.waiting, within=say.duration(summary.making.horizon))
        return Panel(say("audit.title_none"), (Text(text), *(Text(t, "soft small") for t in left)), half=True)
    lines = {by: [line for line in audit.lines if line.by == by] for by in ("all", "month", "tier", "band")}
    (everything,) = lines["all"]
    blocks: list[Block] = [*_months(lines["month"], say)]
    blocks += [count_table(by, lines[by], say) for by in ("tier", "band") if lines[by]]
    note = say("audit.note", waiting=say("unit.score", audit.waiting))
    return Panel(_title(everything, say), (*blocks, Text(" ".join((note, *left)), "soft small")))


def count_table(by: str, lines: Sequence[Line], say: Language) -> Table:
    """Predicted against actual closes, a row per line of the audit."""
    cells = []
    for line in lines:
        c = line.count
        interval = say.number_range(_finite(c.ratio.low), _finite(c.ratio.high))
        verdict = say("luck.possible" if c.luck >= LUCK else "luck.unlikely")
        closes = (say.number(c.predicted, 1), say.count(c.actual))
        cells.append([_name(line, say), say.count(c.n), *closes, interval, verdict])
    columns = heads(say, "audit", (by, "scores", "predicted", "closed", "ratio", "luck"), words=["luck"])
    return table(f"audit-{by}", say(f"audit.table_{by}"), columns, cells, folded=True, wide=True)


def came(line: Line) -> tuple[float, float | None]:
    """The 95 % interval of the closes that such scores bring; the upper end is None where it cannot be told.

    The interval of predicted over actual, turned over: what was predicted is certain, what came is not.
    """
    ratio, predicted = line.count.ratio, line.count.predicted
    low = predicted / ratio.high if math.isfinite(ratio.high) and ratio.high > 0 else 0.0
    return low, predicted / ratio.low if math.isfinite(ratio.low) and ratio.low > 0 else None


def _title(line: Line, say: Language) -> str:
    key = "audit.title_luck" if line.count.luck >= LUCK else "audit.title_off"
    return say(key, line.count.n, predicted=say.count(line.count.predicted), closed=say.count(line.count.actual))


def _months(lines: Sequence[Line], say: Language) -> list[Block]:
    """Two bars for each month: what was predicted, and what came with its interval."""
    numbers, shown = count_table("month", lines, say), lines[-DRAWN:]
    longest = max((max(line.count.predicted, came(line)[1] or line.count.actual) for line in shown), default=0.0)
    if longest <= 0:
        return [numbers]
    chart = bar_chart([(_name(line, say), _parts(line, longest, say)) for line in shown])
    assert chart is not None  # noqa: S101 - something is as long as the longest
    keys = tuple(Key(kind, say(f"audit.key_{kind}")) for kind in ("contacts", "closes"))
    caption, steps = say("audit.caption"), say("page.steps")
    return [Figure("audit-month", say("audit.alt"), chart, caption, numbers, steps, keys)]


def _parts(line: Line, longest: float, say: Language) -> list[Part]:
    count, (low, high) = line.count, came(line)
    interval = say("audit.interval", low=say.expected(low), high=say.expected(high))
    places = {"month": _name(line, say), "predicted": say.expected(count.predicted)}
    predicted = say("audit.hover_predicted", count.n, **places)
    closed = say("audit.hover_closed", round(count.actual), interval=interval, **places)
    ends = (None, None) if high is None else (low / longest, high / longest)
    return [
        Part("contacts", count.predicted / longest, say.expected(count.predicted), predicted),
        Part("closes", count.actual / longest, say.count(count.actual), closed, *ends),
    ]


def _name(line: Line, say: Language) -> str:
    if line.by == "month":
        return say.month(line.name)
    return (
        say(f"tier.{line.name}")
        if line.by == "tier"
        else say(f"audit.{line.name}")
        if line.by == "holdout"
        else line.name
    )


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
