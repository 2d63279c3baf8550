"""The manual score: sets of conditions with positive or negative points, as marketing and sales agreed them.

A set applies when all of its conditions hold (AND); sets add up (OR). Conditions compile to the features of
:mod:`predictive.features.catalog`, so that rules are cut at as-of by the same code as the model's features.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from importlib import resources
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pandas as pd
import yaml
from pydantic import Field, ValidationError, field_validator, model_validator

from predictive.config import Duration, Strict
from predictive.errors import ConfigError, nearest
from predictive.features import behaviour, catalog
from predictive.features.attributes import attribute_kinds
from predictive.features.catalog import Feature
from predictive.tables import Tables

EVER = 36_500
"""A window longer than any history, in days."""


class Condition(Strict):
    """One condition: on an `attribute` (prefix ``account_`` for the account's) or on activities (`activity`).

    Attribute operators: `equals`, `one_of`, `contains` (any of these words or phrases, as whole words), `known`,
    `at_least`, `at_most`. They compare without regard to case. Activity operators: `at_least` (default 1) and `at_most`
    times `within` so long, of rows with exactly this `detail`, or whose detail `contains` one text.
    """

    attribute: str | None = None
    activity: str | list[str] | None = None
    equals: str | None = None
    one_of: list[str] | None = None
    contains: list[str] | str | None = None
    known: bool | None = None
    at_least: float | None = None
    at_most: float | None = None
    within: Duration | None = None
    detail: str | None = None

    @model_validator(mode="after")
    def _one_subject(self) -> Condition:
        if (self.attribute is None) == (self.activity is None):
            raise ValueError("give exactly one of attribute and activity")
        if self.activity is not None and (self.equals, self.one_of, self.known) != (None, None, None):
            raise ValueError("an activity takes at_least, at_most, within, detail and contains")
        if self.attribute is not None and (self.within, self.detail) != (None, None):
            raise ValueError("an attribute takes equals, one_of, contains, known, at_least and at_most")
        operators = (self.equals, self.one_of, self.contains, self.known, self.at_least, self.at_most)
        if self.attribute is not None and all(o is None for o in operators):
            raise ValueError("say what the attribute should be: equals, one_of, contains, known, at_least or at_most")
        if self.activity is not None and isinstance(self.contains, list) and len(self.contains) != 1:
            raise ValueError("contains of an activity is one text; give each its own set, or name a detail")
        if self.within is not None and self.within % timedelta(days=1):
            raise ValueError("within counts whole days")
        return self

    @property
    def types(self) -> tuple[str, ...]:
        """The activity types; empty for an attribute."""
        if self.activity is None:
            return ()
        return (self.activity,) if isinstance(self.activity, str) else tuple(self.activity)

    def feature(self, kinds: dict[str, Any]) -> Feature:
        """The feature whose value the condition reads. `kinds` says what the attributes hold.

        Its name is its own, even among the model's features and where two conditions differ in case only.
        """
        plain = self._plain_feature(kinds)
        digest = hashlib.sha256(repr(plain).encode()).hexdigest()[:12]
        return replace(plain, name=f"{plain.name} (rules {digest})")

    def _plain_feature(self, kinds: dict[str, Any]) -> Feature:
        if self.attribute is not None:
            of, name = ("contacts", self.attribute)
            if self.attribute.startswith("account_") and self.attribute != "account_id":
                of, name = "accounts", self.attribute.removeprefix("account_")
            kind = "number" if kinds.get(self.attribute) == "number" else "text"
            return catalog.attribute(name, of=of, kind=kind)  # type: ignore[arg-type]
        days = EVER if self.within is None else self.within // timedelta(days=1)
        contains = self.contains[0] if isinstance(self.contains, list) else self.contains
        return behaviour.count(self.types, days, detail=self.detail, contains=contains)

    def holds(self, values: pd.Series[Any]) -> np.ndarray:
        """Where the condition holds, for the values of its feature; missing holds only for ``known: false``."""
        present = values.notna().to_numpy()
        if self.activity is not None:
            count = values.to_numpy(dtype=float)
            low = 1.0 if self.at_least is None and self.at_most is None else self.at_least
            return (count >= (-math.inf if low is None else low)) & (
                count <= (self.at_most if self.at_most is not None else math.inf)
            )
        result = np.ones(len(values), dtype=bool)
        if self.known is not None:
            result &= present == self.known
        if self.at_least is not None or self.at_most is not None:
            number = pd.to_numeric(values, errors="coerce").to_numpy(dtype=float)
            result &= present & (number >= (-math.inf if self.at_least is None else self.at_least))
            result &= number <= (math.inf if self.at_most is None else self.at_most)
        for texts, whole in ((self.equals, True), (self.one_of, True), (self.contains, False)):
            if texts is not None:
                wanted = [t.casefold() for t in ([texts] if isinstance(texts, str) else texts)]
                levels = {v: _matches(_written(v), wanted, whole=whole) for v in values.dropna().unique()}
                result &= present & values.map(levels).eq(other=True).to_numpy(dtype=bool)
        return result


class RuleSet(Strict):
    """A named set of conditions and the points it gives while all of them hold."""

    name: str
    points: Annotated[int, Field(ge=-100, le=100)]
    when: list[Condition] = Field(min_length=1)

    @property
    def explicit(self) -> bool:
        """Whether the set reads only attributes: fit. Any other set is interest."""
        return all(c.attribute is not None for c in self.when)


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


class Rules(Strict):
    """A whole rule file."""

    stages: Stages = Stages()
    sets: list[RuleSet] = Field(min_length=1)

    @field_validator("sets")
    @classmethod
    def _distinct(cls, sets: list[RuleSet]) -> list[RuleSet]:
        names = [s.name for s in sets]
        twice = sorted({n for n in names if names.count(n) > 1})
        if twice:
            raise ValueError(f"two sets have the name {twice[0]!r}; a reason could not tell them apart")
        return sets


@dataclass(frozen=True)
class RuleScore:
    """Points per contact, each array of shape (n,) and int64; `fired` is (n, sets) and boolean.

    `score` is the sum clipped to 0–100; `fit` and `interest` are the unclipped sums of the explicit and implicit sets.
    """

    score: np.ndarray
    fit: np.ndarray
    interest: np.ndarray
    fired: np.ndarray


def load_rules(path: Path | None) -> Rules:
    """Read a rule file; None reads the package's default rules."""
    where = "the default rules" if path is None else str(path)
    try:
        file = resources.files("predictive.defaults") / "rules.yaml" if path is None else path
        raw = yaml.safe_load(file.read_text(encoding="utf-8"))
        if not isinstance(raw, dict):
            raise ConfigError(f"rules: {where}: a rule file is a mapping with the key sets; found {type(raw).__name__}")
        return Rules.model_validate(raw)
    except FileNotFoundError:
        raise ConfigError(f"rules: {where}: no such file; name one, or leave rules out for the default") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"rules: {where}: cannot be read: {error}") from None
    except yaml.YAMLError as error:
        raise ConfigError(f"rules: {where}: not valid YAML: {error}") from None
    except ValidationError as error:
        raise ConfigError(f"rules: {where}: " + "; ".join(_problem(e, raw) for e in error.errors())) from None


def applicable(rules: Rules, tables: Tables, *, strict: bool) -> Rules:
    """The rules whose attributes and activity types the tables have.

    ``strict`` (a rule file of one's own) makes an unknown attribute an error with the nearest known name; without it
    (the default rules) such sets are left out. An activity type that has not occurred yet is no error.
    """
    kinds = all_kinds(tables)
    kept = []
    for rule in rules.sets:
        unknown = [c.attribute for c in rule.when if c.attribute is not None and c.attribute not in kinds]
        if unknown and strict:
            raise ConfigError(
                f"rules: set {rule.name!r}: no attribute {unknown[0]!r}; {nearest(str(unknown[0]), kinds)}"
            )
        if not unknown:
            kept.append(rule)
    return rules.model_copy(update={"sets": kept})


def all_kinds(tables: Tables) -> dict[str, Any]:
    """Every attribute that a rule may name, and what it holds."""
    return dict(attribute_kinds(tables))


def rule_features(rules: Rules, kinds: dict[str, Any]) -> list[Feature]:
    """The features that the rules read, without repeats."""
    return list(dict.fromkeys(c.feature(kinds) for rule in rules.sets for c in rule.when))


def score_rules(rules: Rules, frame: pd.DataFrame, kinds: dict[str, Any]) -> RuleScore:
    """Apply the rules to a frame that holds the columns of :func:`rule_features`."""
    fired = np.zeros((len(frame), len(rules.sets)), dtype=bool)
    for i, rule in enumerate(rules.sets):
        fired[:, i] = np.logical_and.reduce([c.holds(frame[c.feature(kinds).name]) for c in rule.when])
    points = np.array([r.points for r in rules.sets], dtype=np.int64)
    explicit = np.array([r.explicit for r in rules.sets], dtype=bool)
    fit, interest = fired @ (points * explicit), fired @ (points * ~explicit)
    return RuleScore(np.clip(fit + interest, 0, 100), fit, interest, fired)


def stage(score: np.ndarray, stages: Stages) -> np.ndarray:
    """The stage of each rule score, as text.

    >>> stage(np.array([0, 1, 26, 51]), Stages()).tolist()
    ['visitor', 'prospect', 'MQL', 'SQL']
    """
    names = np.array(["visitor", "prospect", "MQL", "SQL"], dtype=object)
    return names[np.searchsorted([stages.prospect, stages.MQL, stages.SQL], score, side="right")]


def _written(value: Any) -> str:
    """A value as people write it: a whole number without a point."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _matches(value: str, wanted: Sequence[str], *, whole: bool) -> bool:
    folded = value.casefold()
    if whole:
        return folded in wanted
    # Whole words: "cto" must not be found in "director", nor "intern" in "international".
    return any(re.search(rf"(?<!\w){re.escape(w)}(?!\w)", folded) for w in wanted)


def _problem(error: Any, raw: Any) -> str:
    loc = error["loc"]
    path = "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in loc if p not in ("str", "list[str]")).lstrip(
        "."
    )
    if (
        len(loc) > 1
        and loc[0] == "sets"
        and isinstance(raw.get("sets"), list)
        and isinstance(raw["sets"][loc[1]], dict)
    ):
        path += f" (set {raw['sets'][loc[1]].get('name', '?')!r})"
    message = error["msg"].removeprefix("Value error, ")
    if error["type"] == "extra_forbidden":
        owners: dict[int, type[Strict]] = {1: Rules, 3: RuleSet}
        owner = owners.get(len(loc), Condition if "when" in loc else Stages)
        message = f"unknown key; {nearest(str(loc[-1]), owner.model_fields)}"
    return f"{path}: {message}"
