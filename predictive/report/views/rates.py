"""Close rates of activities and attributes: who had what, and how many of them closed."""

from __future__ import annotations

from predictive.closerates import CloseRates, Rate
from predictive.closerates.chart import FOUND, label, shown
from predictive.report.bars import Part, bar_chart
from predictive.report.blocks import Cell, Figure, Panel, Text
from predictive.report.language import Language
from predictive.report.phrases import translate
from predictive.report.summary import Summary
from predictive.report.views.tables import heads, table

DRAWN, LISTED = 10, 40


def rates_panel(summary: Summary, say: Language) -> Panel:
    """The panel; says plainly where there are no rates to show."""
    rates = summary.examined.rates
    if rates is None or not rates.rows:
        return Panel(say("rates.title_none"), (Text(say("rates.none")),), half=True)
    rows = shown(rates.rows, LISTED)
    sure = [row for row in rows if row.q < FOUND]
    title = _title(rates, sure, say)
    chart = bar_chart([(_label(row, say), [_part(row, rows, say)]) for row in rows[:DRAWN]])
    columns = heads(
        say, "rates", ("what", "contacts", "closed", "rate", "interval", "lift", "verdict"), words=["verdict"]
    )
    numbers = table("rates", say("rates.table"), columns, [_row(row, say) for row in rows], folded=True, wide=True)
    caption = say(
        "rates.caption",
        contacts=say("unit.contact", rates.contacts),
        day=rates.as_of[:10],
        average=say.percent(rates.average),
        within=say("unit.day", round(rates.horizon_days)),
    )
    figures = () if chart is None else (Figure("rates", title, chart, caption, numbers, say("page.steps")),)
    return Panel(title, (*figures, *(Text(translate(text, say), "soft small") for text in rates.said)), half=True)


def _title(rates: CloseRates, sure: list[Rate], say: Language) -> str:
    """What goes with closing most surely."""
    if not sure:
        return say("rates.title_luck", average=say.percent(rates.average))
    first = sure[0]
    places = {"what": _label(first, say), "rate": say.percent(first.rate), "average": say.percent(rates.average)}
    return say("rates.title", **places)


def _label(row: Rate, say: Language) -> str:
    return translate(label(row), say)


def _part(row: Rate, rows: list[Rate], say: Language) -> Part:
    """The bar of a rate, as long as the highest end of an interval allows."""
    longest = max(r.high for r in rows[:DRAWN])
    hover = say(
        "rates.hover",
        row.contacts,
        what=_label(row, say),
        rate=say.percent(row.rate),
        interval=say.percent_range(row.low, row.high),
    )
    ends = (row.low / longest, row.high / longest)
    return Part("closes" if row.q < FOUND else "contacts", row.rate / longest, say.percent(row.rate), hover, *ends)


def _row(row: Rate, say: Language) -> list[Cell]:
    verdict = "rates.more" if row.rate > 0 and row.adjusted_lift > 1 else "rates.less"
    texts = (
        _label(row, say),
        say.count(row.contacts),
        say.count(row.closed),
        say.percent(row.rate),
        say.percent_range(row.low, row.high),
        f"×{say.number(row.adjusted_lift, 1)}",
        say(verdict if row.q < FOUND else "luck.possible"),
    )
    return [Cell(text) for text in texts]
