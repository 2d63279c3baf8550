"""What is wrong with a rule file: what cannot be, what says nothing about these contacts, and what has grown old."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from predictive.clock import iso
from predictive.config import Config
from predictive.errors import nearest
from predictive.features.build import features_at
from predictive.features.snapshots import Moment, existing
from predictive.rules.compiling import View, holds, subject_feature, text_test
from predictive.rules.contradictions import cannot_hold, out_of_reach, twins
from predictive.rules.inflation import Month, monthly, verdict
from predictive.rules.language import Rules, RuleSet
from predictive.rules.reading import all_kinds, applicable, load_rules, misfits, sensitive_sets
from predictive.rules.scoring import rule_features, rule_quadrant, score_rules
from predictive.rules.words import about, in_words
from predictive.scores import stages_of_deals
from predictive.tables import QUADRANTS, STAGES, Tables

STOPS = ("unknown attribute", "sensitive")
"""Problems with which no model is trained on these rules."""
UNKNOWN = "unknown"
"""The quadrant where the sets speak of one axis only."""
MOST_LEVELS = 1_000
"""An attribute with more values is no list to choose from."""


@dataclass(frozen=True)
class Problem:
    """Something that a person should put right: in which set (None: the whole file), of which kind, in words."""

    set: str | None
    kind: str
    text: str

    def __str__(self) -> str:
        return self.text if self.set is None else f"{self.set}: {self.text}"


@dataclass(frozen=True)
class Fires:
    """A set, its points (once), and the share of contacts that it fires for."""

    name: str
    points: int
    fires: float


@dataclass(frozen=True)
class Checked:
    """What was found; `stages` and `quadrants` (those of the rules alone) count the contacts that exist at `as_of`.

    `own`: the file is the user's.
    """

    as_of: str
    contacts: int
    own: bool
    problems: tuple[Problem, ...]
    sets: tuple[Fires, ...]
    stages: dict[str, int]
    quadrants: dict[str, int]
    months: tuple[Month, ...]
    inflated: str

    @property
    def stops(self) -> bool:
        """Whether the rules cannot be used as they are."""
        return self.own and any(problem.kind in STOPS for problem in self.problems)

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        inflation = {"verdict": self.inflated, "months": [month.as_dict() for month in self.months]}
        found = {name: [asdict(x) for x in getattr(self, name)] for name in ("problems", "sets")}
        counts = {"stages": self.stages, "quadrants": self.quadrants}
        return {"as_of": self.as_of, "contacts": self.contacts, **found, **counts, "inflation": inflation}


def check_rules(tables: Tables, config: Config, *, night: int) -> Checked:
    """Check the configured rules, on their own and on the contacts that exist at `night` (microseconds)."""
    whole, kinds = load_rules(config.rules), all_kinds(tables)
    rules = applicable(whole, tables, strict=False)
    at = existing(tables, Moment(instant=night))
    frame = pd.DataFrame(features_at(tables, at, rule_features(rules, kinds)).collect(backend="pandas").to_native())
    scored = score_rules(rules, frame, kinds)
    staged = frame[["contact_id"]].assign(stage=scored.stage)
    counts = stages_of_deals(staged, tables, config, at)["stage"].value_counts()
    quadrants = pd.Series(rule_quadrant(scored, rules)).value_counts()
    shares = scored.fired.mean(axis=0) if len(frame) else np.zeros(len(rules.sets))
    months = monthly(rules, tables, config, until=night)
    problems = [
        *_written(whole, tables, config, kinds),
        *_unused(rules, tables),
        *(_firing(rules, scored.fired, View(frame, kinds)) if len(frame) else ()),
    ]
    return Checked(
        as_of=iso(night),
        contacts=len(frame),
        own=config.rules is not None,
        problems=tuple(problems),
        sets=tuple(Fires(r.name, r.points, float(s)) for r, s in zip(rules.sets, shares, strict=True)),
        stages={name: int(counts.get(name, 0)) for name in STAGES},
        quadrants={name: int(quadrants.get(name, 0)) for name in QUADRANTS if name in quadrants or name != UNKNOWN},
        months=tuple(months),
        inflated=verdict(months),
    )


def _written(rules: Rules, tables: Tables, config: Config, kinds: dict[str, Any]) -> Iterator[Problem]:
    """What can be seen without looking at any contact."""
    for rule in rules.sets:
        yield from (Problem(rule.name, "unknown attribute", text) for text in misfits(rule.when, kinds))
        clash = cannot_hold(rule.when)
        if clash is not None:
            yield Problem(rule.name, "contradiction", f"can never fire: {clash}")
    for name, text in sensitive_sets(rules, tables, config.features).items():
        yield Problem(name, "sensitive", text)
    for one, other in twins(rules.sets):
        kind = "contradiction" if one.points * other.points < 0 else "same conditions"
        text = f"has the conditions of {other.name!r}: {one.points:+} and {other.points:+} are given together"
        yield Problem(one.name, kind, text)
    yield from (Problem(None, "out of reach", text) for text in out_of_reach(rules))
    for group in rules.groups:
        if group not in {rule.in_group for rule in rules.sets}:
            used = {rule.in_group for rule in rules.sets}
            yield Problem(None, "empty group", f"no set is in the group {group!r}, so its cap does nothing; used: "
                          f"{', '.join(sorted(used))}")  # fmt: skip


def _unused(rules: Rules, tables: Tables) -> Iterator[Problem]:
    """The activity types that have never occurred."""
    types = tables.activities.select("type").unique().collect()["type"].to_list()
    for rule in rules.sets:
        for name in dict.fromkeys(t for c in rule.when for t in c.activities):
            if name not in types:
                text = f"no activity of the type {name!r} has occurred; {nearest(name, types)}"
                yield Problem(rule.name, "unknown activity", text)


def _firing(rules: Rules, fired: np.ndarray, view: View) -> Iterator[Problem]:
    """The sets that tell no contacts apart, alone or beside another set."""
    patterns: dict[bytes, RuleSet] = {}
    for rule, mine in zip(rules.sets, fired.T, strict=True):
        if not mine.any():
            yield Problem(rule.name, "never fires", f"fires for nobody: {_why_never(rule, view)}")
        elif mine.all():
            yield Problem(rule.name, "always fires", "fires for everybody, and so tells nobody apart")
        else:
            same, opposite = patterns.get(mine.tobytes()), patterns.get((~mine).tobytes())
            if same is not None:
                yield Problem(
                    rule.name, "same contacts", f"fires for exactly the contacts that {same.name!r} fires for"
                )
            elif opposite is not None:
                text = f"fires exactly where {opposite.name!r} does not, so that one of the two always counts"
                yield Problem(rule.name, "negation", text)
            patterns.setdefault(mine.tobytes(), rule)


def _why_never(rule: RuleSet, view: View) -> str:
    never = [c for c in rule.when if not holds(c, view).any()]
    if not never:
        return "each of its conditions holds for somebody, but not all of them for one contact"
    c = never[0]
    text = f"no contact fulfils: {in_words(c)}"
    test = text_test(c)
    if c.attribute is None or test is None or (c.equals is None and c.one_of is None):
        return text
    levels = [str(v) for v in view.levels(subject_feature(c, view.kinds).name)[0]]
    wanted = c.equals if c.equals is not None else next(iter(c.one_of or ()), "")
    return f"{text}; of {about(c)}, {nearest(wanted, levels)}" if 0 < len(levels) <= MOST_LEVELS else text
