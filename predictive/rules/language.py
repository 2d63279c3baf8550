"""A rule file as values: sets of conditions with points, groups with caps, stages, quadrant."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from pydantic import Field, field_validator, model_validator

from predictive.config import Duration, FeatureChoice, Strict
from predictive.errors import nearest
from predictive.features.choose_behaviour import grouped
from predictive.rules.conditions import Condition, Texts

FIT, NEGATIVE, OTHER = "fit", "negative", "other"
BEHAVIOUR = FeatureChoice().groups
"""The categories of behaviour and the patterns of their types: those of the features' default configuration."""
GROUPS = (FIT, *BEHAVIOUR, OTHER)
"""The groups that every rule file has."""


class Repeat(Strict):
    """Points for every so many activities: `every` is how many, `up_to` how often the points are given at most."""

    every: Annotated[int, Field(ge=1)] = 1
    up_to: Annotated[int, Field(ge=1, le=100)]


class Decay(Strict):
    """How points melt since the latest matching activity: half as much after each `half_life`, or evenly `to_zero`."""

    half_life: Duration | None = None
    to_zero: Duration | None = None

    @model_validator(mode="after")
    def _one(self) -> Decay:
        if (self.half_life is None) == (self.to_zero is None):
            raise ValueError("give exactly one of half_life and to_zero")
        if self.length > timedelta(days=3_650):
            raise ValueError("ten years (3650d) is the longest")
        return self

    @property
    def length(self) -> timedelta:
        """The one that is given."""
        return self.half_life or self.to_zero or timedelta()


class RuleSet(Strict):
    """A named set of conditions and the points it gives while all of them hold.

    `group` is the one whose caps apply; without it, see :attr:`in_group`. A `people_only` set counts for people and
    never reaches a model.
    """

    name: str
    points: Annotated[int, Field(ge=-100, le=100)]
    when: list[Condition] = Field(min_length=1)
    group: str | None = None
    repeat: Repeat | None = None
    decay: Decay | None = None
    allow_sensitive: bool = False
    people_only: bool = False

    @model_validator(mode="after")
    def _one_activity(self) -> RuleSet:
        counting = [c for c in self.when if c.counts]
        for name in ("repeat", "decay"):
            if getattr(self, name) is not None and len(counting) != 1:
                raise ValueError(
                    f"{name} needs exactly one condition in the set (not inside any) that counts activities; "
                    f"found {len(counting)}"
                )
        if self.repeat is not None and counting[0].operators and counting[0].times[0] < 1:
            raise ValueError(
                "repeat counts activities, and this condition only sums their values; give at_least: 1 too"
            )
        return self

    @property
    def explicit(self) -> bool:
        """Whether the set reads only attributes and tags: fit. Any other set is interest."""
        return all(c.explicit for c in self.when)

    @property
    def counted(self) -> Condition | None:
        """The condition whose activities are repeated, or whose latest activity is the start of the decay."""
        return next((c for c in self.when if c.counts), None)

    @property
    def most(self) -> int:
        """The points of the most repeats."""
        return self.points * (1 if self.repeat is None else self.repeat.up_to)

    @property
    def in_group(self) -> str:
        """The group as given; else negative for negative points, fit for attributes, the category of the activities.

        >>> RuleSet(name="x", points=5, when=[Condition(activity="page_view")]).in_group
        'website'
        """
        if self.group is not None:
            return self.group
        if self.points < 0:
            return NEGATIVE
        if self.explicit:
            return FIT
        types = list(dict.fromkeys(t for c in self.when for t in c.activities))
        found = [name for name, members in grouped(types, BEHAVIOUR).items() if members]
        inside = sum(len(members) for members in grouped(types, BEHAVIOUR).values())
        return found[0] if len(found) == 1 and inside == len(types) else OTHER


class Cap(Strict):
    """The most and the least points that the sets of a group give together."""

    max: Annotated[int, Field(ge=0)] | None = None
    min: Annotated[int, Field(le=0)] | None = None

    @model_validator(mode="after")
    def _some(self) -> Cap:
        if self.max is None and self.min is None:
            raise ValueError("give max (0 or more), min (0 or less) or both")
        return self


class Stages(Strict):
    """The lowest rule score of each stage; below `prospect` is visitor."""

    prospect: int = 1
    MQL: int = 26
    SQL: int = 51

    @model_validator(mode="after")
    def _ascending(self) -> Stages:
        if not 0 < self.prospect < self.MQL < self.SQL <= 100:
            raise ValueError("thresholds must ascend: 0 < prospect < MQL < SQL <= 100")
        return self


class Lifecycle(Strict):
    """Which values of which attribute say that a contact is a customer or an open opportunity, whatever its points."""

    attribute: str = "lifecycle_stage"
    customer: Texts = ["customer"]  # noqa: RUF012 - pydantic copies defaults
    opportunity: Texts = ["opportunity"]  # noqa: RUF012 - likewise


class QuadrantCuts(Strict):
    """The lowest rule fit and rule interest that are high."""

    fit: int = 10
    interest: int = 20


class Rules(Strict):
    """A whole rule file. `allow_sensitive` is for all of its sets."""

    stages: Stages = Stages()
    quadrant: QuadrantCuts = QuadrantCuts()
    lifecycle: Lifecycle = Lifecycle()
    groups: dict[str, Cap] = {}  # noqa: RUF012 - pydantic copies defaults
    allow_sensitive: bool = False
    sets: list[RuleSet] = Field(min_length=1)

    @field_validator("sets")
    @classmethod
    def _distinct(cls, sets: list[RuleSet]) -> list[RuleSet]:
        names = [s.name for s in sets]
        twice = sorted({n for n in names if names.count(n) > 1})
        if twice:
            raise ValueError(f"two sets have the name {twice[0]!r}; a reason could not tell them apart")
        return sets

    @model_validator(mode="after")
    def _known_groups(self) -> Rules:
        known = {*GROUPS, *self.groups}
        strange = [s for s in self.sets if s.group is not None and s.group not in known]
        if strange:
            said = (f"set {s.name!r}: no group {s.group!r}; {nearest(str(s.group), known)}" for s in strange)
            raise ValueError("; ".join(said))
        return self
