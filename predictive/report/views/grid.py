"""The grid of fit × interest, where one is configured: cells A1 to D4, which collapse to the quadrants."""

from __future__ import annotations

from predictive.actions import quadrant_of
from predictive.report.blocks import Matrix, Panel, Square, Text
from predictive.report.language import Language
from predictive.report.summary import Summary
from predictive.report.views.first import action_of, owner_of
from predictive.report.views.tables import heads, table

LETTERS, DIGITS = "ABCD", "4321"
SHOWN = ("pursue", "nurture", "opportunistic", "disengage")


def grid_panels(summary: Summary, say: Language) -> tuple[Panel, ...]:
    """The panel; none without a grid, which the panel of the quadrants says."""
    cells = summary.work.cells
    if not cells:
        return ()
    fields = tuple((letter, tuple(_square(letter + d, summary, say) for d in DIGITS)) for letter in LETTERS)
    matrix = Matrix(say("grid.label"), say("axis.fit"), tuple(DIGITS), fields, wide=True)
    rows = [
        [
            name,
            say(f"quadrant.{quadrant_of(name)}"),
            say.count(g.contacts),
            say.expected(g.expected),
            _who(name, summary, say),
        ]
        for name, g in cells.items()
    ]
    columns = heads(say, "grid", ("cell", "quadrant", "contacts", "expected", "who"), words=["quadrant", "who"])
    numbers = table("grid", say("grid.table"), columns, rows, folded=True, wide=True)
    note = Text(f"{say('grid.note')} {_collapsed(summary, say)}", "soft small")
    return (Panel(say("grid.title", cells["A1"].contacts), (matrix, note, numbers)),)


def _square(name: str, summary: Summary, say: Language) -> Square:
    group, quadrant = summary.work.cells[name], quadrant_of(name)
    lines = [say(f"quadrant.{quadrant}")]
    if group.contacts:
        lines.append(say("cards.expected", expected=say.expected(group.expected)))
    return Square(name, say.count(group.contacts), tuple(lines), first=quadrant == "pursue")


def _who(cell: str, summary: Summary, say: Language) -> str:
    """What is done with a cell: its own action, else that of its quadrant."""
    name = cell if cell in summary.actions else quadrant_of(cell)
    return say("matrix.who", owner=owner_of(name, summary, say), action=action_of(name, summary, say))


def _collapsed(summary: Summary, say: Language) -> str:
    """Which cells make up which quadrant, with their contacts."""
    cells, said = summary.work.cells, []
    for quadrant in SHOWN:
        mine = [name for name in cells if quadrant_of(name) == quadrant]
        n = sum(cells[name].contacts for name in mine)
        said.append(say("grid.collapses", n, cells=say.listed(mine), quadrant=say(f"quadrant.{quadrant}")))
    return " ".join(said)
