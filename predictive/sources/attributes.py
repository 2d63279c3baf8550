"""What the further columns of contacts and accounts hold: by their types or, where there are none, their values."""

from __future__ import annotations

from collections.abc import Sequence

from predictive.sources.casting import CODE, FIRST, LAST, as_clock, as_number, family
from predictive.sources.mapping import Column
from predictive.sources.origin import Relation, first, quote
from predictive.tables import Kind, Note

NEARLY = 0.95
"""From this share of numbers on, the other values are probably a way to say "not known"."""
BY_TYPE: dict[str, Kind] = {"number": "number", "boolean": "boolean", "time": "time", "zoned": "time"}


def kinds_of(
    table: str, rows: Relation, columns: Sequence[Column], *, untyped: bool
) -> tuple[dict[str, Kind], tuple[Note, ...]]:
    """The kind of each attribute of raw `rows`, and notes on those that cannot be one (structs, binary data).

    Text of an `untyped` source is a number, boolean or time only if every value that is not missing is one, and no
    number has a leading zero: such codes (007) stay text.
    """
    types = dict(zip(rows.columns, map(str, rows.types), strict=True))
    kinds: dict[str, Kind] = {}
    notes: list[Note] = []
    guess: list[str] = []
    for column in columns:
        held = family(types[f"{column.name}::raw"])
        if held == "nested":
            notes.append(
                Note(f"{table}.{column.name}", f"not used: {types[f'{column.name}::raw']} is no single value", 1)
            )
            continue
        kinds[column.name] = BY_TYPE.get(held, "text")
        if held == "text" and untyped and column.constant is None:
            guess.append(column.name)
    if guess:
        counts = first(rows.aggregate(", ".join(part for name in guess for part in _counts(name))))
        for i, name in enumerate(guess):
            kinds[name], note = _judge(f"{table}.{name}", *counts[5 * i : 5 * i + 5])
            notes += [] if note is None else [note]
    return kinds, tuple(notes)


def _counts(name: str) -> tuple[str, ...]:
    """SQL that counts, of a raw text column: values, numbers, codes, booleans, times."""
    value = quote(f"{name}::raw")
    tests = (
        f"({as_number(value, 'text')}) IS NOT NULL",
        f"regexp_full_match(trim({value}), '{CODE}')",
        f"lower(trim({value})) IN ('true', 'false')",
        f"({as_clock(value, 'text')[0]}) BETWEEN {FIRST} AND {LAST}",
    )
    return (f"count({value})", *(f"count(*) FILTER ({test})" for test in tests))


def _judge(where: str, values: int, numbers: int, codes: int, booleans: int, times: int) -> tuple[Kind, Note | None]:
    """The kind that all values have in common, and a note where few values stand against a number."""
    if values == 0:
        return "text", None
    if booleans == values:
        return "boolean", None
    if times == values:
        return "time", None
    if codes:
        return "text", None
    if numbers == values:
        return "number", None
    others = values - numbers
    if numbers < NEARLY * values:
        return "text", None
    text = f"kept as text: {others:,} of {values:,} values are no numbers; if they mean not known, list them in missing"
    return "text", Note(where, text, others)
