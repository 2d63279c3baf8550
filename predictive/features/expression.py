"""What a feature computes, as a value: numbers over what is known of a contact, added, divided and compared.

The leaves are :class:`Total` (a number taken over a contact's activities or changes), :class:`Attribute` (what is
stated about it) and :class:`Constant`; :class:`Formula` joins them. All are frozen and their reprs round-trip, so that
a feature set can be hashed, kept in a bundle and run on any engine; nothing in a bundle is ever executed as code.

>>> visits = total("count", "page_view", days=30)
>>> rate = total("count", "form", days=30) / (visits + 1)
>>> eval(repr(rate)) == rate
True
>>> [leaf.types for leaf in totals_of(rate)]
[('form',), ('page_view',)]
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal, get_args

import narwhals as nw

from predictive.clock import DAY
from predictive.errors import ConfigError, ModelError

Measure = Literal[
    "count", "days", "weeks", "breadth", "value", "valued", "decay", "last", "first", "people", "active", "bought"
]
Stream = Literal["activities", "changes", "colleagues"]
EXTREME = ("last", "first")
"""The measures that are missing where there is nothing; all others are sums, and then 0."""
OF_COLLEAGUES = ("people", "active", "bought")
WEIGHT_ONE = 1 << 20
"""A decayed weight of 1 as fixed-point int64: sums of integers do not depend on order, threads or engine."""
VALUE_ONE = 10_000
"""A `value` of 1 as fixed-point int64: four decimals are kept."""
STREAK_WEEKS = 7
"""The longest streak that is told: 49 days are bits that a double holds exactly, whatever an engine divides with."""


class _Arithmetic:
    """The operators that make formulas; a number beside a term becomes a :class:`Constant`."""

    def __add__(self, other: Term | float) -> Formula:
        return _formula("add", self, other)

    def __radd__(self, other: float) -> Formula:
        return _formula("add", other, self)

    def __sub__(self, other: Term | float) -> Formula:
        return _formula("subtract", self, other)

    def __rsub__(self, other: float) -> Formula:
        return _formula("subtract", other, self)

    def __mul__(self, other: Term | float) -> Formula:
        return _formula("multiply", self, other)

    def __rmul__(self, other: float) -> Formula:
        return _formula("multiply", other, self)

    def __truediv__(self, other: Term | float) -> Formula:
        """Divided by; missing where `other` is zero."""
        return _formula("divide", self, other)

    def __rtruediv__(self, other: float) -> Formula:
        return _formula("divide", other, self)

    def fill(self, other: Term | float) -> Formula:
        """The value, or `other` where it is missing."""
        return _formula("fill", self, other)

    def at_least(self, other: Term | float) -> Formula:
        """1 where the value is `other` or more, else 0; missing where either is."""
        return _formula("at least", self, other)

    def known(self) -> Formula:
        """1 where there is a value, else 0."""
        return _formula("known", self)


@dataclass(frozen=True)
class Constant(_Arithmetic):
    """A number, or the level of a category."""

    value: float | str


@dataclass(frozen=True)
class Attribute(_Arithmetic):
    """An attribute as it was at as-of, by the name that :class:`~predictive.features.cut.Known` gives it."""

    name: str


@dataclass(frozen=True)
class Total(_Arithmetic):
    """One integer per contact, taken over what it did (or what changed about it) and was known at as-of.

    Without any such row it is 0; `last` and `first` are then missing.

    =========  ========================================================================================
    measure    what it is
    =========  ========================================================================================
    count      how many rows
    days       on how many days; a day is 24 hours, counted back from as-of
    weeks      the days of the last 7 weeks as bits, the latest lowest; see :func:`streak`
    breadth    how many types
    value      the sum of `value`, in 1/10,000; `valued`: how many rows have one
    decay      the sum of 2^(−day / half_life), in 1/2^20, day by day
    last       microseconds since the latest row; `first`: since the earliest
    people     how many other contacts the account has; `active`: how many of them did anything;
               `bought`: how many of them won a deal (these three, `count` and `decay` for colleagues)
    =========  ========================================================================================

    `types` restricts to activity types (empty: any but those of `without`); in the stream "changes" to attributes.
    `days` is the window (as_of − days, as_of]; `detail` restricts to rows with exactly this detail, `contains` to rows
    whose detail has the text in it. `half_life`: in days. The stream "colleagues" holds what the other contacts of the
    account did.
    """

    measure: Measure
    types: tuple[str, ...] = ()
    days: int | None = None
    half_life: int | None = None
    detail: str | None = None
    contains: str | None = None
    without: tuple[str, ...] = ()
    stream: Stream = "activities"

    @property
    def base(self) -> Total:
        """The same total over all types and details: what is computed per type first, and pivoted second."""
        measure: Measure = "count" if self.measure == "breadth" else self.measure
        return replace(self, measure=measure, types=(), detail=None, contains=None, without=(), stream="activities")

    @property
    def column(self) -> str:
        """A column name of its own, which no attribute can have, since none contains a double colon.

        Databases ignore the case of column names, so the types and details are not in it as they are written.
        """
        return f"{self.measure}::{hashlib.sha256(repr(self).encode()).hexdigest()[:16]}"


@dataclass(frozen=True)
class Formula(_Arithmetic):
    """Terms joined by an operation of :data:`OPERATIONS`."""

    operation: str
    terms: tuple[Term, ...]


Term = Constant | Attribute | Total | Formula


def total(
    measure: Measure, *types: str, days: int | None = None, half_life: int | None = None, detail: str | None = None,
    stream: Stream = "activities",
) -> Total:  # fmt: skip
    """A total, checked: the public way to write one, as own features do. See :class:`Total` for what each means.

    Raises :class:`~predictive.errors.ConfigError` for a measure that does not exist, or lacks what it needs.
    """
    if measure not in get_args(Measure):
        raise ConfigError(f"{measure!r} is no measure; there are {', '.join(get_args(Measure))}")
    if (measure == "decay") != (half_life is not None):
        raise ConfigError(f"total({measure!r}): half_life goes with decay, in days, and decay with it")
    if days is not None and days < 1:
        raise ConfigError(f"total({measure!r}): a window of {days} days holds nothing; give 1 or more")
    if days is not None and measure in ("last", "first", "decay", "weeks"):
        raise ConfigError(f"total({measure!r}) looks at the whole history and takes no days")
    if detail is not None and (measure in ("days", "weeks", "breadth") or stream != "activities"):
        raise ConfigError(f"total({measure!r}) of {stream} takes no detail")
    if (measure in OF_COLLEAGUES and stream != "colleagues") or (
        stream == "colleagues" and measure not in (*OF_COLLEAGUES, "count", "decay")
    ):
        raise ConfigError(f"total({measure!r}) is not known of {stream}")
    return Total(measure, types, days, half_life, detail, stream=stream)


def streak(mask: Term) -> Formula:
    """How many weeks in a row, counted back from as-of, hold a day of `mask`, a total of the measure "weeks"."""
    return Formula("streak", (mask,))


def pick(values: Iterable[tuple[Term, str]], of: Term) -> Formula:
    """The name of the first term that equals `of`; "other" if none does, missing where `of` is."""
    return Formula("pick", (of, *(term for named, name in values for term in (named, Constant(name)))))


def totals_of(term: Term) -> Iterator[Total]:
    """The totals that a term is made of, in order."""
    if isinstance(term, Total):
        yield term
    elif isinstance(term, Formula):
        for inner in term.terms:
            yield from totals_of(inner)


def attributes_of(term: Term) -> Iterator[str]:
    """The attributes that a term reads, in order."""
    if isinstance(term, Attribute):
        yield term.name
    elif isinstance(term, Formula):
        for inner in term.terms:
            yield from attributes_of(inner)


def compiled(term: Term) -> nw.Expr:
    """The term as an expression over the columns of totals and attributes, the same on every engine."""
    if isinstance(term, Constant):
        return nw.lit(term.value) if isinstance(term.value, str) else nw.lit(float(term.value), nw.Float64)
    if isinstance(term, Attribute):
        return nw.col(term.name)
    if isinstance(term, Total):
        column = nw.col(term.column)
        return column if term.measure in EXTREME else column.fill_null(0).cast(nw.Int64)
    return OPERATIONS[term.operation](*map(compiled, term.terms))


def _number(expr: nw.Expr) -> nw.Expr:
    return expr.cast(nw.Float64)


def floored(a: nw.Expr, n: int) -> nw.Expr:
    """A // n, for numbers that a double holds; the engines' own // repeats its operand, and formulas nest."""
    return (_number(a) / float(n)).floor()


def _rest(a: nw.Expr, n: int) -> nw.Expr:
    return _number(a) - floored(a, n) * float(n)


def _streak(mask: nw.Expr) -> nw.Expr:
    weeks = [(_rest(floored(mask, 1 << 7 * w), 128) > 0).cast(nw.Int64) for w in range(STREAK_WEEKS)]
    length = weeks[-1]
    for week in reversed(weeks[:-1]):
        length = week * (length + 1)
    return length


def _month(time: nw.Expr) -> nw.Expr:
    """The month of a time between March 1901 and February 2100; the engines' own calendars have time zones.

    Four years from March are 1,461 days, and five months 153, after Hinnant's `civil_from_days`.
    """
    of_four = _rest(floored(time, DAY) + 671.0, 1461)
    year = floored(of_four, 365)
    # The fourth year alone has a 366th day.
    of_year = of_four - year * 365.0 + floored(year, 4) * 365.0
    return floored(of_year * 5.0 + 2.0, 153).cast(nw.Int64)


def _picked(of: nw.Expr, *pairs: nw.Expr) -> nw.Expr:
    found: nw.Expr = nw.when(~of.is_null()).then(nw.lit("other"))
    for value, name in reversed(list(zip(pairs[::2], pairs[1::2], strict=True))):
        found = nw.when(value == of).then(name).otherwise(found)
    return found


FROM_MARCH = tuple(part for i in range(12) for part in (i, f"{(i + 2) % 12 + 1:02}"))


OPERATIONS: dict[str, Callable[..., nw.Expr]] = {
    "add": lambda a, b: _number(a) + _number(b),
    "subtract": lambda a, b: _number(a) - _number(b),
    "multiply": lambda a, b: _number(a) * _number(b),
    # Engines disagree on what a division by zero is.
    "divide": lambda a, b: nw.when(_number(b) != 0.0).then(_number(a) / _number(b)),
    "fill": lambda a, b: nw.coalesce(_number(a), _number(b)),
    "at least": lambda a, b: (_number(a) >= _number(b)).cast(nw.Int64),
    "known": lambda a: (~a.is_null()).cast(nw.Int64),
    "days": lambda a: _number(a) / float(DAY),
    "streak": _streak,
    "pick": _picked,
    "month": lambda a: _picked(_month(a), *map(nw.lit, FROM_MARCH)),
    "weekday": lambda a: (_rest(floored(a, DAY) + 3.0, 7) + 1.0).cast(nw.Int64).cast(nw.String),
}


def _formula(operation: str, *terms: Any) -> Formula:
    for term in terms:
        if isinstance(term, str) or not isinstance(term, Term | int | float):
            raise ConfigError(
                f"{operation}: {term!r} is neither a number nor a total, an attribute or a formula of them"
            )
    return Formula(operation, tuple(Constant(float(t)) if isinstance(t, (int, float)) else t for t in terms))


LEAVES: dict[str, Any] = {"constant": Constant, "attribute": Attribute, "total": Total}


def to_json(term: Term) -> dict[str, Any]:
    """A term as plain values, for the bundle."""
    if isinstance(term, Formula):
        return {"formula": term.operation, "terms": [to_json(t) for t in term.terms]}
    return {type(term).__name__.lower(): asdict(term)}


def from_json(value: dict[str, Any]) -> Term:
    """The inverse of :func:`to_json`; nothing in `value` is executed.

    Raises :class:`~predictive.errors.ModelError` for an operation that this version does not know.

    >>> from_json(to_json(total("decay", half_life=30) / 2)) == total("decay", half_life=30) / 2
    True
    """
    if "formula" in value:
        if value["formula"] not in OPERATIONS:
            raise ModelError(
                f"a feature of the model uses the operation {value['formula']!r}, which this version of predictive "
                "does not know; score with the version that trained it, or train a new model"
            )
        return Formula(value["formula"], tuple(from_json(t) for t in value["terms"]))
    ((name, fields),) = value.items()
    made: Term = LEAVES[name](**{k: tuple(v) if isinstance(v, list) else v for k, v in fields.items()})
    return made
