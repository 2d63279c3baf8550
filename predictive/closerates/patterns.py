"""Patterns: thresholds that matter, such as ten or more downloads, found on earlier data and tested on later.

Looking through thousands of thresholds always finds some that seem to matter. So the best one of each subject is chosen
on the earlier part, and only that one is tested on the later part, which has had no say; label windows of the two never
overlap. What holds there, with all that were tested taken into account, is told; how many failed is told too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

import numpy as np
import pandas as pd
from scipy.stats import norm

from predictive.clock import iso
from predictive.closerates.cuts import choose_cuts, too_few
from predictive.closerates.evidence import (
    Bools,
    Sample,
    benjamini_hochberg,
    evidence,
    sample,
    scores,
    strata,
)
from predictive.closerates.havings import counted, did, features_to_look_at, written
from predictive.config import Config
from predictive.errors import DataError
from predictive.evaluation.clusters import Codes
from predictive.evaluation.intervals import plain
from predictive.features.catalog import Feature, is_text
from predictive.segments import DEFAULT
from predictive.tables import Tables

TIMES = (1, 2, 3, 5, 10, 15, 20, 30, 50, 100, 200)
"""Thresholds of counts: numbers that people agree on."""
LATER = 0.4
"""The share of closes that the later part holds, at least."""
FEWEST_ROWS = 20
FEWEST_IN_SEGMENT = 20
"""Closes of a segment in the earlier part, so that looking within it can find anything."""
MOST_TESTED = 30
"""Of all contacts, and again of segments: the more are tested, the surer each has to be."""
CHANCE = 0.05
"""The false discovery rate that is accepted, in either part."""


@dataclass(frozen=True)
class Candidate:
    """A threshold: `feature` at least, or at most, so much; among contacts of a segment (attribute, level) if any."""

    feature: Feature
    threshold: float
    way: Literal["at_least", "at_most"] = "at_least"
    segment: tuple[str, str] | None = None

    @property
    def subject(self) -> tuple[object, ...]:
        """What it is about: candidates of one subject say the same thing at different thresholds and windows."""
        if self.feature.attribute is not None:
            return (self.feature.attribute, self.segment)
        total = counted(self.feature)
        return (total.types, total.detail, self.segment)

    def mask(self, frame: pd.DataFrame) -> Bools:
        """The rows that reach it; missing values do not."""
        values = frame[self.feature.name].to_numpy(dtype=float, na_value=np.nan)
        found: Bools = values >= self.threshold if self.way == "at_least" else values <= self.threshold
        return found

    def among(self, frame: pd.DataFrame) -> Bools:
        """The rows of its segment."""
        return np.ones(len(frame), dtype=bool) if self.segment is None else members(frame, self.segment)

    def conditions(self, frame: pd.DataFrame) -> tuple[dict[str, Any], ...]:
        """The conditions as a rule file writes them."""
        if self.feature.attribute is not None:
            own: dict[str, Any] = {"attribute": self.feature.attribute, self.way: self.threshold}
        else:
            own = did(self.feature, frame, int(self.threshold)).when[0]
        return (own,) if self.segment is None else ({"attribute": self.segment[0], "equals": self.segment[1]}, own)

    def in_words(self, frame: pd.DataFrame) -> str:
        """The pattern as people say it."""
        where = "" if self.segment is None else f", where {self.segment[0]} is {self.segment[1]}"
        if self.feature.attribute is not None:
            way = "at least" if self.way == "at_least" else "at most"
            return f"{self.feature.attribute} {way} {written(self.threshold)}{where}"
        having = did(self.feature, frame, int(self.threshold))
        return f"{having.name} {having.value}{where}"


@dataclass(frozen=True)
class Pattern:
    """A threshold that held: its numbers on the later part, and the `earlier_lift` with which it was found.

    `average` is the close rate of all later contacts, or of those of the segment, which `lift` compares with.
    """

    pattern: str
    when: tuple[dict[str, Any], ...]
    segment: str | None
    contacts: int
    closed: int
    closes: int
    rate: float
    low: float
    high: float
    average: float
    lift: float
    adjusted_lift: float
    earlier_lift: float
    p: float
    q: float

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON; NaN becomes None."""
        return {name: plain(value) for name, value in asdict(self).items()} | {"when": list(self.when)}


@dataclass(frozen=True)
class Patterns:
    """What was found: of `tried` thresholds `tested` stood out in the earlier part; `holding` also hold later.

    `earlier` and `later` say with contacts, closes and dates what the parts are.
    """

    tried: int
    tested: int
    holding: tuple[Pattern, ...]
    earlier: dict[str, Any]
    later: dict[str, Any]
    said: tuple[str, ...]

    @property
    def failed(self) -> int:
        """How many were tested and did not hold."""
        return self.tested - len(self.holding)

    def as_dict(self) -> dict[str, Any]:
        """What `--json` prints."""
        own = {"tried": self.tried, "tested": self.tested, "failed": self.failed}
        parts = {"earlier": self.earlier, "later": self.later, "said": list(self.said)}
        return own | {"patterns": [p.as_dict() for p in self.holding]} | parts


def patterns(
    tables: Tables,
    config: Config,
    *,
    now: int,
    progress: Callable[[str], None] = lambda _: None,
) -> Patterns:
    """Search thresholds over activities and numeric attributes, overall and by segment, and test the best later.

    Looks at all contacts at as-ofs one horizon apart (with age snapshots, at one age), so that no close counts twice.
    Raises :class:`~predictive.errors.DataError` where nobody was eligible.
    """
    progress("choosing what to look at")
    cuts = choose_cuts(tables, config, as_of=None, now=now, several=True)
    counts, attributes = features_to_look_at(tables, config.features, cuts.choice, cuts.last)
    frame = cuts.rows(tables, config, [*counts, *attributes], progress=progress)
    if frame.empty:
        raise DataError("nobody was eligible at any cut; look at eligibility, or bring in more history")
    progress("looking for patterns")
    earlier, later = parts_of(frame, config.horizon_micros)
    named = DEFAULT if config.segments is None else config.segments
    segments = [f for f in attributes if is_text(f) and f.name == f.attribute and f.name in named]
    found = find_patterns(earlier, later, counts, attributes, segments)
    return found if cuts.said is None else replace(found, said=(cuts.said, *found.said))


def find_patterns(
    earlier: pd.DataFrame,
    later: pd.DataFrame,
    counts: Sequence[Feature],
    attributes: Sequence[Feature],
    segments: Sequence[Feature],
) -> Patterns:
    """The search and the test, on the two parts; `segments` are the text attributes to look within."""
    about = {name: _extent(part) for name, part in (("earlier", earlier), ("later", later))}
    few = [f"in the {name} part: {text}" for name, part in about.items() if (text := too_few(part["closes"]))]
    if few:
        return Patterns(0, 0, (), about["earlier"], about["later"], tuple(few))
    tried, chosen = choose_candidates(earlier, counts, attributes, segments)
    said = () if tried else ("there are neither activities nor numbers that enough contacts have, so no thresholds",)
    found = [_tested(candidate, earlier, later) for candidate in chosen]
    adjusted = benjamini_hochberg([p.p for p in found])
    tested = [Pattern(**{**vars(p), "q": q}) for p, q in zip(found, adjusted, strict=True)]
    holding = [p for p in tested if p.q <= CHANCE and (p.adjusted_lift > 1) == (p.earlier_lift > 1)]
    holding.sort(key=lambda p: (p.p, p.pattern))
    return Patterns(tried, len(tested), tuple(holding), about["earlier"], about["later"], said)


def parts_of(frame: pd.DataFrame, horizon: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The earlier part and the later: all from the latest as-of that leaves the later part two fifths of the closes.

    An earlier row's horizon ends before the first later as-of.
    """
    at = frame["as_of"].to_numpy(dtype=np.int64)
    closed = np.sort(at[frame["label"].to_numpy() == 1])[::-1]
    start = int(closed[min(len(closed) - 1, int(len(closed) * LATER))]) if len(closed) else int(at.max())
    return frame[at + horizon <= start], frame[at >= start]


def members(frame: pd.DataFrame, segment: tuple[str, str]) -> Bools:
    """The rows whose attribute (the column of this name) has this level."""
    found: Bools = (frame[segment[0]].astype("object") == segment[1]).to_numpy(dtype=bool)
    return found


def choose_candidates(
    earlier: pd.DataFrame, counts: Sequence[Feature], attributes: Sequence[Feature], segments: Sequence[Feature]
) -> tuple[int, list[Candidate]]:
    """How many thresholds were tried, and the best one of each subject that stands out on the earlier part."""
    bands = strata(earlier)
    found: list[tuple[float, Candidate]] = _scored(earlier, bands, thresholds(earlier, counts, attributes, None))
    of_types = [f for f in counts if counted(f).detail is None]
    for feature in segments:
        levels = earlier.loc[earlier["label"] == 1].groupby(feature.name)["deal_id"].nunique()
        for level in sorted(map(str, levels[levels >= FEWEST_IN_SEGMENT].index)):
            segment = (feature.name, level)
            inside = members(earlier, segment)
            part = earlier[inside]
            found += _scored(part, bands[inside], thresholds(part, of_types, attributes, segment))
    adjusted = benjamini_hochberg([float(2 * norm.sf(abs(z))) for z, _ in found])
    best: dict[tuple[object, ...], tuple[float, Candidate]] = {}
    for (z, candidate), q in zip(found, adjusted, strict=True):
        if q <= CHANCE and abs(z) > abs(best.get(candidate.subject, (0.0, candidate))[0]):
            best[candidate.subject] = (z, candidate)
    surest = [candidate for _, candidate in sorted(best.values(), key=lambda pair: -abs(pair[0]))]
    overall = [c for c in surest if c.segment is None][:MOST_TESTED]
    return len(found), [*overall, *[c for c in surest if c.segment is not None][:MOST_TESTED]]


def _scored(part: pd.DataFrame, bands: Codes, candidates: Iterator[Candidate]) -> list[tuple[float, Candidate]]:
    of = sample(part["label"], bands, part["cluster"])
    return [(float(scores(of, [c.mask(part)])[0]), c) for c in candidates]


def thresholds(
    part: pd.DataFrame, counts: Sequence[Feature], attributes: Sequence[Feature], segment: tuple[str, str] | None
) -> Iterator[Candidate]:
    """Every threshold that enough rows reach and enough do not."""
    for feature in counts:
        values = part[feature.name].to_numpy(dtype=float)
        for times in TIMES:
            reach = int((values >= times).sum())
            if reach < FEWEST_ROWS:
                break
            if len(values) - reach >= FEWEST_ROWS:
                yield Candidate(feature, float(times), segment=segment)
    for feature in attributes:
        if not is_text(feature):
            values = part[feature.name].to_numpy(dtype=float, na_value=np.nan)
            yield from _of_number(feature, values[np.isfinite(values)], segment)


def _of_number(feature: Feature, values: np.ndarray, segment: tuple[str, str] | None) -> Iterator[Candidate]:
    if len(values) == 0:
        return
    for threshold in dict.fromkeys(rounded(v) for v in np.quantile(values, np.arange(1, 10) / 10)):
        above, below = int((values >= threshold).sum()), int((values <= threshold).sum())
        if min(above, len(values) - above) >= FEWEST_ROWS:
            yield Candidate(feature, threshold, "at_least", segment)
        if min(below, len(values) - below) >= FEWEST_ROWS:
            yield Candidate(feature, threshold, "at_most", segment)


def rounded(value: float) -> float:
    """A threshold as people would set it: two digits.

    >>> rounded(1234.0), rounded(0.0456)
    (1200.0, 0.046)
    """
    return float(f"{value:.2g}")


def _tested(candidate: Candidate, earlier: pd.DataFrame, later: pd.DataFrame) -> Pattern:
    before, _, _ = _evidence(candidate, earlier)
    now, of, mask = _evidence(candidate, later)
    deals = later["deal_id"][candidate.among(later)]
    numbers = {k: v for k, v in asdict(now).items() if k != "p"}
    return Pattern(
        pattern=candidate.in_words(later.head(0)),
        when=candidate.conditions(later.head(0)),
        segment=None if candidate.segment is None else " is ".join(candidate.segment),
        closes=int(deals[mask].nunique()),
        average=of.average,
        earlier_lift=before.adjusted_lift,
        p=now.p,
        q=1.0,
        **numbers,
    )


def _evidence(candidate: Candidate, part: pd.DataFrame) -> tuple[Any, Sample, Bools]:
    inside = candidate.among(part)
    rows = part[inside]
    of, mask = sample(rows["label"], strata(part)[inside], rows["cluster"]), candidate.mask(rows)
    return evidence(of, mask), of, mask


def _extent(part: pd.DataFrame) -> dict[str, Any]:
    if part.empty:
        return {"contacts": 0, "rows": 0, "closes": 0, "from": None, "until": None}
    at = part["as_of"]
    return {
        "contacts": int(part["contact_id"].nunique()),
        "rows": len(part),
        "closes": int(part["deal_id"].nunique()),
        "from": iso(int(at.min())),
        "until": iso(int(at.max())),
    }
