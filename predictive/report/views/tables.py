"""Shorthand that the views share: headings, rows and tables."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from predictive.report.blocks import Cell, Column, Table
from predictive.report.language import Language


def heads(say: Language, part: str, names: Sequence[str], *, words: Collection[str] = ()) -> tuple[Column, ...]:
    """The headings ``part.column_name`` of the catalogue; the first column and those in `words` hold words."""
    return tuple(Column(say(f"{part}.column_{n}"), words=i == 0 or n in words) for i, n in enumerate(names))


def rows(cells: Iterable[Iterable[str | Cell]]) -> tuple[tuple[Cell, ...], ...]:
    """Rows of plain texts and cells."""
    return tuple(tuple(c if isinstance(c, Cell) else Cell(c) for c in row) for row in cells)


def table(
    name: str,
    label: str,
    columns: Sequence[Column],
    cells: Iterable[Iterable[str | Cell]],
    *,
    folded: bool = False,
    wide: bool = False,
) -> Table:
    """A table of texts and cells; a `folded` one is opened by its label, a `wide` one scrolls on a phone."""
    return Table(f"{name}-table", label, tuple(columns), rows(cells), folded, wide)
