"""Why: what drives the score, per side and in plain language, and contacts that show it."""

from __future__ import annotations

from predictive.report.bars import SHOWN, direction, driver_chart
from predictive.report.blocks import Cell, Figure, Key, Panel, Section, Text
from predictive.report.language import Language
from predictive.report.phrases import translate
from predictive.report.summary import Driver, Summary
from predictive.report.views.rates import rates_panel
from predictive.report.views.tables import heads, table
from predictive.report.views.todo import contact_table

SIDES = ("fit", "interest", "context")
LISTED = 40
TOP = 3


def why_section(summary: Summary, say: Language) -> Section:
    """The whole section."""
    panels = (_drivers(summary, say), rates_panel(summary, say), *_sides(summary, say), *_examples(summary, say))
    return Section("why", say("why.title"), panels)


def _drivers(summary: Summary, say: Language) -> Panel:
    title, chart = _title(summary, say), driver_chart(summary.drivers, say)
    if chart is None:
        return Panel(title, (), half=True)
    cells = [_row(d, say) for d in summary.drivers[:LISTED]]
    columns = heads(say, "drivers", ("feature", "side", "odds", "direction"), words=["side", "direction"])
    numbers = table("drivers", say("drivers.table"), columns, cells, folded=True, wide=True)
    keys = tuple(Key(side, say(f"side.{side}")) for side in SIDES)
    shown = say("unit.feature", min(SHOWN, sum(d.mean > 0 for d in summary.drivers)))
    caption = say("drivers.caption", shown=shown, all=say.count(len(summary.drivers)))
    return Panel(title, (Figure("drivers", title, chart, caption, numbers, say("page.steps"), keys),), half=True)


def _row(driver: Driver, say: Language) -> list[Cell]:
    return [
        Cell(translate(driver.description, say)),
        Cell(say(f"side.{driver.side}")),
        Cell(say.factor(driver.mean, 2)),
        Cell(direction(driver, say) or "–"),
    ]


def _title(summary: Summary, say: Language) -> str:
    """Which features move the score most."""
    names = [say("drivers.quoted", feature=translate(d.description, say)) for d in summary.drivers[:TOP] if d.mean > 0]
    return say("drivers.title", len(names), features=say.listed(names)) if names else say("drivers.none")


def _sides(summary: Summary, say: Language) -> list[Panel]:
    """What each side contributes, the one that moves the score most first; nothing where nothing moves it."""
    total, found = sum(d.mean for d in summary.drivers), []
    for side in SIDES:
        mine = [d for d in summary.drivers if d.side == side]
        if mine and total > 0:
            found.append((sum(d.mean for d in mine) / total, side, mine))
    if not found:
        return []
    found.sort(key=lambda row: -row[0])
    cells = [
        [say(f"side.{side}"), say.percent(share), say.count(len(mine)), translate(mine[0].description, say)]
        for share, side, mine in found
    ]
    columns = heads(say, "sides", ("side", "share", "features", "strongest"), words=["strongest"])
    most = say(f"side.{found[0][1]}")
    title = say("sides.title", side=most)
    return [Panel(title[0].upper() + title[1:], (table("sides", say("sides.table"), columns, cells),))]


def _examples(summary: Summary, say: Language) -> list[Panel]:
    found, panels = summary.examples, []
    for name in ("typical", "overlooked", "overrated"):
        contacts = getattr(found, name)
        if contacts:
            note = Text(say(f"{name}.note"), "soft small")
            panels.append(Panel(say(f"{name}.title"), (note, contact_table(name, contacts, say))))
    return panels
