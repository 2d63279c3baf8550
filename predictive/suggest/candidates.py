"""Which conditions a suggestion may use: what stands out, with a sign that makes sense."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import pandas as pd
from scipy.stats import norm

from predictive.closerates.evidence import Bools, benjamini_hochberg, sample, scores, strata
from predictive.closerates.havings import EVER, FEWEST, MOST_LEVELS, counted, written
from predictive.closerates.patterns import Candidate, thresholds
from predictive.features.catalog import Feature, is_text
from predictive.features.choose_behaviour import grouped

CHANCE = 0.05
"""The false discovery rate at which a condition may be used."""
MOST_OF_ONE = 3
"""Thresholds and windows of one subject that are looked at further."""
WELCOME = ("webinars", "forms", "downloads", "events", "sales")
"""Groups of activities that take a contact an effort: none can cost points, whatever the detail."""
REGARDED = ("website", "email")
"""Groups of which more can cost no points as a whole; single pages or mails can, such as job advertisements."""
UNWELCOME = "negative"
MOST_TURNED = 12
"""Levels that a set may list."""
LIKE_A_BOT = 100.0
"""So many of anything are no person's interest, and may cost points."""


@dataclass(frozen=True)
class Term:
    """A condition on one feature: a number at least or at most `value`, or one of the levels in `value`."""

    feature: Feature
    way: Literal["at_least", "at_most", "one_of"]
    value: float | tuple[str, ...]

    @property
    def subject(self) -> tuple[object, ...]:
        """What it is about: terms of one subject say the same thing at different thresholds and windows."""
        if self.feature.attribute is not None:
            return (self.feature.attribute, self.value if self.way == "one_of" else None)
        total = counted(self.feature)
        return (total.types, total.detail)

    def mask(self, frame: pd.DataFrame) -> Bools:
        """The rows (n,) that have it, as the rules see them: levels without regard to case, missing never."""
        values = frame[self.feature.name]
        if isinstance(self.value, tuple):
            wanted = {v.casefold() for v in self.value}
            held = {level: str(level).casefold() in wanted for level in values.dropna().unique()}
            return np.asarray(values.map(held).eq(other=True).to_numpy(dtype=bool))
        numbers = values.to_numpy(dtype=float, na_value=np.nan)
        return np.asarray(numbers >= self.value if self.way == "at_least" else numbers <= self.value)

    def turned(self, frame: pd.DataFrame) -> Term | None:
        """The term that holds for the others whose value is known, as `frame` has them; None if there are none."""
        values = frame[self.feature.name].dropna()
        if isinstance(self.value, tuple):
            own = {v.casefold() for v in self.value}
            others = {text.casefold(): text for text in map(str, sorted(values.unique(), key=str))}
            rest = tuple(text for folded, text in others.items() if folded not in own)
            return replace(self, value=rest) if 0 < len(rest) <= MOST_TURNED else None
        if self.feature.attribute is None:
            return replace(self, way="at_most", value=self.value - 1)
        numbers = values.to_numpy(dtype=float)
        below = self.way == "at_least"
        beyond = numbers[numbers < self.value] if below else numbers[numbers > self.value]
        if len(beyond) == 0:
            return None
        edge = float(beyond.max() if below else beyond.min())
        return replace(self, way="at_most" if below else "at_least", value=edge)

    def when(self) -> dict[str, Any]:
        """The condition as a rule file writes it."""
        if self.feature.attribute is not None:
            own: dict[str, Any] = {"attribute": self.feature.attribute}
            if isinstance(self.value, tuple):
                one = len(self.value) == 1
                return own | ({"equals": self.value[0]} if one else {"one_of": list(self.value)})
            return own | {self.way: _plain(self.value)}
        total = counted(self.feature)
        own = {"activity": total.types[0] if len(total.types) == 1 else list(total.types)}
        if total.detail is not None:
            own["detail"] = total.detail
        if isinstance(self.value, float) and (self.value > 1 or self.way == "at_most"):
            own[self.way] = _plain(self.value)
        if total.days is not None and total.days < EVER:
            own["within"] = f"{total.days}d"
        return own

    def in_words(self) -> str:
        """The name of a set with this condition."""
        if self.feature.attribute is not None:
            about = _capital(self.feature.attribute)
            if isinstance(self.value, tuple):
                return f"{about}: {' or '.join(self.value)}"
            return f"{about} {self.way.replace('_', ' ')} {written(self.value)}"
        total = counted(self.feature)
        about = _capital(" or ".join(total.types)) + (f" ({total.detail})" if total.detail is not None else "")
        often = self._often()
        when = f" in the last {total.days} days" if total.days is not None and total.days < EVER else ", ever"
        return f"{about}{often}{when}"

    def _often(self) -> str:
        if not isinstance(self.value, float) or (self.value == 1 and self.way == "at_least"):
            return ""
        if self.way == "at_most":
            return ", none" if self.value == 0 else f", {self.value:g} or fewer"
        return f", {self.value:g} or more"


@dataclass(frozen=True)
class Chosen:
    """A term that stands out by `z` standard errors; `sign` says whether it raises or lowers the chance of a close."""

    term: Term
    sign: int
    z: float


def candidates(
    known: pd.DataFrame, counts: Sequence[Feature], attributes: Sequence[Feature], groups: Mapping[str, list[str]]
) -> list[Chosen]:
    """The terms that go with closing more clearly than luck would, among all that are tried, the clearest first.

    Args:
        known: mature examples with `label`, `cluster`, `as_of`, `record_age_days` and the features.
        counts: features that count activities.
        attributes: what is stated of contacts and accounts.
        groups: activity types by group, as configured (see :func:`required`).
    """
    homes = {t: name for name, mine in grouped(_types(counts), dict(groups)).items() for t in mine}
    of = sample(known["label"], strata(known), known["cluster"])
    tried = [(term, float(scores(of, [term.mask(known)])[0])) for term in _every(known, counts, attributes)]
    adjusted = benjamini_hochberg([float(2 * norm.sf(abs(z))) for _, z in tried])
    found = [
        Chosen(term, 1 if z > 0 else -1, z)
        for (term, z), q in zip(tried, adjusted, strict=True)
        if q <= CHANCE and _must(term, homes) * z >= 0
    ]
    return _few_of_each(sorted(found, key=lambda c: -abs(c.z)))


def required(types: Sequence[str], detail: str | None, times: float, homes: Mapping[str, str]) -> int:
    """The only sign that makes sense for an activity: 1, -1, or 0 where either does. `homes`: the group of each type.

    >>> homes = {"form": "forms", "unsubscribe": "negative", "page_view": "website"}
    >>> required(["form"], "demo", 1, homes), required(["unsubscribe"], None, 1, homes)
    (1, -1)
    >>> required(["page_view"], "/careers", 1, homes), required(["page_view"], None, 5, homes)
    (0, 1)
    """
    home = {homes.get(t) for t in types}
    if home <= {UNWELCOME}:
        return -1
    if times >= LIKE_A_BOT:
        return 0
    welcome = home <= set(WELCOME) or (home <= {*WELCOME, *REGARDED} and detail is None)
    return 1 if welcome else 0


def _must(term: Term, homes: Mapping[str, str]) -> int:
    if term.feature.attribute is not None or not isinstance(term.value, float):
        return 0
    total = counted(term.feature)
    return required(total.types, total.detail, term.value, homes)


def _types(counts: Sequence[Feature]) -> list[str]:
    return list(dict.fromkeys(t for f in counts for t in counted(f).types))


def _every(part: pd.DataFrame, counts: Sequence[Feature], attributes: Sequence[Feature]) -> Iterator[Term]:
    """Every term to try. Whether something is known is none: sales may have filled it in."""
    for candidate in thresholds(part, counts, attributes, None):
        yield _term(candidate)
    for feature in attributes:
        if is_text(feature):
            text = part[feature.name].dropna().astype(str)
            common = text.groupby(text.str.casefold()).agg(["size", "min"])
            common = common[common["size"] >= FEWEST].sort_values(["size", "min"], ascending=[False, True])
            for level in common["min"].head(MOST_LEVELS):
                yield Term(feature, "one_of", (str(level),))


def _term(candidate: Candidate) -> Term:
    return Term(candidate.feature, candidate.way, candidate.threshold)


def _few_of_each(found: Sequence[Chosen]) -> list[Chosen]:
    seen: dict[tuple[object, ...], int] = {}
    kept = []
    for chosen in found:
        seen[chosen.term.subject] = seen.get(chosen.term.subject, 0) + 1
        if seen[chosen.term.subject] <= MOST_OF_ONE:
            kept.append(chosen)
    return kept


def _plain(number: float) -> float | int:
    return int(number) if number == int(number) else number


def _capital(text: str) -> str:
    words = text.replace("_", " ")
    return words[:1].upper() + words[1:]
