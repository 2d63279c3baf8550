"""Once reading has failed: which columns hold what they may not, how often, and where the first such row is."""

from __future__ import annotations

from typing import Any

import duckdb

from predictive.errors import DataError
from predictive.sources.casting import ALLOWED
from predictive.sources.mapping import Column
from predictive.sources.origin import Connection, faults, first, place, quote, reason, shown
from predictive.sources.reading import Task, bad, read_rows
from predictive.tables import Kind


def explain(con: Connection, task: Task, error: duckdb.Error) -> DataError | duckdb.Error:
    """The error to raise in place of `error`: all columns that hold bad values, or what is wrong with the files."""
    try:
        problems = _bad_values(con, task)
    except duckdb.OutOfMemoryException as lack:
        return lack
    except duckdb.Error as unreadable:
        problems = faults(con, task.origin.parts)
        if not problems and not task.origin.located:
            problems = [f"{task.table}: {task.origin.label} cannot be read: {reason(unreadable)}"]
    return DataError("\n".join(problems)) if problems else error


def duplicate(con: Connection, task: Task, key: dict[str, Any], several: int) -> DataError:
    """The error for `several` keys that stand in more than one row; names the first two rows of `key`."""
    rows = read_rows(task, numbered=True).rows
    for name, value in key.items():
        column = duckdb.ColumnExpression(name)
        rows = rows.filter(column.isnull() if value is None else column == duckdb.ConstantExpression(value))
    found = [row for (row,) in rows.project('"::row"').order('"::row"').limit(2).fetchall()]
    where = " and ".join(place(con, task.origin, row) for row in found)
    values = " with ".join(f"{name} {'missing' if v is None else shown(v)}" for name, v in key.items())
    others = "" if several == 1 else f" ({several - 1:,} more such)"
    unique = " with ".join(key)
    said = f"{task.table}: {values} stands in more than one row: {where}{others}"
    return DataError(f"{said}; each {unique} may stand once: keep one row")


def _bad_values(con: Connection, task: Task) -> list[str]:
    """One line per column and kind of problem."""
    read = read_rows(task, numbered=True)
    tests = [(c, what, test) for c in task.columns if c.name in read.kinds for what, test in bad(c).items()]
    counts = ["count(*)"]
    for column, _, test in tests:
        raw = f"CAST({quote(column.name + '::raw')} AS VARCHAR)"
        counts += [f"{what} FILTER ({test})" for what in ("count(*)", 'min("::row")', f'arg_min({raw}, "::row")')]
    total, *found = first(read.rows.aggregate(", ".join(counts)))
    problems = []
    for i, (column, what, _) in enumerate(tests):
        count, row, value = found[3 * i : 3 * i + 3]
        if count:
            share = f"{count:,} of {total:,} rows"
            said = _say(column, what, read.kinds[column.name], share, value, place(con, task.origin, row))
            problems.append(f"{task.table}.{column.label}: {said}")
    return problems


def _say(column: Column, what: str, kind: Kind, share: str, value: str | None, where: str) -> str:
    """One problem in words: how many, the first one and where, and what is allowed."""
    if what == "missing":
        return f"missing in {share}, first in {where}; every row needs one"
    allowed = " or ".join(column.choices) if what == "choice" else ALLOWED[kind]
    reading = "not allowed" if what == "choice" else f"cannot be read as a {kind}"
    return f"{reading} in {share}, first {shown(value)} in {where}; allowed: {allowed}"
