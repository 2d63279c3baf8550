"""What a page is made of: values with every text ready to print. Templates loop over them and decide nothing.

A page has sections, a section has panels, a panel has blocks. Text from the data is marked as such (`data`), so that
its direction of writing cannot turn the text around it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from predictive.report.geometry import Bars, Plane

Tone = Literal["", "yes", "care", "no", "soft"]


@dataclass(frozen=True)
class Text:
    """A paragraph."""

    block: ClassVar[str] = "text"
    text: str
    look: Literal["", "lead", "soft small", "stop", "caption"] = ""


@dataclass(frozen=True)
class Verdict:
    """A short answer with a sign that also tells in black and white."""

    block: ClassVar[str] = "verdict"
    text: str
    sign: str
    tone: Tone


@dataclass(frozen=True)
class Point:
    """A sentence of a list, with a word before it that says how much it matters."""

    text: str
    tag: str = ""
    tone: Tone = ""


@dataclass(frozen=True)
class Points:
    """A list of sentences; those of `folded` are opened by `more`."""

    block: ClassVar[str] = "points"
    items: tuple[Point, ...]
    folded: tuple[Point, ...] = ()
    more: str = ""


@dataclass(frozen=True)
class Cell:
    """A cell of a table: its text, a smaller note below it, and what it is called where the table has no heading."""

    text: str
    note: str = ""
    strong: bool = False
    label: str = ""


@dataclass(frozen=True)
class Column:
    """A column's heading. `words`: it holds words, which stand to the left; numbers stand to the right."""

    text: str
    words: bool = False
    note: str = ""


@dataclass(frozen=True)
class Table:
    """A table; the first cell of a row is its heading. A `folded` one is opened by its label."""

    block: ClassVar[str] = "table"
    id: str
    label: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    folded: bool = False
    wide: bool = False
    list: bool = False
    """Whether each row becomes a card on a phone."""


@dataclass(frozen=True)
class Key:
    """A sample of what a chart draws, and what it stands for."""

    kind: str
    text: str


@dataclass(frozen=True)
class Figure:
    """A chart with its table. `alt` says in a sentence what it shows, for those who do not see it."""

    block: ClassVar[str] = "figure"
    id: str
    alt: str
    chart: Plane | Bars
    caption: str
    table: Table
    hint: str
    keys: tuple[Key, ...] = ()


@dataclass(frozen=True)
class Card:
    """A group to work: who works it, how many they are, how, and what is expected of them."""

    who: str
    figure: str
    how: str
    note: str


@dataclass(frozen=True)
class Cards:
    """Cards in a row; the first is the one that matters most."""

    block: ClassVar[str] = "cards"
    label: str
    cards: tuple[Card, ...]


@dataclass(frozen=True)
class Square:
    """A field of the matrix."""

    name: str
    figure: str
    lines: tuple[str, ...]
    first: bool = False


@dataclass(frozen=True)
class Matrix:
    """Fit by interest: headings of columns, and rows of a heading and their fields."""

    block: ClassVar[str] = "matrix"
    label: str
    corner: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, tuple[Square, ...]], ...]


@dataclass(frozen=True)
class Facts:
    """Terms, and what is to be said of each."""

    block: ClassVar[str] = "facts"
    rows: tuple[tuple[str, tuple[str, ...]], ...]


@dataclass(frozen=True)
class Planner:
    """A slider over the rows of a table: it shows the cells of the row that it stands on. `start` is the first row."""

    block: ClassVar[str] = "planner"
    id: str
    label: str
    start: int
    outputs: tuple[str, ...]
    table: Table


Block = Text | Verdict | Points | Table | Figure | Cards | Matrix | Facts | Planner


@dataclass(frozen=True)
class Panel:
    """A box of the page; two `half` ones stand side by side where there is room."""

    title: str
    blocks: tuple[Block, ...]
    half: bool = False


@dataclass(frozen=True)
class Section:
    """A part of the page with its heading, what is said before its panels, and the panels."""

    id: str
    title: str
    panels: tuple[Panel, ...]
    intro: tuple[Text, ...] = ()


@dataclass(frozen=True)
class Page:
    """The whole report in one language, ready to print."""

    language: str
    title: str
    kicker: str
    headline: str
    lead: tuple[Text, ...]
    skip: str
    contents: str
    first: tuple[Panel, ...]
    cards: tuple[Cards, ...]
    sections: tuple[Section, ...]
    footer: str
