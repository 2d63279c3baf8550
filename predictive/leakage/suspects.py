"""What an audit finds: reasons to suspect a column, and the suspect that they make together."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Literal

import yaml

from predictive.config import FeatureChoice

Confidence = Literal["high", "medium", "low"]
ORDER: tuple[Confidence, ...] = ("high", "medium", "low")


@dataclass(frozen=True)
class Reason:
    """One piece of evidence against a column of `table`, or against the activity type `column` of table activities."""

    table: str
    column: str
    why: str
    saw: str
    confidence: Confidence


@dataclass(frozen=True)
class Suspect:
    """A column that may betray the outcome.

    `why` names the strongest evidence, `saw` says in numbers what was seen, all evidence included. Of high
    `confidence` is what training leaves out unless `features.keep` names it, medium is a warning, low is something to
    know. `line` is what to write into the configuration to leave the column out.
    """

    table: str
    column: str
    why: str
    saw: str
    confidence: Confidence
    line: str

    @property
    def key(self) -> str:
        """The name that `features.exclude` and features know the column by."""
        return f"account_{self.column}" if self.table == "accounts" else self.column

    def as_dict(self) -> dict[str, str]:
        """Plain values for JSON."""
        return asdict(self)


def exclude_line(names: Iterable[str], wanted: FeatureChoice) -> str:
    """The `features` of a configuration that also leaves `names` out, on one line; what it says already stays.

    >>> exclude_line(["duration"], FeatureChoice(sensitive=["age"]))
    'features: {exclude: [duration], sensitive: [age]}'
    """
    exclude = list(dict.fromkeys([*wanted.exclude, *names]))
    # What is left out cannot be kept.
    cleared = wanted.model_copy(update={"exclude": [], "keep": [n for n in wanted.keep if n not in exclude]})
    others = cleared.model_dump(exclude_defaults=True)
    text: str = yaml.safe_dump(
        {"features": {"exclude": exclude, **others}}, default_flow_style=True, width=1_000_000, sort_keys=False,
        allow_unicode=True,
    )  # fmt: skip
    return text.strip()[1:-1]


def combined(reasons: Iterable[Reason], wanted: FeatureChoice) -> tuple[Suspect, ...]:
    """One suspect per column, the surest first; its strongest reason gives the name, the others are said after it."""
    by_column: dict[tuple[str, str], list[Reason]] = {}
    for reason in reasons:
        by_column.setdefault((reason.table, reason.column), []).append(reason)
    found = []
    for (table, column), mine in by_column.items():
        mine.sort(key=lambda r: ORDER.index(r.confidence))
        saw = "; ".join(dict.fromkeys(r.saw for r in mine))
        first = mine[0]
        suspect = Suspect(table, column, first.why, saw, first.confidence, "")
        found.append(Suspect(table, column, first.why, saw, first.confidence, exclude_line([suspect.key], wanted)))
    return tuple(sorted(found, key=lambda s: (ORDER.index(s.confidence), s.table, s.column)))
