"""From the source's columns to the canonical ones, as the configuration says and as the names say themselves."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from predictive.config import Scalar, TableSource
from predictive.errors import DataError, nearest
from predictive.tables import OPEN_TABLES, SCHEMAS, Kind, Note, kind_of


@dataclass(frozen=True)
class Column:
    """One column of a canonical table, and what fills it: a column of the source, a constant, or nothing.

    `kind` is None for an attribute, whose kind its values tell. Something must fill a `required` column; in one that is
    not `nullable` every row must have a value. `choices` are the only values allowed, if any.
    """

    name: str
    kind: Kind | None = None
    theirs: str | None = None
    constant: Scalar | None = None
    required: bool = False
    nullable: bool = True
    choices: tuple[str, ...] = ()

    @property
    def is_attribute(self) -> bool:
        """Whether the column is one of those that only this source has."""
        return self.kind is None

    @property
    def label(self) -> str:
        """The column for a person to find: with the source's name where that is another."""
        return self.name if self.theirs in (None, self.name) else f"{self.name} (their {self.theirs})"


@dataclass(frozen=True)
class Mapping:
    """The columns of one canonical table, canonical ones first, and what was left out."""

    columns: tuple[Column, ...]
    notes: tuple[Note, ...] = ()


def is_score(name: str, scores: Sequence[str]) -> bool:
    """Whether a column of the source is one of those that hold `scores`.

    A CRM takes a field by its label or its name and gives it back as its loader writes names, so these need not be
    spelled alike.

    >>> is_score("property_our_score", ["Our Score"]), is_score("our_score_2_c", ["OurScore2__c"])
    (True, True)
    >>> is_score("score", ["Our Score"])
    False
    """
    return _letters(name) in map(_letters, scores)


def _letters(name: str) -> str:
    return re.sub(r"[\W_]+", "", name.casefold().removeprefix("property_"))


def map_columns(table: str, spec: TableSource, theirs: Sequence[str]) -> Mapping:
    """Decide what fills each column of `table`, given the column names of its source.

    `columns` and `constants` of the configuration come first; a column of the source with a canonical name (case
    aside) maps itself; of the others, contacts and accounts keep all, or those that `keep` or `drop` choose, as
    attributes. Raises :class:`~predictive.errors.DataError` that lists every name that cannot be used.
    """
    schema = SCHEMAS[table].columns
    problems = _unknown(table, spec, theirs) + _doubled(table, theirs)
    by_itself, attributes, unused = _rest(table, spec, theirs)
    given = {**by_itself, **spec.columns}
    columns = [_canonical(name, schema[name], given.get(name), spec.constants.get(name)) for name in schema]
    absent = [c.name for c in columns if c.required and c.theirs is None and c.constant is None]
    if table == "deals" and not {"contact_id", "account_id"} & {*given, *spec.constants}:
        absent.append("contact_id or account_id")
    problems += [_absent(table, name, [*theirs, *spec.columns]) for name in absent]
    named = {name: origin for name, origin in spec.columns.items() if name not in schema}
    columns += [Column(name, theirs=origin) for name, origin in {**attributes, **named}.items()]
    columns += [Column(name, constant=value) for name, value in spec.constants.items() if name not in schema]
    problems += [
        f"{table}: an attribute cannot be named {c.name!r}; rename it under source.tables.{table}.columns"
        for c in columns
        if "::" in c.name
    ]
    if problems:
        raise DataError("\n".join(problems))
    return Mapping(tuple(columns), _notes(table, unused))


def _canonical(name: str, column: Any, theirs: str | None, constant: Scalar | None) -> Column:
    choices = next(
        (tuple(c.statistics["allowed_values"]) for c in column.checks if "allowed_values" in c.statistics), ()
    )
    origin = None if constant is not None else theirs
    return Column(name, kind_of(column), origin, constant, column.required, column.nullable, choices)


def _unknown(table: str, spec: TableSource, theirs: Sequence[str]) -> list[str]:
    """Names in the configuration that neither the source nor the canonical table has, and those given twice."""
    where, schema = f"source.tables.{table}", SCHEMAS[table].columns
    problems = [
        f"{where}.{key}: the source has no column {name!r}; {nearest(name, theirs)}"
        for key, name in [(f"columns.{ours}", name) for ours, name in spec.columns.items()]
        + [("drop", name) for name in spec.drop]
        + [("keep", name) for name in spec.keep or []]
        if name not in theirs
    ]
    for key, names in (("columns", spec.columns), ("constants", spec.constants)):
        problems += [
            f"{where}.{key}: {table} has no column {name!r}; {nearest(name, schema)}"
            for name in names
            if name not in schema and table not in OPEN_TABLES
        ]
    return problems + [
        f"{where}: {name} is given both in columns and in constants; keep one"
        for name in spec.constants
        if name in spec.columns
    ]


def _doubled(table: str, theirs: Sequence[str]) -> list[str]:
    """Columns of the source whose names differ in case only: no database can hold both."""
    folded = [name.casefold() for name in theirs]
    twice = [name for i, name in enumerate(theirs) if folded[i] in folded[:i]]
    return [f"{table}: the source has more than one column {name!r} (case aside); rename one" for name in twice]


def _rest(
    table: str, spec: TableSource, theirs: Sequence[str]
) -> tuple[dict[str, str], dict[str, str], dict[str, str]]:
    """The source's columns that the configuration does not map: canonical by name, attributes, and unused with why."""
    canonical = {name.casefold(): name for name in SCHEMAS[table].columns}
    taken = {name.casefold() for name in (*spec.columns, *spec.constants)}
    by_itself, attributes, unused = {}, {}, {}
    for name in theirs:
        if name in spec.columns.values() or name in spec.drop:
            continue
        if is_score(name, spec.scores):
            unused[name] = "scores are written to it"
            continue
        ours = canonical.get(name.casefold())
        if name.casefold() in taken:
            unused[name] = f"{ours or name} is filled from elsewhere"
        elif ours is not None:
            by_itself[ours] = name
        elif spec.keep is not None and name not in spec.keep:
            continue
        elif table in OPEN_TABLES:
            attributes[name] = name
        else:
            unused[name] = ""
    return by_itself, attributes, unused


def _absent(table: str, name: str, theirs: Sequence[str]) -> str:
    """Says that a required column has no source, and which one was perhaps meant."""
    example = f"source.tables.{table}.columns: {{{name.split()[0]}: THEIRS}}"
    return f"{table}.{name}: required, but nothing fills it; {nearest(name, theirs)}; write {example}"


def _notes(table: str, unused: dict[str, str]) -> tuple[Note, ...]:
    notes = [Note(f"{table}.{name}", f"not used: {why}", 1) for name, why in unused.items() if why]
    plain = [name for name, why in unused.items() if not why]
    if plain:
        notes.append(Note(table, f"columns not used: {', '.join(plain)}", len(plain)))
    return tuple(notes)
