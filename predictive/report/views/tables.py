"""Shorthand that the views share: cells, columns and rows."""

from __future__ import annotations

from collections.abc import Iterable

from predictive.report.blocks import Cell, Column, Table


def column(text: str) -> Column:
    """A column of numbers."""
    return Column(text)


def words(text: str, note: str = "") -> Column:
    """A column of words."""
    return Column(text, words=True, note=note)


def rows(cells: Iterable[Iterable[str | Cell]]) -> tuple[tuple[Cell, ...], ...]:
    """Rows of plain texts and cells."""
    return tuple(tuple(c if isinstance(c, Cell) else Cell(c) for c in row) for row in cells)


def table(
    name: str,
    label: str,
    columns: Iterable[str | Column],
    cells: Iterable[Iterable[str | Cell]],
    *,
    folded: bool = False,
    wide: bool = False,
) -> Table:
    """A table; the first column holds words, the others numbers where nothing else is said."""
    named = tuple(c if isinstance(c, Column) else Column(c, words=i == 0) for i, c in enumerate(columns))
    return Table(name, label, named, rows(cells), folded, wide)
