"""Named lists of contacts, the tags that behaviour earns, and which contact of an account counts as engaged."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer, PlainValidator, model_validator

from predictive.config.base import Duration, Strict
from predictive.errors import nearest


def _condition(value: object) -> Any:
    # The rules are made of parts of the configuration, so they cannot be imported before it.
    from predictive.rules import Condition

    return Condition.model_validate(value)


def _one_of(which: Literal["STAGES", "QUADRANTS", "TIERS"]) -> AfterValidator:
    def check(values: list[str]) -> list[str]:
        # The schemas are heavy to import, and only lists need them to read a configuration.
        from predictive import tables

        allowed: tuple[str, ...] = getattr(tables, which)
        for value in values:
            if value not in allowed:
                raise ValueError(f"{value!r} is none of {', '.join(allowed)}; {nearest(value, allowed)}")
        return values

    return AfterValidator(check)


def _as_list(value: object) -> object:
    return value if isinstance(value, list) else [value]


RuleCondition = Annotated[
    Any,
    PlainValidator(_condition),
    PlainSerializer(lambda c: c.model_dump(mode="json", exclude_none=True), return_type=dict[str, Any]),
]
"""A condition as rules have it: on an attribute or on activities."""

Texts = Annotated[list[str], BeforeValidator(_as_list), Field(min_length=1)]


class Range(Strict):
    """Numbers from `at_least` to `at_most`, both included; `between` gives both at once."""

    at_least: float | None = None
    at_most: float | None = None
    between: tuple[float, float] | None = None

    @model_validator(mode="after")
    def _bounded(self) -> Range:
        if (self.between is None) == (self.at_least is None and self.at_most is None):
            raise ValueError("give at_least, at_most or both; or between: [low, high]")
        low, high = self.bounds
        if low > high:
            raise ValueError(f"no number is at least {low:g} and at most {high:g}")
        return self

    @property
    def bounds(self) -> tuple[float, float]:
        """The lowest and the highest number that count.

        >>> Range(at_least=0.1).bounds
        (0.1, inf)
        """
        if self.between is not None:
            return self.between
        return (
            float("-inf") if self.at_least is None else self.at_least,
            float("inf") if self.at_most is None else self.at_most,
        )


class Filter(Strict):
    """What a contact must meet, all of it: its scores in a range, its classes among those named, and conditions.

    A contact without a score meets nothing that is asked of scores; its stage is then that of its deals, if any.
    """

    probability: Range | None = None
    fit: Range | None = None
    interest: Range | None = None
    rule_score: Range | None = None
    stage: Annotated[Texts, _one_of("STAGES")] | None = None
    quadrant: Annotated[Texts, _one_of("QUADRANTS")] | None = None
    tier: Annotated[Texts, _one_of("TIERS")] | None = None
    cell: Texts | None = None
    holdout: bool | None = None
    when: list[RuleCondition] = []

    @property
    def empty(self) -> bool:
        """Whether nothing is asked."""
        return not self.when and all(getattr(self, name) is None for name in Filter.model_fields if name != "when")


class ListChoice(Filter):
    """A named list: active, of whoever meets the filter tonight; or static, of these `members` or those in a file.

    `not` leaves out who meets all that it says; of several such filters, who meets any. `feeds` names the workflow that
    works the list, such as nurture or sales. A `static` file has one contact_id a line, or is CSV with that column.
    """

    without: Annotated[list[Filter], BeforeValidator(_as_list)] = Field(default=[], alias="not")
    feeds: str | None = None
    static: Path | None = None
    members: list[str] | None = None

    @property
    def is_static(self) -> bool:
        """Whether its members are named, not found."""
        return self.static is not None or self.members is not None

    @model_validator(mode="after")
    def _one_kind(self) -> ListChoice:
        if self.static is not None and self.members is not None:
            raise ValueError("give static (a file) or members, not both")
        if self.is_static and (not self.empty or self.without):
            raise ValueError("a static list keeps its members: give static or members, or a filter, not both")
        if not self.is_static and self.empty and not self.without:
            raise ValueError("says nothing: give a filter such as stage: [SQL], or members")
        if any(one.empty for one in self.without):
            raise ValueError("not: says nothing; give a filter such as {stage: [customer]}")
        return self


def _name_of_list(name: str) -> str:
    if not name.strip() or name.startswith("#") or not name.isprintable():
        raise ValueError(f"{name!r} cannot name a list: write some text that does not begin with #, which tags do")
    return name


def _name_of_tag(name: str) -> str:
    if len(name) < 2 or not name.startswith("#") or not name.isprintable() or " " in name:
        raise ValueError(f'{name!r} cannot name a tag: write # and a word, such as "#form" (in quotes)')
    return name


Lists = dict[Annotated[str, AfterValidator(_name_of_list)], ListChoice]
Tags = dict[
    Annotated[str, AfterValidator(_name_of_tag)],
    Annotated[list[RuleCondition], BeforeValidator(_as_list), Field(min_length=1)],
]


class AccountChoice(Strict):
    """Who counts as engaged: did something within `active`, and is high on interest.

    Where there is no axis of interest, `rule_interest` points or more stand in for it.
    """

    active: Duration = timedelta(days=30)
    rule_interest: int = 1
