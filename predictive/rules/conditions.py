"""Conditions as people write them in a rule file: what each may say, checked when it is read."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, field_validator, model_validator

from predictive.config import Duration, Instant, Strict

ANY = "any"
"""The activity that stands for activities of every type."""
CREATED = "created_at"
"""When the contact was created: a time that every contact has. It is no fact about who it is, so no fit."""


def as_text(value: Any) -> Any:
    """A number as text, so that ``equals: 50`` needs no quotes; a truth value is refused, since YAML makes it of yes.

    >>> as_text(50), as_text("yes")
    ('50', 'yes')
    """
    if isinstance(value, bool):
        raise ValueError(f"{str(value).lower()} is what YAML makes of yes, no, true and false; put quotes around it")
    return str(value) if isinstance(value, int | float) else value


def as_list(value: Any) -> Any:
    """One value as a list of one."""
    return value if isinstance(value, list) or value is None else [value]


Text = Annotated[str, BeforeValidator(as_text)]
Texts = Annotated[list[Text], BeforeValidator(as_list)]

OPERATORS = {
    "attribute": (
        "equals", "is_not", "one_of", "none_of", "contains", "matches", "between", "at_least", "at_most", "known",
        "unknown", "before", "after", "within", "not_within",
    ),
    "activity": (
        "at_least", "at_most", "between", "within", "not_within", "detail", "contains", "value_at_least",
        "value_at_most",
    ),
    "tag": (),
    "no_tag": (),
    "any": (),
}  # fmt: skip
"""The subjects of a condition, and the operators that each takes."""
ABSENCE = ("at_least", "at_most", "between", "within", "value_at_least", "value_at_most")


class Condition(Strict):
    """One condition, on one of these subjects:

    - `attribute` (prefix ``account_`` for the account's): `equals`, `is_not`, `one_of`, `none_of`, `contains` (any of
      these words or phrases, as whole words), `matches` (a regular expression), `known`, `unknown`; of numbers
      `at_least`, `at_most`, `between`; of times `before`, `after`, and `within` or `not_within` so long before as-of.
      Texts compare without regard to case. What is not known fulfils nothing but `unknown`.
    - `activity` (types, or ``any``): `at_least` (default 1), `at_most` or `between` times `within` so long, or none
      `not_within` so long; of rows with exactly this `detail`, or whose detail `contains` one text; `value_at_least`
      and `value_at_most` compare the sum of their values.
    - `tag`: has one of these tags; `no_tag`: has none of them.
    - `any`: one of these conditions holds.

    >>> Condition(activity="page_view", contains="pricing", at_least=2, within="30d").types
    ('page_view',)
    """  # noqa: D415 - a list follows

    attribute: str | None = None
    activity: Texts | None = Field(default=None, min_length=1)
    tag: Texts | None = Field(default=None, min_length=1)
    no_tag: Texts | None = Field(default=None, min_length=1)
    any: list[Condition] | None = Field(default=None, min_length=2)
    equals: Text | None = None
    is_not: Text | None = None
    one_of: Texts | None = None
    none_of: Texts | None = None
    contains: Texts | None = None
    matches: str | None = None
    known: bool | None = None
    unknown: bool | None = None
    between: Annotated[list[float], Field(min_length=2, max_length=2)] | None = None
    at_least: float | None = None
    at_most: float | None = None
    before: Instant | None = None
    after: Instant | None = None
    within: Duration | None = None
    not_within: Duration | None = None
    detail: Texts | None = Field(default=None, min_length=1)
    value_at_least: float | None = None
    value_at_most: float | None = None

    @field_validator("matches")
    @classmethod
    def _readable(cls, value: str | None) -> str | None:
        try:
            re.compile(value or "")
        except re.error as error:
            raise ValueError(f"{value!r} is not a regular expression: {error}") from None
        return value

    @field_validator("within", "not_within")
    @classmethod
    def _whole_days(cls, value: timedelta | None) -> timedelta | None:
        if value is not None and value % timedelta(days=1):
            raise ValueError("counts whole days, such as 30d")
        return value

    @model_validator(mode="after")
    def _one_subject(self) -> Condition:
        subjects = [s for s in OPERATORS if getattr(self, s) is not None]
        if len(subjects) != 1:
            raise ValueError(f"give exactly one of attribute, activity, tag, no_tag and any; found {len(subjects)}")
        (subject,) = subjects
        given, takes = self.operators, OPERATORS[subject]
        wrong = [name for name in given if name not in takes]
        if wrong:
            allowed = ", ".join(takes) if takes else "nothing more"
            raise ValueError(f"{subject} does not take {wrong[0]}; it takes {allowed}")
        if subject == "attribute" and not given:
            raise ValueError(f"say what the attribute should be: {', '.join(takes)}")
        if subject == "activity":
            self._check_activity()
        return self

    @model_validator(mode="after")
    def _possible(self) -> Condition:
        low, high = self.range
        sums = self.value_at_least, self.value_at_most
        for least, most in ((low, high), sums):
            if least is not None and most is not None and least > most:
                raise ValueError(f"at least {least:g} and at most {most:g}: no number is both")
        return self

    def _check_activity(self) -> None:
        if self.contains is not None and len(self.contains) != 1:
            raise ValueError("contains of an activity is one text; use any, or name the details")
        if self.not_within is not None and set(ABSENCE) & set(self.operators):
            raise ValueError("not_within says that it did not happen at all; it takes only detail and contains beside")

    @property
    def operators(self) -> list[str]:
        """The operators that are given."""
        return [name for name in type(self).model_fields if name not in OPERATORS and getattr(self, name) is not None]

    @property
    def types(self) -> tuple[str, ...]:
        """The activity types; empty for anything else, and for every type."""
        return () if self.activity is None or self.activity == [ANY] else tuple(self.activity)

    @property
    def range(self) -> tuple[float | None, float | None]:
        """The lowest and the highest number that fulfil it; None for an open end."""
        low, high = self.between if self.between is not None else (None, None)
        lows = [x for x in (low, self.at_least) if x is not None]
        highs = [x for x in (high, self.at_most) if x is not None]
        return max(lows, default=None), min(highs, default=None)

    @property
    def times(self) -> tuple[float, float | None]:
        """How many times at least and at most an activity is wanted; once or more, unless something else is said."""
        if self.not_within is not None:
            return 0, 0
        low, high = self.range
        summed = self.value_at_least is not None or self.value_at_most is not None
        return (0 if high is not None or summed else 1) if low is None else low, high

    @property
    def days(self) -> int | None:
        """The window in days; None for ever."""
        length = self.within if self.not_within is None else self.not_within
        return None if length is None else length // timedelta(days=1)

    @property
    def counts(self) -> bool:
        """Whether it holds because of activities that happened, so that there is a latest one."""
        summed = self.value_at_least is not None and self.value_at_least > 0
        return self.activity is not None and (self.times[0] >= 1 or summed)

    @property
    def explicit(self) -> bool:
        """Whether it reads only what is stated about the contact or its account."""
        return self.activity is None and self.attribute != CREATED and all(c.explicit for c in self.any or ())

    def each(self) -> Iterator[Condition]:
        """Itself, or the conditions inside `any`, however deep."""
        if self.any is None:
            yield self
        else:
            for inner in self.any:
                yield from inner.each()

    @property
    def attributes(self) -> tuple[str, ...]:
        """The attributes that it reads, those inside `any` too."""
        read = ("tags" if c.tag is not None or c.no_tag is not None else c.attribute for c in self.each())
        return tuple(dict.fromkeys(name for name in read if name is not None))

    @property
    def activities(self) -> tuple[str, ...]:
        """The activity types that it names, those inside `any` too."""
        return tuple(dict.fromkeys(t for c in self.each() for t in c.types))

    @property
    def timely(self) -> bool:
        """Whether it compares an attribute as a time."""
        times = self.before, self.after, self.within, self.not_within
        return self.attribute is not None and not all(t is None for t in times)
